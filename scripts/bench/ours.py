"""One run of `aitqe score`."""

import json

from tools import run


def measure_ours(options, dtype, new_tokens, folder):
    trace = folder / "trace.jsonl"
    output = folder / f"out-{dtype}-{new_tokens}"
    run([options.binary, "score", options.shard, "-o", output, "--model", options.model, "--dtype", dtype, "--limit",
         options.limit, "--max-new-tokens", new_tokens, "--threads", options.threads, "--max-failed", "100%",
         "--overwrite", "--trace", trace])
    record = json.loads((output / "_aitqe/run.json").read_text())
    if "last_run" not in record:
        raise SystemExit("run.json has no last_run: this aitqe is older than this script")
    answers = {}
    for line in trace.read_text().splitlines():
        row = json.loads(line)
        answers[row["key"]] = row.get("ids", [])
    check_lengths(answers, new_tokens)
    return {**record["last_run"], "answers": answers}


def check_lengths(answers, new_tokens):
    other = [key for key, ids in answers.items() if len(ids) != new_tokens]
    if other:
        raise SystemExit(f"answers of {other} have not {new_tokens} tokens: that would compare different work")
