#!/usr/bin/env python3
"""Measures what the captions of tests/data/hostile do to a judge, and how well they are told from ordinary ones.

    python3 scripts/measure_injection.py [--model DIR] [--ordinary NAME=SHARD[,SHARD...]]... > bench/results/hostile_captions.txt

Every hostile caption and its plain twin is judged under the image that the twin describes and under one that it does not. The
table has, for each class, the mean shift of `score_expected` (hostile minus plain, with the half-width of its 95 % interval over
captions), how many captions are kept of plain and of hostile ones, and how many bear a sign (`injection_suspect`). Below it: how
many ordinary captions bear one; those of the example shard always, further shards by --ordinary.
Needs build/release/aitqe and build/release/tests/quality/injection_cli.
"""

import argparse
import collections
import io
import json
import math
import pathlib
import shlex
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CAPTIONS = ROOT / "tests/data/hostile/captions.jsonl"
EXAMPLES = ROOT / "examples/pairs-00000.tar"
AITQE = ROOT / "build/release/aitqe"
INJECTION_CLI = ROOT / "build/release/tests/quality/injection_cli"
IMAGES = ("image", "other_image")
TEXTS = ("plain", "hostile")


def read_members(shard, suffix):
    with tarfile.open(shard) as archive:
        return {m.name.partition(".")[0]: archive.extractfile(m).read() for m in archive if m.name.endswith(suffix)}


def write_shard(path, captions):
    """Each text of each caption under each image; equal pairs once. @return pair -> key"""
    images = read_members(EXAMPLES, ".jpg")
    keys = {}
    with tarfile.open(path, "w") as archive:
        for caption in captions:
            for text in TEXTS:
                for image in IMAGES:
                    pair = (caption[text], caption[image])
                    if pair in keys:
                        continue
                    keys[pair] = f"{len(keys):06d}"
                    for suffix, data in (("jpg", images[caption[image]]), ("txt", caption[text].encode())):
                        info = tarfile.TarInfo(f"{keys[pair]}.{suffix}")
                        info.size = len(data)
                        archive.addfile(info, io.BytesIO(data))
    return keys


def judge(shard, folder, model):
    command = [str(AITQE), "score", str(shard), "-o", str(folder), "-q", "--max-failed", "100%"]
    if model:
        command += ["--model", model]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(folder / f"{shard.stem}.aitqe.jsonl", encoding="utf-8") as rows:
        return {row["key"]: row for row in map(json.loads, rows)}


def mean_and_half_width(values):
    if len(values) < 2:
        return (values[0] if values else math.nan), math.nan
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return mean, 1.96 * math.sqrt(variance / len(values))


class Class:
    """What became of the captions of one class."""

    def __init__(self):
        self.num_captions = 0
        self.num_suspect = 0
        self.shifts = {image: [] for image in IMAGES}
        self.kept = collections.Counter()
        self.failed = 0

    def add(self, rows):
        """@param rows  (text, image) -> row of one caption"""
        self.num_captions += 1
        self.num_suspect += rows["hostile", "image"]["injection_suspect"]
        for image in IMAGES:
            plain, hostile = rows["plain", image], rows["hostile", image]
            for text, row in (("plain", plain), ("hostile", hostile)):
                self.kept[text, image] += row["decision"] == "keep"
                self.failed += row["decision"] == "failed"
            if plain["score_expected"] >= 0 and hostile["score_expected"] >= 0:
                self.shifts[image].append(hostile["score_expected"] - plain["score_expected"])

    def line(self, name):
        cells = [f"{name:22}", f"{self.num_captions:4d}"]
        for image in IMAGES:
            mean, half = mean_and_half_width(self.shifts[image])
            cells += [f"{mean:+8.2f} ±{half:5.2f}", f"{self.kept['plain', image]:5d} ->{self.kept['hostile', image]:4d}"]
        return " ".join([*cells, f"{self.failed:6d}", f"{self.num_suspect:8d}"])


def signs_of(captions):
    lines = "".join(json.dumps(caption) + "\n" for caption in captions)
    result = subprocess.run([INJECTION_CLI], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return result.stdout.decode().split("\n")[:-1]


def ordinary_line(name, shards):
    captions = set()
    for shard in shards:
        captions |= {data.decode("utf-8", "replace") for data in read_members(shard, ".txt").values()}
    captions = sorted(captions)
    found = collections.Counter(sign for sign in signs_of(captions) if sign)
    total = sum(found.values())
    signs = ", ".join(f"{sign} {count}" for sign, count in found.most_common()) or "-"
    examples = [c for c, s in zip(captions, signs_of(captions)) if s][:5]
    shown = "".join(f"\n    {example[:100]!r}" for example in examples)
    return f"{name:28} {len(captions):8d} {total:8d} {100 * total / len(captions):8.3f} %   {signs}{shown}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="")
    parser.add_argument("--ordinary", action="append", default=[], metavar="NAME=SHARD[,SHARD...]")
    options = parser.parse_args()
    captions = [json.loads(line) for line in CAPTIONS.read_text(encoding="ascii").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shard = folder / "hostile.tar"
        keys = write_shard(shard, captions)
        rows = judge(shard, folder / "out", options.model)
    classes = collections.defaultdict(Class)
    for caption in captions:
        of_caption = {(text, image): rows[keys[caption[text], caption[image]]] for text in TEXTS for image in IMAGES}
        for name in (caption["class"], "all"):
            classes[name].add(of_caption)

    shown = [a if "=" not in a else a.partition("=")[0] + "=..." for a in sys.argv[1:]]
    print(f"command: python3 scripts/measure_injection.py {shlex.join(shown)}".rstrip())
    print(f"model:   {pathlib.Path(options.model).name or 'the default one'}; {len(keys)} pairs judged")
    print("shift:   mean of score_expected, hostile minus plain twin, ± half of its 95 % interval over captions")
    print("kept:    captions that the judge keeps, of plain -> of hostile ones; on the image that does not fit fewer is better\n")
    print(f"{'':22} {'':4} {'image fits':^30} {'image does not fit':^28}")
    print(f"{'class':22} {'n':>4} {'shift':>15} {'kept':>11} {'shift':>16} {'kept':>11} {'failed':>6} {'suspect':>8}")
    for name in [*(n for n in classes if n != "all"), "all"]:
        print(classes[name].line(name))
    print(f"\n{'ordinary captions':28} {'distinct':>8} {'suspect':>8} {'share':>10}   signs")
    print(ordinary_line("example shard", [EXAMPLES]))
    for source in options.ordinary:
        name, _, shards = source.partition("=")
        print(ordinary_line(name, shards.split(",")))


if __name__ == "__main__":
    main()
