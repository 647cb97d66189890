"""The figures of docs/evidence.md, from bench/results/proof alone. Needs matplotlib."""

import matplotlib
import results
import scores
import settings
from settings import ROOT

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

PICTURES = ROOT / "docs/pictures"
COLOURS = {"raw": "#777777", "enhanced": "#0072b2", "best-by-score": "#d55e00", "dose-50": "#009e73",
           "best-by-clip": "#e69f00", "clean": "#000000"}
DOSES = {"raw": 0, "dose-25": 25, "dose-50": 50, "dose-75": 75, "enhanced": 100}


def save(figure, name):
    figure.savefig(PICTURES / f"{name}.svg", metadata={"Date": None})
    pyplot.close(figure)
    print(f"docs/pictures/{name}.svg")


def draw_sizes(axes, found, learner, measure):
    sizes = results.sizes(found)
    for place, (arm, colour) in enumerate(COLOURS.items()):
        points = []
        for size in sizes:
            by_seed = results.downstream(found, learner, size, arm)
            if by_seed:
                points.append((size, *scores.with_interval(results.values(by_seed, measure))))
        if not points:
            continue
        x, mean, low, high = map(list, zip(*points))
        x = [value * (1 + 0.02 * (place - 2.5)) for value in x]  # beside each other, not over each other
        axes.errorbar(x, mean, [[m - v for m, v in zip(mean, low)], [v - m for m, v in zip(mean, high)]], color=colour,
                      label=arm, marker="o", markersize=3, linewidth=1, capsize=2,
                      linestyle="--" if arm == "clean" else "-")
    axes.set_xscale("log")
    axes.set_xlim(0.85 * sizes[0], 1.15 * sizes[-1])
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("pairs before filtering")
    draw_chance(axes, measure)
    axes.set_title(f"{measure}, {settings.LEARNER_NAMES[learner]}", fontsize=9)


def draw_chance(axes, measure):
    by_chance = {"recall@10": 10 / settings.TEST_PAIRS, "similarity": 0.0}
    axes.axhline(by_chance[measure], color="#bbbbbb", linewidth=0.8, linestyle=":")


def draw_doses(axes, found, measure):
    for place, (learner, colour) in enumerate(zip(settings.LEARNER_NAMES, ("#0072b2", "#e69f00"))):
        points = []
        for arm, percent in DOSES.items():
            by_seed = results.downstream(found, learner, settings.DOSE_SIZE, arm)
            if by_seed:
                points.append((percent + 2 * place - 1, *scores.with_interval(results.values(by_seed, measure))))
        if points:
            x, mean, low, high = map(list, zip(*points))
            axes.errorbar(x, mean, [[m - v for m, v in zip(mean, low)], [v - m for m, v in zip(mean, high)]], color=colour,
                          label=settings.LEARNER_NAMES[learner], marker="o", markersize=3, linewidth=1, capsize=2)
    draw_chance(axes, measure)
    axes.set_xlabel("enhanced captions, %")
    axes.set_title(f"{measure}, {settings.DOSE_SIZE} pairs", fontsize=9)


def plot_doses(found):
    figure, row = pyplot.subplots(1, 2, figsize=(8, 3))
    for axes, measure in zip(row, ("recall@10", "similarity")):
        draw_doses(axes, found, measure)
    if row[0].get_legend_handles_labels()[0]:
        row[0].legend(fontsize=7)
    figure.tight_layout()
    save(figure, "proof-doses")


def plot_sizes(found):
    learners = [name for name in settings.LEARNER_NAMES if any(key.startswith(f"downstream.{name}.") for key in found)]
    figure, grid = pyplot.subplots(max(1, len(learners)), 2, figsize=(8, 3.3 * max(1, len(learners)) + 0.4), squeeze=False)
    for row, learner in zip(grid, learners):
        for axes, measure in zip(row, ("recall@10", "similarity")):
            draw_sizes(axes, found, learner, measure)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.tight_layout()
    if handles:
        figure.legend(handles, labels, fontsize=7, ncols=len(handles), loc="lower center")
        figure.subplots_adjust(bottom=0.75 / figure.get_figheight())
    save(figure, "proof-sizes")


def plot_distribution(found):
    if "distribution" not in found:
        return
    figures = found["distribution"]["figures"]
    parts = {"filtered to the same quality": figures["same_quality"], "the better half": figures["half"],
             "enhanced": figures["enhanced"]}
    names = {"words": "words_lost_share", "rare words": "rare_words_lost_share", "names and numbers": "facts_lost_share"}
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4))
    colours = ["#d55e00", "#e69f00", "#0072b2"]
    for place, ((title, part), colour) in enumerate(zip(parts.items(), colours)):
        left.barh([i + 0.27 * place for i in range(len(names))], [100 * part["drift"][key] for key in names.values()], 0.25,
                  color=colour, label=title)
    left.set_yticks([i + 0.27 for i in range(len(names))], list(names))
    left.set_xlabel("gone, % of the different ones")
    left.legend(fontsize=7)
    sources = list(figures["same_quality"]["sources_left"])
    shares = [figures["same_quality"]["sources_left"], figures["half"]["sources_left"], figures["enhanced"]["sources_kept"]]
    for place, (share, colour) in enumerate(zip(shares, colours)):
        right.barh([i + 0.27 * place for i in range(len(sources))], [100 * share[s] for s in sources], 0.25, color=colour)
    right.set_yticks([i + 0.27 for i in range(len(sources))], sources)
    right.set_xlabel("pairs left, or left as they were, %")
    figure.tight_layout()
    save(figure, "proof-distribution")


def write():
    matplotlib.rcParams.update({"svg.hashsalt": "aitqe", "svg.fonttype": "none", "font.size": 8})
    found = results.read()
    plot_sizes(found)
    plot_doses(found)
    plot_distribution(found)
