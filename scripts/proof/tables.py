"""docs/evidence.md's tables, from bench/results/proof alone. A cell without a result is shown as missing."""

import re

import cells
import results
import scores
import settings
from settings import ROOT

PAGE = ROOT / "docs/evidence.md"
DOSES = {"raw": "0 %", "dose-25": "25 %", "dose-50": "50 %", "dose-75": "75 %", "enhanced": "100 %",
         "recaptioned": "every caption replaced"}
MISSING = "missing"
KINDS = ["other_image", "near_miss", "alt_text_junk", "shipped", "truncated", "shuffled", "wrong_object", "wrong_colour",
         "wrong_count", "wrong_name", "boilerplate", "wrong_language"]


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def interval(found, digits=3, sign=""):
    mean, low, high = found
    return f"{mean:{sign}.{digits}f} ({low:{sign}.{digits}f} to {high:{sign}.{digits}f})"


def listed_cells(found):
    rows = []
    groups = {"distribution": "distribution", "downstream, from pixels": "downstream.scratch.",
              "downstream, on the frozen trunk": "downstream.trunk.", "ablation": "ablation."}
    for name, prefix in groups.items():
        wanted = [c.name for c in cells.all_cells() if c.name.startswith(prefix)]
        missing = [name for name in wanted if name not in found]
        told = "-" if not missing else ", ".join(f"`{m.removeprefix(prefix)}`" for m in missing)
        if len(missing) == len(wanted):
            told = "all"
        rows.append([name, f"{len(wanted) - len(missing)} of {len(wanted)}", told])
    return table(["part", "results", "missing"], rows)


def arm_row(found, learner, size, arm, measures, name):
    by_seed = results.downstream(found, learner, size, arm)
    if not by_seed:
        return [name, "0", *[MISSING] * (len(measures) + 2)]
    row = [name, str(len(by_seed))] + [interval(scores.with_interval(results.values(by_seed, m))) for m in measures]
    raw = results.downstream(found, learner, size, "raw")
    common = sorted(by_seed.keys() & raw.keys())
    for measure in ("recall@10", "similarity"):
        if arm == "raw" or not common:
            row.append("-" if arm == "raw" else MISSING)
        else:
            row.append(interval(scores.difference(results.values(by_seed, measure, common),
                                                  results.values(raw, measure, common)), sign="+"))
    return row


def arms_table(found, learner, size, arms):
    measures = ["recall@1", "recall@5", "recall@10", "CIDEr", "similarity"]
    header = ["trained on", "seeds", *measures, "recall@10 above raw", "similarity above raw"]
    return table(header, [arm_row(found, learner, size, arm, measures, name) for arm, name in arms.items()])


def downstream_tables(found, learner):
    parts = []
    for size in results.sizes(found):
        parts.append(f"**{size} pairs**\n\n" + arms_table(found, learner, size, {a: f"{a}: {settings.ARMS[a]}"
                                                                              for a in settings.FIRST_ARMS}))
    return "\n\n".join(parts)


def dose_tables(found):
    names = {"trunk": "On the frozen trunk", "scratch": "From pixels"}
    return "\n\n".join(f"**{names[learner]}, {settings.DOSE_SIZE} pairs**\n\n" +
                       arms_table(found, learner, settings.DOSE_SIZE, DOSES) for learner in ("trunk", "scratch"))


def percent(share):
    return f"{100 * share:.1f} %"


