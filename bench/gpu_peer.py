#!/usr/bin/env python3
"""transformers on the same card, shapes and weights as bench/gpu_bench.cpp: the peers of scripts/bench_gpu.sh.

    python bench/gpu_peer.py loop|batched [--new-tokens 10] [--preset full|tiny] [--device cuda] [--pairs 32] [--batch 32]

loop     the authors' script kept loaded: one pair at a time, `generate`-like greedy steps, eager SDPA
batched  pairs of equal length side by side, SDPA, one cache, greedy steps for all at once

Image, prompt, and --new-tokens forced tokens, one at a time: about 10 are a score, 45 a rewrite. With 0 only the logits of
the prompt's last token.
All 27 vision layers run, as the authors' code does; the features are those of the last but one. Weights are drawn as
nn::Weight draws them (seed from the tensor's name), so that the first logits of pair 0 can be compared with
gpu_bench's. Prints a round a line, the median, and those logits. Needs torch and transformers.
"""

import argparse
import statistics
import time

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, SiglipVisionConfig, SiglipVisionModel

PRESETS = {
    "full": (dict(hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
                  num_key_value_heads=4, vocab_size=152064),
             dict(hidden_size=1152, intermediate_size=4304, num_hidden_layers=27, num_attention_heads=16,
                  image_size=384, patch_size=14)),
    "tiny": (dict(hidden_size=64, intermediate_size=160, num_hidden_layers=3, num_attention_heads=4,
                  num_key_value_heads=2, vocab_size=512),
             dict(hidden_size=32, intermediate_size=80, num_hidden_layers=3, num_attention_heads=2, image_size=56,
                  patch_size=14)),
}


def seed_of(name):
    """FNV-1a, as nn/weight.cpp."""
    value = 0xcbf29ce484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return value >> 1


@torch.no_grad()
def draw(name, tensor):
    """As TensorTable::drawn."""
    vector = tensor.dim() == 1
    norm = vector and "norm" in name and name.endswith("weight")
    inputs = tensor.numel() // tensor.shape[0]
    torch.manual_seed(seed_of(name))
    tensor.normal_(1.0 if norm else 0.0, 0.02 if vector else float(torch.tensor(inputs**0.5).reciprocal()))


def ids_of(pair, piece, count, vocabulary):
    return [(pair * 7919 + piece * 104729 + i * 31337 + 17) % vocabulary for i in range(count)]


class Peer:
    def __init__(self, options):
        self.options = options
        text, vision = PRESETS[options.preset]
        self.vocabulary = text["vocab_size"]
        kind = dict(dtype=torch.bfloat16, attn_implementation="sdpa")
        with torch.device(options.device):
            self.language = Qwen2ForCausalLM._from_config(Qwen2Config(
                **text, rms_norm_eps=1e-6, tie_word_embeddings=False, max_position_embeddings=4096,
                rope_parameters={"rope_type": "default", "rope_theta": 1e6}), **kind).eval()
            self.vision = SiglipVisionModel._from_config(SiglipVisionConfig(
                **vision, hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-6), **kind).eval()
            hidden = text["hidden_size"]
            self.projector = torch.nn.Sequential(
                torch.nn.Linear(vision["hidden_size"], hidden), torch.nn.GELU(),
                torch.nn.Linear(hidden, hidden, bias=False)).to(torch.bfloat16)
        for prefix, module in (("model.", self.language), ("vision_model.vision_model.", self.vision),
                               ("mm_projector.", self.projector)):
            for name, tensor in module.state_dict().items():
                name = name.removeprefix("vision_model.") if prefix.startswith("vision") else name
                if tensor.is_floating_point():
                    draw(prefix + name, tensor)
        side = vision["image_size"]
        torch.manual_seed(0)
        self.pixels = torch.rand(3, side, side) * 2 - 1

    def embed(self, pairs):
        pixels = torch.stack([self.pixels] * len(pairs)).to(self.options.device, torch.bfloat16)
        states = self.vision(pixel_values=pixels, output_hidden_states=True).hidden_states[-2]
        ids = torch.tensor([ids_of(pair, 0, self.options.text_tokens, self.vocabulary) for pair in pairs],
                           device=self.options.device)
        return torch.cat([self.projector(states), self.language.model.embed_tokens(ids)], dim=1)

    def judge(self, pairs):
        """@return the first logits of the first pair, [vocab]."""
        out = self.language(inputs_embeds=self.embed(pairs), use_cache=True, logits_to_keep=1)
        first = out.logits[0, -1].float()
        out.logits[:, -1].argmax(-1).cpu()
        forced = torch.tensor([ids_of(pair, 1, self.options.new_tokens, self.vocabulary) for pair in pairs],
                              device=self.options.device)
        for step in range(self.options.new_tokens):
            out = self.language(input_ids=forced[:, step:step + 1], past_key_values=out.past_key_values, use_cache=True)
            out.logits[:, -1].argmax(-1).cpu()  # a greedy step looks at what it chose
        return first

    @torch.inference_mode()
    def round(self):
        size = 1 if self.options.mode == "loop" else self.options.batch
        first = None
        for begin in range(0, self.options.pairs, size):
            logits = self.judge(list(range(begin, min(begin + size, self.options.pairs))))
            first = logits if first is None else first
        if self.options.device != "cpu":
            torch.cuda.synchronize()
        return first


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("mode", choices=["loop", "batched"])
    parser.add_argument("--preset", choices=PRESETS, default="full")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--text-tokens", type=int, default=71)
    parser.add_argument("--new-tokens", type=int, default=10)
    options = parser.parse_args()
    peer = Peer(options)
    first = peer.round()  # warms caches and memory
    print(f"mode={options.mode} preset={options.preset} device={options.device} dtype=bf16 pairs={options.pairs} "
          f"batch={options.batch if options.mode == 'batched' else 1} new_tokens={options.new_tokens}")
    rates = []
    for number in range(options.rounds):
        start = time.perf_counter()
        first = peer.round()
        rates.append(options.pairs / (time.perf_counter() - start))
        print(f"round {number + 1}: pairs_per_s={rates[-1]:.3f}", flush=True)
    print(f"median: pairs_per_s={statistics.median(rates):.3f} ({min(rates):.3f} to {max(rates):.3f})")
    top = torch.topk(first, 8)
    print("first logits of pair 0:", *(f"{i}={v:.4f}" for i, v in zip(top.indices.tolist(), top.values.tolist())))


if __name__ == "__main__":
    main()
