"""What the peers of scripts/bench have in common: their command line, their inputs, their clock, and how they talk.

A peer loads its model, prints a line of JSON with "ready" and its versions, then answers every line it reads, an
object with "new_tokens", with one: how many seconds went where, and the ids of every answer. It never stops early.
"""

import argparse
import json
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from reference_inputs import prompt_ids, samples  # noqa: E402

PHASES = ("prepare_s", "vision_s", "prefill_s", "decode_s")


class Clock:
    """Seconds since the last call, added to a named sum."""

    def __init__(self):
        self.sums = {}
        self.last = time.perf_counter()

    def lap(self, name):
        now = time.perf_counter()
        self.sums[name] = self.sums.get(name, 0.0) + now - self.last
        self.last = now


class Pair:
    def __init__(self, key, image, caption):
        self.key = key
        self.image = image  # encoded
        self.caption = caption


class TextIds:
    """Token ids of the text after the image, by the exported tokenizer.json."""

    def __init__(self, folder):
        import tokenizers
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))

    def encode(self, text):
        return self.tokenizer.encode(text).ids

    def of(self, caption):
        return prompt_ids(self, caption)


def parse(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model", type=pathlib.Path, help="what `aitqe convert --to llava` wrote")
    parser.add_argument("shard", type=pathlib.Path)
    parser.add_argument("--converted", type=pathlib.Path, help="the same model in the peer's own format")
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--batch", type=int, default=1, help="pairs that go through the model at once")
    parser.add_argument("--limit", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.config = json.loads((options.model / "config.json").read_text())
    return options


def pairs_of(options):
    return [Pair(*sample) for sample in samples(options.shard, options.limit)]


def batches_of(pairs, size, length):
    """Batches of pairs for which `length` is the same, at most `size` each."""
    groups = {}
    for pair in pairs:
        groups.setdefault(length(pair), []).append(pair)
    for group in groups.values():
        for start in range(0, len(group), size):
            yield group[start:start + size]


def serve(versions, answer):
    """`answer(new_tokens)` gives (clock, prompt_tokens, answers)."""
    print(json.dumps({"ready": True, "versions": versions}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        clock, prompt_tokens, answers = answer(json.loads(line)["new_tokens"])
        print(json.dumps({"pairs": len(answers), "prompt_tokens": prompt_tokens, **clock.sums,
                          "whole_s": time.perf_counter() - start, "answers": answers}), flush=True)
