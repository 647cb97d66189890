#!/usr/bin/env python3
"""`aitqe score` against the GEMM rate of the same run, and against other programs with the same weights.

    scripts/bench.sh [OPTION...]        builds, sets the peers up and runs this
    python scripts/bench --binary B --gemm-bench G [OPTION...]

A random checkpoint of the preset's shapes is drawn and exported to the LLaVA layout; transformers (one pair at a time,
8 and 16 at once), OpenVINO GenAI (one) and llama.cpp (one and 8) read that. Every round measures, one after the other,
for each dtype: the GEMM rates at the shapes of the checkpoint, and for each workload aitqe and every peer. A ratio is
taken within a round; medians of the rounds are told, with the smallest and largest. All get the same weights, pairs,
prompts and threads, and write exactly as many tokens a pair as the workload says: about as many as a score takes, and
as a rewrite takes. Pairs have prompts of equal length, so that others can make batches without padding. Ids are
compared: in f32 they must be those of transformers; in bf16, where random weights make many near ties, our answers must
keep to the f32 ids about as long as those of transformers in bf16 do. The last table says what was wanted and what held;
the exit status is 1 where something did not. FLOPs are those of `aitqe inspect --json`, the language model's scaled to
the prompts' real length. The GEMM
ceiling is the faster of libtorch's linear and its packed linear at each shape, weighted as the model uses the shapes.
"whole", and pairs/s of the others, is everything but loading: reading, image decoding, tokenising, and our writing of
rows. A peer that cannot run is named with the reason. Results go to bench/results: JSON with every round, and a table.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import sys
import tempfile

import ceilings
import figures
import ours
import peers
import prepare
import report
from tools import ROOT, run, shown


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gb": round(memory / 1e6, 1), "os": platform.platform()}


def without(record, key):
    return {name: value for name, value in record.items() if name != key}


def ids_of(record):
    return {answer["key"]: answer["ids"] for answer in record["answers"]}


def measure_peers(started, tokens, own, notes, answers):
    """name -> figures, record and comparison of ids; a peer that breaks is named and left out from then on.

    @param answers  filled in the first round: name -> key -> ids
    """
    found = {}
    for peer in list(started):
        try:
            record = peer.measure(tokens)
        except (RuntimeError, BrokenPipeError) as error:
            notes.append(f"{peer.name} broke off: {error}")
            started.remove(peer)
            continue
        answers.setdefault(peer.name, ids_of(record))
        found[peer.name] = {"figures": figures.beside(own, record), "ids": figures.compare_ids(own, record),
                            "record": without(record, "answers")}
    return found


def measure_workload(options, inspected, gemm, started, dtype, workload, answers):
    tokens = options.workloads[workload]
    own = ours.measure_ours(options, dtype, tokens, options.folder)
    answers.setdefault("aitqe", own["answers"])
    beside = measure_peers(started, tokens, own, options.note, answers)
    one = {"dtype": dtype, "workload": workload, "load_average": os.getloadavg()[0], "gemm_gflop_per_s": gemm,
           "figures": figures.of_ours(inspected, gemm, own, tokens), "peers": beside, "aitqe": without(own, "answers")}
    print(f"{dtype}, {workload}: {one['figures']['whole: pairs/s']:.3f} pairs/s, prefill "
          f"{one['figures']['prefill / GEMM ceiling']:.2f} of the GEMM rate" +
          "".join(f", {peer['figures']['aitqe / it']:.2f} x {name}" for name, peer in beside.items()), file=sys.stderr,
          flush=True)
    return one


def measure(options, inspected):
    """(rounds, versions, ids). Peers of one dtype are loaded at a time. ids: (dtype, workload) -> program -> key -> ids"""
    groups = ceilings.gemm_groups(options, inspected)
    rounds = []
    answers = {}
    versions = {"aitqe": run([options.binary, "--version"]).split()[-1], "python": platform.python_version()}
    for dtype in options.dtypes:
        started = peers.start_peers(options, dtype, options.note)
        for peer in started:
            versions |= peer.versions
        for number in range(options.rounds):
            gemm = ceilings.measure_gemm(options, groups, dtype)
            for workload in options.workloads:
                rounds.append({"round": number} |
                              measure_workload(options, inspected, gemm, started, dtype, workload,
                                               answers.setdefault((dtype, workload), {})))
        for peer in started:
            peer.close()
    return rounds, versions, answers


def without_machine(argument):
    """PATH and NAME=PATH without what is this machine's alone; quoted where it has spaces."""
    if "/" in argument and " " not in argument:
        name, equals, path = argument.rpartition("=")
        return name + equals + shown(path)
    return f"'{argument}'" if " " in argument else argument


