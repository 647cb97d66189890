"""The programs that run the same weights, each in a process of its own that stays loaded (bench/peer_protocol.py)."""

import dataclasses
import json
import os
import pathlib
import subprocess

from tools import ROOT


@dataclasses.dataclass(frozen=True)
class Kind:
    """A program that can be measured."""
    name: str
    script: str
    imports: str  # what its Python must have
    converter: str = ""  # bench/NAME, when it does not read the exported folder itself
    file_has_dtype: bool = False  # what is converted is another one for every dtype
    batches: tuple = (1,)


KINDS = (
    Kind("transformers", "peer_transformers.py", "torch, transformers, tokenizers, PIL", batches=(1, 8, 16)),
    Kind("openvino", "peer_openvino.py", "openvino_genai, tokenizers, PIL", "llava_to_openvino.py",
         batches=(1, 8, 16)),
    Kind("llama.cpp", "peer_llamacpp.py", "llama_cpp, tokenizers, PIL", "llava_to_gguf.py", file_has_dtype=True,
         batches=(1, 8, 16)),
)


def python_of(options, kind):
    """The Python that was named for this peer, or the one that scripts/setup_peers.sh made."""
    return pathlib.Path(options.peer_python.get(kind.name, ROOT / ".deps/peers" / kind.name / "bin/python3"))


def environment():
    """Without the packages of the Python that runs this: a peer has its own."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def why_missing(options, kind):
    """Why this peer cannot be measured, or ""."""
    python = python_of(options, kind)
    if not python.exists():
        return "not set up (scripts/setup_peers.sh)"
    test = subprocess.run([python, "-c", f"import {kind.imports}"], capture_output=True, text=True,
                          env=environment())
    return f"its Python cannot import what it needs: {last_line(test.stderr)}" if test.returncode else ""


def convert(options, kind, dtype):
    """The model in the peer's own format, made once: (folder, "") or (None, why not)."""
    if not kind.converter:
        return options.exported, ""
    folder = options.model.with_name("-".join([options.model.name, kind.name] + [dtype] * kind.file_has_dtype))
    done = folder / ".complete"
    if not done.exists():
        command = [python_of(options, kind), ROOT / "bench" / kind.converter, options.exported, folder]
        command += ["--dtype", dtype] if kind.file_has_dtype else []
        made = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment())
        if made.returncode:
            return None, f"{kind.converter} failed: {last_line(made.stderr)}"
        done.touch()
    return folder, ""


class Peer:
    """One peer, loaded; idle between rounds."""

    def __init__(self, options, kind, dtype, batch):
        self.name = kind.name if batch == 1 else f"{kind.name}, {batch} at once"
        self.dead = ""
        converted, why = convert(options, kind, dtype)
        if why:
            raise RuntimeError(why)
        command = [python_of(options, kind), ROOT / "bench" / kind.script, options.exported, options.shard,
                   "--converted", converted, "--dtype", dtype, "--batch", batch, "--limit", options.limit, "--threads",
                   options.threads]
        self.log = open(options.folder / f"{kind.script}-{dtype}-{batch}.log", "w+")
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, env=environment())
        self.versions = self.read()["versions"]

    def read(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        status = self.process.wait()
        self.log.seek(0)
        raise RuntimeError(f"ended with {status}: {last_line(self.log.read())}")

    def measure(self, new_tokens):
        self.process.stdin.write(json.dumps({"new_tokens": new_tokens}) + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


def start_peers(options, dtype, notes):
    """Those that run; a note says of each other one why it does not."""
    peers = []
    for kind in KINDS:
        if kind.name not in options.peers:
            continue
        missing = why_missing(options, kind)
        if missing:
            notes.append(f"no comparison with {kind.name}: {missing}")
            continue
        for batch in kind.batches:
            if batch > options.limit:
                continue
            try:
                peers.append(Peer(options, kind, dtype, batch))
            except RuntimeError as error:
                notes.append(f"no comparison with {kind.name} in {dtype}, {batch} at once: {error}")
    return peers
