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
KINDS = ["other_image", "near_miss", "alt_text_junk", "shipped", "truncated"]
MORE_KINDS = ["shuffled", "wrong_object", "wrong_colour", "wrong_count", "wrong_name", "boilerplate", "wrong_language"]
# What the claims are about: arms of one size beside each other.
CONTRASTS = [("enhanced", "raw"), ("enhanced", "best-by-score"), ("enhanced", "best-by-clip"), ("best-by-score", "best-by-clip"),
             ("dose-50", "raw"), ("dose-50", "enhanced"), ("dose-50", "best-by-score")]
DOSE_CONTRASTS = [("dose-25", "raw"), ("dose-50", "raw"), ("dose-75", "raw"), ("enhanced", "raw"), ("recaptioned", "raw"),
                  ("recaptioned", "enhanced")]
JUDGE_CONTRASTS = [("contrastive", "scores"), ("rewriting", "scores"), ("both", "contrastive"), ("both", "rewriting"),
                   ("swapped", "both")]
START_CONTRASTS = [("contrastive", "scores"), ("both", "contrastive"), ("swapped", "both")]
LEAST_OF_GROUP = 5  # pairs that a row of the distribution's table stands for
SPLIT_NAMES = {"own": "Own sources", "foreign": "Foreign drawings", "photo": "Photographs"}


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


MEASURES = ["recall@1", "recall@5", "recall@10", "CIDEr", "similarity"]


def arm_row(found, learner, size, arm, name):
    by_seed = results.downstream(found, learner, size, arm)
    if not by_seed:
        return [name, "0", *[MISSING] * (len(MEASURES) + 2)]
    row = [name, str(len(by_seed))] + [interval(scores.with_interval(results.values(by_seed, m))) for m in MEASURES]
    figures = list(by_seed.values())
    losses = [f["last_loss"] for f in figures]
    return [*row, f"{sum(losses) / len(losses):.2f}",
            str(round(sum(f["different_captions"] for f in figures) / len(figures)))]


def arms_table(found, learner, size, arms):
    header = ["trained on", "seeds", *MEASURES, "last loss", "different captions"]
    return table(header, [arm_row(found, learner, size, arm, name) for arm, name in arms.items()])


def contrast_row(found, learner, size, one, other):
    ours, theirs = (results.downstream(found, learner, size, arm) for arm in (one, other))
    seeds = sorted(ours.keys() & theirs.keys())
    cells_of_row = [MISSING] * len(MEASURES)
    if seeds:
        cells_of_row = [interval(scores.difference(results.values(ours, m, seeds), results.values(theirs, m, seeds)), sign="+")
                        for m in MEASURES]
    return [f"{one} - {other}", str(len(seeds)), *cells_of_row]


def contrasts_table(found, learner, size, pairs):
    return table(["difference", "seeds", *MEASURES], [contrast_row(found, learner, size, *pair) for pair in pairs])


def downstream_tables(found, learner):
    parts = []
    for size in results.sizes(found):
        arms = {arm: f"{arm}: {settings.ARMS[arm]}" for arm in settings.FIRST_ARMS}
        parts += [f"**{size} pairs**", arms_table(found, learner, size, arms), contrasts_table(found, learner, size, CONTRASTS)]
    return "\n\n".join(parts)


