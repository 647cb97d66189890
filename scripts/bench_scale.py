#!/usr/bin/env python3
"""Is the rate and memory of a long run that of a short one, and does a forecast hold? With a tiny model, on a CPU.

    python scripts/bench_scale.py [--binary build/release/aitqe] [--largest 100000] [--rounds 5] [--shard-pairs 500]

Makes sets of 1,000, 10,000 and 100,000 pairs, by decades up to --largest, in shards of one size, out of the pairs of
examples/pairs-00000.tar. In each of --rounds rounds they run from the smallest to the largest and back. Told are pairs a
second without loading, and the peak of resident memory, each as a ratio to the set of 10,000; and the rate of the pairs
that the largest set has more than the one before it to that of those which this one has more than the smallest (start and
end of a run do not show in these), within each round. The median of these and the memory are to be the same within 5 %: it
ends with 1 where they are not, or a forecast is off by more than 15 %. With --largest 10000 the ratio is 1.

Then shards of mixed sizes: 20 to 2,000 pairs each, of pictures from 100 to 1600 px. `--dry-run` says how long they would
take; then they run. Told is the forecast over what it took, --rounds times. Writes bench/results/scale_cpu.txt. Needs
Pillow (scripts/setup.sh --tests).
"""

import argparse
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess

from bench_support import (ROOT, cores_and_load, example_pairs, head, last_run, resized, write_result,
                           write_shard)

WORK = ROOT / ".deps/bench/scale"
MIXED_SIDES_PX = (100, 200, 400, 800, 1600)
MIXED_SHARD_PAIRS = (20, 2000, 60, 700, 200, 1200)


def write_set(num_pairs, shard_pairs, examples):
    folder = WORK / f"pairs-{num_pairs}"
    folder.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, num_pairs, shard_pairs)):
        path = folder / f"{number:05}.tar"
        if not path.exists():
            count = min(shard_pairs, num_pairs - first)
            write_shard(path, (examples[(first + i) % len(examples)] for i in range(count)))
    return folder


def write_mixed_set(examples):
    folder = WORK / "mixed"
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(1)
    pool = {side: [(resized(picture, side), caption) for picture, caption in draw.sample(examples, 20)]
            for side in MIXED_SIDES_PX}
    for number, count in enumerate(MIXED_SHARD_PAIRS):
        sides = draw.sample(MIXED_SIDES_PX, 2)  # of this shard
        path = folder / f"{number:05}.tar"
        if not path.exists():
            write_shard(path, (draw.choice(pool[draw.choice(sides)]) for _ in range(count)))
    return folder


def run(options, folder, *flags):
    """One run. @return its record of run.json and peak resident memory in MB"""
    out = WORK / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [options.binary, "enhance", folder, "-o", out, "--model", options.model, "--max-failed", "100%", "-q", *flags]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"aitqe ended with {process.returncode}")
    if "--dry-run" in flags:
        return json.loads(output)
    record = last_run(out)
    shutil.rmtree(out)
    return {"pairs_per_s": record["pairs"] / record["run_s"], "run_s": record["run_s"], "rss_mb": usage.ru_maxrss / 1e3}


def measure_scale(options, examples):
    sizes = [size for size in (10**3, 10**4, 10**5) if size <= options.largest]
    folders = {size: write_set(size, options.shard_pairs, examples) for size in sizes}
    run(options, folders[sizes[0]])  # warms up
    runs = {size: [] for size in sizes}
    ratios = []
    for _ in range(options.rounds):
        # There and back, so that the smaller sets stand around the largest: a machine is not as fast at all times.
        times = {size: [] for size in sizes}
        for size in [*sizes, *sizes[-2::-1]]:
            one = run(options, folders[size])
            runs[size].append(one)
            times[size].append(one["run_s"])
        took = [statistics.mean(times[size]) for size in sizes]
        further = [(b - a) / (t - s) for a, b, s, t in zip(sizes, sizes[1:], took, took[1:])]
        ratios.append(further[-1] / further[0])
    middle = {key: statistics.median(one[key] for one in runs[sizes[min(1, len(sizes) - 1)]]) for key in ("pairs_per_s", "rss_mb")}
    lines = [f"{'pairs':>8}{'pairs/s':>10}{'min':>8}{'max':>8}{'/ 10,000':>10}{'peak MB':>10}{'/ 10,000':>10}"]
    for size in sizes:
        rates = [one["pairs_per_s"] for one in runs[size]]
        rss = statistics.median(one["rss_mb"] for one in runs[size])
        rate = statistics.median(rates)
        lines.append(f"{size:8}{rate:10.1f}{min(rates):8.1f}{max(rates):8.1f}{rate / middle['pairs_per_s']:10.3f}{rss:10.1f}"
                     f"{rss / middle['rss_mb']:10.3f}")
    ratio = statistics.median(ratios)
    lines.append(f"rate of the pairs beyond {sizes[-2]:,} / of those from {sizes[0]:,} to there, round by round: "
                 + " ".join(f"{one:.3f}" for one in ratios) + f", median {ratio:.3f}")
    memory = [statistics.median(one["rss_mb"] for one in runs[size]) for size in sizes]
    lines.append(verdict("rates of these parts", max(ratio, 1 / ratio), 1.05))
    lines.append(verdict("peaks of memory", max(memory) / min(memory), 1.05))
    return lines


def verdict(what, ratio, bound):
    return f"{what} differ by {100 * (ratio - 1):.1f} %, at most {100 * (bound - 1):.0f} %: {'held' if ratio <= bound else 'NOT HELD'}"


def measure_forecast(options, examples):
    folder = write_mixed_set(examples)
    lines = ["", f"shards of {', '.join(map(str, MIXED_SHARD_PAIRS))} pairs, pictures of {MIXED_SIDES_PX[0]} to "
             f"{MIXED_SIDES_PX[-1]} px:", f"{'forecast s':>12}{'pairs':>8}{'took s':>10}{'pairs':>8}{'forecast / took':>18}"]
    total = sum(MIXED_SHARD_PAIRS)
    off = []
    for _ in range(options.rounds):
        told = run(options, folder, "--dry-run", "--json", "--forecast-s", "5")
        took = run(options, folder)
        lines.append(f"{told['run_s']:12.1f}{told['pairs_expected']:8.0f}{took['run_s']:10.1f}{total:8}"
                     f"{told['run_s'] / took['run_s']:18.3f}")
        off.append(max(told["run_s"] / took["run_s"], took["run_s"] / told["run_s"]))
    lines.append(verdict("forecasts and what runs took", max(off), 1.15))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/aitqe")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "models/aitqe-tiny")
    parser.add_argument("--largest", type=int, default=10**5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shard-pairs", type=int, default=500, help="of every set alike")
    options = parser.parse_args()
    if options.largest < 10**4:
        parser.error("--largest: expected at least 10000")
    examples = example_pairs()
    before = cores_and_load()
    lines = measure_scale(options, examples) + measure_forecast(options, examples)
    command = (f"scripts/bench_scale.sh --largest {options.largest} --rounds {options.rounds} --shard-pairs "
               f"{options.shard_pairs}")
    write_result("scale_cpu.txt", head(command, before, f"Python {platform.python_version()}",
                                       f"model {options.model.name}") + lines)
    if any("NOT HELD" in line for line in lines):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
