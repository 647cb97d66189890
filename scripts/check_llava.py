#!/usr/bin/env python3
"""Compares what `aitqe convert --to llava` writes, as transformers runs it, with aitqe itself in f32.

    python scripts/check_llava.py [--binary build/release/aitqe] [--limit N] [MODEL...]

Every MODEL (default: small SigLIP checkpoints of the source tree) is exported, loaded by transformers without a
tensor missing or left over, and given pairs of examples/pairs-00000.tar. Compared are input ids, pixels, the 20 largest
logits after the prompt, and the greedy answer, token by token. Exit status 1 on a difference beyond rounding. Needs:
pip install -r scripts/requirements-oracle.txt
"""

import argparse
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from transformers import AutoProcessor, LlavaForConditionalGeneration

import reference_model
from reference_inputs import samples

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARD = ROOT / "examples/pairs-00000.tar"
REFERENCE = ROOT / "tests/data/reference"
# tied-f32-single has no row left for the image token.
MODELS = [ROOT / "models/aitqe-tiny", REFERENCE / "grouped-bf16-sharded", REFERENCE / "drop-first-mixed"]
NEW_TOKENS = 48
LOGIT_TOLERANCE = 1e-3
NEAR_TIE = 1e-4  # a step whose two best logits lie closer may go either way
PIXEL_TOLERANCE = 1e-6


class Failed(Exception):
    pass


def require(holds, what):
    if not holds:
        raise Failed(what)


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    require(done.returncode == 0, f"{command[1]} ended with {done.returncode}: {done.stderr[-1000:]}")


def trace_of(options, model, folder):
    trace = folder / "trace.jsonl"
    run(options.binary, "score", SHARD, "-o", folder / "out", "--model", model, "--dtype", "f32", "--limit",
        options.limit, "--max-new-tokens", NEW_TOKENS, "--max-failed", "100%", "--trace", trace)
    return {row["key"]: row for row in map(json.loads, trace.read_text().splitlines())}


def load(folder):
    model, report = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32,
                                                                  attn_implementation="eager", output_loading_info=True)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        require(not report[kind], f"{kind}: {sorted(report[kind])[:5]}")
    return model.eval()


def inputs_of(model, processor, image, caption):
    """What a user of the exported folder gives to it. The newline after the image is tokenised apart."""
    pixels = processor.image_processor(Image.open(io.BytesIO(image)).convert("RGB"), return_tensors="pt").pixel_values
    pieces = ("\n", reference_model.PROMPT_BEFORE + caption + reference_model.PROMPT_AFTER)
    text = [id for piece in pieces for id in processor.tokenizer.encode(piece, add_special_tokens=False)]
    slots = processor.tokenizer.encode("<image>", add_special_tokens=False)
    require(slots == [model.config.image_token_id], f"<image> is {slots}")
    return pixels, slots * model.config.image_seq_length, text


@torch.inference_mode()
def compare_pair(model, processor, image, caption, ours):
    """Whether the answer is ours; else it first differs at a near tie."""
    pixels, slots, text = inputs_of(model, processor, image, caption)
    require([-1] * len(slots) + text == ours["input_ids"], "input ids differ")
    expected = reference_model.pixel_values(image, pixels.shape[-1])
    require(numpy.abs(pixels[0].numpy() - expected).max() <= PIXEL_TOLERANCE, "pixels differ")
    # The processor's own expansion of one <image> gives the same number of slots.
    expanded = processor(text="<image>", images=Image.open(io.BytesIO(image)).convert("RGB"))["input_ids"]
    require(list(numpy.asarray(expanded).flat) == slots, "the processor expands <image> otherwise")
    ids = torch.tensor([slots + text])
    out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels, do_sample=False,
                         max_new_tokens=len(ours["ids"]), output_logits=True, return_dict_in_generate=True)
    theirs = out.sequences[0, ids.shape[1]:].tolist()
    logits = torch.stack(out.logits)[:, 0]
    top = ours["first_logits"]
    off = (logits[0, top["ids"]] - torch.tensor(top["values"])).abs().max()
    require(off <= LOGIT_TOLERANCE, f"first logits are off by {off:.2g}")
    for step, (a, b) in enumerate(zip(ours["ids"], theirs)):
        if a != b:
            margin = float(torch.topk(logits[step], 2).values.diff().abs())
            require(margin < NEAR_TIE, f"step {step} gives {b}, ours {a}; margin {margin:.2g}")
            return False
    require(len(theirs) == len(ours["ids"]), f"{len(theirs)} tokens, ours {len(ours['ids'])}")
    return True


def check(options, model):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run(options.binary, "convert", model, "--to", "llava", "-o", folder / "llava")
        traced = trace_of(options, model, folder)
        exported, processor = load(folder / "llava"), AutoProcessor.from_pretrained(folder / "llava")
        same = total = 0
        for key, image, caption in samples(SHARD, options.limit):
            if "failure" in traced[key]:
                continue
            total += 1
            try:
                same += compare_pair(exported, processor, image, caption, traced[key])
            except Failed as failure:
                raise Failed(f"{key}: {failure}") from None
    require(total > 0, "no pair could be compared")
    print(f"{model.name}: {same} of {total} answers equal, the others first differ at a near tie", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("models", nargs="*", type=pathlib.Path, default=MODELS, metavar="MODEL")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/aitqe")
    parser.add_argument("--limit", type=int, default=20)
    options = parser.parse_args()
    failed = 0
    for model in options.models:
        try:
            check(options, model)
        except Failed as failure:
            print(f"{model.name}: {failure}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
