#!/usr/bin/env python3
"""What the parts of the default model's training bring: short trainings that differ in one thing.

    python scripts/ablate_default_model.py --work WORK train     about an hour and a half on two cores; can be stopped
    python scripts/ablate_default_model.py --work WORK eval      another half hour

`captions` is what two stages of the recipe leave, before any judging. From there 150 steps of judging each: `natural`
learns from captions that were bad by themselves, `contrast` from samples of `aitqe contrast`, `swapped` from these and
from every picture with the captions of three others. The recipes are in configs/train/ablation. bench/results/ablation.txt
gets the tables. WORK as for make_default_model.py, after its step `data`.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tarfile

from evaluate_default_model import BINARY, ROOT, SCRIPTS, SPLITS

VARIANTS = ("natural", "contrast", "swapped")
LIMIT = 120


def write_natural(work):
    """The training shards without what was made bad on purpose, and without good samples of such pictures."""
    folder = work / "ablation/natural"
    folder.mkdir(parents=True, exist_ok=True)
    for shard in sorted((work / "training").glob("*.tar")):
        with tarfile.open(shard) as tar:
            records = {m.name.split(".")[0]: json.load(tar.extractfile(m)) for m in tar if m.name.endswith(".contrast.json")}
            bad = {r["source_key"] for r in records.values() if r["flaw"] == "shipped"}
            kept = {key for key, r in records.items()
                    if r["source_key"] in bad and (r["label"] == "good" or r["flaw"] == "shipped")}
            with tarfile.open(folder / shard.name, "w") as out:
                for member in tar:
                    if member.name.split(".")[0] in kept:
                        out.addfile(member, tar.extractfile(member))


def train(work):
    write_natural(work)
    for name in ("captions", *VARIANTS):
        recipe = ROOT / f"configs/train/ablation/{name}.toml"
        subprocess.run([BINARY, "train", recipe, "-o", f"ablation/{name}"], cwd=work, check=True)


def evaluate(work):
    parts = []

    def run(*command):
        done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
        parts.append(done.stdout.rstrip())
        print(parts[-1], flush=True)

    for name in VARIANTS:
        run(sys.executable, SCRIPTS / "evaluate_default_model.py", "--work", work, "--model", work / "ablation" / name,
            "--name", f"ablation_{name}", "--limit", LIMIT, "--table-only")
    shards = sorted((work / "shards").glob("val-*.tar"))
    run(sys.executable, SCRIPTS / "eval_captioner.py", "--model", work / "ablation/captions", "--shards", *shards,
        "--trials", *(work / "eval/ablation_swapped" / split / "trials.jsonl" for split in SPLITS))
    (ROOT / "bench/results/ablation.txt").write_text(
        "# scripts/ablate_default_model.py\n" + "\n\n".join(parts) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["train", "eval"])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    options = parser.parse_args()
    {"train": train, "eval": evaluate}[options.step](options.work)


if __name__ == "__main__":
    main()
