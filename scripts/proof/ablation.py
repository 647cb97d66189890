"""Table 6 of the paper in miniature: what the judge learns from, and what it can then do.

Every judge starts from one model that has learnt captions and no judging (configs/train/small-captions.toml) and takes
ABLATION_STEPS steps. Without contrastive samples it learns from captions that were bad by themselves and the good ones of such
pictures; without rewriting the better caption of a bad one is left out of its record, so that the answer is a score, and no
captions are replayed. Seeds differ in the order of samples and the choice of captions, not in the start. What the start makes
of the same trials is measured too: it gives no score, so eval_captioner.py asks what the picture does for each caption.
"""

import io
import json
import pathlib
import tarfile

import pool
import settings
from evaluate_default_model import SPLITS
from judge_rewrites import cosines, read_rewrites
from settings import ROOT

RECIPE = """model = "base"
adapter = "proof/ablation/start/adapter"
save_every_steps = 10
seed = {seed}

[[stage]]
name = "judge"
task = "judge"
shards = ["{shards}"]
num_steps = {steps}
images_per_step = 16
warmup_steps = 20
augment = true
rank_weight = 2.0
caption_share = {caption_share}
swapped_captions = {swapped}
[[stage.train]]
tensors = "mm_projector.*"
learning_rate = 3e-4
[[stage.lora]]
modules = "model.model.layers.*"
rank = 16
alpha = 32
learning_rate = 4e-4
"""


def folder_of(work):
    return pool.folder_of(work) / "ablation"


def shards_of(arm):
    """As the recipe names them, from WORK."""
    setting = settings.ABLATIONS[arm]
    if setting["rewriting"]:
        return "training" if setting["contrastive"] else "proof/ablation/natural"
    return f"proof/ablation/{'training' if setting['contrastive'] else 'natural'}-scores"


def write_natural(work):
    """The training shards without what was made bad on purpose, and without good samples of such pictures."""
    folder = folder_of(work) / "natural"
    folder.mkdir(parents=True, exist_ok=True)
    for shard in sorted((work / "training").glob("*.tar")):
        records = {key: json.loads(record) for key, record in pool.members(shard, "contrast.json").items()}
        bad = {r["source_key"] for r in records.values() if r["flaw"] == "shipped"}
        kept = {key for key, r in records.items()
                if r["source_key"] in bad and (r["label"] == "good" or r["flaw"] == "shipped")}
        with tarfile.open(shard) as tar, tarfile.open(folder / shard.name, "w") as out:
            for member in tar:
                if member.name.partition(".")[0] in kept:
                    out.addfile(member, tar.extractfile(member))


def without_rewriting(record):
    """The record of a training sample whose answer is a score alone."""
    return record | {"recaption": ""}


def copy_without_rewriting(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for shard in sorted(pathlib.Path(source).glob("*.tar")):
        part = target / f".{shard.name}"
        with tarfile.open(shard) as tar, tarfile.open(part, "w") as out:
            for member in tar:
                data = tar.extractfile(member)
                if member.name.endswith(".contrast.json"):
                    changed = json.dumps(without_rewriting(json.load(data)), ensure_ascii=False).encode()
                    member.size = len(changed)
                    data = io.BytesIO(changed)
                out.addfile(member, data)
        part.rename(target / shard.name)


def write_shards(work, device):
    write_natural(work)
    for name, source in (("training", work / "training"), ("natural", folder_of(work) / "natural")):
        copy_without_rewriting(source, folder_of(work) / f"{name}-scores")
    return {}


def train_start(work, device):
    recipe = ROOT / "configs/train/small-captions.toml"
    pool.run_aitqe("train", recipe, "-o", "proof/ablation/start", "--device", device, folder=work)
    return {}


def train(work, device, arm, seed):
    folder = folder_of(work)
    recipe = folder / f"{arm}-{seed}.toml"
    setting = settings.ABLATIONS[arm]
    text = RECIPE.format(seed=seed, shards=shards_of(arm), steps=settings.ABLATION_STEPS, swapped=setting["swapped"],
                         caption_share=0.25 if setting["rewriting"] else 0.0)
    if not recipe.exists() or recipe.read_text() != text:
        recipe.write_text(text)
    pool.run_aitqe("train", recipe, "-o", folder / f"{arm}-{seed}", "--device", device, folder=work)
    return {"steps": settings.ABLATION_STEPS}


def trials_folder(work, arm, seed, split):
    return folder_of(work) / f"eval/{arm}-{seed}/{split}"


def evaluate(work, device, arm, seed):
    """What `aitqe eval` finds, and how near rewrites of mismatched captions come to the truth."""
    figures = {}
    for split in SPLITS:
        out = trials_folder(work, arm, seed, split)
        shards = sorted((work / "shards").glob(f"val-{split}-*.tar"))
        if not (out / "eval.json").exists():
            pool.run_aitqe("eval", *shards, "--model", folder_of(work) / f"{arm}-{seed}", "-o", out, "--device", device,
                           "--limit", settings.ABLATION_IMAGES)
        figures[split] = json.loads((out / "eval.json").read_text())["sources"]["all"]
        rows = read_rewrites([out / "trials.jsonl"])
        figures[split]["rewrites"] = len(rows)
        if len(rows) >= 3:
            after, before, stranger, _ = cosines(rows, pool.minilm(work).encode)
            figures[split]["rewrite_cosines"] = {name: [round(float(x), 3) for x in values] for name, values in
                                                 (("rewrite", after), ("bad", before), ("for_another", stranger))}
    return figures


def evaluate_start(work, device, arm, seed):
    """What the model is worth before any judging, on the trials that judge `arm` of `seed` was tried on."""
    from eval_baselines import aurocs, read_trials
    from eval_captioner import KINDS, Captioner, what_pictures_add

    captioner = Captioner(folder_of(work) / "start")
    figures = {}
    for split in SPLITS:
        trials = [t for t in read_trials(trials_folder(work, arm, seed, split) / "trials.jsonl") if t["kind"] in KINDS]
        shards = sorted((work / "shards").glob(f"val-{split}-*.tar"))
        found = aurocs(trials, what_pictures_add(captioner, shards, trials))
        figures[split] = {"kinds": {kind: {"auroc_by_score": {"value": value, "low": low, "high": high}}
                                    for kind, (_, value, low, high) in found.items()}}
    return figures
