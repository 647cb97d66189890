#!/usr/bin/env python3
"""The authors' model out of transformers' parts (scripts/reference_model.py), timed: the peer of scripts/bench.py.

    python bench/peer_transformers.py MODEL SHARD [--dtype f32|bf16] [--limit N] [--new-tokens T] [--threads N]

One pair at a time, kept loaded, SDPA attention, logits of the last position only, KV cache, greedy; every answer gets
exactly T tokens. Vision with projector, prefill (to the first token) and decode are timed apart; so is the whole of it
with reading, image decoding and tokenising. Prints "ready" with the versions, then a JSON line for every line read
from standard input. Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import json
import pathlib
import sys
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import torch  # noqa: E402
import transformers  # noqa: E402

import reference_model  # noqa: E402
import reference_vocabulary  # noqa: E402


def samples(shard, limit):
    """The first `limit` (key, image bytes, caption) of the shard."""
    found = {}
    with tarfile.open(shard) as archive:
        for member in archive:
            key, extension = member.name.split(".", 1)
            if key not in found and len(found) == limit:
                break
            found.setdefault(key, {})[extension] = archive.extractfile(member).read()
    for key, members in found.items():
        image = next(members[e] for e in ("jpg", "png", "webp") if e in members)
        yield key, image, members["txt"].decode("utf-8", errors="replace")


class Clock:
    """Seconds since the last call, added to a named sum."""

    def __init__(self):
        self.sums = {"prepare_s": 0.0, "vision_s": 0.0, "prefill_s": 0.0, "decode_s": 0.0}
        self.last = time.perf_counter()

    def lap(self, name):
        now = time.perf_counter()
        self.sums[name] += now - self.last
        self.last = now


class Peer:
    def __init__(self, options):
        self.options = options
        self.dtype = torch.float32 if options.dtype == "f32" else torch.bfloat16
        self.model = reference_model.ReferenceModel.load(options.model, attention=options.attention).to(self.dtype)
        self.tokenizer = reference_vocabulary.ReferenceTokenizer(options.model)

    def generate(self, embeds, clock):
        """Greedy ids, and by how much each beat the second best."""
        ids, margins, cache, inputs = [], [], None, {"inputs_embeds": embeds}
        for step in range(self.options.new_tokens):
            out = self.model.language(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
            top = torch.topk(out.logits[0, -1].float(), 2)
            ids.append(int(top.indices[0]))
            margins.append(round(float(top.values[0] - top.values[1]), 6))
            cache, inputs = out.past_key_values, {"input_ids": torch.tensor([ids[-1:]])}
            clock.lap("prefill_s" if step == 0 else "decode_s")
        return ids, margins

    @torch.inference_mode()
    def round(self):
        clock, answers, prompt_tokens = Clock(), [], 0
        for key, data, caption in samples(self.options.shard, self.options.limit):
            pixels = torch.from_numpy(reference_model.pixel_values(data, self.model.image_size))[None].to(self.dtype)
            text_ids = reference_model.prompt_ids(self.tokenizer, caption)
            clock.lap("prepare_s")
            image = self.model.projector(self.model.vision_features(pixels))[0]
            clock.lap("vision_s")
            embeds = self.model.embed(image, text_ids)
            prompt_tokens += embeds.shape[1]
            ids, margins = self.generate(embeds, clock)
            answers.append({"key": key, "ids": ids, "margins": margins})
        return {"pairs": len(answers), "prompt_tokens": prompt_tokens, **clock.sums, "answers": answers}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("shard", type=pathlib.Path)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--attention", choices=["sdpa", "eager"], default="sdpa")
    parser.add_argument("--limit", type=int, default=4)
    parser.add_argument("--new-tokens", type=int, default=16)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    peer = Peer(options)
    print(json.dumps({"ready": True, "torch": torch.__version__, "transformers": transformers.__version__}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(peer.round()), flush=True)


if __name__ == "__main__":
    main()
