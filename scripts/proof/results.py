"""The results that are there, as arrays: what tables and figures are made of. Needs numpy."""

import json

import numpy
import scores
import settings


def read(folder=settings.RESULTS):
    """Name of the cell -> its result."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def downstream(results, learner, size, arm):
    """Seed -> figures."""
    found = {}
    for result in results.values():
        given = result["arguments"]
        if result["cell"].startswith("downstream.") and (given["learner"], given["size"], given["arm"]) == (learner, size, arm):
            found[given["seed"]] = result["figures"]
    return found


def recalls(figures, k):
    """[N]: of each test pair, whether its text and its picture were found among the first k: 0, 1/2 or 1."""
    return (numpy.asarray(figures["ranks_of_texts"]) <= k).astype(float) / 2 + (
        numpy.asarray(figures["ranks_of_pictures"]) <= k).astype(float) / 2


# What is told of a downstream model: a row of values, one a test pair.
MEASURES = {
    "recall@1": lambda f: recalls(f, 1), "recall@5": lambda f: recalls(f, 5), "recall@10": lambda f: recalls(f, 10),
    "CIDEr": lambda f: numpy.asarray(f["cider"]),
    "similarity": lambda f: numpy.asarray(f["similarity"]) - numpy.asarray(f["similarity_of_others"]),
}


def values(by_seed, measure, seeds=None):
    """[seeds, N]"""
    return numpy.stack([MEASURES[measure](by_seed[seed]) for seed in sorted(seeds if seeds is not None else by_seed)])


def sizes(results):
    """Of the pool's subsets that a result is there of, and those that are to be."""
    found = {r["arguments"]["size"] for r in results.values() if r["cell"].startswith("downstream.")}
    return sorted(found | set(settings.SIZES))


# --- judges: figures of one split by seed ----------------------------------------------------------


def judges(results, arm, split):
    """Seed -> figures of the split."""
    found = {}
    for result in results.values():
        part, _, rest = result["cell"].partition(".")
        name, _, seed = rest.rpartition(".")
        if part == "ablation" and name == arm:
            found[int(seed)] = result["figures"][split]
    return found


def values_by_picture(figures, kind, measure):
    """Picture -> value."""
    trials = figures["trials"]
    values = trials.get(measure, {}).get(kind, [])
    return {picture: value for picture, value in zip(trials["pictures"], values) if value is not None}


def common_values(by_seed, kinds, measure):
    """(pictures, an array [seeds, pictures] for each kind): of the pictures that every seed has all kinds of."""
    found = [[values_by_picture(figures, kind, measure) for kind in kinds] for _, figures in sorted(by_seed.items())]
    pictures = sorted(set.intersection(*(set(values) for row in found for values in row))) if found else []
    return pictures, [numpy.array([[row[k][p] for p in pictures] for row in found]) for k in range(len(kinds))]


def judge_pairs(by_seed, kind, good="good", measure="score"):
    """(pictures, good [seeds, N], bad [seeds, N]). A picture that came with a generic caption has no good one: those of
    others stand beside it, and the numbers of columns differ."""
    if kind == "shipped":
        pictures, (bad,) = common_values(by_seed, [kind], measure)
        return pictures, *common_values(by_seed, [good], measure)[1], bad
    pictures, (one, other) = common_values(by_seed, [good, kind], measure)
    return pictures, one, other


def drawn_judge_auroc(by_seed, kind, good, measure, seeds_from):
    """(AUROC, draws of it), or None where fewer than two pictures have what it takes."""
    pictures, best, worst = judge_pairs(by_seed, kind, good, measure)
    if len(pictures) < 2 or best.shape[1] < 2:
        return None
    if measure == "p_rewrite":
        best, worst = -best, -worst
    return scores.auroc(best, worst), scores.drawn_aurocs(best, worst, seeds_from, is_paired=kind != "shipped")


def judge_auroc(by_seed, kind, good="good", measure="score"):
    """(value, low, high) or None"""
    found = drawn_judge_auroc(by_seed, kind, good, measure, 1)
    return found and (found[0], *scores.middle(found[1]))


def judge_difference(by_seed, base, kind, good="good"):
    """(difference of AUROC, low, high) on the pictures that both have, or None"""
    common = set(judge_pairs(by_seed, kind, good)[0]) & set(judge_pairs(base, kind, good)[0])
    found = [drawn_judge_auroc({seed: only_pictures(figures, kind, common) for seed, figures in one.items()}, kind, good,
                               "score", place) for place, one in enumerate((by_seed, base), 1)]
    if None in found:
        return None
    return found[0][0] - found[1][0], *scores.middle(found[0][1] - found[1][1])


def only_pictures(figures, kind, pictures):
    """The same figures with nothing of this kind but of these pictures."""
    trials = figures["trials"]
    values = [value if picture in pictures else None
              for picture, value in zip(trials["pictures"], trials["score"].get(kind, []))]
    return figures | {"trials": trials | {"score": trials["score"] | {kind: values}}}


def judge_share(by_seed, kind, wanted):
    """(share of trials whose caption was (1) or was not (0) rewritten, low, high), or None"""
    pictures, (rewritten,) = common_values(by_seed, [kind], "rewrites")
    return scores.with_interval(rewritten == wanted) if pictures else None


def judge_nearer(by_seed, rival):
    """(share of rewrites that are nearer to the truth than the rival, low, high), or None. Seeds rewrite what they will, so
    this is over the rewrites of all, drawn again."""
    found = [figures.get("rewrite_cosines") for figures in by_seed.values()]
    closer = [float(a > b) for one in found if one for a, b in zip(one["rewrite"], one[rival])]
    return scores.with_interval([closer]) if closer else None


def count_text(by_seed, name):
    counts = [figures[name] for figures in by_seed.values() if name in figures]
    return f"{sum(counts) / len(counts):.0f} a seed" if counts else "-"
