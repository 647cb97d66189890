#!/usr/bin/env python3
"""How many pairs a second the default model judges, from the tar to the written report.

    python scripts/bench_default_model.py [--binary build/release/aitqe] [--rounds 5]

Runs `aitqe score` and `aitqe enhance` over examples/pairs-00000.tar, taking turns, as a user gets them without options.
A rate is that of all pairs over the time from the first to the last, without loading the model. Writes
bench/results/default_model_cpu.txt.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench/results/default_model_cpu.txt"


def run(binary, command, out):
    subprocess.run([binary, command, ROOT / "examples/pairs-00000.tar", "-o", out, "--device", "cpu", "-q"], check=True,
                   stdout=subprocess.DEVNULL)
    return json.loads((out / "_aitqe/run.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/aitqe")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    cpu = next(line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    load = os.getloadavg()[0]
    records = {"score": [], "enhance": []}
    with tempfile.TemporaryDirectory() as folder:
        run(options.binary, "score", pathlib.Path(folder) / "warm-up")
        for number in range(options.rounds):
            for command, found in records.items():
                found.append(run(options.binary, command, pathlib.Path(folder) / f"{command}-{number}"))
    first = records["score"][0]
    lines = [f"# {datetime.date.today()}, {commit}: scripts/bench_default_model.sh --rounds {options.rounds}",
             f"# {cpu}, {os.cpu_count()} cores, load average {load:.1f} before; {first['config']['dtype']}, "
             f"{first['last_run']['pairs']} pairs",
             f"{'':10}{'pairs/s':>10}{'min':>8}{'max':>8}{'vision':>9}{'prefill':>9}{'decode':>9}   of the time"]
    for command, found in records.items():
        runs = [record["last_run"] for record in found]
        rates = [one["pairs"] / one["run_s"] for one in runs]
        shares = "".join(f"{statistics.median(one[key] / one['run_s'] for one in runs):9.3f}"
                         for key in ("vision_s", "prefill_s", "decode_s"))
        lines.append(f"{command:10}{statistics.median(rates):10.2f}{min(rates):8.2f}{max(rates):8.2f}{shares}")
    text = "\n".join(lines) + "\n"
    RESULTS.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
