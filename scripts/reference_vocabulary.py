"""Small vocabularies cut from Qwen2's: a closed set of its merges, ids renumbered in rank order.

The ranks are those of resources/qwen.tiktoken in the Python package dashscope (Apache-2.0). A cut set that
holds both halves of each of its tokens splits any text it covers exactly as Qwen2 does.
"""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import regex
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, Regex

QWEN_PACKAGE = "dashscope==2.0.2"
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
# Qwen2's own pattern, tokenization_qwen2.py.
SPLIT_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                 r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def load_qwen_ranks(path=None):
    """Token bytes -> rank, from `path` or from the package, downloaded with pip."""
    if path is None:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, QWEN_PACKAGE],
                           check=True)
            with zipfile.ZipFile(next(pathlib.Path(folder).glob("dashscope*.whl"))) as wheel:
                data = wheel.read("dashscope/resources/qwen.tiktoken")
    else:
        data = pathlib.Path(path).read_bytes()
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines() if line)}


def byte_alphabet():
    """GPT-2's printable stand-in for each byte."""
    kept = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [b for b in range(256) if b not in kept]
    return {**{b: chr(b) for b in kept}, **{b: chr(256 + i) for i, b in enumerate(rest)}}


def merge_bytes(ranks, piece, limit=None):
    """BPE by lowest rank; only merges of rank below `limit` are used."""
    parts = [bytes([b]) for b in piece]
    while len(parts) > 1:
        candidates = [(ranks[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:]))
                      if a + b in ranks and (limit is None or ranks[a + b] < limit)]
        if not candidates:
            break
        _, i = min(candidates)
        parts[i:i + 2] = [parts[i] + parts[i + 1]]
    return parts


class Vocabulary:
    """A closed cut. `tokens`: bytes in id order; `merges`: (left, right) in rank order."""

    def __init__(self, ranks, wanted):
        """`wanted`: tokens to keep; the halves of each, down to bytes, are added."""
        closed, pending = {bytes([b]) for b in range(256)}, list(wanted)
        pairs = {}
        while pending:
            token = pending.pop()
            if token in closed:
                continue
            closed.add(token)
            pairs[token] = merge_bytes(ranks, token, ranks[token])
            assert len(pairs[token]) == 2, token
            pending.extend(pairs[token])
        self.tokens = sorted(closed, key=ranks.__getitem__)
        self.merges = [tuple(pairs[t]) for t in self.tokens if t in pairs]
        self.special_ids = {text: len(self.tokens) + i for i, text in enumerate(SPECIAL_TOKENS)}
        self.size = len(self.tokens) + len(SPECIAL_TOKENS)

    @classmethod
    def first_merges(cls, ranks, count):
        by_rank = sorted(ranks, key=ranks.__getitem__)
        return cls(ranks, by_rank[:256 + count])

    @classmethod
    def of_corpus(cls, ranks, texts):
        used = set()
        for text in texts:
            for piece in regex.findall(SPLIT_PATTERN, text):
                used.update(merge_bytes(ranks, piece.encode()))
        return cls(ranks, used)

    def write(self, folder):
        """vocab.json, merges.txt and tokenizer_config.json, in the form of Qwen2's own files."""
        alphabet = byte_alphabet()

        def spell(token):
            return "".join(alphabet[b] for b in token)

        vocab = {spell(token): index for index, token in enumerate(self.tokens)}
        (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
        lines = ["#version: 0.2", *(f"{spell(a)} {spell(b)}" for a, b in self.merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n")
        config = {
            "add_prefix_space": False,
            "added_tokens_decoder": {
                str(index): {"content": text, "lstrip": False, "normalized": False, "rstrip": False,
                             "single_word": False, "special": True}
                for text, index in self.special_ids.items()},
            "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
            "bos_token": None,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|endoftext|>",
            "errors": "replace",
            "model_max_length": 32768,
            "pad_token": "<|endoftext|>",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
        }
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")


class ReferenceTokenizer:
    """Hugging Face's Qwen2 tokenizer over a folder's vocab.json and merges.txt."""

    def __init__(self, folder):
        vocab = json.loads((folder / "vocab.json").read_text())
        merges = [tuple(line.split(" ")) for line in (folder / "merges.txt").read_text().splitlines()
                  if line and not line.startswith("#version")]
        config = json.loads((folder / "tokenizer_config.json").read_text())
        self.special_ids = {t["content"]: int(i) for i, t in config["added_tokens_decoder"].items()}
        self.tokens = Tokenizer(models.BPE(vocab=vocab, merges=merges, fuse_unk=False, byte_fallback=False))
        self.tokens.normalizer = normalizers.NFC()
        self.tokens.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        self.tokens.decoder = decoders.ByteLevel()
        alphabet = {c: b for b, c in byte_alphabet().items()}
        self.bytes_of_id = {i: bytes(alphabet[c] for c in text) for text, i in vocab.items()}

    def encode(self, text):
        """Ids of text as text: spellings of special tokens are ordinary characters here."""
        return self.tokens.encode(text, add_special_tokens=False).ids

    def encode_with_specials(self, text):
        """Ids as the slow Qwen2Tokenizer gives them: NFC over the whole text, then special tokens are cut out."""
        import unicodedata
        text, ids = unicodedata.normalize("NFC", text), []
        for part in regex.split("(" + "|".join(map(regex.escape, self.special_ids)) + ")", text):
            ids += [self.special_ids[part]] if part in self.special_ids else self.encode(part)
        return ids

    def decode_bytes(self, ids):
        """Bytes of the ids; special tokens and ids outside the vocabulary give none."""
        return b"".join(self.bytes_of_id.get(i, b"") for i in ids)

    def decode(self, ids):
        return self.decode_bytes(ids).decode("utf-8", errors="replace")
