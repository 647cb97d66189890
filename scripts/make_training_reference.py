#!/usr/bin/env python3
"""Makes tests/data/reference/training-CHECKPOINT.safetensors: loss and gradients of one training step by PyTorch.

    python scripts/make_training_reference.py [--check]

For random checkpoints of tests/data/reference: two random images with texts that share prefixes, each text run
alone through transformers' modules in float32; the loss is the weighted sum of cross-entropies. Stored are the
inputs, the loss, and of every tensor's gradient the norm and evenly spaced values. Then the same step with low-rank
additions to some layers (`lora*`): their factors, the loss, their gradients. --check makes all again and compares.
Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import fnmatch
import pathlib

import torch
import transformers
from safetensors.torch import load_file, save_file

from reference_model import ReferenceModel

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/data/reference"
CHECKPOINTS = ["grouped-bf16-sharded", "tied-f32-single"]
SEED = 20251123
SAMPLED_VALUES = 48
# Layers with low-rank additions, rank, alpha: all of a block of the language model, and some that have a bias.
LORA = [("model.model.layers.1.*_proj", 3, 6), ("mm_projector.*", 2, 1),
        ("vision_model.vision_model.encoder.layers.0.mlp.fc?", 2, 3)]


def make_texts(model, generator):
    """Two images; their texts are a common beginning and endings of different lengths."""
    vocab = model.config["vocab_size"]
    slots = [-1] * model.config["image_tile_tokens"]

    def draw(count):
        return torch.randint(0, vocab, (count,), generator=generator).tolist()

    images = []
    for endings in ((7, 12, 5), (9, 3)):
        common = slots + draw(6)
        half = draw(4)
        texts = []
        for i, length in enumerate(endings):
            ids = common + (half if i < 2 else []) + draw(length)
            weights = torch.rand(len(ids), generator=generator) + 0.5
            weights[:len(common) + 4] = 0
            texts.append((ids, weights))
        images.append(texts)
    return images


def step(model, pixels, images):
    """Loss with its gradient path."""
    features = model.projector(model.vision_features(pixels))
    loss = torch.zeros(())
    for image, texts in zip(features, images):
        for ids, weights in texts:
            text_ids = [i for i in ids if i >= 0]
            output = model.language(inputs_embeds=model.embed(image, text_ids))
            targets = torch.tensor([0] * (len(ids) - len(text_ids)) + text_ids)
            losses = torch.nn.functional.cross_entropy(output.logits[0, :-1], targets[1:], reduction="none")
            loss = loss + (losses * weights[1:]).sum()
    return loss


def sample(values):
    flat = values.flatten()
    return flat[::max(1, flat.numel() // SAMPLED_VALUES)][:SAMPLED_VALUES].clone()


def modules_of(model):
    """By the prefix of their tensors' names."""
    return {"model.": model.language, "vision_model.vision_model.": model.vision, "mm_projector.": model.projector}


def add_lora(model, generator):
    """y += alpha / rank * x A^T B^T (arXiv 2106.09685), neither factor 0. Returns the factors by name."""
    factors = {}

    def random_factor(name, rows, columns, deviation):
        factors[name] = torch.nn.Parameter(torch.randn(rows, columns, generator=generator) * deviation)
        return factors[name]

    def attach(layer, name, rank, scale):
        a = random_factor(f"{name}.lora_A.weight", rank, layer.in_features, layer.in_features**-0.5)
        b = random_factor(f"{name}.lora_B.weight", layer.out_features, rank, 0.1)
        layer.register_forward_hook(lambda _, inputs, output: output + scale * (inputs[0] @ a.T @ b.T))

    for glob, rank, alpha in LORA:
        for prefix, module in modules_of(model).items():
            for key, layer in module.named_modules():
                if isinstance(layer, torch.nn.Linear) and fnmatch.fnmatchcase(prefix + key, glob):
                    attach(layer, prefix + key, rank, alpha / rank)
    return factors


def make(name):
    generator = torch.Generator().manual_seed(SEED)
    model = ReferenceModel.load(FOLDER / name)
    pixels = torch.randn(2, 3, model.image_size, model.image_size, generator=generator)
    images = make_texts(model, generator)
    loss = step(model, pixels, images)
    loss.backward()
    result = {"pixels": pixels, "loss": loss.detach().reshape(1)}
    for i, texts in enumerate(images):
        for k, (ids, weights) in enumerate(texts):
            result[f"text.{i}.{k}.ids"] = torch.tensor(ids)
            result[f"text.{i}.{k}.weights"] = weights
    for prefix, module in modules_of(model).items():
        for key, parameter in module.named_parameters():
            if parameter.grad is not None and parameter.grad.abs().max() > 0:
                result[f"gradient.{prefix}{key}"] = sample(parameter.grad)
                result[f"gradient_norm.{prefix}{key}"] = parameter.grad.norm().reshape(1)
    factors = add_lora(model, generator)
    loss = step(model, pixels, images)
    loss.backward()
    result["lora_loss"] = loss.detach().reshape(1)
    for key, factor in factors.items():
        result[f"lora.{key}"] = factor.detach()
        result[f"lora_gradient.{key}"] = factor.grad
    return {key: value.contiguous() for key, value in result.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the stored files instead of writing them")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in CHECKPOINTS:
        path = FOLDER / f"training-{name}.safetensors"
        made = make(name)
        if options.check:
            stored = load_file(path)
            assert set(stored) == set(made), set(stored) ^ set(made)
            worst = max((stored[k].float() - made[k].float()).abs().max().item() for k in made)
            assert worst < 1e-4, f"{name}: differs by {worst}"
            print(f"{name}: {len(made)} tensors, largest difference {worst:.2g}")
        else:
            save_file(made, path, metadata={"torch": torch.__version__, "transformers": transformers.__version__})
            print(f"{path.name}: {path.stat().st_size} bytes, loss {made['loss'].item():.6f}")


if __name__ == "__main__":
    main()
