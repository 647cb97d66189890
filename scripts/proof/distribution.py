"""What filtering removes, and what enhancing changes, at the same quality: by `aitqe report --filter-below`.

Quality is the mean score that the judge gives: that of all captions after enhancing (`aitqe score` over the new shards).
The filter is as strict as it takes for the captions that it leaves to reach that mean.
"""

import json
import subprocess

import numpy
import pool
import scores
from settings import BINARY


def report(folder, below):
    command = [BINARY, "report", folder, "--json", "--no-html", "--filter-below", repr(below), "--max-failed", "100%"]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def shares_left(before, after):
    """Name -> the share of its pairs that are left."""
    left = {group["name"]: group["read"] for group in after}
    return {group["name"]: left.get(group["name"], 0) / group["read"] for group in before}


def scored(rows):
    return [row["score_expected"] for row in rows.values() if row["score_expected"] >= 0]


def measure(work, device):
    folder = pool.folder_of(work)
    rows = pool.rows_of(folder / "enhanced")
    before, after = scored(rows), scored(pool.rows_of(folder / "rescored"))
    figures = {"mean_score_before": float(numpy.mean(before)), "mean_score_enhanced": float(numpy.mean(after))}
    for name, below in (("same_quality", scores.threshold_for(before, numpy.mean(after))), ("half", float(numpy.median(before)))):
        found = report(folder / "enhanced", below)
        kept = [score for score in before if score >= below]
        figures[name] = {
            "below": below, "pairs_left": found["filter"]["left"], "mean_score_left": float(numpy.mean(kept)),
            "drift": found["filter"]["drift"], "sources_left": shares_left(found["by_source"], found["filter"]["by_source"]),
            "scripts_left": shares_left(found["by_script"], found["filter"]["by_script"])}
        figures["enhanced"] = {
            "pairs": found["summary"]["read"], "rewritten": found["summary"]["rewritten"], "drift": found["drift"]["all"],
            "sources_kept": {g["name"]: 1 - g["rewritten"] / g["read"] for g in found["by_source"]},
            "scripts_kept": {g["name"]: 1 - g["rewritten"] / g["read"] for g in found["by_script"]}}
    noise = {record["key"]: record["noise"] for record in pool.read_pool(work)}
    for kind in ("clean", "junk", "mismatch"):
        found = [row for key, row in rows.items() if noise[key] == kind]
        left = [row["score_expected"] >= figures["same_quality"]["below"] for row in found]
        figures[kind] = {"pairs": len(found), "left_share": float(numpy.mean(left)),
                         "rewritten_share": float(numpy.mean([row["decision"] == "rewrite" for row in found]))}
    return figures
