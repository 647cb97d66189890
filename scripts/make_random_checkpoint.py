#!/usr/bin/env python3
"""Draws a random checkpoint of the released model's exact shapes: SigLIP so400m-384 and Qwen2-7B, bf16, 16 GB.

    python scripts/make_full_size.py FOLDER [--seed N]

The weights mean nothing; shapes, names, files and sizes are those of the released model. The tokenizer is a small one
of tests/data/reference. Values are drawn once into a pool from which every tensor takes a run, so that writing is as
fast as the disk. Does nothing when FOLDER is complete. Needs: numpy.
"""

import argparse
import json
import pathlib
import shutil

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKENIZER = ROOT / "tests/data/reference/grouped-bf16-sharded"
POOL_VALUES = 1 << 24
SHARD_BYTES = 5 * 10**9

HIDDEN, INTERMEDIATE, LAYERS, HEADS, KV_HEADS, HEAD_DIM, VOCAB = 3584, 18944, 28, 28, 4, 128, 152064
VISION, VISION_MLP, VISION_LAYERS, PATCH, IMAGE = 1152, 4304, 27, 14, 384
TOKENS = (IMAGE // PATCH)**2


def language_tensors():
    yield "model.model.embed_tokens.weight", (VOCAB, HIDDEN)
    for layer in range(LAYERS):
        name = f"model.model.layers.{layer}."
        for part, width in (("q", HEADS * HEAD_DIM), ("k", KV_HEADS * HEAD_DIM), ("v", KV_HEADS * HEAD_DIM)):
            yield f"{name}self_attn.{part}_proj.weight", (width, HIDDEN)
            yield f"{name}self_attn.{part}_proj.bias", (width,)
        yield f"{name}self_attn.o_proj.weight", (HIDDEN, HEADS * HEAD_DIM)
        yield f"{name}mlp.gate_proj.weight", (INTERMEDIATE, HIDDEN)
        yield f"{name}mlp.up_proj.weight", (INTERMEDIATE, HIDDEN)
        yield f"{name}mlp.down_proj.weight", (HIDDEN, INTERMEDIATE)
        yield f"{name}input_layernorm.weight", (HIDDEN,)
        yield f"{name}post_attention_layernorm.weight", (HIDDEN,)
    yield "model.model.norm.weight", (HIDDEN,)
    yield "model.lm_head.weight", (VOCAB, HIDDEN)


def with_bias(name, *shape):
    yield name + ".weight", shape
    yield name + ".bias", shape[:1]


def vision_tensors():
    prefix = "vision_model.vision_model."
    yield from with_bias(prefix + "embeddings.patch_embedding", VISION, 3, PATCH, PATCH)
    yield prefix + "embeddings.position_embedding.weight", (TOKENS, VISION)
    for layer in range(VISION_LAYERS):
        name = f"{prefix}encoder.layers.{layer}."
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from with_bias(f"{name}self_attn.{part}", VISION, VISION)
        yield from with_bias(name + "mlp.fc1", VISION_MLP, VISION)
        yield from with_bias(name + "mlp.fc2", VISION, VISION_MLP)
        yield from with_bias(name + "layer_norm1", VISION)
        yield from with_bias(name + "layer_norm2", VISION)
    yield from with_bias(prefix + "post_layernorm", VISION)
    yield prefix + "head.probe", (1, 1, VISION)
    yield prefix + "head.attention.in_proj_weight", (3 * VISION, VISION)
    yield prefix + "head.attention.in_proj_bias", (3 * VISION,)
    yield from with_bias(prefix + "head.attention.out_proj", VISION, VISION)
    yield from with_bias(prefix + "head.layernorm", VISION)
    yield from with_bias(prefix + "head.mlp.fc1", VISION_MLP, VISION)
    yield from with_bias(prefix + "head.mlp.fc2", VISION, VISION_MLP)


def all_tensors():
    yield from language_tensors()
    yield from vision_tensors()
    yield from with_bias("mm_projector.0", HIDDEN, VISION)
    yield "mm_projector.2.weight", (HIDDEN, HIDDEN)
    yield "image_newline", (HIDDEN,)


def to_bf16(values):
    return (values.astype(numpy.float32).view(numpy.uint32) >> 16).astype(numpy.uint16)


def values_of(name, shape, pool, generator):
    """Matrices about 1 / sqrt(inputs), norms about 1, biases small: activations stay in range."""
    count = int(numpy.prod(shape))
    if "norm" in name and name.endswith("weight"):
        return to_bf16(numpy.ones(count))
    scale = float(numpy.prod(shape[1:]))**-0.5 if len(shape) > 1 else 0.02
    scaled = to_bf16(pool * scale)
    start = int(generator.integers(len(pool)))
    repeats = -(-(start + count) // len(pool))
    return numpy.tile(scaled, repeats)[start:start + count] if repeats > 1 else scaled[start:start + count]


def write_shard(path, tensors, pool, generator):
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
            file.write(values_of(name, shape, pool, generator).tobytes())


def write_configs(folder):
    special = json.loads((TOKENIZER / "config.json").read_text())
    config = {
        "architectures": ["MMForCausalLM"], "model_type": "mm", "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "vocab_size": VOCAB, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "hidden_act": "silu",
        "vision_model_name_or_path": "google/siglip-so400m-patch14-384", "mm_projector_type": "mlp",
        "image_aspect_ratio": "square", "pesudo_img_size": IMAGE, "pesudo_patch_size": PATCH,
        "visual_hidden_dim": VISION, "image_tile_tokens": TOKENS, "image_token_index": -1,
        "pad_token_index": special["pad_token_index"], "eos_token_id": special["eos_token_id"],
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copyfile(TOKENIZER / name, folder / name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    index_path = options.folder / "model.safetensors.index.json"
    if index_path.exists():
        print(f"{options.folder}: complete")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    generator = numpy.random.default_rng(options.seed)
    pool = generator.standard_normal(POOL_VALUES, dtype=numpy.float32)

    shards, size = [[]], 0
    for name, shape in all_tensors():
        num_bytes = 2 * int(numpy.prod(shape))
        if size + num_bytes > SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append((name, shape))
        size += num_bytes
    weight_map = {}
    for number, tensors in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_shard(options.folder / file, tensors, pool, generator)
        weight_map |= {name: file for name, _ in tensors}
        print(f"{file}: {(options.folder / file).stat().st_size / 1e9:.2f} GB")
    write_configs(options.folder)
    total = sum((options.folder / file).stat().st_size for file in set(weight_map.values()))
    index_path.write_text(json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=1) + "\n")
    print(f"{options.folder}: {total / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
