"""Ranks, recall, CIDEr, intervals, and the filter of a given quality. Needs numpy; `cider` the package pycocoevalcap."""

import re

import numpy

DRAWS = 1000


def ranks(similarities):
    """[N, N] -> [N]: the place of column i among the columns of row i, from 1. Of ties the own one comes last."""
    own = numpy.diagonal(similarities)[:, None]
    return (similarities >= own).sum(1)


def recall(found, k):
    return float((numpy.asarray(found) <= k).mean())


def words(text):
    """In lower case, without punctuation. Stands in for the tokenizer of COCO's tools, which needs Java."""
    return re.findall(r"[^\W_]+", text.lower())


def cider(references, candidates):
    """[N]: CIDEr of each candidate. @param references  a list of texts for each"""
    from pycocoevalcap.cider.cider import Cider

    truth = {i: [" ".join(words(t)) or "." for t in texts] for i, texts in enumerate(references)}
    said = {i: [" ".join(words(text)) or "."] for i, text in enumerate(candidates)}
    return numpy.asarray(Cider().compute_score(truth, said)[1])


def draws_of_mean(values, random):
    """Means over [seeds, N] with seeds and columns drawn again: what other seeds and other test pairs would give."""
    values = numpy.asarray(values, float)
    rows, columns = (random.multinomial(size, numpy.full(size, 1 / size), DRAWS) / size for size in values.shape)
    return ((rows @ values) * columns).sum(1)


def with_interval(values):
    """(mean, low, high) of [seeds, N]: the middle 95 % over seeds and columns drawn again."""
    drawn = draws_of_mean(values, numpy.random.default_rng(0))
    low, high = numpy.quantile(drawn, [0.025, 0.975])
    return float(numpy.mean(values)), float(low), float(high)


def difference(values, base):
    """(mean, low, high) of what `values` is above `base`; rows and columns of both belong together."""
    return with_interval(numpy.asarray(values, float) - numpy.asarray(base, float))


def threshold_for(values, wanted):
    """The lowest score K such that the mean of all scores of at least K is `wanted` or more; the highest score if none."""
    ordered = numpy.sort(numpy.asarray(values, float))
    means = numpy.cumsum(ordered[::-1])[::-1] / numpy.arange(len(ordered), 0, -1)  # of what is left from each on
    reached = numpy.flatnonzero(means >= wanted)
    return float(ordered[reached[0]] if len(reached) else ordered[-1])
