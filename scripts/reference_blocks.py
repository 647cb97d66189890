"""Inputs and outputs of single layers, computed by torch and transformers. Used by make_reference.py."""

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import Qwen2Config
from transformers.models.qwen2 import modeling_qwen2
from transformers.models.siglip import modeling_siglip

SEED = 20241012


def tensors():
    torch.manual_seed(SEED)
    result = {}
    with torch.no_grad():
        for part in (norms, rotary, mlps, activations, attentions, linear, patches):
            result |= part()
    return {k: v.clone().contiguous() for k, v in result.items()}


def write(path):
    written = tensors()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(written, path)
    print(f"{path.name}: {path.stat().st_size} bytes")
    for name, tensor in sorted(written.items()):
        print(f"| `{name}` | {list(tensor.shape)} |")


def norms():
    x, weight, bias = torch.randn(5, 48) * 3, 1 + torch.randn(48) * 0.3, torch.randn(48) * 0.3
    rms = modeling_qwen2.Qwen2RMSNorm(48, eps=1e-6)
    rms.weight.copy_(weight)
    layer = nn.LayerNorm(48, eps=1e-6)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
    small = x * 1e-4  # where eps matters
    return {"rms_norm.input": x, "rms_norm.weight": weight, "rms_norm.output": rms(x),
            "rms_norm_small.input": small, "rms_norm_small.output": rms(small),
            "layer_norm.input": x, "layer_norm.weight": weight, "layer_norm.bias": bias, "layer_norm.output": layer(x)}


def rotary():
    """Half-split rotary, head_dim 32, theta 1e6; positions from 0 and, as a cache would have them, from 700."""
    config = Qwen2Config(hidden_size=128, num_attention_heads=4, num_key_value_heads=2,
                         rope_parameters={"rope_type": "default", "rope_theta": 1e6})
    embedding = modeling_qwen2.Qwen2RotaryEmbedding(config)
    q, k = torch.randn(1, 4, 9, 32), torch.randn(1, 2, 9, 32)
    result = {"rotary.query": q, "rotary.key": k}
    for name, first in (("rotary", 0), ("rotary_late", 700)):
        positions = torch.arange(first, first + 9)[None]
        cos, sin = embedding(q, positions)
        out_q, out_k = modeling_qwen2.apply_rotary_pos_emb(q, k, cos, sin)
        result |= {f"{name}.positions": positions[0].to(torch.int64), f"{name}.query_output": out_q,
                   f"{name}.key_output": out_k}
    return result


def mlps():
    config = Qwen2Config(hidden_size=48, intermediate_size=80, num_attention_heads=4, num_key_value_heads=2)
    mlp, x = modeling_qwen2.Qwen2MLP(config), torch.randn(6, 48) * 2
    for layer in (mlp.gate_proj, mlp.up_proj, mlp.down_proj):
        layer.weight.copy_(torch.randn_like(layer.weight) * layer.weight.shape[1]**-0.5)
    return {"swiglu.input": x, "swiglu.gate_weight": mlp.gate_proj.weight, "swiglu.up_weight": mlp.up_proj.weight,
            "swiglu.down_weight": mlp.down_proj.weight, "swiglu.output": mlp(x)}


def activations():
    x = torch.cat([torch.linspace(-8, 8, 129), torch.tensor([0.0, -0.0, 1e-6, -1e-6, 30.0, -30.0, 100.0])])
    return {"gelu_exact.input": x, "gelu_exact.output": nn.functional.gelu(x), "gelu_tanh.input": x,
            "gelu_tanh.output": nn.functional.gelu(x, approximate="tanh"), "silu.input": x,
            "silu.output": nn.functional.silu(x)}


class _Grouped(nn.Module):
    def __init__(self, groups):
        super().__init__()
        self.num_key_value_groups = groups


def attentions():
    """[B, H, T, D] inputs; outputs [B, T, H, D], as transformers' eager functions give them."""
    q, k, v = torch.randn(2, 6, 11, 16), torch.randn(2, 3, 11, 16), torch.randn(2, 3, 11, 16)
    mask = torch.triu(torch.full((11, 11), torch.finfo(torch.float32).min), diagonal=1)[None, None]
    causal, _ = modeling_qwen2.eager_attention_forward(_Grouped(2), q, k, v, mask, scaling=16**-0.5)
    step, _ = modeling_qwen2.eager_attention_forward(_Grouped(2), q[:, :, -1:], k, v, None, scaling=16**-0.5)
    vq, vk, vv = (torch.randn(1, 2, 13, 72) for _ in range(3))
    full, _ = modeling_siglip.eager_attention_forward(_Grouped(1).eval(), vq, vk, vv, None, scaling=72**-0.5)
    return {"causal_attention.query": q, "causal_attention.key": k, "causal_attention.value": v,
            "causal_attention.output": causal, "causal_attention.last_step_output": step,
            "full_attention.query": vq, "full_attention.key": vk, "full_attention.value": vv,
            "full_attention.output": full}


def linear():
    layer, x = nn.Linear(50, 37), torch.randn(7, 50)
    return {"linear.input": x, "linear.weight": layer.weight, "linear.bias": layer.bias, "linear.output": layer(x)}


def patches():
    """Patch convolution on 50 x 50 with patch 14: the last 8 rows and columns are left out."""
    layer, x = nn.Conv2d(3, 10, kernel_size=14, stride=14, padding="valid"), torch.randn(1, 3, 50, 50)
    return {"patches.pixels": x, "patches.weight": layer.weight, "patches.bias": layer.bias,
            "patches.output": layer(x).flatten(2).transpose(1, 2)}
