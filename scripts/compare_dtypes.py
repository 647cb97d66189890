#!/usr/bin/env python3
"""What a way of computing changes: answers in one --dtype against those in another, and the time of both.

    python scripts/compare_dtypes.py [--base bf16] [--dtypes int8] [--rounds 5] [--name NAME] SHARD... [-- OPTION...]

Runs `aitqe enhance` over the shards in each dtype, taking turns, and compares the rows: how often the digit, the decision
and the new caption are the same, and how far the expected score moves. What stands behind -- goes to every run. The result
goes to bench/results/NAME.txt; NAME is dtypes_DEVICE unless given.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("AITQE_BINARY", ROOT / "build/release/aitqe"))


def enhance(options, dtype, out):
    """@return (rows, seconds without loading)"""
    done = subprocess.run([BINARY, "enhance", *options.shards, "-o", out, "--dtype", dtype, *options.more], check=True,
                          capture_output=True, text=True)
    rows = [json.loads(line) for path in sorted(out.glob("*.aitqe.jsonl")) for line in path.read_text().splitlines()]
    return rows, float(re.search(r"pairs in ([0-9.]+) s", done.stderr)[1])


def share(pairs, same):
    pairs = list(pairs)
    return f"{sum(map(same, pairs)) / len(pairs):8.4f}  of {len(pairs)}" if pairs else "     n/a"


def compare(base, other):
    """Lines of text about rows of the same pairs."""
    pairs = [(a, b) for a, b in zip(base, other) if a["decision"] != "failed" and b["decision"] != "failed"]
    moves = [abs(a["score_expected"] - b["score_expected"]) for a, b in pairs
             if a["score_expected"] >= 0 and b["score_expected"] >= 0]
    shifts = [abs(a["p_rewrite"] - b["p_rewrite"]) for a, b in pairs if a["p_rewrite"] >= 0 and b["p_rewrite"] >= 0]
    rewritten = [(a, b) for a, b in pairs if a["recaption"] and b["recaption"]]
    failed_in_one = sum((a["decision"] == "failed") != (b["decision"] == "failed") for a, b in zip(base, other))
    return [
        f"failed in one alone    {failed_in_one:8}  of {len(base)}",
        "same digit             " + share(pairs, lambda p: p[0]["scores"]["overall"] == p[1]["scores"]["overall"]),
        "same decision          " + share(pairs, lambda p: p[0]["decision"] == p[1]["decision"]),
        "same new caption       " + share(rewritten, lambda p: p[0]["recaption"] == p[1]["recaption"]),
        f"expected score moves   {statistics.fmean(moves):8.4f}  at most {max(moves):.3f}" if moves else "no scores",
        f"p_rewrite moves        {statistics.fmean(shifts):8.4f}  at most {max(shifts):.3f}" if shifts else "no p_rewrite",
    ]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", nargs="+", type=pathlib.Path)
    parser.add_argument("--base", default="bf16")
    parser.add_argument("--dtypes", default=["int8"], type=lambda text: text.split(","))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--name", default="dtypes_cpu")
    own, more = sys.argv[1:], []
    if "--" in own:
        own, more = own[:own.index("--")], own[own.index("--") + 1:]
    options = parser.parse_args(own)
    options.more = more
    return options


def main():
    options = parse()
    rows, seconds = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for dtype in (options.base, *options.dtypes):
                found, duration = enhance(options, dtype, pathlib.Path(folder) / f"{dtype}-{number}")
                if rows.setdefault(dtype, found) != found:
                    sys.exit(f"{dtype}: another answer in round {number + 1}")
                seconds.setdefault(dtype, []).append(duration)
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    arguments = " ".join(os.path.basename(arg) if os.path.isabs(arg) else arg for arg in sys.argv[1:])
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    lines = [f"# {datetime.date.today()}, {commit}: scripts/compare_dtypes.py {arguments}",
             f"# {version.splitlines()[0]}; {cpu}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; "
             f"{len(rows[options.base])} pairs, {options.rounds} rounds", ""]
    for dtype in options.dtypes:
        ratios = sorted(a / b for a, b in zip(seconds[options.base], seconds[dtype]))
        lines += [f"{dtype} against {options.base}", *compare(rows[options.base], rows[dtype]),
                  f"times as fast          {statistics.median(ratios):8.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f})", ""]
    text = "\n".join(lines)
    print(text)
    (ROOT / f"bench/results/{options.name}.txt").write_text(text)


if __name__ == "__main__":
    main()
