#!/usr/bin/env python3
"""Prefill and decode of `aitqe score` against the GEMM rate of the same run, and against transformers at batch 1.

    scripts/bench.sh [OPTION...]        builds, makes the checkpoint and runs this
    python scripts/bench.py --binary B --gemm-bench G --model FOLDER [--peer-python PYTHON] [OPTION...]

Every round measures, one after the other: the GEMM rates at the shapes of the checkpoint, aitqe, transformers; for each
dtype. A ratio is taken within a round; medians of the rounds are told, with the smallest and largest. All get the same
checkpoint, pairs and threads, and write exactly T tokens a pair; in f32 their tokens are compared. FLOPs are those of
`aitqe inspect --json`, the language model's scaled to the prompts' real length. The GEMM ceiling is the faster of
libtorch's linear and its packed linear at each shape, weighted as the model uses the shapes. "whole" is everything but
loading: reading, image decoding, tokenising, and writing the rows. Results go to bench/results: JSON with every round,
and a table.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TYPICAL_TEXT_TOKENS = 71  # what `aitqe inspect` tells costs for
STEP_TOKENS, STEP_SEQUENCES = 2048, 32  # the program's own limits on a CPU: choose_limits in judge.cpp
LIBRARY = ("linear", "packed_linear")


def shown(path):
    """A path that says nothing about this machine."""
    path = pathlib.Path(path).absolute()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(shown, command[:1]))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


# --- what is multiplied ---------------------------------------------------------------------------


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


# --- the two programs -----------------------------------------------------------------------------


def measure_ours(options, dtype, folder):
    trace = folder / "trace.jsonl"
    run([options.binary, "score", options.shard, "-o", folder / f"out-{dtype}", "--model", options.model, "--dtype",
         dtype, "--limit", options.limit, "--max-new-tokens", options.new_tokens, "--threads", options.threads,
         "--max-failed", "100%", "--overwrite", "--trace", trace])
    record = json.loads((folder / f"out-{dtype}" / "_aitqe/run.json").read_text())
    if "last_run" not in record:
        raise SystemExit("run.json has no last_run: this aitqe is older than this script")
    answers = {}
    for line in trace.read_text().splitlines():
        row = json.loads(line)
        answers[row["key"]] = row.get("ids", [])
    return {**record["last_run"], "answers": answers}


class Peer:
    """One transformers process that stays loaded; idle between rounds."""

    def __init__(self, options, dtype):
        command = [options.peer_python, ROOT / "bench/peer_transformers.py", options.model, options.shard, "--dtype",
                   dtype, "--limit", options.limit, "--new-tokens", options.new_tokens, "--threads", options.threads]
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.versions = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"peer_transformers.py ended with {self.process.wait()}")
        return json.loads(line)

    def measure(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peer_is_there(python):
    if python is None:
        return False, "no --peer-python given"
    test = subprocess.run([python, "-c", "import torch, transformers, safetensors, tokenizers, regex, PIL"],
                          capture_output=True, text=True)
    if test.returncode:
        return False, f"--peer-python cannot import what it needs: {test.stderr.strip().splitlines()[-1]}"
    return True, ""


# --- figures --------------------------------------------------------------------------------------


def figures(options, inspected, gemm, ours, peer):
    """name -> (value, unit) of one round."""
    pairs, tokens = ours["pairs"], ours["prompt_tokens"] / ours["pairs"]
    language = inspected["prefill_gflop"] * tokens / (inspected["image_tokens"] + TYPICAL_TEXT_TOKENS)
    vision = inspected["vision_gflop"] + inspected["projector_gflop"]
    decode = inspected["decode_gflop_per_token"] * (options.new_tokens - 1)
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
    if peer:
        peer_prefill_s = peer["vision_s"] + peer["prefill_s"]
        peer_whole_s = peer["prepare_s"] + peer_prefill_s + peer["decode_s"]
        table |= {
            "transformers prefill: pairs/s": pairs / peer_prefill_s,
            "transformers decode: pairs/s": pairs / peer["decode_s"],
            "transformers whole: pairs/s": pairs / peer_whole_s,
            "prefill / transformers": peer_prefill_s / prefill_s,
            "decode / transformers": peer["decode_s"] / ours["decode_s"],
            "whole / transformers": peer_whole_s / ours["run_s"],
        }
    return table


def compare_ids(ours, peer):
    """How many answers are the same, and by how much the peer's choice won where one first differs."""
    same, margins = 0, []
    for answer in peer["answers"]:
        own = ours["answers"].get(answer["key"], [])
        if own == answer["ids"]:
            same += 1
            continue
        at = next((i for i, (a, b) in enumerate(zip(own, answer["ids"])) if a != b), len(own))
        margins.append(answer["margins"][min(at, len(answer["margins"]) - 1)])
    return {"pairs": len(peer["answers"]), "same": same, "margins_at_first_difference": margins}


def check_lengths(options, ours):
    short = [key for key, ids in ours["answers"].items() if len(ids) != options.new_tokens]
    if short:
        raise SystemExit(f"answers of {short} have not {options.new_tokens} tokens: that would compare different work")


# --- the run --------------------------------------------------------------------------------------


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gb": round(memory / 1e6, 1), "os": platform.platform()}


