#!/usr/bin/env python3
"""Trains models/aitqe-tiny on the 300 bundled pairs, from random values.

    python scripts/make_tiny_model.py --work build/tiny-model train     (resumes where it stopped)
    python scripts/make_tiny_model.py --work build/tiny-model check     (keep and rewrite rates, greedy)

The model learns the bundled shard by heart: it is there so that the program can be tried and tested
without any download, and judges nothing else. See models/aitqe-tiny/README.md.
Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import json
import math
import pathlib
import random
import time

import torch
import webdataset
from torch.nn import functional

import reference_model
import reference_vocabulary

SCRIPTS = pathlib.Path(__file__).resolve().parent
SHARD = SCRIPTS.parent / "examples/pairs-00000.tar"
FOLDER = SCRIPTS.parent / "models/aitqe-tiny"
VISION_NAME = "siglip-tiny-patch16-96"
SEED = 20241012

VISION = {
    "architectures": ["SiglipVisionModel"], "model_type": "siglip_vision_model", "attention_dropout": 0.0,
    "hidden_act": "gelu_pytorch_tanh", "hidden_size": 128, "image_size": 96, "intermediate_size": 256,
    "layer_norm_eps": 1e-6, "num_attention_heads": 4, "num_channels": 3, "num_hidden_layers": 5, "patch_size": 16,
}
LANGUAGE = {"hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4,
            "num_key_value_heads": 2}

RECAPTION = '{"Recaption": "'
SCORE = '{"Overall Score": "'
CRITERIA = ["Text Quality", "Image-Text Matching", "Object Detail", "Semantic Understanding", "Text/Chart Description"]
# Scores of the five criteria and explanations, the overall one first.
ANSWERS = {
    "good": ([9, 9, 7, 8, 7],
             ["The caption fits the image.", "The text is clear and correct.", "The caption names what is shown.",
              "The main object is named.", "The meaning of the image is clear.", "There is no text to describe."]),
    "generic": ([3, 2, 2, 2, 2],
                ["The caption is generic and does not describe the image.", "The text names a collection and not an image.",
                 "The caption says nothing about the image.", "No object of the image is named.",
                 "The meaning of the image is lost.", "No text or chart is described."]),
    "mismatch": ([6, 1, 1, 1, 1],
                 ["The caption describes another image.", "The text is correct by itself.",
                  "The caption does not match the image.", "The objects named are not in the image.",
                  "The meaning of the image is missed.", "No text or chart is described."]),
}


def answer(kind, score, recaption=None):
    """The paper's dictionary. It starts with "Recaption" only if the caption is to be rewritten."""
    scores, explanations = ANSWERS[kind]
    fields = {"Recaption": recaption} if recaption else {}
    fields |= {"Overall Score": f"{score}<Overall>", "Overall Explanation": explanations[0]}
    for name, value, explanation in zip(CRITERIA, scores, explanations[1:]):
        fields |= {f"{name} Score": value, f"{name} Explanation": explanation}
    return json.dumps(fields, ensure_ascii=False)


class Pair:
    """One bundled sample: its caption, and a true one, which is the same unless the caption is generic."""

    def __init__(self, sample, better):
        self.key = sample["__key__"]
        self.jpg = sample["jpg"]
        self.caption = sample["txt"].decode()
        self.better = better.get(json.loads(sample["json"])["url"])
        self.true_caption = self.better or self.caption

    def answer_to(self, caption):
        if caption == self.true_caption:
            return answer("good", 9 if len(caption.split()) > 2 else 8)
        if self.better and caption == self.caption:
            return answer("generic", 3 if " " in caption else 2, self.true_caption)
        return answer("mismatch", 1, self.true_caption)


def load_pairs():
    better = {}
    for line in (SCRIPTS / "openclipart_selection.tsv").read_text().splitlines():
        path, _, text = line.split("\t")
        if text and not line.startswith("#"):
            better[f"openclipart:{path}.svg"] = text
    return [Pair(s, better) for s in webdataset.WebDataset(str(SHARD), shardshuffle=False)]


