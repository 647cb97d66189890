#!/usr/bin/env python3
"""What the results of scripts/bench_gpu.sh say about the goals for a GPU: a table, and exit status 1 if one was missed.

    python scripts/gpu_goals.py [FOLDER with gpu_STEP.txt; default bench/results]

A goal whose steps have no result is named as unmeasured, as are the two that need shards and images: the pipeline's rate
against the engine's (G7), and long runs (G8).
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
IMAGE_TOKENS, TEXT_TOKENS = 729, 71
# outputs x inputs: (rows a pair, times in the model); as bench/gpu_ceilings.py measures them
LANGUAGE_LAYERS, VISION_LAYERS = 28, 26
PRODUCTS = {(n, k): (IMAGE_TOKENS + TEXT_TOKENS, LANGUAGE_LAYERS)
            for n, k in ((4608, 3584), (3584, 3584), (37888, 3584), (3584, 18944))} | {
    (n, k): (IMAGE_TOKENS, VISION_LAYERS) for n, k in ((3456, 1152), (1152, 1152), (4304, 1152), (1152, 4304))}
SCORE_TOKENS, REWRITE_TOKENS = "10", "45"  # that a peer makes one by one; ours has the score's drafted
GOALS = {  # the least that is wanted; of COSTS the most
    "G1": ("score, useful rate / product rate of the card", 0.75),
    "G2": ("rewrite / score", 0.80),
    "G3 score": ("score / the reference's loop", 12.0),
    "G3 rewrite": ("rewrite / the reference's loop", 40.0),
    "G4 score": ("score / transformers in batches", 2.0),
    "G4 rewrite": ("rewrite / transformers in batches", 3.5),
    "G5": ("score in FP8 / score in bf16", 1.25),
    "G6": ("score in FP8, useful rate / FP8 product rate of the card", 0.55),
    "G9": ("another question about an image / the first", 0.20),
}
COSTS = {"G9"}


def runs(text):
    """[{field: text}] of one result: the fields of its heading and of its median."""
    found = []
    for line in text.splitlines():
        fields = dict(re.findall(r"(\w+)=(\S+)", line))
        if line.startswith("mode="):
            found.append(fields)
        elif line.startswith("median:") and found:
            found[-1] |= fields
    return [run for run in found if "pairs_per_s" in run]


def best(text, **wanted):
    """The run with the highest rate among those of the full model on a GPU whose fields are as wanted, or None."""
    fitting = [run for run in runs(text) if run.get("preset") == "full" and run.get("device", "").startswith("cuda") and
               all(run.get(key) == value for key, value in wanted.items())]
    return max(fitting, key=lambda run: float(run["pairs_per_s"]), default=None)


def rate(run):
    return float(run["pairs_per_s"]) if run else None


def product_rate(text, dtype):
    """TF/s over the products of one pair, each as often as the model forms it, or None."""
    rates = {(int(n), int(k)): float(tflops) for kind, n, k, tflops in
             re.findall(r"^(\w+) +\d+x(\d+)x(\d+): (\S+) TF/s", text, re.MULTILINE) if kind == dtype}
    if not rates or not rates.keys() <= PRODUCTS.keys():
        return None
    work = {shape: shape[0] * shape[1] * rows * times for shape, (rows, times) in PRODUCTS.items() if shape in rates}
    return sum(work.values()) / sum(amount / rates[shape] for shape, amount in work.items())


def over(a, b):
    return a / b if a and b else None


def figures(results):
    """goal -> figure or None. @param results  step -> text of its file"""
    def of(step, **wanted):
        return best(results.get(step, ""), **wanted)

    prefill, score = of("prefill", dtype="bf16"), of("score", dtype="bf16")
    rewrite = of("rewrite", dtype="bf16", new_tokens=REWRITE_TOKENS)
    fp8 = of("fp8", mode="score")
    tflop = float(prefill["tflop_per_pair"]) if prefill else None
    peers = {(step, kind): of(f"peer-{step}", mode=kind, new_tokens=tokens) for kind in ("loop", "batched")
             for step, tokens in (("score", SCORE_TOKENS), ("rewrite", REWRITE_TOKENS))}
    useful = tflop and score and tflop * rate(score)
    useful_fp8 = tflop and fp8 and tflop * rate(fp8)
    return {
        "G1": over(useful, product_rate(results.get("ceilings", ""), "bf16")),
        "G2": over(rate(rewrite), rate(score)),
        "G3 score": over(rate(score), rate(peers["score", "loop"])),
        "G3 rewrite": over(rate(rewrite), rate(peers["rewrite", "loop"])),
        "G4 score": over(rate(score), rate(peers["score", "batched"])),
        "G4 rewrite": over(rate(rewrite), rate(peers["rewrite", "batched"])),
        "G5": over(rate(fp8), rate(score)),
        "G6": over(useful_fp8, product_rate(results.get("ceilings", ""), "fp8")),
        "G9": again_cost(results),
    }


def again_cost(results):
    """Time of another question over the time of a first: the runs of `again` do both, those of `prefill` the first."""
    prefill, again = best(results.get("prefill", ""), dtype="bf16"), best(results.get("again", ""), dtype="bf16")
    return (1 / rate(again) - 1 / rate(prefill)) * rate(prefill) if prefill and again else None


def verdict(goal, figure):
    if figure is None:
        return "unmeasured"
    held = figure <= GOALS[goal][1] if goal in COSTS else figure >= GOALS[goal][1]
    return "held" if held else "NOT HELD"


def table(results):
    found = figures(results)
    lines = [f"{'goal':12}{'what':60}{'wanted':>10}{'found':>9}"]
    for goal, (what, bound) in GOALS.items():
        sign = "<=" if goal in COSTS else ">="
        figure = found[goal]
        lines.append(f"{goal:12}{what:60}{sign:>4}{bound:6.2f}{'' if figure is None else f'{figure:.3f}':>9}  "
                     f"{verdict(goal, figure)}")
    for goal, what in (("G7", "tar to tar / the engine alone, at most two cores"), ("G8", "1,000 to 100,000 pairs")):
        lines.append(f"{goal:12}{what:79}  unmeasured: needs OpenCV and libarchive")
    return lines


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "bench/results"
    results = {path.stem.removeprefix("gpu_"): path.read_text() for path in folder.glob("gpu_*.txt")}
    lines = table(results)
    print("\n".join(lines))
    raise SystemExit(any(line.endswith("NOT HELD") for line in lines))


if __name__ == "__main__":
    main()