def measure_rounds(options, inspected, peers):
    groups = gemm_groups(options, inspected)
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for dtype in options.dtypes:
                gemm = measure_gemm(options, groups, dtype)
                ours = measure_ours(options, dtype, pathlib.Path(folder))
                check_lengths(options, ours)
                peer = peers[dtype].measure() if dtype in peers else None
                one = {"round": number, "dtype": dtype, "load_average": os.getloadavg()[0], "gemm_gflop_per_s": gemm,
                       "figures": figures(options, inspected, gemm, ours, peer),
                       "aitqe": {k: v for k, v in ours.items() if k != "answers"}}
                if peer:
                    one["transformers"] = {k: v for k, v in peer.items() if k != "answers"}
                    one["ids"] = compare_ids(ours, peer)
                rounds.append(one)
                print(f"round {number + 1} of {options.rounds}, {dtype}: "
                      f"{one['figures']['prefill: pairs/s']:.3f} pairs/s prefill, "
                      f"{one['figures']['prefill / GEMM ceiling']:.2f} of the GEMM rate", file=sys.stderr, flush=True)
    return groups, rounds


def summarise(options, rounds):
    """dtype -> figure -> median, smallest, largest."""
    summary = {}
    for dtype in options.dtypes:
        own = [one["figures"] for one in rounds if one["dtype"] == dtype]
        summary[dtype] = {name: {"median": statistics.median(o[name] for o in own), "min": min(o[name] for o in own),
                                 "max": max(o[name] for o in own)} for name in own[0]}
    return summary


def render(result):
    lines = [f"# {result['date']}, {result['commit']}, {result['machine']['cpu']}, {result['machine']['cores']} cores, "
             f"{result['settings']['threads']} threads, load average {result['load_average'][0]:.1f} before and "
             f"{result['load_average'][1]:.1f} after",
             f"# {result['command']}",
             f"# {result['settings']['limit']} pairs, {result['settings']['new_tokens']} new tokens, "
             f"{result['settings']['rounds']} rounds; versions: " +
             ", ".join(f"{k} {v}" for k, v in result["versions"].items())]
    lines += [f"# {note}" for note in result["notes"]]
    for dtype, table in result["summary"].items():
        lines += ["", f"{dtype:38}{'median':>10}{'min':>10}{'max':>10}"]
        lines += [f"{name:38}" + "".join(f"{row[key]:10.3g}" if row[key] < 1000 else f"{row[key]:10.0f}"
                                         for key in ("median", "min", "max")) for name, row in table.items()]
    for one in result["rounds"]:
        if "ids" in one and one["round"] == 0:
            ids = one["ids"]
            lines += ["", f"{one['dtype']}: {ids['same']} of {ids['pairs']} answers have the ids of transformers in {one['dtype']}"]
            if ids["margins_at_first_difference"]:
                lines[-1] += "; the others first differ where the peer's choice won by " + ", ".join(
                    f"{m:.2g}" for m in ids["margins_at_first_difference"])
    return "\n".join(lines) + "\n"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/aitqe")
    parser.add_argument("--gemm-bench", type=pathlib.Path, default=ROOT / "build/release/bench/gemm_bench")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / ".deps/bench/small")
    parser.add_argument("--shard", type=pathlib.Path, default=ROOT / "examples/pairs-00000.tar")
    parser.add_argument("--dtypes", default="bf16,f32", type=lambda text: text.split(","))
    parser.add_argument("--limit", type=int, default=16, help="pairs")
    parser.add_argument("--new-tokens", type=int, default=32, help="tokens of each answer; at least 2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--gemm-time-s", type=float, default=0.2, help="least time of one GEMM benchmark")
    parser.add_argument("--peer-python", help="Python with scripts/requirements-oracle.txt; none: no peer")
    parser.add_argument("--name", default="small_cpu", help="of the files in bench/results")
    parser.add_argument("--note", action="append", default=[], help="what a reader must know, e.g. a shared machine")
    return parser.parse_args()


def main():
    options = parse()
    load_before = os.getloadavg()[0]
    inspected = json.loads(run([options.binary, "inspect", options.model, "--json"]))
    there, why_not = peer_is_there(options.peer_python)
    if not there:
        print(f"no comparison with transformers: {why_not}", file=sys.stderr)
        options.note.append(f"no comparison with transformers: {why_not}")
    peers = {dtype: Peer(options, dtype) for dtype in options.dtypes} if there else {}
    groups, rounds = measure_rounds(options, inspected, peers)
    versions = {"aitqe": run([options.binary, "--version"]).split()[-1], "python": platform.python_version()}
    for peer in peers.values():
        versions |= {k: v for k, v in peer.versions.items() if k != "ready"}
        peer.close()
    typed = [shown(a) if "/" in a else f"'{a}'" if " " in a else a for a in sys.argv[1:]]
    result = {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        "commit": run(["git", "-C", ROOT, "describe", "--always", "--dirty"]).strip(),
        "command": " ".join(["scripts/bench.sh", *typed]),
        "machine": machine(), "versions": versions, "notes": options.note,
        "settings": {key: getattr(options, key) for key in ("limit", "new_tokens", "rounds", "threads", "dtypes",
                                                            "gemm_time_s")} | {"model": shown(options.model)},
        "load_average": [load_before, os.getloadavg()[0]], "inspect": inspected | {"folder": shown(options.model)},
        "gemm_rows": {stage: rows for stage, (rows, _) in groups.items()},
        "summary": summarise(options, rounds), "rounds": rounds,
    }
    result["inspect"].pop("vision_config_origin", None)
    target = ROOT / "bench/results"
    target.mkdir(exist_ok=True)
    (target / f"{options.name}.json").write_text(json.dumps(result, indent=1) + "\n")
    (target / f"{options.name}.txt").write_text(render(result))
    print(render(result), end="")


if __name__ == "__main__":
    main()
