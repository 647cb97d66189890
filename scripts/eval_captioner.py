#!/usr/bin/env python3
"""What the model makes of the trials of `aitqe eval` when it has learnt captions and never a good or bad sample.

    python scripts/eval_captioner.py --model CAPTIONER --shards val-*.tar --trials own/trials.jsonl foreign/trials.jsonl

CAPTIONER is the model folder after the stages align and caption (configs/train/small-captions.toml). It gives no score,
so a caption is scored by what the picture does for it: log p(caption | picture) - log p(caption | a grey picture), per
token. Prints AUROC per kind of bad caption, as `aitqe eval` does. PyTorch and transformers, f32.
Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import io
import json
import pathlib

import numpy
import torch
from eval_baselines import print_table, read_trials
from PIL import Image
from reference_model import language_config, read_tensors
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import Qwen2ForCausalLM
from trunk_features import read_images

import make_efficientnet_reference as efficientnet

KINDS = {"good", "other_image", "near_miss", "alt_text_junk", "truncated", "shipped"}
BATCH = 32


class Captioner:
    def __init__(self, folder):
        config = json.loads((folder / "config.json").read_text())
        tensors = {k: v.float() for k, v in read_tensors(folder).items()}
        self.language = Qwen2ForCausalLM._from_config(language_config(config), attn_implementation="sdpa").eval()
        language = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        language["lm_head.weight"] = language["model.embed_tokens.weight"]
        self.language.load_state_dict(language)
        self.vision = {k: v for k, v in tensors.items() if k.startswith("vision_model.")}
        self.projector = [tensors[f"mm_projector.{k}"] for k in ("0.weight", "0.bias", "2.weight")]
        self.side = config["pesudo_img_size"]
        self.tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
        self.tokenizer.decoder = decoders.ByteLevel()
        prompt = json.loads((folder / "aitqe.json").read_text())["prompt"]
        self.before = self.encode(prompt["after_image"]) + self.encode(prompt["before_caption"] + prompt["after_caption"])
        self.before += self.encode('{"Recaption": "')

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    @torch.inference_mode()
    def image_tokens(self, images):
        """[B, P, hidden]."""
        pixels = numpy.stack([numpy.asarray(image.convert("RGB").resize((self.side, self.side), Image.Resampling.BICUBIC),
                                            numpy.float32) for image in images])
        batch = torch.from_numpy((pixels - 127) / 128).permute(0, 3, 1, 2).contiguous()
        seen = efficientnet.features(self.vision, batch, efficientnet.STAGES, efficientnet.STEM)
        first, bias, second = self.projector
        return torch.nn.functional.gelu(seen @ first.T + bias) @ second.T

    @torch.inference_mode()
    def log_likelihoods(self, image_tokens, captions):
        """Mean log p per token of each caption under its picture. @param image_tokens  [B, P, hidden]"""
        ids = [self.encode(json.dumps(caption, ensure_ascii=False)[1:]) for caption in captions]
        rows = [self.before + one for one in ids]
        longest = max(map(len, rows))
        text = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        embedded = torch.cat([image_tokens, self.language.model.embed_tokens(text)], dim=1)
        hidden = self.language.model(inputs_embeds=embedded).last_hidden_state  # padding comes last: nothing sees it
        first = image_tokens.shape[1] + len(self.before) - 1
        found = []
        for row, one in enumerate(ids):
            logits = self.language.lm_head(hidden[row, first:first + len(one)])
            found.append(logits.log_softmax(-1).gather(1, torch.tensor(one)[:, None]).mean().item())
        return found


def what_pictures_add(captioner, shards, trials):
    """[len(trials)]: log p(caption | picture) - log p(caption | grey), per token."""
    wanted = {t["key"] for t in trials}
    images = {key: image for key, image in read_images(shards) if key in wanted}
    grey = captioner.image_tokens([Image.new("RGB", (captioner.side, captioner.side), (127, 127, 127))])
    scores = []
    for start in range(0, len(trials), BATCH):
        part = trials[start:start + BATCH]
        captions = [t["caption"] for t in part]
        seen = captioner.image_tokens([Image.open(io.BytesIO(images[t["key"]])) for t in part])
        given = captioner.log_likelihoods(seen, captions)
        alone = captioner.log_likelihoods(grey.expand(len(part), -1, -1), captions)
        scores += [a - b for a, b in zip(given, alone)]
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--shards", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--trials", type=pathlib.Path, nargs="+", required=True)
    options = parser.parse_args()
    captioner = Captioner(options.model)
    for path in options.trials:
        trials = [t for t in read_trials(path) if t["kind"] in KINDS]
        print_table(f"{path.parent.name}: captions only, no good or bad sample", trials,
                    what_pictures_add(captioner, options.shards, trials))


if __name__ == "__main__":
    main()
