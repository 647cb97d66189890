"""What is decided before cells are run. Results of other settings are not comparable: begin with an empty folder of them."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "build/release/aitqe"
MODEL = ROOT / ".deps/models/aitqe-small"
RESULTS = ROOT / "bench/results/proof"

NUM_SEEDS = 3
SIZES = [500, 1000, 2000]  # less than the pool, so that seeds differ in their pairs at every size
POOL_PAIRS = 2400
TEST_PAIRS = 400
# What is done to the pool's pairs, and to which share of them. `junk` are generic captions that the default model was taught
# to tell, `new junk` others that it never saw.
NOISE = {"junk": 0.125, "new junk": 0.125, "mismatch": 0.25, "translated": 0.03}
POOL_SEED = 20241021

# Names of the arms: how a subset of the pool is used. `clean` is what nobody has.
ARMS = {
    "raw": "as they came",
    "best-by-score": "the better half by score_expected",
    "best-by-clip": "the better half by a CLIP-like dual encoder",
    "enhanced": "as `aitqe enhance` writes them",
    "dose-25": "raw, a quarter of the times enhanced",
    "dose-50": "raw and enhanced alike",
    "dose-75": "raw, three quarters of the times enhanced",
    "recaptioned": "every caption replaced (`--rewrite-when always`)",
    "clean": "the captions before the noise",
}
FIRST_ARMS = ["raw", "enhanced", "best-by-score", "dose-50", "best-by-clip", "clean"]
DOSE_ARMS = ["dose-25", "dose-75", "recaptioned"]
DOSE_SIZE = 1000  # the arms of DOSE_ARMS are tried at this size alone
# `scratch`: pixels of 64 x 64 and nothing learnt before. `trunk`: features of ImageNet's frozen EfficientNet-Lite0.
LEARNERS = {"scratch": {"epochs": 60, "rate": 3e-3}, "trunk": {"epochs": 100, "rate": 1e-3}}
LEARNER_NAMES = {"trunk": "on the frozen trunk", "scratch": "from pixels"}
BATCH = 128
PIXELS = 64
MOST_TOKENS = 24

# Table 6 of the paper: what the judge learns from. `swapped` is what the default model is taught with: every picture also
# with the captions of three others of its step.
ABLATIONS = {
    "scores": {"contrastive": False, "rewriting": False, "swapped": 0},
    "contrastive": {"contrastive": True, "rewriting": False, "swapped": 0},
    "rewriting": {"contrastive": False, "rewriting": True, "swapped": 0},
    "both": {"contrastive": True, "rewriting": True, "swapped": 0},
    "swapped": {"contrastive": True, "rewriting": True, "swapped": 3},
}
ABLATION_STEPS, ABLATION_PICTURES = 120, 8  # of training, and pictures a step
ABLATION_IMAGES = 60  # of each split that is evaluated