def dose_tables(found):
    parts = []
    for learner, name in settings.LEARNER_NAMES.items():
        parts += [f"**{name[0].upper()}{name[1:]}, {settings.DOSE_SIZE} pairs**",
                  arms_table(found, learner, settings.DOSE_SIZE, DOSES),
                  contrasts_table(found, learner, settings.DOSE_SIZE, DOSE_CONTRASTS)]
    return "\n\n".join(parts)


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

    def groups(name, kind, gone):
        return [[f"{name.format(group)} ({count})", percent(same[f"{kind}s_left"][group]),
                 percent(half[f"{kind}s_left"][group]), f"{gone}{percent(enhanced[f'{kind}s_kept'][group])} as they were"]
                for group, count in enhanced[f"{kind}s"].items() if count >= LEAST_OF_GROUP]

    rows = [
        [f"mean score by the judge (before: {enhanced['mean_score_before']:.2f})", f"{same['mean_score_left']:.2f}",
         f"{half['mean_score_left']:.2f}", f"{enhanced['mean_score']:.2f}; {enhanced['mean_score_of_new']:.2f} of new captions, "
         f"{enhanced['mean_score_of_kept']:.2f} of the others"],
        row(f"likeness to the true caption (before: {enhanced['likeness_before']:.3f})", lambda part: f"{part['likeness']:.3f}"),
        ["pairs left", f"{same['pairs_left']} of {enhanced['pairs']}", f"{half['pairs_left']} of {enhanced['pairs']}",
         f"all; {enhanced['rewritten']} have a new caption, {enhanced['unscored']} no score"],
        drift("different words that are gone", "words_lost_share"),
        drift("words that stood once or twice, gone", "rare_words_lost_share"),
        drift("names and numbers that are gone", "facts_lost_share"),
        body("different words", "vocabulary", 0), body("different names and numbers", "facts", 0),
        body("words a caption", "mean_words", 2), body("entropy of words, bits", "word_entropy_bits", 2),
        body("captions that another one repeats", "repeated_share", 3),
        row("distance of the words (Jensen-Shannon)", lambda part: f"{part['drift']['word_divergence_bits']:.3f}"),
        *groups("pairs of {}", "source", "100 %; "), *groups("captions in {} script", "script", ""),
        *groups("captions in language `{}`, as CLD2 guesses", "language", "")]
    for kind in same["noise_left"]:
        before, after = enhanced["likeness_by_noise"][kind]
        rows.append([kind, f"{percent(same['noise_left'][kind])} left", f"{percent(half['noise_left'][kind])} left",
                     f"{percent(enhanced['noise_rewritten'][kind])} rewritten; likeness {before:.3f} -> {after:.3f}"])
    picture = "![what is gone, and of which sources pairs are left](pictures/proof-distribution.svg)\n\n"
    return picture + table(["", f"filtered to the same quality (score >= {same['below']:.2f})",
                            f"the better half (score >= {half['below']:.2f})", "enhanced"], rows)


def rules_table(found):
    if "distribution" not in found:
        return MISSING
    rows = [[f"`{name}`", percent(one["rewritten"]), percent(one["clean_rewritten"]), percent(one["noise_rewritten"]),
             f"{one['likeness']:.3f}"] for name, one in found["distribution"]["figures"]["by_rule"].items()]
    return table(["rewritten where", "of all", "of the clean", "of the spoilt", "likeness to the truth"], rows)


# --- the judge -------------------------------------------------------------------------------------


def estimate_text(found, sign=""):
    return "-" if found is None else interval(found, sign=sign)


def text_alone(figures, kind, measure):
    value = figures.get("text_alone", {}).get(kind, {}).get(measure)
    return "-" if value is None else f"{value:.3f}"


def judge_table(arms, kinds):
    """@param arms  name -> seed -> figures of a split"""
    by_text = arms["both"].get(0, {})

    def row(name, of, by_length="-", by_junk_words="-", where=lambda arm: True):
        judged = [(of(figures) if where(arm) else "-") if figures else MISSING for arm, figures in arms.items()]
        return [name, by_length, by_junk_words, *judged]

    def rewrites(arm):
        return arm in settings.ABLATIONS and settings.ABLATIONS[arm]["rewriting"]

    rows = [row("seeds", lambda f: str(len(f)))]
    for kind in kinds:
        pictures = max((len(results.judge_pairs(figures, kind)[0]) for figures in arms.values() if figures), default=0)
        rows.append(row(f"{kind} ({pictures} pictures)", lambda f, kind=kind: estimate_text(results.judge_auroc(f, kind)),
                        text_alone(by_text, kind, "length"), text_alone(by_text, kind, "junk_words")))
    if "other_image" in kinds:
        rows += [
            row("control: mismatches under a third image",
                lambda f: estimate_text(results.judge_auroc(f, "control_bad", good="control_good"))),
            row("other_image by p_rewrite",
                lambda f: estimate_text(results.judge_auroc(f, "other_image", measure="p_rewrite")), where=rewrites),
            row("good captions kept", lambda f: estimate_text(results.judge_share(f, "good", 0)), where=rewrites),
            row("mismatches rewritten", lambda f: estimate_text(results.judge_share(f, "other_image", 1)), where=rewrites),
            row("rewrites of mismatches", lambda f: results.count_text(f, "rewrites"), where=rewrites),
            row("nearer to the truth than the bad caption", lambda f: estimate_text(results.judge_nearer(f, "bad")),
                where=rewrites),
            row("than what was written for another image", lambda f: estimate_text(results.judge_nearer(f, "for_another")),
                where=rewrites),
            row("trials failed", lambda f: results.count_text(f, "failed"))]
    return table(["", "caption length", "junk words", *arms], rows)


