#!/usr/bin/env python3
"""Images from a tar to pixels, one core: aitqe against tarfile, Pillow and numpy, interleaved, pixels compared bit by bit.

    python scripts/bench_images.py --binary build/release/bench/image_bench [--rounds 7] [--images 200] [--side 384]

Makes shards of JPEGs whose sizes are drawn from WORKLOADS: the pictures of examples/pairs-00000.tar side by side, so that
they have the detail of real ones. Each round runs aitqe, then the peer, on the same shard, each in its own process and
on the same core. The peer is what a loader in Python does: tarfile, PIL.Image.open, convert, resize to S x S with
BICUBIC, float32 of value / 255, less 0.5, over 0.5, to 3 x S x S. Told are medians of the rounds and of their ratios.
Writes bench/results/images_cpu.txt. Needs Pillow and numpy (scripts/setup.sh --tests).
"""

import argparse
import hashlib
import io
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tarfile
import time

import numpy
import PIL
from bench_support import ROOT, collage, encoded, example_pairs, head, write_result, write_shard
from PIL import Image

WORKLOADS = {  # sizes in pixels, each as likely
    "300 to 500 px": [(300, 300), (320, 240), (400, 300), (500, 375)],
    "640 x 480": [(640, 480)],
    "1024 x 768": [(1024, 768)],
    "300 to 2000 px": [(300, 400), (640, 480), (800, 600), (1024, 683), (1280, 720), (2000, 1333)],
}
QUALITY = 90


def pixels(data, side):
    with Image.open(io.BytesIO(data)) as image:
        square = image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    scaled = (numpy.asarray(square).astype(numpy.float64) * (1 / 255)).astype(numpy.float32)
    return ((scaled - numpy.float32(0.5)) / numpy.float32(0.5)).transpose(2, 0, 1)


def peer(shard, side, wants_hash):
    """What the other side of the comparison runs, in a process of its own."""
    digest, count, total = hashlib.sha256(), 0, 0.0
    start = time.perf_counter()
    with tarfile.open(shard) as tar:
        for member in tar:
            if not member.name.endswith(".jpg"):
                continue
            values = pixels(tar.extractfile(member).read(), side)
            count += 1
            total += float(values[0, 0, 0])
            if wants_hash:
                digest.update(numpy.ascontiguousarray(values).tobytes())
    took = time.perf_counter() - start
    print(json.dumps({"images": count, "seconds": took, "sha256": digest.hexdigest(), "sum": total}))


def drawn(sizes, count, pictures, draw):
    for _ in range(count):
        yield encoded(collage(pictures, draw.choice(sizes), draw), quality=QUALITY), b"a picture"


def run(command):
    command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), *map(str, command)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                                     env=os.environ | {"OMP_NUM_THREADS": "1"}).stdout)


def measure(options, name, shard):
    ours = [options.binary, shard, "--side", options.side]
    theirs = [sys.executable, __file__, "--peer", shard, "--side", options.side]
    mine, other = run([*ours, "--hash"]), run([*theirs, "--hash"])
    if mine["images"] != options.images or mine["sha256"] != other["sha256"]:
        sys.exit(f"{shard.name}: aitqe read {mine['images']} of {options.images} images, and the pixels are "
                 f"{'the same' if mine['sha256'] == other['sha256'] else 'DIFFERENT'}")
    rates, peer_rates = [], []
    for _ in range(options.rounds):
        for rates_of, command in ((rates, ours), (peer_rates, theirs)):
            done = run(command)
            rates_of.append(done["images"] / done["seconds"])
    ratios = [a / b for a, b in zip(rates, peer_rates)]
    return (f"{name:16} {statistics.median(rates):9.1f} {statistics.median(peer_rates):9.1f} "
            f"{statistics.median(ratios):7.2f} ({min(ratios):.2f} to {max(ratios):.2f})   "
            "bit-equal")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--side", type=int, default=384)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".deps/bench/images")
    parser.add_argument("--peer", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--hash", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        peer(options.peer, options.side, options.hash)
        return
    if options.binary is None:
        parser.error("--binary is needed")
    draw = random.Random(1)
    pictures = [Image.open(io.BytesIO(picture)).convert("RGB") for picture, _ in example_pairs()[:120]]
    options.work.mkdir(parents=True, exist_ok=True)
    command = f"scripts/bench_images.py --rounds {options.rounds} --images {options.images} --side {options.side}"
    lines = head(command, "one core", f"Pillow {PIL.__version__}, numpy {numpy.__version__}, Python "
                 f"{platform.python_version()}")
    lines.append(f"{'JPEGs':16} {'aitqe/s':>9} {'peer/s':>9} {'ratio':>7}")
    for name, sizes in WORKLOADS.items():
        shard = options.work / f"{name.replace(' ', '-')}.tar"
        write_shard(shard, drawn(sizes, options.images, pictures, draw))
        lines.append(measure(options, name, shard))
    write_result("images_cpu.txt", lines)


if __name__ == "__main__":
    main()
