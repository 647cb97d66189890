#!/usr/bin/env python3
"""How near rewrites come to the truth, by an outside judge: all-MiniLM-L6-v2 over the rows of `aitqe eval`.

    python scripts/judge_rewrites.py --model MINILM eval/trials.jsonl

For every bad caption that the model rewrote and whose image has a known true caption: the cosine of the new text
with the true one, against that of the bad caption, and against that of text the model wrote for another image. Prints
per source the share of rewrites that are nearer to the truth, with intervals over images drawn again.
Needs: pip install -r scripts/requirements-oracle.txt; MINILM as for caption_vectors.py.
"""

import argparse
import collections
import json
import pathlib

import numpy as np
from caption_vectors import CaptionEncoder

# Mismatches: a rewrite of these has to come from the image. Others hold some of the truth themselves.
KINDS = {"other_image"}
RESAMPLES = 500


def interval(values, random):
    draws = [np.mean(random.choice(values, len(values))) for _ in range(RESAMPLES)]
    return np.quantile(draws, 0.025), np.quantile(draws, 0.975)


def read_rewrites(paths):
    """Trials whose mismatched caption was rewritten, and whose image has a known true one."""
    rows = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [r for r in rows if r["kind"] in KINDS and r["rewrites"] and r["truth"] and r["recaption"].strip()]


def cosines(rows, encode):
    """Of the truth with the rewrite, the bad caption, and what was written for another image of the source; and source ->
    its places in these."""
    truth, bad, new = (encode([r[key] for r in rows]) for key in ("truth", "caption", "recaption"))
    sources = collections.defaultdict(list)
    for i, row in enumerate(rows):
        sources[row["source"]].append(i)
    other = np.empty_like(new)
    for index in sources.values():
        other[index] = np.roll(new[index], max(1, len(index) // 2), axis=0)
    after, before, stranger = ((truth * x).sum(1) for x in (new, bad, other))
    return after, before, stranger, sources


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("trials", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    rows = read_rewrites(options.trials)
    if len(rows) < 3:
        raise SystemExit("fewer than three rewrites of mismatched captions")
    after, before, stranger, sources = cosines(rows, CaptionEncoder(options.model).encode)
    random = np.random.default_rng(0)
    # A source with one rewrite has no stranger to compare with.
    sources = {"all": [i for index in sources.values() if len(index) > 1 for i in index]} | sources
    print(f"{'source':16}{'rewrites':>9}  {'nearer than the bad caption':28} {'than text for another image':28} cosine")
    for source, index in sources.items():
        line = f"{source:16}{len(index):9d}  "
        for rival in (before, stranger):
            wins = (after[index] > rival[index]).astype(float)
            low, high = interval(wins, random)
            line += f"{wins.mean():.3f} ({low:.3f} to {high:.3f})       "
        print(line + f"{before[index].mean():.3f} -> {after[index].mean():.3f}")


if __name__ == "__main__":
    main()
