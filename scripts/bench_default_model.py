#!/usr/bin/env python3
"""How many pairs a second the default model does, from the tar to the written shard and report, by kind of work.

    python scripts/bench_default_model.py [--binary build/release/aitqe] [--rounds 5] [--pairs 64]

Runs aitqe as a user gets it, without options of its own, over shards made of the pairs of examples/pairs-00000.tar, all
workloads taking turns: scores only; rewrites where the model wants to, never and always; captions of 10 to 120 words;
pictures of 300 to 2000 px, as JPEG and in other formats; a shard with one broken member in ten. A rate is that of all
pairs over the time from the first to the last, without loading the model; the ratio is to the first workload of the same
round. Broken pairs count as the others. Writes bench/results/default_model_cpu.txt. Needs Pillow (scripts/setup.sh --tests).
"""

import argparse
import io
import itertools
import json
import pathlib
import random
import statistics
import subprocess
import tempfile

from bench_support import (ROOT, collage, cores_and_load, encoded, example_pairs, head, last_run, write_result,
                           write_shard)
from PIL import Image

CAPTION_WORDS = (10, 30, 60, 120)
SIDES_PX = (300, 600, 1200, 2000)
FORMATS = ("PNG", "WEBP")


def drawn(pairs, side, form="JPEG"):
    """The captions, with pictures of that width that have the detail of real ones."""
    draw = random.Random(side)
    pictures = [Image.open(io.BytesIO(picture)).convert("RGB") for picture, _ in pairs]
    for _, caption in pairs:
        yield encoded(collage(pictures, (side, side * 3 // 4), draw), form), caption, form.lower().replace("jpeg", "jpg")


def with_captions_of(pairs, words):
    """The pictures, with captions of so many words of the others' captions."""
    stream = itertools.cycle(" ".join(caption.decode() for _, caption in pairs).split())
    for picture, _ in pairs:
        yield picture, " ".join(itertools.islice(stream, words)).encode()


def with_broken_members(pairs):
    """Every tenth picture cut off, a JPEG, a PNG or a WebP in turn."""
    whole = {form: list(drawn(pairs, 400, form)) for form in ("JPEG", "PNG", "WEBP")}
    forms = itertools.cycle(whole)
    for i, pair in enumerate(pairs):
        if i % 10 == 9:
            picture, caption, suffix = whole[next(forms)][i]
            yield picture[:len(picture) // 2], caption, suffix
        else:
            yield pair


def workloads(pairs):
    """name -> (pairs, command and options)"""
    found = {"score": (pairs, ["score"]), "enhance": (pairs, ["enhance"])}
    for rule in ("never", "always"):
        found[f"enhance, rewrite {rule}"] = (pairs, ["enhance", "--rewrite-when", rule])
    for words in CAPTION_WORDS:
        found[f"captions of {words} words"] = (list(with_captions_of(pairs, words)), ["enhance"])
    for side in SIDES_PX:
        found[f"JPEGs of {side} px"] = (list(drawn(pairs, side)), ["enhance"])
    for form in FORMATS:
        found[f"{form} of 600 px"] = (list(drawn(pairs, 600, form)), ["enhance"])
    found["one broken in ten"] = (list(with_broken_members(pairs)), ["enhance"])
    return found


def measure(binary, shard, arguments, out):
    """One run: rate, shares of the time, and what became of the pairs."""
    subprocess.run([binary, *arguments, shard, "-o", out, "--device", "cpu", "--max-failed", "100%", "-q"],
                   check=True, stdout=subprocess.DEVNULL)
    status = subprocess.run([binary, "status", out, "--json"], check=True, stdout=subprocess.PIPE)
    summary = json.loads(status.stdout)["summary"]
    record = last_run(out)
    return {"pairs/s": record["pairs"] / record["run_s"]} | {
        stage: record[f"{stage}_s"] / record["run_s"] for stage in ("vision", "prefill", "decode")} | {
        what: summary[what] / summary["read"] for what in ("rewritten", "failed")}


def line(name, runs, first):
    def median(what):
        return statistics.median(run[what] for run in runs)

    rates = [run["pairs/s"] for run in runs]
    ratios = [run["pairs/s"] / base["pairs/s"] for run, base in zip(runs, first)]
    shares = "".join(f"{median(what):11.3f}" for what in ("rewritten", "failed", "vision", "prefill", "decode"))
    return (f"{name:24}{median('pairs/s'):9.2f}{min(rates):8.2f}{max(rates):8.2f}{statistics.median(ratios):10.3f}{shares}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/aitqe")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=64)
    options = parser.parse_args()
    before = cores_and_load()
    kinds = workloads(example_pairs()[:options.pairs])
    runs = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shards = {kind: folder / f"{i:02}.tar" for i, kind in enumerate(kinds)}
        for kind, (pairs, _) in kinds.items():
            write_shard(shards[kind], pairs)
        measure(options.binary, shards["score"], ["score"], folder / "warm-up")
        for number in range(options.rounds):
            for i, (kind, (_, arguments)) in enumerate(kinds.items()):
                runs[kind].append(measure(options.binary, shards[kind], arguments, folder / f"out-{number}-{i}"))
    command = f"scripts/bench_default_model.sh --rounds {options.rounds} --pairs {options.pairs}"
    lines = head(command, before)
    lines.append(f"{'':24}{'pairs/s':>9}{'min':>8}{'max':>8}{'/ score':>10}{'rewritten':>11}{'failed':>11}{'vision':>11}"
                 f"{'prefill':>11}{'decode':>11}")
    write_result("default_model_cpu.txt", lines + [line(kind, found, runs["score"]) for kind, found in runs.items()])


if __name__ == "__main__":
    main()
