"""Table 6 of the paper in miniature: what the judge learns from, and what it can then do.

Every judge starts from one model that has learnt captions and no judging (configs/train/small-captions.toml) and takes
ABLATION_STEPS steps of ABLATION_PICTURES. Without contrastive samples it learns from every picture with the caption it came with, good or bad;
without rewriting the better caption of a bad one is left out of its record, so that the answer is a score. Captions are
replayed in all of them. Seeds differ in the order of samples and the choice of captions, not in the start. What the start
makes of the same trials is measured too: it gives no score, so eval_captioner.py asks what the picture does for each caption.
"""

import io
import json
import pathlib
import shutil
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
images_per_step = {pictures}
warmup_steps = 20
augment = true
rank_weight = 2.0
caption_share = 0.25
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


def is_natural(record, came_bad):
    """Whether the sample shows its picture with the caption it came with. @param came_bad  source keys"""
    if record["source_key"] in came_bad:
        return record["flaw"] == "shipped"
    return record["label"] == "good"


def write_natural(work):
    """The training shards without what was made of a caption, worse or better."""
    folder = folder_of(work) / "natural"
    folder.mkdir(parents=True, exist_ok=True)
    for shard in sorted((work / "training").glob("*.tar")):
        records = {key: json.loads(record) for key, record in pool.members(shard, "contrast.json").items()}
        came_bad = {r["source_key"] for r in records.values() if r["flaw"] == "shipped"}
        kept = {key for key, record in records.items() if is_natural(record, came_bad)}
        part = folder / f".{shard.name}"
        with tarfile.open(shard) as tar, tarfile.open(part, "w") as out:
            for member in tar:
                if member.name.partition(".")[0] in kept:
                    out.addfile(member, tar.extractfile(member))
        part.rename(folder / shard.name)


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
    text = RECIPE.format(seed=seed, shards=shards_of(arm), steps=settings.ABLATION_STEPS,
                         pictures=settings.ABLATION_PICTURES, swapped=setting["swapped"])
    recipe.write_text(text)
    shutil.rmtree(folder / f"eval/{arm}-{seed}", ignore_errors=True)  # of a model that was there before
    pool.run_aitqe("train", recipe, "-o", folder / f"{arm}-{seed}", "--device", device, folder=work)
    return {"steps": settings.ABLATION_STEPS}


def shards_of_split(work, split):
    return sorted((work / "shards").glob(f"val-{split}-*.tar"))


def by_picture(trials, measures):
    """{"pictures": keys, MEASURE: {kind: [value of each picture, or None]}}: what intervals are made of."""
    pictures = sorted({t["key"] for t in trials})
    figures = {"pictures": pictures}
    for measure in measures:
        found = {(t["key"], t["kind"]): t[measure] for t in trials}
        figures[measure] = {kind: [found.get((key, kind)) for key in pictures] for kind in sorted({t["kind"] for t in trials})}
    return figures


def trials_of(path):
    """Those that were answered, with what is told of each."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row | {"score": round(row["score"], 4), "p_rewrite": round(row["p_rewrite"], 4), "rewrites": int(row["rewrites"])}
            for row in rows if row["score"] >= 0]


def try_out(work, device, arm, seed, split):
    """`aitqe eval` over a split. @return its folder"""
    out = folder_of(work) / f"eval/{arm}-{seed}/{split}"
    if not (out / "eval.json").exists():
        pool.run_aitqe("eval", *shards_of_split(work, split), "--model", folder_of(work) / f"{arm}-{seed}", "-o", out,
                       "--device", device, "--limit", settings.ABLATION_IMAGES)
    return out


def evaluate(work, device, arm, seed):
    """What `aitqe eval` finds, and how near rewrites of mismatched captions come to the truth."""
    figures = {}
    for split in SPLITS:
        out = try_out(work, device, arm, seed, split)
        found = json.loads((out / "eval.json").read_text())["sources"]["all"]
        rows = read_rewrites([out / "trials.jsonl"])
        figures[split] = {
            "failed": found["failed"], "rewrites": len(rows),
            "text_alone": {kind: {name: one[f"auroc_by_{name}"] for name in ("length", "junk_words")}
                           for kind, one in found["kinds"].items()},
            "trials": by_picture(trials_of(out / "trials.jsonl"), ("score", "p_rewrite", "rewrites"))}
        if len(rows) >= 3:
            made = cosines(rows, pool.minilm(work).encode)
            figures[split]["rewrite_cosines"] = {"pictures": [row["key"] for row in rows]} | {
                name: [round(float(x), 3) for x in values] for name, values in
                (("rewrite", made.rewrite), ("bad", made.bad), ("for_another", made.stranger))}
    return figures


def evaluate_start(work, device, arm, seed):
    """What the model is worth before any judging, on the trials that judge `arm` of `seed` was tried on."""
    from eval_captioner import KINDS, Captioner, what_pictures_add

    captioner = Captioner(folder_of(work) / "start")
    figures = {}
    for split in SPLITS:
        out = try_out(work, device, arm, seed, split)
        trials = [t for t in trials_of(out / "trials.jsonl") if t["kind"] in KINDS]
        values = what_pictures_add(captioner, shards_of_split(work, split), trials)
        figures[split] = {"trials": by_picture([t | {"score": round(v, 4)} for t, v in zip(trials, values)], ("score",))}
    return figures
