"""Ranks, CIDEr, AUROC, intervals, and the filter of a given quality. Needs numpy; `cider` the package pycocoevalcap."""

import re

import numpy

DRAWS = 1000


def ranks(similarities):
    """[N, N] -> [N]: the place of column i among the columns of row i, from 1. Of ties the own one comes last."""
    own = numpy.diagonal(similarities)[:, None]
    return (similarities >= own).sum(1)


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
    return float(numpy.mean(values)), *middle(drawn)


def difference(values, base):
    """(mean, low, high) of what `values` is above `base`; rows and columns of both belong together."""
    return with_interval(numpy.asarray(values, float) - numpy.asarray(base, float))


def drawn_aurocs(good, bad, seeds_from, is_paired=True):
    """[DRAWS] of the mean over seeds of the AUROC of good against bad scores, with seeds and pictures drawn again.

    @param good  [seeds, N]  @param bad  [seeds, M]; with is_paired of the same pictures  @param seeds_from  draws of seeds:
    the same number for the same draws
    """
    good, bad = numpy.asarray(good, float), numpy.asarray(bad, float)
    num_seeds, num_good = good.shape
    random, of_seeds = numpy.random.default_rng(0), numpy.random.default_rng(seeds_from)
    rows = of_seeds.multinomial(num_seeds, numpy.full(num_seeds, 1 / num_seeds), DRAWS) / num_seeds
    pictures = random.multinomial(num_good, numpy.full(num_good, 1 / num_good), DRAWS) / num_good
    others = pictures
    if not is_paired:
        num_bad = bad.shape[1]
        others = random.multinomial(num_bad, numpy.full(num_bad, 1 / num_bad), DRAWS) / num_bad
    return sum(rows[:, seed] * (pictures @ wins(good[seed], bad[seed]) * others).sum(1) for seed in range(num_seeds))


def wins(good, bad):
    """[N, M]: 1 where the good one is higher, 1/2 where they are the same."""
    return (good[:, None] > bad[None, :]) + 0.5 * (good[:, None] == bad[None, :])


def auroc(good, bad):
    """The mean over seeds. [seeds, N], [seeds, M]"""
    return float(numpy.mean([wins(g, b).mean() for g, b in zip(numpy.asarray(good, float), numpy.asarray(bad, float))]))


def middle(drawn):
    low, high = numpy.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def threshold_for(values, wanted):
    """The lowest score K such that the mean of all scores of at least K is `wanted` or more; the highest score if none."""
    ordered = numpy.sort(numpy.asarray(values, float))
    means = numpy.cumsum(ordered[::-1])[::-1] / numpy.arange(len(ordered), 0, -1)  # of what is left from each on
    reached = numpy.flatnonzero(means >= wanted)
    return float(ordered[reached[0]] if len(reached) else ordered[-1])