def distribution_table(found):
    if "distribution" not in found:
        return MISSING
    figures = found["distribution"]["figures"]
    same, half, enhanced = figures["same_quality"], figures["half"], figures["enhanced"]

    def row(name, of):
        return [name, of(same), of(half), of(enhanced)]

    def drift(name, key):
        return row(name, lambda part: percent(part["drift"][key]))

    def body(name, key, digits):
        before = same["drift"]["before"][key]
        return row(f"{name} (before: {before:.{digits}f})", lambda part: f"{part['drift']['after'][key]:.{digits}f}")

    rows = [
        ["mean score", f"{same['mean_score_left']:.2f}", f"{half['mean_score_left']:.2f}", f"{figures['mean_score_enhanced']:.2f}"],
        ["pairs left", f"{same['pairs_left']} of {enhanced['pairs']}", f"{half['pairs_left']} of {enhanced['pairs']}",
         f"all; {enhanced['rewritten']} have a new caption"],
        drift("different words that are gone", "words_lost_share"),
        drift("words that stood once or twice, gone", "rare_words_lost_share"),
        drift("names and numbers that are gone", "facts_lost_share"),
        body("different words", "vocabulary", 0), body("different names and numbers", "facts", 0),
        body("words a caption", "mean_words", 2), body("entropy of words, bits", "word_entropy_bits", 2),
        body("captions that another one repeats", "repeated_share", 3),
        row("distance of the words (Jensen-Shannon)", lambda part: f"{part['drift']['word_divergence_bits']:.3f}"),
    ]
    for source in same["sources_left"]:
        rows.append([f"pairs of {source}", percent(same["sources_left"][source]), percent(half["sources_left"][source]),
                     f"100 %; {percent(enhanced['sources_kept'][source])} as they were"])
    for script in same["scripts_left"]:
        rows.append([f"captions in {script} script", percent(same["scripts_left"][script]),
                     percent(half["scripts_left"][script]), f"{percent(enhanced['scripts_kept'][script])} as they were"])
    for kind, name in (("clean", "clean captions"), ("junk", "junk"), ("mismatch", "mismatches")):
        part = figures[kind]
        rows.append([name, f"{percent(part['left_share'])} left", "-", f"{percent(part['rewritten_share'])} rewritten"])
    picture = "![what is gone, and of which sources pairs are left](pictures/proof-distribution.svg)\n\n"
    return picture + table(["", f"filtered to the same quality (score >= {same['below']:.2f})",
                  f"the better half (score >= {half['below']:.2f})", "enhanced"], rows)


def over_seeds(figures):
    """Mean of the seeds' values, and the widest that their intervals reach."""
    figures = [f for f in figures if f is not None and f.get("value") is not None]
    if not figures:
        return "-"
    mean = sum(f["value"] for f in figures) / len(figures)
    return interval((mean, min(f["low"] for f in figures), max(f["high"] for f in figures)))


def ablation_table(found, split):
    arms = {arm: [r["figures"][split] for r in found.values() if r["cell"].startswith(f"ablation.{arm}.")]
            for arm in ("captions", *settings.ABLATIONS)}

    def row(name, pick):
        return [name] + [over_seeds([pick(f) for f in figures]) if figures else MISSING for figures in arms.values()]

    rows = [["seeds"] + [str(len(figures)) for figures in arms.values()]]
    for kind in KINDS:
        for name, key in (("score", "auroc_by_score"), ("p_rewrite", "auroc_by_p_rewrite")):
            rows.append(row(f"{kind}, by {name}", lambda f, kind=kind, key=key: f["kinds"].get(kind, {}).get(key)))
    rows += [row("control: mismatches under a third image", lambda f: f.get("control")),
             row("good captions kept", lambda f: f.get("kept")),
             row("mismatches rewritten", lambda f: f["kinds"].get("other_image", {}).get("rewritten"))]
    for name, rival in (("rewrites nearer to the truth than the bad caption", "bad"),
                        ("than what was written for another image", "for_another")):
        rows.append(row(name, lambda f, rival=rival: nearer(f.get("rewrite_cosines"), rival)))
    return table(["", *arms], rows)


def nearer(cosines, rival):
    if not cosines:
        return None
    wins = [[float(a > b) for a, b in zip(cosines["rewrite"], cosines[rival])]]
    mean, low, high = scores.with_interval(wins)
    return {"value": mean, "low": low, "high": high}


def machines(found):
    told = {}
    for result in found.values():
        machine = result["machine"]
        key = f"{machine['processor']}, {machine['cores']} cores, {machine['device']}; version {result['version']}"
        told.setdefault(key, []).append(result["seconds"])
    return "\n".join(f"- {name}: {len(s)} cells, {min(s):.0f} to {max(s):.0f} s each" for name, s in told.items()) or MISSING


def blocks(found):
    return {
        "cells": listed_cells(found), "machines": machines(found), "distribution": distribution_table(found),
        "downstream-trunk": downstream_tables(found, "trunk"), "downstream-scratch": downstream_tables(found, "scratch"),
        "dose": dose_tables(found),
        "ablation": "\n\n".join(f"**{name}**\n\n{ablation_table(found, split)}" for split, name in
                                (("own", "Own sources"), ("foreign", "Foreign drawings"), ("photo", "Photographs"))),
    }


def fill(page, made):
    """Puts each block between its marks. @raises KeyError for a mark that no block is made for"""
    pattern = re.compile(r"(<!-- proof: ([\w-]+) -->\n).*?(<!-- end of proof -->)", re.S)
    return pattern.sub(lambda m: f"{m[1]}{made[m[2]]}\n{m[3]}", page)


def write():
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), blocks(results.read())), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
