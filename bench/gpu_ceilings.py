#!/usr/bin/env python3
"""What the card itself reaches: the ceilings that scripts/bench_gpu.sh measures the engine against.

    python bench/gpu_ceilings.py [--rows 16384] [--rounds 5]

Products of the released model's shapes in bf16 and in FP8 (scaled by row), with random values, and a copy within the
card's memory; then attention: one call over packed causal sequences against a dense causal batch and the vision
tower's shape, and 256 single tokens against a cache. Median of the rounds, which take turns. Needs torch with CUDA.
"""

import argparse
import statistics

import torch

# outputs x inputs: the language model's four, the vision tower's four.
SHAPES = [(4608, 3584), (3584, 3584), (37888, 3584), (3584, 18944),
          (3456, 1152), (1152, 1152), (4304, 1152), (1152, 4304)]


def timed(work, repeats=10):
    """Seconds of one call."""
    work()
    torch.cuda.synchronize()
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(repeats):
        work()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1e3 / repeats


def to_fp8(x):
    scale = x.abs().amax(1, keepdim=True).float() / 448
    return (x.float() / scale).clamp(-448, 448).to(torch.float8_e4m3fn), scale


def products(rows):
    for outputs, inputs in SHAPES:
        x = torch.randn(rows, inputs, device="cuda", dtype=torch.bfloat16)
        w = torch.randn(outputs, inputs, device="cuda", dtype=torch.bfloat16)
        tflop = 2 * rows * outputs * inputs / 1e12
        yield f"bf16 {rows}x{outputs}x{inputs}", tflop, "TF/s", lambda x=x, w=w: torch.nn.functional.linear(x, w)
        if outputs % 16 == 0 and inputs % 16 == 0:
            x8, w8 = to_fp8(x), to_fp8(w)
            yield f"fp8  {rows}x{outputs}x{inputs}", tflop, "TF/s", lambda x8=x8, w8=w8: torch._scaled_mm(
                x8[0], w8[0].t(), scale_a=x8[1], scale_b=w8[1].t(), out_dtype=torch.bfloat16, use_fast_accum=True)


def copies():
    x = torch.empty(1 << 30, device="cuda", dtype=torch.int32)
    y = torch.empty_like(x)
    yield "copy 4 GiB, bytes read and written", 2 * x.nbytes / 1e12, "TB/s", lambda: y.copy_(x)
    pinned = torch.empty(1 << 28, dtype=torch.int32, pin_memory=True)
    yield "copy 1 GiB from pinned host memory", pinned.nbytes / 1e12, "TB/s", lambda: y[:1 << 28].copy_(
        pinned, non_blocking=True)


def attention():
    def heads(*shape):
        return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)

    length, count = 800, 20
    q, k, v = heads(length * count, 28, 128), heads(length * count, 4, 128), heads(length * count, 4, 128)
    ends = torch.arange(0, length * count + 1, length, device="cuda", dtype=torch.int32)
    used = torch.full((count,), length, device="cuda", dtype=torch.int32)
    tflop = 2 * 2 * count * 28 * 128 * length * length / 2 / 1e12
    yield "packed causal 20 x 800, 28/4 heads of 128", tflop, "TF/s", lambda: torch.ops.aten._flash_attention_forward(
        q, k, v, ends, ends, length, length, 0.0, True, False, seqused_k=used)
    dense = [x.view(count, length, -1, 128).transpose(1, 2) for x in (q, k, v)]
    yield "dense causal 20 x 800, 28/4 heads of 128", tflop, "TF/s", lambda: torch.nn.functional \
        .scaled_dot_product_attention(*dense, is_causal=True, enable_gqa=True)
    vision = [heads(20, 16, 729, 72) for _ in range(3)]
    yield "dense full 20 x 729, 16 heads of 72", 4 * 20 * 16 * 72 * 729 * 729 / 1e12, "TF/s", lambda: torch.nn \
        .functional.scaled_dot_product_attention(*vision)
    slots, room = 256, 896
    one, keys, values = heads(slots, 28, 128), heads(slots * room, 4, 128), heads(slots * room, 4, 128)
    rows = torch.arange(slots + 1, device="cuda", dtype=torch.int32)
    first = torch.arange(0, slots * room + 1, room, device="cuda", dtype=torch.int32)
    held = torch.full((slots,), 850, device="cuda", dtype=torch.int32)
    read = 2 * slots * 850 * 4 * 128 * 2 / 1e12
    yield "256 single tokens behind 850 keys", read, "TB/s", lambda: torch.ops.aten._flash_attention_forward(
        one, keys, values, rows, first, 1, 850, 0.0, True, False, seqused_k=held)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=16384)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.manual_seed(0)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    for group in (products(options.rows), copies(), attention()):
        for name, amount, unit, work in group:
            try:
                rates = [amount / timed(work) for _ in range(options.rounds)]
            except RuntimeError as error:
                print(f"{name}: failed: {str(error).splitlines()[0]}")
                continue
            print(f"{name}: {statistics.median(rates):.4g} {unit} ({min(rates):.4g} to {max(rates):.4g})", flush=True)


if __name__ == "__main__":
    main()
