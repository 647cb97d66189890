"""The results that are there, as arrays: what tables and figures are made of. Needs numpy."""

import json

import numpy
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
