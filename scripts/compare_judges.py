#!/usr/bin/env python3
"""Judges beside each other, on the pictures that all of them were tried on.

    python scripts/compare_judges.py --work WORK NAME... [--beyond NAME] [--result judge_words.txt]

NAME as given to evaluate_default_model.py, whose trials are read (WORK/eval/NAME/SPLIT/trials.jsonl): trials with another
--limit hold a part of the same pictures. Prints for each split and judge the good captions and how many were kept,
mismatches rewritten, unusable answers, and AUROC of good against bad captions by score / by p_rewrite; with --result
also to a file of bench/results. --beyond leaves out the pictures that another judge was tried on: those by which a choice
was made.
"""

import argparse
import datetime
import json
import pathlib

from bench_support import RESULTS, commit
from evaluate_default_model import SPLITS

KINDS = ("other_image", "near_miss", "alt_text_junk", "shipped", "truncated", "wrong_object", "wrong_language")


def auroc(good, bad):
    if not good or not bad:
        return float("nan")
    return sum((g > b) + 0.5 * (g == b) for g in good for b in bad) / (len(good) * len(bad))


def compare(rows, kind, value):
    bad = [r for r in rows if r["kind"] == kind]
    keys = {r["key"] for r in bad}
    # Pictures that came with a generic caption have no good one: theirs are compared with all good ones.
    good = [r for r in rows if r["kind"] == "good" and (kind == "shipped" or r["key"] in keys)]
    return auroc([value(r) for r in good], [value(r) for r in bad])


def share(rows, holds):
    return sum(map(holds, rows)) / max(1, len(rows))


def read_trials(work, name, split):
    path = work / "eval" / name / split / "trials.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def describe(rows):
    good = [r for r in rows if r["kind"] == "good"]
    mismatched = [r for r in rows if r["kind"] == "other_image"]
    text = (f"n={len(good):4} kept {share(good, lambda r: not r['rewrites'] and not r['failure']):.3f} "
            f"rewritten {share(mismatched, lambda r: r['rewrites']):.3f} "
            f"unusable {sum(bool(r['failure']) for r in rows):3}")
    for kind in KINDS:
        text += (f"  {kind} {compare(rows, kind, lambda r: r['score']):.3f}/"
                 f"{compare(rows, kind, lambda r: -r['p_rewrite']):.3f}")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--beyond", metavar="NAME")
    parser.add_argument("--result", help="name of the file")
    options = parser.parse_args()
    lines = []
    for split in SPLITS:
        trials = {name: read_trials(options.work, name, split) for name in options.names}
        common = set.intersection(*({r["key"] for r in rows} for rows in trials.values()))
        if options.beyond:
            common -= {r["key"] for r in read_trials(options.work, options.beyond, split)}
        for name, rows in trials.items():
            answered = [r for r in rows if r["key"] in common and r["score"] >= 0]
            lines.append(f"{split:8} {name:12} {describe(answered)}")
            print(lines[-1], flush=True)
    if options.result:
        beyond = f" --beyond {options.beyond}" if options.beyond else ""
        head = (f"# {datetime.date.today()}, {commit()}: scripts/compare_judges.py --work WORK {' '.join(options.names)}{beyond} "
                f"--result {options.result}")
        (RESULTS / options.result).write_text("\n".join([head, *lines]) + "\n")


if __name__ == "__main__":
    main()