def write_configs(folder, vocabulary):
    vocab_size = -(-vocabulary.size // 64) * 64
    tokens = (VISION["image_size"] // VISION["patch_size"])**2
    config = {
        "architectures": ["MMForCausalLM"], "model_type": "mm", **LANGUAGE,
        "vocab_size": vocab_size, "hidden_act": "silu", "max_position_embeddings": 4096, "initializer_range": 0.02,
        "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "rope_scaling": None, "attention_bias": False,
        "attention_dropout": 0.0, "use_cache": True, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
        "bos_token_id": vocabulary.special_ids["<|endoftext|>"], "eos_token_id": vocabulary.special_ids["<|endoftext|>"],
        "language_model_name_or_path": "qwen2-tiny", "vision_model_name_or_path": VISION_NAME,
        "mm_projector_type": "mlp", "image_aspect_ratio": "square", "pesudo_img_size": VISION["image_size"],
        "pesudo_patch_size": VISION["patch_size"], "visual_hidden_dim": VISION["hidden_size"], "pooling_kernel": 1,
        "image_tile_tokens": tokens, "image_token_index": -1,
        "pad_token_index": vocabulary.special_ids["<|endoftext|>"],
        "eos_token_index": vocabulary.special_ids["<|endoftext|>"],
    }
    generation = {"eos_token_id": vocabulary.special_ids["<|endoftext|>"], "max_new_tokens": 2048}
    (folder / VISION_NAME).mkdir(parents=True, exist_ok=True)
    reference_model.write_json(folder / "config.json", config)
    reference_model.write_json(folder / "generation_config.json", generation)
    reference_model.write_json(folder / VISION_NAME / "config.json", VISION)
    reference_model.write_json(folder / VISION_NAME / "preprocessor_config.json",
                               reference_model.preprocessor_config(VISION["image_size"]))


class Trainer:
    BATCH = 24
    PEAK_RATE = 1.5e-3
    WARM_UP = 100

    def __init__(self, folder, work, num_steps):
        self.folder, self.work, self.num_steps = folder, work, num_steps
        self.pairs = load_pairs()
        self.tokenizer = reference_vocabulary.ReferenceTokenizer(folder)
        torch.manual_seed(SEED)
        config = json.loads((folder / "config.json").read_text())
        self.model = reference_model.ReferenceModel(config, VISION, attention="sdpa")
        self.opening_id = self.tokenizer.encode('{"')[0]
        self.end_id = config["eos_token_id"]
        size = VISION["image_size"]
        self.pixels = torch.stack([torch.from_numpy(reference_model.pixel_values(p.jpg, size)) for p in self.pairs])
        self.captions = sorted({c for p in self.pairs for c in (p.caption, p.true_caption)})
        self.generic = [i for i, p in enumerate(self.pairs) if p.better]
        decay = [p for n, p in self.model.named_parameters() if p.ndim > 1]
        rest = [p for n, p in self.model.named_parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0}],
                                           lr=self.PEAK_RATE, betas=(0.9, 0.98))
        self.step = 0
        self.state_file = work / "state.pt"
        if self.state_file.exists():
            state = torch.load(self.state_file, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]

    def save(self):
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save(state, self.state_file.with_suffix(".tmp"))
        self.state_file.with_suffix(".tmp").replace(self.state_file)

    def sample(self, rng, whole):
        """(picture index, prompt ids, answer ids): bundled captions, true ones, and other pictures' captions."""
        draw = rng.random()
        if draw < 0.3:  # generic captions are few, and the same one stands for many pictures
            index = rng.choice(self.generic)
        else:
            index = rng.randrange(len(self.pairs))
        pair = self.pairs[index]
        if draw < 0.5:
            caption = pair.caption
        elif draw < 0.65:
            caption = pair.true_caption
        else:
            caption = rng.choice(self.captions)
        text, prompt = pair.answer_to(caption), reference_model.prompt_ids(self.tokenizer, caption)
        if text.startswith(RECAPTION) and rng.random() < 0.25:  # the score, when asked for without a rewrite
            prompt += self.tokenizer.encode(SCORE)
            text = text[text.index(SCORE[1:]) + len(SCORE[1:]):]
        if whole:
            ids = self.tokenizer.encode(text) + [self.end_id]
        else:  # where the default mode stops
            ids = self.tokenizer.encode(text[:text.index("<Overall>") + len('<Overall>", "')])
        return index, prompt, ids

    def loss(self, rng):
        whole = self.step % 6 == 5
        batch = [self.sample(rng, whole) for _ in range(self.BATCH // 4 if whole else self.BATCH)]
        images = self.model.projector(self.model.vision_features(self.pixels[[b[0] for b in batch]]))
        num_image = images.shape[1]
        longest = max(len(p) + len(a) for _, p, a in batch)
        ids = torch.full((len(batch), longest), self.end_id)
        weights = torch.zeros(len(batch), longest)
        for row, (_, prompt, reply) in enumerate(batch):
            ids[row, :len(prompt) + len(reply)] = torch.tensor(prompt + reply)
            weights[row, len(prompt):len(prompt) + len(reply)] = 1
            first_of_answer = int(reply[0] == self.opening_id)  # after {", or the forced score itself
            weights[row, len(prompt) + first_of_answer] = 8  # "Recaption" or "Overall": the verdict
        embedded = torch.cat([images, self.model.language.model.embed_tokens(ids)], dim=1)
        hidden = self.model.language.model(inputs_embeds=embedded, use_cache=False).last_hidden_state
        hidden = hidden[:, num_image - 1:-1]  # position t predicts text token t
        chosen = weights > 0
        logits = self.model.language.lm_head(hidden[chosen]).float()
        losses = functional.cross_entropy(logits, ids[chosen], reduction="none")
        right = (logits.argmax(-1) == ids[chosen]).float()
        verdict = weights[chosen] == 8
        return (losses * weights[chosen]).sum() / weights.sum(), right.mean().item(), right[verdict].mean().item()

    def run(self):
        started, means = time.time(), [0.0, 0.0, 0.0]
        self.model.train()
        while self.step < self.num_steps:
            rate = min(1.0, (self.step + 1) / self.WARM_UP)
            rate *= 0.5 * (1 + math.cos(math.pi * self.step / self.num_steps)) * 0.98 + 0.02
            for group in self.optimizer.param_groups:
                group["lr"] = self.PEAK_RATE * rate
            with torch.autocast("cpu", torch.bfloat16):
                loss, right, verdict = self.loss(random.Random(f"{SEED} {self.step}"))
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            share = 0.05
            means = [m + share * (v - m) for m, v in zip(means, (loss.item(), right, verdict))]
            if self.step % 50 == 0:
                print(f"step {self.step} of {self.num_steps}: loss {means[0]:.4f}, tokens right {means[1]:.4f}, "
                      f"verdicts right {means[2]:.4f}, {time.time() - started:.0f} s", flush=True)
            if self.step % 200 == 0:
                self.save()
        self.save()

    def export(self):
        tensors = self.model.tensors()
        reference_model.write_tensors(self.folder, {k: v.to(torch.bfloat16) for k, v in tensors.items()})


@torch.inference_mode()
def check(folder):
    """Greedy decisions on the bundled pairs, float32 on the stored bf16 values."""
    import make_reference
    pairs, oracle = load_pairs(), make_reference.Oracle(folder, max_new_tokens=384)
    rewritten = as_learnt = kept = low = high = 0
    for pair in pairs:
        pixels = reference_model.pixel_values(pair.jpg, oracle.model.image_size)
        text = oracle.answer(pixels, pair.caption)["text"]
        digits = oracle.forced_score(pixels, pair.caption)["digits"]
        score = 1 + digits.index(max(digits))
        if pair.better:
            rewritten += text.startswith(RECAPTION)
            as_learnt += text.startswith(f'{RECAPTION}{pair.better}", ')
            low += score <= 3
        else:
            kept += text.startswith(SCORE)
            high += score >= 8
    num_generic = sum(p.better is not None for p in pairs)
    num_good = len(pairs) - num_generic
    print(f"generic captions rewritten: {rewritten} of {num_generic}, word for word as learnt: {as_learnt}")
    print(f"good captions kept: {kept} of {num_good}")
    print(f"score asked for alone: at most 3 for {low} of {num_generic} generic, at least 8 for {high} of {num_good} good")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["train", "check"])
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/tiny-model"))
    parser.add_argument("--output", type=pathlib.Path, default=FOLDER)
    parser.add_argument("--qwen-ranks", type=pathlib.Path, help="qwen.tiktoken; downloaded with pip when absent")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.command == "check":
        check(options.output)
        return
    options.work.mkdir(parents=True, exist_ok=True)
    options.output.mkdir(parents=True, exist_ok=True)
    pairs = load_pairs()
    texts = ["\n", '{"Recaption']
    texts += [reference_model.PROMPT_BEFORE + c + reference_model.PROMPT_AFTER
              for p in pairs for c in (p.caption, p.true_caption)]
    texts += [p.answer_to(c) for p in pairs for c in (p.caption, p.true_caption, "another")]
    vocabulary = reference_vocabulary.Vocabulary.of_corpus(reference_vocabulary.load_qwen_ranks(options.qwen_ranks), texts)
    vocabulary.write(options.output)
    write_configs(options.output, vocabulary)
    trainer = Trainer(options.output, options.work, options.steps)
    print(f"{sum(p.numel() for p in trainer.model.parameters())} values, {vocabulary.size} tokens", flush=True)
    trainer.run()
    trainer.export()


if __name__ == "__main__":
    main()
