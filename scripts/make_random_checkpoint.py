#!/usr/bin/env python3
"""Draws a random checkpoint of a real model's shapes, in bf16, for measuring speed and memory.

    python scripts/make_random_checkpoint.py FOLDER [--preset full|mid|small|mini] [--seed N]

    full   the released model: SigLIP so400m-384 and Qwen2-7B, 16 GB
    mid    SigLIP so400m-384, 729 image tokens, and Qwen2-0.5B, 1.8 GB
    small  SigLIP base-patch16-224 and Qwen2-0.5B with tied embeddings, 1.2 GB
    mini   82 million parameters, 196 image tokens, tied embeddings, 0.2 GB

The weights mean nothing; shapes, names and files are as in a real checkpoint. Answers are noise, are spelt with the
tokens of the small tokenizer of tests/data/reference alone, and end only at --max-new-tokens. Values are drawn once
into a pool from which every tensor takes a run, so that writing is as fast as the disk. Does nothing when FOLDER is
complete. Needs: numpy.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKENIZER = ROOT / "tests/data/reference/grouped-bf16-sharded"
POOL_VALUES = 1 << 24
SHARD_BYTES = 5 * 10**9
NEVER_CHOSEN = 0.01  # factor of the output rows that no answer may contain


@dataclasses.dataclass(frozen=True)
class Shapes:
    vision_name: str
    vision: int
    vision_mlp: int
    vision_layers: int
    vision_heads: int
    patch: int
    side: int
    hidden: int
    mlp: int
    layers: int
    heads: int
    kv_heads: int
    vocab: int
    tied: bool
    head_dim: int
    positions: int

    @property
    def image_tokens(self):
        return (self.side // self.patch)**2


# From the config.json files of the models that they are named after.
PRESETS = {
    "full": Shapes("google/siglip-so400m-patch14-384", 1152, 4304, 27, 16, 14, 384,
                   3584, 18944, 28, 28, 4, 152064, False, 128, 131072),
    "mid": Shapes("google/siglip-so400m-patch14-384", 1152, 4304, 27, 16, 14, 384,
                  896, 4864, 24, 14, 2, 151936, True, 64, 32768),
    "small": Shapes("google/siglip-base-patch16-224", 768, 3072, 12, 12, 16, 224,
                    896, 4864, 24, 14, 2, 151936, True, 64, 32768),
    # Nobody's shapes: what the others get through quickly.
    "mini": Shapes("siglip-mini-patch16-224", 384, 1536, 12, 6, 16, 224,
                   512, 1536, 12, 8, 2, 49152, True, 64, 4096),
}


def language_tensors(s):
    yield "model.model.embed_tokens.weight", (s.vocab, s.hidden)
    for layer in range(s.layers):
        name = f"model.model.layers.{layer}."
        for part, heads in (("q", s.heads), ("k", s.kv_heads), ("v", s.kv_heads)):
            yield from with_bias(f"{name}self_attn.{part}_proj", heads * s.head_dim, s.hidden)
        yield f"{name}self_attn.o_proj.weight", (s.hidden, s.heads * s.head_dim)
        yield f"{name}mlp.gate_proj.weight", (s.mlp, s.hidden)
        yield f"{name}mlp.up_proj.weight", (s.mlp, s.hidden)
        yield f"{name}mlp.down_proj.weight", (s.hidden, s.mlp)
        yield f"{name}input_layernorm.weight", (s.hidden,)
        yield f"{name}post_attention_layernorm.weight", (s.hidden,)
    yield "model.model.norm.weight", (s.hidden,)
    if not s.tied:
        yield "model.lm_head.weight", (s.vocab, s.hidden)


def with_bias(name, *shape):
    yield name + ".weight", shape
    yield name + ".bias", shape[:1]


def vision_tensors(s):
    prefix = "vision_model.vision_model."
    yield from with_bias(prefix + "embeddings.patch_embedding", s.vision, 3, s.patch, s.patch)
    yield prefix + "embeddings.position_embedding.weight", (s.image_tokens, s.vision)
    for layer in range(s.vision_layers):
        name = f"{prefix}encoder.layers.{layer}."
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from with_bias(f"{name}self_attn.{part}", s.vision, s.vision)
        yield from with_bias(name + "mlp.fc1", s.vision_mlp, s.vision)
        yield from with_bias(name + "mlp.fc2", s.vision, s.vision_mlp)
        yield from with_bias(name + "layer_norm1", s.vision)
        yield from with_bias(name + "layer_norm2", s.vision)
    yield from with_bias(prefix + "post_layernorm", s.vision)
    yield prefix + "head.probe", (1, 1, s.vision)
    yield prefix + "head.attention.in_proj_weight", (3 * s.vision, s.vision)
    yield prefix + "head.attention.in_proj_bias", (3 * s.vision,)
    yield from with_bias(prefix + "head.attention.out_proj", s.vision, s.vision)
    yield from with_bias(prefix + "head.layernorm", s.vision)
    yield from with_bias(prefix + "head.mlp.fc1", s.vision_mlp, s.vision)
    yield from with_bias(prefix + "head.mlp.fc2", s.vision, s.vision_mlp)


def all_tensors(shapes):
    yield from language_tensors(shapes)
    yield from vision_tensors(shapes)
    yield from with_bias("mm_projector.0", shapes.hidden, shapes.vision)
    yield "mm_projector.2.weight", (shapes.hidden, shapes.hidden)
    yield "image_newline", (shapes.hidden,)


def to_bf16(values):
    return (values.astype(numpy.float32).view(numpy.uint32) >> 16).astype(numpy.uint16)


def gain_of(name, tied):
    """Logits about 4, so that near ties are rare, and answers that do not repeat one token: attention is sharp, and in
    a tied model the embedding is a small part of the last state."""
    if name.endswith("lm_head.weight") or (tied and name.endswith("embed_tokens.weight")):
        return 4.0
    if name.endswith(("q_proj.weight", "k_proj.weight", "mlp.down_proj.weight")):
        return 2.0
    return 1.0


class Values:
    """Matrices about 1 / sqrt(inputs), norms about 1, biases small: activations stay in range."""

    def __init__(self, seed, shapes, num_answer_tokens):
        self.generator = numpy.random.default_rng(seed)
        self.pool = self.generator.standard_normal(POOL_VALUES, dtype=numpy.float32)
        self.shapes = shapes
        self.num_answer_tokens = num_answer_tokens
        self.output = "model.model.embed_tokens.weight" if shapes.tied else "model.lm_head.weight"

    def of(self, name, shape):
        count = int(numpy.prod(shape))
        if "norm" in name and name.endswith("weight"):
            return to_bf16(numpy.ones(count))
        scale = float(numpy.prod(shape[1:]))**-0.5 * gain_of(name, self.shapes.tied) if len(shape) > 1 else 0.02
        values = self.run(count, scale)
        if name == self.output:
            rest = self.num_answer_tokens * shape[1]
            values[rest:] = self.run(count - rest, scale * NEVER_CHOSEN)
        return values

    def run(self, count, scale):
        scaled = to_bf16(self.pool * scale)
        start = int(self.generator.integers(len(scaled)))
        repeats = -(-(start + count) // len(scaled))
        return numpy.tile(scaled, repeats)[start:start + count]


def write_shard(path, tensors, values):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors:
        size = 2 * int(numpy.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in tensors:
            file.write(values.of(name, shape).tobytes())


def write_json(path, value, indent=2):
    path.write_text(json.dumps(value, indent=indent) + "\n")


def write_configs(folder, s):
    special = json.loads((TOKENIZER / "config.json").read_text())
    write_json(folder / "config.json", {
        "architectures": ["MMForCausalLM"], "model_type": "mm", "hidden_size": s.hidden,
        "intermediate_size": s.mlp, "num_hidden_layers": s.layers, "num_attention_heads": s.heads,
        "num_key_value_heads": s.kv_heads, "vocab_size": s.vocab, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
        "max_position_embeddings": s.positions, "tie_word_embeddings": s.tied,
        "hidden_act": "silu", "vision_model_name_or_path": s.vision_name, "mm_projector_type": "mlp",
        "image_aspect_ratio": "square", "pesudo_img_size": s.side, "pesudo_patch_size": s.patch,
        "visual_hidden_dim": s.vision, "image_tile_tokens": s.image_tokens, "image_token_index": -1,
        "pad_token_index": special["pad_token_index"], "eos_token_id": special["eos_token_id"],
    })
    vision_folder = folder / s.vision_name.rsplit("/", 1)[-1]
    vision_folder.mkdir(exist_ok=True)
    write_json(vision_folder / "config.json", {
        "architectures": ["SiglipVisionModel"], "model_type": "siglip_vision_model", "attention_dropout": 0.0,
        "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6, "num_channels": 3, "hidden_size": s.vision,
        "intermediate_size": s.vision_mlp, "num_hidden_layers": s.vision_layers,
        "num_attention_heads": s.vision_heads, "image_size": s.side, "patch_size": s.patch,
    })
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copyfile(TOKENIZER / name, folder / name)


def split_into_files(tensors):
    files, size = [[]], 0
    for name, shape in tensors:
        num_bytes = 2 * int(numpy.prod(shape))
        if size + num_bytes > SHARD_BYTES:
            files.append([])
            size = 0
        files[-1].append((name, shape))
        size += num_bytes
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--preset", choices=PRESETS, default="full")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    index_path = options.folder / "model.safetensors.index.json"
    if index_path.exists():
        print(f"{options.folder}: complete")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    shapes = PRESETS[options.preset]
    # Ids of the specials, which end an answer, follow those of vocab.json.
    values = Values(options.seed, shapes, len(json.loads((TOKENIZER / "vocab.json").read_text())))

    files = split_into_files(all_tensors(shapes))
    weight_map = {}
    for number, tensors in enumerate(files, 1):
        file = f"model-{number:05}-of-{len(files):05}.safetensors"
        write_shard(options.folder / file, tensors, values)
        weight_map |= {name: file for name, _ in tensors}
        print(f"{file}: {(options.folder / file).stat().st_size / 1e9:.2f} GB")
    write_configs(options.folder, shapes)
    total = sum((options.folder / file).stat().st_size for file in set(weight_map.values()))
    write_json(index_path, {"metadata": {"total_size": total}, "weight_map": weight_map}, indent=1)
    print(f"{options.folder}: {total / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
