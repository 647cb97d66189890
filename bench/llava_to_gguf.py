#!/usr/bin/env python3
"""Writes an exported model (`aitqe convert --to llava`) as llama.cpp reads it: language.gguf and vision.gguf.

    python bench/llava_to_gguf.py LLAVA OUT [--dtype f32|bf16]

Matrices in --dtype, vectors and the patch convolution in f32. llama.cpp's own converter knows vocabularies by a hash
only; the pairs that are measured are tokenised outside of it. Needs:
pip install -r scripts/requirements-peer-llamacpp.txt
"""

import argparse
import json
import pathlib

import gguf
import numpy

LANGUAGE = {"input_layernorm.weight": "attn_norm.weight", "post_attention_layernorm.weight": "ffn_norm.weight",
            "self_attn.o_proj.weight": "attn_output.weight", "mlp.gate_proj.weight": "ffn_gate.weight",
            "mlp.up_proj.weight": "ffn_up.weight", "mlp.down_proj.weight": "ffn_down.weight"}
LANGUAGE |= {f"self_attn.{x}_proj.{kind}": f"attn_{x}.{kind}" for x in "qkv" for kind in ("weight", "bias")}
VISION = {"layer_norm1": "ln1", "layer_norm2": "ln2", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
          "self_attn.v_proj": "attn_v", "self_attn.out_proj": "attn_out", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down"}
TOP = {"language_model.model.embed_tokens.weight": "token_embd.weight",
       "language_model.model.norm.weight": "output_norm.weight", "language_model.lm_head.weight": "output.weight",
       "vision_tower.vision_model.embeddings.patch_embedding.weight": "v.patch_embd.weight",
       "vision_tower.vision_model.embeddings.patch_embedding.bias": "v.patch_embd.bias",
       "vision_tower.vision_model.embeddings.position_embedding.weight": "v.position_embd.weight"}
TOP |= {f"multi_modal_projector.linear_{n}.{kind}": f"mm.{at}.{kind}" for n, at in ((1, 0), (2, 2))
        for kind in ("weight", "bias")}
ALWAYS_F32 = ("v.patch_embd.weight", "v.position_embd.weight")


def gguf_name(name):
    """None for the post LayerNorm, which would be applied."""
    if name in TOP:
        return TOP[name]
    parts = name.split(".")
    if name.startswith("language_model.model.layers."):
        return f"blk.{parts[3]}.{LANGUAGE['.'.join(parts[4:])]}"
    if name.startswith("vision_tower.vision_model.encoder.layers."):
        return f"v.blk.{parts[4]}.{VISION['.'.join(parts[5:-1])]}.{parts[-1]}"
    return None


def tensors(folder):
    """(name, f32 values) of model.safetensors."""
    with open(folder / "model.safetensors", "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        for name, info in header.items():
            if name == "__metadata__":
                continue
            begin, end = info["data_offsets"]
            file.seek(8 + size + begin)
            data = file.read(end - begin)
            if info["dtype"] == "BF16":
                values = (numpy.frombuffer(data, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
            else:
                values = numpy.frombuffer(data, {"F32": "<f4", "F16": "<f2"}[info["dtype"]]).astype(numpy.float32)
            yield name, values.reshape(info["shape"])


def add_language_config(writer, config, folder):
    text = config["text_config"]
    writer.add_context_length(text["max_position_embeddings"])
    writer.add_embedding_length(text["hidden_size"])
    writer.add_block_count(text["num_hidden_layers"])
    writer.add_feed_forward_length(text["intermediate_size"])
    writer.add_head_count(text["num_attention_heads"])
    writer.add_head_count_kv(text["num_key_value_heads"])
    writer.add_key_length(text["head_dim"])
    writer.add_value_length(text["head_dim"])
    writer.add_rope_freq_base(text["rope_theta"])
    writer.add_layer_norm_rms_eps(text["rms_norm_eps"])
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    ids = {id: token for token, id in tokenizer["model"]["vocab"].items()}
    special = {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
    rows = range(text["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([special.get(id) or ids.get(id) or f"[PAD{id}]" for id in rows])
    kinds = gguf.TokenType
    writer.add_token_types([kinds.CONTROL if id in special else kinds.NORMAL if id in ids else kinds.UNUSED
                            for id in rows])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(text["eos_token_id"])


def add_vision_config(writer, config, folder):
    vision = config["vision_config"]
    image = json.loads((folder / "preprocessor_config.json").read_text())
    writer.add_string("clip.projector_type", "mlp")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.use_gelu", True)
    for key, value in {"image_size": vision["image_size"], "patch_size": vision["patch_size"],
                       "embedding_length": vision["hidden_size"], "block_count": vision["num_hidden_layers"],
                       "feed_forward_length": vision["intermediate_size"],
                       "projection_dim": config["text_config"]["hidden_size"],
                       "attention.head_count": vision["num_attention_heads"]}.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", vision["layer_norm_eps"])
    writer.add_array("clip.vision.image_mean", image["image_mean"])
    writer.add_array("clip.vision.image_std", image["image_std"])
    writer.add_array("clip.vision.feature_layer", [vision["num_hidden_layers"]])  # else it leaves one more layer out


def add_tensor(writer, name, values, dtype):
    kind = gguf.GGMLQuantizationType.BF16
    if dtype == "f32" or values.ndim == 1 or name in ALWAYS_F32:
        kind = gguf.GGMLQuantizationType.F32
    data = values if kind == gguf.GGMLQuantizationType.F32 else gguf.quants.quantize(values, kind)
    writer.add_tensor(name, data, raw_dtype=kind)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("llava", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    config = json.loads((options.llava / "config.json").read_text())
    writers = {"language": gguf.GGUFWriter(options.out / "language.gguf", "qwen2"),
               "vision": gguf.GGUFWriter(options.out / "vision.gguf", "clip")}
    add_language_config(writers["language"], config, options.llava)
    add_vision_config(writers["vision"], config, options.llava)
    for name, values in tensors(options.llava):
        to = gguf_name(name)
        if to:
            add_tensor(writers["vision" if to.startswith(("v.", "mm.")) else "language"], to, values, options.dtype)
    for writer in writers.values():
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


if __name__ == "__main__":
    main()
