"""How the pool is spoilt, and what each arm trains on: which of its pairs, and which captions of theirs how often."""

import dataclasses
import random


@dataclasses.dataclass
class TrainingPair:
    index: int  # in the pool
    captions: list  # (text, how often, as a share)


def spoil(truths, junk, translations, shares, seed):
    """(caption, what was done: a name of `shares`, or clean) of each pair.

    @param junk  name -> texts that take the place of captions under it  @param translations  of each truth; [] for none
    @param shares  name -> share of the pairs: those of `junk`, and `mismatch` and `translated`
    """
    draw = random.Random(seed)
    order = list(range(len(truths)))
    draw.shuffle(order)
    noisy = [(text, "clean") for text in truths]

    def take(name, indexes):
        wanted = round(shares[name] * len(truths))
        found = [i for i in indexes if noisy[i][1] == "clean"][:wanted]
        if len(found) < wanted:
            raise ValueError(f"{wanted} pairs are to be `{name}`, {len(found)} can be")
        return found

    for index in take("translated", [i for i in order if translations[i]]):
        noisy[index] = (draw.choice(translations[index]), "translated")
    for name, texts in junk.items():
        for index in take(name, order):
            noisy[index] = (draw.choice([text for text in texts if text != truths[index]]), name)
    swapped = take("mismatch", order)
    for index, other in zip(swapped, swapped[1:] + swapped[:1]):
        noisy[index] = (truths[other], "mismatch")
    return noisy


def subset(num_pairs, size, seed):
    """The pairs that every arm of a seed gets, in the pool's order."""
    if size > num_pairs:
        raise ValueError(f"the pool has {num_pairs} pairs, {size} were asked for")
    return sorted(random.Random(f"subset {seed}").sample(range(num_pairs), size))


def better_half(indexes, score):
    """Of `indexes` the half with the higher score, ties by place; a score that is absent is None or negative."""
    def worth(index):
        value = score(index)
        return -1.0 if value is None or value < 0 else value
    ranked = sorted(indexes, key=lambda i: (-worth(i), i))
    return sorted(ranked[:(len(ranked) + 1) // 2])


def mixed(raw, enhanced, share):
    """Captions of one pair when a share of the times the enhanced one is shown."""
    if raw == enhanced:
        return [(raw, 1.0)]
    return [(text, part) for text, part in ((raw, 1.0 - share), (enhanced, share)) if part > 0]


def training_pairs(arm, indexes, records, rows, clip=None, recaptioned=None):
    """@param rows  KEY -> row of the enhanced run  @param clip  KEY -> score  @param recaptioned  KEY -> row of that run"""
    def raw(i):
        return records[i]["caption"]

    def row(i, run=rows):
        return run[records[i]["key"]]

    if arm == "best-by-score":
        indexes = better_half(indexes, lambda i: row(i)["score_expected"])
    elif arm == "best-by-clip":
        low = min(clip.values())  # a cosine may be negative
        indexes = better_half(indexes, lambda i: clip[records[i]["key"]] - low)
    if arm in ("raw", "best-by-score", "best-by-clip"):
        return [TrainingPair(i, [(raw(i), 1.0)]) for i in indexes]
    if arm == "clean":
        return [TrainingPair(i, [(records[i]["truth"], 1.0)]) for i in indexes]
    if arm == "recaptioned":
        return [TrainingPair(i, [(row(i, recaptioned)["caption_out"], 1.0)]) for i in indexes]
    share = 1.0 if arm == "enhanced" else int(arm.removeprefix("dose-")) / 100
    return [TrainingPair(i, mixed(raw(i), row(i)["caption_out"], share)) for i in indexes]
