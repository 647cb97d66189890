"""Reads what the reference answered (scripts/make_reference.py) and runs the program on the same pairs."""

import gzip
import json
import os
import pathlib
import subprocess
import tempfile

SOURCE = pathlib.Path(os.environ["AITQE_SOURCE_DIR"])
BINARY = os.environ["AITQE_BINARY"]
REFERENCE = SOURCE / "tests/data/reference"
SHARDS = [SOURCE / "examples/pairs-00000.tar", SOURCE / "tests/data/parity/hard-00000.tar"]
CHECKPOINTS = ["grouped-bf16-sharded", "tied-f32-single", "drop-first-mixed", "tiny"]


def folder_of(name):
    return SOURCE / "models/aitqe-tiny" if name == "tiny" else REFERENCE / name


def rows_of(path):
    with gzip.open(path, "rt") as stream:
        return [json.loads(line) for line in stream]


def oracle(name):
    """Rows of the reference by (shard stem, key)."""
    rows = rows_of(REFERENCE / name / "oracle.jsonl.gz")
    return {(row["shard"].removesuffix(".tar"), row["key"]): row for row in rows}


def max_new_tokens(name):
    return json.loads((REFERENCE / name / "versions.json").read_text())["max_new_tokens"]


class Run:
    """One run of the program over shards: its trace by (shard, key), report rows and record lines, as bytes."""

    def __init__(self, name, *options, shards=SHARDS, command="score"):
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder) / "trace.jsonl"
            output = pathlib.Path(folder) / "out"
            arguments = [BINARY, command, *map(str, shards), "-o", str(output), "--model", str(folder_of(name)),
                         "--trace", str(trace), "--max-failed", "100%", "--quiet", *options]
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
            if done.returncode not in (0, 3):
                raise AssertionError(f"exit {done.returncode}: {done.stderr[-2000:]}")
            self.trace = {}
            for line in trace.read_text().splitlines():
                row = json.loads(line)
                self.trace[row["shard"], row["key"]] = row
            self.rows = {path.name: path.read_bytes() for path in sorted(output.glob("*.aitqe.jsonl"))}
            self.tars = {path.name: path.read_bytes() for path in sorted(output.glob("*.tar"))}