def judge_contrasts(arms):
    rows = []
    for one, other in JUDGE_CONTRASTS:
        found = [MISSING] * (len(KINDS) + 1)
        if arms[one] and arms[other]:
            found = [estimate_text(results.judge_difference(arms[one], arms[other], kind), "+") for kind in KINDS]
            found.append(estimate_text(results.judge_difference(arms[one], arms[other], "control_bad", "control_good"), "+"))
        rows.append([f"{one} - {other}", *found])
    return table(["difference of AUROC", *KINDS, "control"], rows)


def ablation_table(found, split):
    arms = {arm: results.judges(found, arm, split) for arm in ("captions", *settings.ABLATIONS)}
    more = f"<details><summary>Other flaws</summary>\n\n{judge_table(arms, MORE_KINDS)}\n\n</details>"
    return "\n\n".join([f"**{SPLIT_NAMES[split]}**", judge_table(arms, KINDS), judge_contrasts(arms), more])


def starts_table(found, earlier):
    """The ladder of the ablation from the start of an earlier run beside this one: which steps hold for both."""
    rows = []
    for split, split_name in SPLIT_NAMES.items():
        for name, of in (("earlier", earlier), ("this one", found)):
            arms = {arm: results.judges(of, arm, split) for arm in settings.ABLATIONS}
            rows.append([f"{split_name}, {name}",
                         *(f"{results.judge_auroc(arms[arm], 'other_image')[0]:.3f}" if arms[arm] else MISSING for arm in arms),
                         *(estimate_text(results.judge_difference(arms[one], arms[other], "other_image"), "+")
                           if arms[one] and arms[other] else MISSING for one, other in START_CONTRASTS)])
    return table(["other_image, start", *settings.ABLATIONS, *(f"{one} - {other}" for one, other in START_CONTRASTS)], rows)


def machines(found):
    told = {}
    for result in found.values():
        machine = result["machine"]
        key = f"{machine['processor']}, {machine['cores']} cores, {machine['device']}; version {result['version']}"
        told.setdefault(key, []).append(result["seconds"])
    return "\n".join(f"- {name}: {len(s)} results, after at most {max(s):.0f} s each" for name, s in told.items()) or MISSING


def blocks(found):
    return {
        "cells": listed_cells(found), "machines": machines(found), "distribution": distribution_table(found),
        "rules": rules_table(found),
        "downstream-trunk": downstream_tables(found, "trunk"), "downstream-scratch": downstream_tables(found, "scratch"),
        "dose": dose_tables(found),
        "ablation": "\n\n".join(ablation_table(found, split) for split in SPLIT_NAMES),
        "starts": starts_table(found, results.read(settings.RESULTS / "earlier-start")),
    }


def fill(page, made):
    """Puts each block between its marks. @raises KeyError for a mark that no block is made for"""
    pattern = re.compile(r"(<!-- proof: ([\w-]+) -->\n).*?(<!-- end of proof -->)", re.S)
    return pattern.sub(lambda m: f"{m[1]}{made[m[2]]}\n{m[3]}", page)


def write():
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), blocks(results.read())), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
