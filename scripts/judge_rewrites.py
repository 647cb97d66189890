#!/usr/bin/env python3
"""How near rewrites come to the truth, by an outside judge: all-MiniLM-L6-v2 over the rows of `aitqe eval`.

    python scripts/judge_rewrites.py --model MINILM eval/trials.jsonl

For every bad caption that the model rewrote and whose image has a known true caption: the cosine of the new text
with the true one, against that of the bad caption, of text the model wrote for another image of the source, and of all
that it wrote for other images. Prints per source the share of rewrites that are nearer to the truth, with intervals over
images drawn again.
Needs: pip install -r scripts/requirements-oracle.txt; MINILM as for caption_vectors.py.
"""

import argparse
import collections
import json
import pathlib
import typing

import numpy as np

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


class Cosines(typing.NamedTuple):
    """Of the truth of each image."""
    rewrite: np.ndarray   # [N], with what was written for it
    bad: np.ndarray       # [N], with the caption that it came with
    stranger: np.ndarray  # [N], with what was written for another image of its source
    others: np.ndarray    # [N, N], with what was written for every image


def cosines(rows, encode):
    truth, bad, new = (encode([r[key] for r in rows]) for key in ("truth", "caption", "recaption"))
    other = np.empty_like(new)
    for index in by_source(rows).values():
        other[index] = np.roll(new[index], max(1, len(index) // 2), axis=0)
    return Cosines(*((truth * x).sum(1) for x in (new, bad, other)), truth @ new.T)


def by_source(rows):
    """Source -> its places in rows."""
    sources = collections.defaultdict(list)
    for i, row in enumerate(rows):
        sources[row["source"]].append(i)
    return sources


def wins_over_others(found):
    """Of each image, the share of the others whose text is farther from its truth than its own."""
    own = found.rewrite[:, None]
    wins = (own > found.others) + 0.5 * (own == found.others)
    np.fill_diagonal(wins, 0)
    return wins.sum(1) / (len(wins) - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("trials", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    from caption_vectors import CaptionEncoder  # what it needs takes seconds to load, and tests do without
    rows = read_rewrites(options.trials)
    if len(rows) < 3:
        raise SystemExit("fewer than three rewrites of mismatched captions")
    found, sources = cosines(rows, CaptionEncoder(options.model).encode), by_source(rows)
    nearer = {"nearer than the bad caption": found.rewrite > found.bad,
              "than for another of the source": found.rewrite > found.stranger,
              "than for any other image": wins_over_others(found)}
    random = np.random.default_rng(0)
    # A source with one rewrite has no stranger to compare with.
    sources = {"all": [i for index in sources.values() if len(index) > 1 for i in index]} | sources
    print(f"{'source':16}{'rewrites':>9}  " + "".join(f"{title:32}" for title in nearer) + "cosine")
    for source, index in sources.items():
        line = f"{source:16}{len(index):9d}  "
        for wins in nearer.values():
            low, high = interval(wins[index].astype(float), random)
            line += f"{f'{wins[index].mean():.3f} ({low:.3f} to {high:.3f})':32}"
        print(line + f"{found.bad[index].mean():.3f} -> {found.rewrite[index].mean():.3f}")


if __name__ == "__main__":
    main()