def command_line():
    return " ".join(["scripts/bench.sh", *map(without_machine, sys.argv[1:])])


def write_result(options, inspected, load_before, rounds, versions, answers):
    """@return whether every bar was held for which there is a figure"""
    summary, nearness = figures.summarise(rounds), figures.against_f32(answers)
    result = {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        "commit": run(["git", "-C", ROOT, "describe", "--always", "--dirty"]).strip(),
        "command": command_line(), "machine": machine(), "versions": versions,
        "notes": list(dict.fromkeys(options.note)),
        "settings": {key: getattr(options, key) for key in ("preset", "limit", "workloads", "rounds", "threads",
                                                            "dtypes", "gemm_time_s")} | {"model": shown(options.model)},
        "load_average": [load_before, os.getloadavg()[0]],
        "inspect": without(inspected, "vision_config_origin") | {"folder": shown(options.model)},
        "summary": summary, "against_f32": nearness, "bars": figures.bars(summary, rounds, nearness), "rounds": rounds,
    }
    target = ROOT / "bench/results"
    target.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1).replace(f"{ROOT}/", "").replace(f"{options.folder}/", "")  # nobody else's paths
    (target / f"{options.name}.json").write_text(text + "\n")
    (target / f"{options.name}.txt").write_text(report.render(result))
    print(report.render(result), end="")
    return all(held is not False for *_, held in result["bars"])


def workloads(text):
    """"score=10,rewrite=45" -> {"score": 10, "rewrite": 45}"""
    found = {name: int(tokens) for name, tokens in (part.split("=") for part in text.split(","))}
    if min(found.values()) < 2:
        raise ValueError("a workload has at least 2 tokens")
    return found


def named_python(text):
    name, _, python = text.rpartition("=")
    return {name or "transformers": python}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [kind.name for kind in peers.KINDS]
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/aitqe")
    parser.add_argument("--gemm-bench", type=pathlib.Path, default=ROOT / "build/release/bench/gemm_bench")
    parser.add_argument("--preset", choices=["mini", "small", "mid"], default="mini",
                        help="of scripts/make_random_checkpoint.py; small does eight times the work of mini")
    parser.add_argument("--pairs", type=pathlib.Path, default=ROOT / "examples/pairs-00000.tar")
    parser.add_argument("--dtypes", default="bf16,f32", type=lambda text: text.split(","))
    parser.add_argument("--limit", type=int, default=16, help="pairs")
    parser.add_argument("--workloads", default="score=10,rewrite=45", type=workloads, help="NAME=NEW_TOKENS,...")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--gemm-time-s", type=float, default=0.2, help="least time of one GEMM benchmark")
    parser.add_argument("--peers", default=",".join(names), type=lambda text: text.split(","),
                        help="those to measure; default: all")
    parser.add_argument("--peer-python", action="append", default=[], type=named_python, metavar="[PEER=]PYTHON",
                        help="instead of the one that scripts/setup_peers.sh made; PEER is transformers unless named")
    parser.add_argument("--name", help="of the files in bench/results; default: PRESET_cpu")
    parser.add_argument("--note", action="append", default=[], help="what a reader must know, e.g. a shared machine")
    options = parser.parse_args()
    unknown = set(options.peers) - {*names, ""}
    if unknown:
        parser.error(f"--peers: {', '.join(sorted(unknown))} is none of {', '.join(names)}")
    options.peer_python = {name: path for one in options.peer_python for name, path in one.items()}
    options.name = options.name or f"{options.preset}_cpu"
    options.model = ROOT / ".deps/bench" / options.preset
    options.exported = options.model.with_name(f"{options.preset}-llava")
    return options


def main():
    options = parse()
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        options.folder = pathlib.Path(folder)
        options.shard = options.folder / "pairs.tar"
        prepare.prepare(options)
        inspected = json.loads(run([options.binary, "inspect", options.model, "--json"]))
        rounds, versions, answers = measure(options, inspected)
    if not write_result(options, inspected, load_before, rounds, versions, answers):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
