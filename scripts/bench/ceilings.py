"""What this machine could do at most: GEMM rates at the shapes of the checkpoint."""

import json

from tools import run

TYPICAL_TEXT_TOKENS = 71  # what `aitqe inspect` tells costs for
STEP_TOKENS, STEP_SEQUENCES = 2048, 32  # the program's own limits on a CPU: choose_limits in judge.cpp
LIBRARY = ("linear", "packed_linear")


def gemm_groups(options, inspected):
    """stage -> (rows, {(outputs, inputs): times per forward pass})."""
    config = json.loads((options.model / "config.json").read_text())
    vision = json.loads(next(options.model.glob("*/config.json")).read_text())
    hidden, mlp, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    kv = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    tokens = inspected["image_tokens"] + TYPICAL_TEXT_TOKENS
    pairs = max(1, min(options.limit, STEP_SEQUENCES, STEP_TOKENS // tokens))
    width, wide, depth = vision["hidden_size"], vision["intermediate_size"], vision["num_hidden_layers"] - 1
    language = {(hidden, hidden): 2 * layers, (kv, hidden): 2 * layers, (mlp, hidden): 2 * layers,
                (hidden, mlp): layers}
    return {
        "vision": (pairs * inspected["image_tokens"], {(width, width): 4 * depth, (wide, width): depth,
                                                       (width, wide): depth}),
        "language": (pairs * tokens, language),
        "decode": (min(options.limit, STEP_SEQUENCES), language | {(config["vocab_size"], hidden): 1}),
    }


def measure_gemm(options, groups, dtype):
    """stage -> implementation -> GFLOP/s over the stage's shapes as often as the model uses them."""
    rates = {}
    for stage, (rows, weights) in groups.items():
        names = ",".join(f"{n}x{k}" for n, k in weights)
        output = json.loads(run([options.gemm_bench, "--m", rows, "--weights", names, "--dtypes", dtype, "--threads",
                                 options.threads, f"--benchmark_min_time={options.gemm_time_s}",
                                 "--benchmark_format=json"]))
        found = {}  # implementation -> shape -> rate
        for one in output["benchmarks"]:
            implementation, _, _, n, k = one["name"].split("/")[:5]
            shape = (int(n.removeprefix("n:")), int(k.removeprefix("k:")))
            found.setdefault(implementation, {})[shape] = one["GFLOP/s"]
        found["library"] = {shape: max(found[name][shape] for name in LIBRARY) for shape in weights}
        flops = {shape: times * shape[0] * shape[1] for shape, times in weights.items()}
        rates[stage] = {name: sum(flops.values()) / sum(flops[s] / rate[s] for s in flops)
                        for name, rate in found.items()}
    return rates
