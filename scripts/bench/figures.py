"""What a round says: figures of the program, and ratios within the round."""

import statistics

from ceilings import TYPICAL_TEXT_TOKENS

REFERENCE = "transformers"
LEAST = {  # of the medians
    ("bf16, score", "aitqe", "prefill / GEMM ceiling"): 0.65,
    ("bf16, score", REFERENCE, "aitqe / it"): 1.5,
    ("bf16, rewrite", REFERENCE, "aitqe / it"): 4.0,
}


def of_ours(inspected, gemm, ours, new_tokens):
    """name -> value of one run."""
    pairs, tokens = ours["pairs"], ours["prompt_tokens"] / ours["pairs"]
    language = inspected["prefill_gflop"] * tokens / (inspected["image_tokens"] + TYPICAL_TEXT_TOKENS)
    vision = inspected["vision_gflop"] + inspected["projector_gflop"]
    decode = inspected["decode_gflop_per_token"] * (new_tokens - 1)
    ceiling = {stage: gemm[stage]["library"] for stage in gemm}
    prefill_s = ours["vision_s"] + ours["prefill_s"]
    at_ceiling_s = pairs * (vision / ceiling["vision"] + language / ceiling["language"])
    table = {
        "prefill: pairs/s": pairs / prefill_s,
        "prefill: useful GFLOP/s": pairs * (vision + language) / prefill_s,
        "prefill: GEMM ceiling, GFLOP/s": pairs * (vision + language) / at_ceiling_s,
        "prefill / GEMM ceiling": at_ceiling_s / prefill_s,
        "  vision / GEMM ceiling": pairs * vision / ceiling["vision"] / ours["vision_s"],
        "  language model / GEMM ceiling": pairs * language / ceiling["language"] / ours["prefill_s"],
        "decode: pairs/s": pairs / ours["decode_s"],
        "decode: ms a step": 1e3 * ours["decode_s"] / ours["decode_steps"],
        "decode: useful GFLOP/s": pairs * decode / ours["decode_s"],
        "decode: GEMM ceiling, GFLOP/s": ceiling["decode"],
        "decode / GEMM ceiling": pairs * decode / ceiling["decode"] / ours["decode_s"],
        "whole: pairs/s": pairs / ours["run_s"],
        "share of vision": ours["vision_s"] / ours["run_s"],
        "share of prefill": ours["prefill_s"] / ours["run_s"],
        "share of decode": ours["decode_s"] / ours["run_s"],
    }
    for stage in gemm:
        table[f"our GEMM / ceiling, {stage}"] = gemm[stage]["ours"] / ceiling[stage]
    return table


def beside(ours, peer):
    """Of one peer; prefill holds the vision tower. A peer that does not tell its phases apart has fewer."""
    table = {"pairs/s": peer["pairs"] / peer["whole_s"], "aitqe / it": peer["whole_s"] / ours["run_s"]}
    if "vision_s" in peer:
        prefill_s = peer["vision_s"] + peer["prefill_s"]
        table["prefill: pairs/s"] = peer["pairs"] / prefill_s
        table["prefill, aitqe / it"] = prefill_s / (ours["vision_s"] + ours["prefill_s"])
    if peer.get("decode_s"):
        table["decode, aitqe / it"] = peer["decode_s"] / ours["decode_s"]
    return table


def compare_ids(ours, peer):
    """How many answers are the same, and by how much the peer's choice won where one first differs."""
    same, margins, agreed = 0, [], []
    for answer in peer["answers"]:
        own = ours["answers"].get(answer["key"], [])
        if own == answer["ids"]:
            same += 1
            continue
        at = next((i for i, (a, b) in enumerate(zip(own, answer["ids"])) if a != b), len(own))
        agreed.append(at)
        if "margins" in answer:
            margins.append(answer["margins"][min(at, len(answer["margins"]) - 1)])
    return {"pairs": len(peer["answers"]), "same": same, "first_difference_at": agreed,
            "margins_at_first_difference": margins}


def alike(ids, reference):
    """How many tokens two answers begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(ids, reference)) if a != b), min(len(ids), len(reference)))


def against_f32(answers):
    """workload -> program -> whose f32 ids, and how many of its bf16 answers are those: rounding to bf16 must not take us
    further from the reference than it takes the reference itself.

    @param answers  (dtype, workload) -> program -> key -> ids
    """
    found = {}
    for workload in dict.fromkeys(workload for _, workload in answers):
        exact, rounded = answers.get(("f32", workload), {}), answers.get(("bf16", workload), {})
        source = REFERENCE if REFERENCE in exact else "aitqe"
        if source not in exact:
            continue
        for name, ids in rounded.items():
            common = [alike(ids.get(key, []), reference) for key, reference in exact[source].items()]
            found.setdefault(workload, {})[name] = {
                "f32_ids_of": source, "pairs": len(common), "tokens_alike": statistics.mean(common),
                "same": sum(ids.get(key) == reference for key, reference in exact[source].items())}
    return found


def bars(summary, rounds, nearness):
    """[(what, figure, least, held)]: the least that is wanted. The first are of right, the others of speed. A figure is
    None where there was nobody to compare with.
    """
    found = []
    for one in rounds:
        ids = one["peers"].get(REFERENCE, {}).get("ids", {"same": None, "pairs": 0})
        if one["round"] == 0 and one["dtype"] == "f32":
            found.append((f"f32, {one['workload']}: answers with the ids of {REFERENCE}", ids["same"], ids["pairs"]))
    for workload, programs in nearness.items():
        if REFERENCE in programs and "aitqe" in programs:
            found.append((f"bf16, {workload}: tokens as in f32, ours / those of {REFERENCE}",
                          programs["aitqe"]["tokens_alike"] / max(programs[REFERENCE]["tokens_alike"], 1e-9), 0.9))
    for (heading, name, figure), least in LEAST.items():
        if heading in summary:
            found.append((f"{heading}: {figure}" if name == "aitqe" else f"{heading}: aitqe / {name}",
                          summary[heading].get(name, {}).get(figure, {}).get("median"), least))
    for heading, tables in summary.items():
        if heading.endswith(", score") or heading.endswith(", rewrite"):
            for peer, least in (("openvino", 1.0), ("llama.cpp", 1.0), (REFERENCE, 1.3)):
                ratios = [table["aitqe / it"]["median"] for name, table in tables.items()
                          if name.split(",")[0] == peer and (peer != REFERENCE or name != peer)]
                if peer != REFERENCE or heading.startswith("bf16"):
                    found.append((f"{heading}: aitqe / {peer} at its best" + " in batches" * (peer == REFERENCE),
                                  min(ratios, default=None), least))
    return [(what, figure, least, None if figure is None else figure >= least) for what, figure, least in found]


def spread(tables):
    """figure -> median, smallest, largest over the rounds."""
    return {name: {"median": statistics.median(t[name] for t in tables), "min": min(t[name] for t in tables),
                   "max": max(t[name] for t in tables)} for name in tables[0]}


def summarise(rounds):
    """(dtype, workload) as text -> {"aitqe": spread, peer: spread, ...}"""
    summary = {}
    for dtype, workload in dict.fromkeys((one["dtype"], one["workload"]) for one in rounds):
        own = [one for one in rounds if (one["dtype"], one["workload"]) == (dtype, workload)]
        table = {"aitqe": spread([one["figures"] for one in own])}
        for name in dict.fromkeys(name for one in own for name in one["peers"]):
            table[name] = spread([one["peers"][name]["figures"] for one in own if name in one["peers"]])
        summary[f"{dtype}, {workload}"] = table
    return summary
