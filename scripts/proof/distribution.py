"""What filtering removes, and what enhancing changes, at the same quality: by `aitqe report --filter-below`.

Quality is the mean score that the judge gives: that of all captions after enhancing (`aitqe score` over the new shards).
The filter is as strict as it takes for the captions that it leaves to reach that mean. The judge likes its own writing, so
beside it stands what an outsider says: the cosine (MiniLM) of a caption with the true one, which is known of this pool.
"""

import json
import subprocess

import numpy
import pool
import scores
from settings import BINARY

PROBABILITIES = (0.5, 0.83, 0.9, 0.95, 0.98, 0.99)  # 0.83 is the default model's own
SCORES = (1.5, 2, 2.5, 3, 4)


def report(folder, below):
    command = [BINARY, "report", folder, "--json", "--no-html", "--filter-below", repr(below), "--max-failed", "100%"]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def shares_left(before, after):
    """Name -> the share of its pairs that are left."""
    left = {group["name"]: group["read"] for group in after}
    return {group["name"]: left.get(group["name"], 0) / group["read"] for group in before}


def shares_kept(groups):
    return {group["name"]: 1 - group["rewritten"] / group["read"] for group in groups}


def mean_score(rows):
    """Of those that have a score."""
    return float(numpy.mean([row["score_expected"] for row in rows if row["score_expected"] >= 0]))


def half_threshold(rows):
    """The score that half of all pairs have at least; those without one are the first to go."""
    return float(sorted((row["score_expected"] for row in rows), reverse=True)[(len(rows) - 1) // 2])


def likenesses(records, rows, encode):
    """KEY -> cosine with the truth of (the caption as it came, the caption as it is now)."""
    truth, before, after = (encode(texts) for texts in (
        [r["truth"] for r in records], [r["caption"] for r in records], [rows[r["key"]]["caption_out"] for r in records]))
    return {r["key"]: (float(b), float(a)) for r, b, a in
            zip(records, (truth * before).sum(1), (truth * after).sum(1))}


def by_rule(records, rows, likeness):
    """What other rules would have made of the pool, from the scores of one run and the new captions of one that wrote all.

    @param likeness  KEY -> cosines of the caption as it came and of the new one
    """
    rules = {f"p_rewrite > {limit}": lambda row, limit=limit: row["p_rewrite"] > limit for limit in PROBABILITIES}
    rules |= {f"score < {limit}": lambda row, limit=limit: 0 <= row["score_expected"] < limit for limit in SCORES}
    found = {}
    for name, rewrites in rules.items():
        is_new = {r["key"]: rewrites(rows[r["key"]]) for r in records}
        found[name] = {"rewritten": float(numpy.mean(list(is_new.values()))),
                       "clean_rewritten": float(numpy.mean([is_new[r["key"]] for r in records if r["noise"] == "clean"])),
                       "noise_rewritten": float(numpy.mean([is_new[r["key"]] for r in records if r["noise"] != "clean"])),
                       "likeness": float(numpy.mean([likeness[key][new] for key, new in is_new.items()]))}
    return found


def filtered(folder, below, rows, likeness, noise):
    found = report(folder, below)
    left = [row for row in rows.values() if row["score_expected"] >= below and row["decision"] != "failed"]
    kept_of_noise = {name: float(numpy.mean([row["score_expected"] >= below for key, row in rows.items() if noise[key] == name]))
                     for name in pool.NOISES}
    figures = {
        "below": below, "pairs_left": found["filter"]["left"], "mean_score_left": mean_score(left),
        "likeness": float(numpy.mean([likeness[row["key"]][0] for row in left])), "drift": found["filter"]["drift"],
        "noise_left": kept_of_noise}
    for group in ("source", "language", "script"):
        figures[f"{group}s_left"] = shares_left(found[f"by_{group}"], found["filter"][f"by_{group}"])
    return figures, found


def measure(work, device):
    folder = pool.folder_of(work)
    records = pool.read_pool(work)
    rows, after = pool.rows_of(folder / "enhanced"), pool.rows_of(folder / "rescored")
    noise = {record["key"]: record["noise"] for record in records}
    encode = pool.minilm(work).encode
    likeness = likenesses(records, rows, encode)
    scored = [row["score_expected"] for row in rows.values() if row["score_expected"] >= 0]
    figures = {}
    for name, below in (("same_quality", scores.threshold_for(scored, mean_score(after.values()))),
                        ("half", half_threshold(rows.values()))):
        figures[name], found = filtered(folder / "enhanced", below, rows, likeness, noise)
    is_new = {key: row["decision"] == "rewrite" for key, row in rows.items()}
    figures["enhanced"] = {
        "pairs": found["summary"]["read"], "rewritten": found["summary"]["rewritten"],
        "unscored": len(rows) - len(scored), "drift": found["drift"]["all"],
        "mean_score": mean_score(after.values()), "mean_score_before": mean_score(rows.values()),
        "mean_score_of_new": mean_score(after[key] for key in rows if is_new[key]),
        "mean_score_of_kept": mean_score(after[key] for key in rows if not is_new[key]),
        "likeness": float(numpy.mean([a for _, a in likeness.values()])),
        "likeness_before": float(numpy.mean([b for b, _ in likeness.values()])),
        "noise_rewritten": {name: float(numpy.mean([is_new[key] for key in rows if noise[key] == name]))
                            for name in pool.NOISES}}
    for group in ("source", "language", "script"):
        figures["enhanced"][f"{group}s_kept"] = shares_kept(found[f"by_{group}"])
        figures["enhanced"][f"{group}s"] = {one["name"]: one["read"] for one in found[f"by_{group}"]}
    for name in pool.NOISES:  # what an outsider says of each kind
        of_kind = [likeness[key] for key in rows if noise[key] == name]
        figures["enhanced"].setdefault("likeness_by_noise", {})[name] = [float(x) for x in numpy.mean(of_kind, axis=0)]
    rewritten = pool.rows_of(folder / "recaptioned")
    figures["by_rule"] = by_rule(records, rows, likenesses(records, rewritten, encode))
    return figures
