#!/usr/bin/env python3
"""Reference data for the C++ tests: random checkpoints, and what the authors' model does with two shards.

    python scripts/make_reference.py make [NAME...]         random checkpoints under tests/data/reference; "tiny"
                                                            is trained, by make_tiny_model.py
    python scripts/make_reference.py oracle NAME...         oracle rows, features and versions of each
    python scripts/make_reference.py blocks                 inputs and outputs of single layers
    python scripts/make_reference.py compare NAME [--trace FILE]
                                                            redo every file of the folder, or read a trace of the
                                                            program, and compare; rows that lack are differences

NAME is a folder of tests/data/reference, or "tiny" for models/aitqe-tiny. Greedy, batch 1, float32, eager
attention, CPU. File formats: tests/data/reference/README.md. Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import gzip
import hashlib
import io
import json
import pathlib
import platform
import re
import subprocess
import sys
import tarfile

import numpy
import PIL
import safetensors
import tokenizers
import torch
import transformers
from PIL import features as pillow_features
from safetensors.torch import load_file, save_file

import reference_blocks
import reference_model
import reference_vocabulary

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tests/data/reference"
SHARDS = [ROOT / "examples/pairs-00000.tar", ROOT / "tests/data/parity/hard-00000.tar"]
TINY = ROOT / "models/aitqe-tiny"
FEATURE_KEYS = ["000000", "000001", "000002", "image-jpeg-cmyk", "image-size-4000x30", "image-webp-alpha-lossy"]
SCORE_PREFIX = '{"Overall Score": "'
SCORE_KEY = b'"Overall Score": "'
RECAPTION_PREFIX = '{"Recaption'
NUM_TOP_LOGITS = 20
NUM_PROBES = 16
NEAR_TIE = 1e-4

# Three shapes that differ in everything a checkpoint may differ in.
CHECKPOINTS = {
    "grouped-bf16-sharded": {
        "seed": 11, "num_merges": 700, "vocab_multiple": 128, "dtype": "bfloat16", "num_files": 3,
        "language": {"hidden_size": 96, "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 6,
                     "num_key_value_heads": 3, "rope_theta": 1e6, "rms_norm_eps": 1e-6, "tie_word_embeddings": False},
        "vision_name": "siglip-tiny-56",
        "vision": {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 3,
                   "image_size": 56, "patch_size": 14},
        "generation_eos": ["<|im_end|>", "<|endoftext|>"], "config_eos": "<|endoftext|>",
    },
    "tied-f32-single": {
        "seed": 12, "num_merges": 300, "vocab_multiple": 1, "dtype": "float32", "num_files": 1,
        "language": {"hidden_size": 128, "intermediate_size": 120, "num_hidden_layers": 2, "num_attention_heads": 4,
                     "num_key_value_heads": 4, "rope_theta": 1e4, "rms_norm_eps": 1e-5, "tie_word_embeddings": True},
        "vision_name": "local/SigLIP-tiny-64",
        "vision": {"hidden_size": 72, "intermediate_size": 88, "num_hidden_layers": 3, "num_attention_heads": 3,
                   "image_size": 64, "patch_size": 16},
        "generation_eos": None, "config_eos": "<|endoftext|>",
    },
    "drop-first-mixed": {
        "seed": 13, "num_merges": 120, "vocab_multiple": 64, "dtype": "mixed", "num_files": 1,
        "language": {"hidden_size": 192, "intermediate_size": 136, "num_hidden_layers": 4, "num_attention_heads": 8,
                     "num_key_value_heads": 2, "rope_theta": 1e6, "rms_norm_eps": 1e-6, "tie_word_embeddings": False},
        "vision_name": "tower-tiny-50",
        "vision": {"hidden_size": 64, "intermediate_size": 72, "num_hidden_layers": 2, "num_attention_heads": 2,
                   "image_size": 50, "patch_size": 14},
        "generation_eos": "<|endoftext|>", "config_eos": "<|im_end|>",
    },
}


def folder_of(name):
    return TINY if name == "tiny" else REFERENCE / name


def config_of(spec, vocabulary):
    multiple, vision = spec["vocab_multiple"], spec["vision"]
    tokens = (vision["image_size"] // vision["patch_size"])**2
    pad = vocabulary.special_ids["<|endoftext|>"]
    return {
        "architectures": ["MMForCausalLM"], "model_type": "mm", **spec["language"],
        "vocab_size": -(-vocabulary.size // multiple) * multiple, "hidden_act": "silu",
        "max_position_embeddings": 8192, "initializer_range": 0.02, "rope_scaling": None, "attention_bias": False,
        "attention_dropout": 0.0, "use_cache": True,
        "torch_dtype": "float32" if spec["dtype"] == "float32" else "bfloat16",
        "bos_token_id": pad, "eos_token_id": vocabulary.special_ids[spec["config_eos"]], "pad_token_id": pad,
        "language_model_name_or_path": "qwen2-random", "vision_model_name_or_path": spec["vision_name"],
        "mm_projector_type": "mlp", "image_aspect_ratio": "square", "pesudo_img_size": vision["image_size"],
        "pesudo_patch_size": vision["patch_size"], "visual_hidden_dim": vision["hidden_size"], "pooling_kernel": 1,
        "image_tile_tokens": tokens if "siglip" in spec["vision_name"].lower() else tokens - 1,
        "image_token_index": -1, "pad_token_index": pad, "eos_token_index": pad,
    }


@torch.no_grad()
def fill(model, seed):
    """Random values that keep attention and logits spread: about 1 per unit, logits about 4."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, scale):
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * scale)

    tied = model.config["tie_word_embeddings"]
    hidden = model.config["hidden_size"]
    for name, tensor in sorted(model.tensors().items()):
        if name == "image_newline":
            normal(tensor, hidden**-0.5)
        elif name.endswith("embed_tokens.weight"):
            normal(tensor, 4 * hidden**-0.5 if tied else 1.0)
        elif name.endswith("lm_head.weight"):
            normal(tensor, 4 * hidden**-0.5)
        elif "norm" in name and name.endswith("weight"):
            normal(tensor, 0.25)
            tensor += 1
        elif name.endswith("position_embedding.weight") or name.endswith("probe"):
            normal(tensor, 0.7)
        elif name.endswith("bias"):
            normal(tensor, 0.3)
        else:  # matrices, and the patch convolution
            gain = 1.4 if "q_proj" in name or "k_proj" in name else 1.0
            if tied and name.startswith("model.") and ("o_proj" in name or "down_proj" in name):
                gain = 5.0  # else a tied model repeats its last token
            normal(tensor, gain * (tensor.numel() / tensor.shape[0])**-0.5)


def make_checkpoint(name, spec, ranks):
    folder = REFERENCE / name
    vision_folder = folder / spec["vision_name"].rsplit("/", 1)[-1]
    vision_folder.mkdir(parents=True, exist_ok=True)
    vocabulary = reference_vocabulary.Vocabulary.first_merges(ranks, spec["num_merges"])
    vocabulary.write(folder)
    config = config_of(spec, vocabulary)
    reference_model.write_json(folder / "config.json", config)
    if spec["generation_eos"]:
        eos = spec["generation_eos"]
        eos = [vocabulary.special_ids[e] for e in eos] if isinstance(eos, list) else vocabulary.special_ids[eos]
        reference_model.write_json(folder / "generation_config.json", {"eos_token_id": eos, "max_new_tokens": 2048})
    vision = {"architectures": ["SiglipVisionModel"], "model_type": "siglip_vision_model", "attention_dropout": 0.0,
              "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6, "num_channels": 3, **spec["vision"]}
    reference_model.write_json(vision_folder / "config.json", vision)
    reference_model.write_json(vision_folder / "preprocessor_config.json",
                               reference_model.preprocessor_config(vision["image_size"]))

    model = reference_model.ReferenceModel(config, vision)
    fill(model, spec["seed"])
    tensors = {k: v.clone() for k, v in model.tensors().items()}
    output = tensors.get("model.lm_head.weight", tensors["model.model.embed_tokens.weight"])
    for special in ("<|endoftext|>", "<|im_end|>"):  # so that some answers end
        output[vocabulary.special_ids[special]] *= 1.15
    for rows in ("model.lm_head.weight", "model.model.embed_tokens.weight"):
        if rows in tensors:  # ids beyond the vocabulary are never chosen
            tensors[rows][vocabulary.size:] = 0

    def stored(tensor_name, tensor):
        if spec["dtype"] == "float32" or (spec["dtype"] == "mixed" and tensor.ndim == 1):
            return tensor
        return tensor.to(torch.bfloat16)

    reference_model.write_tensors(folder, {k: stored(k, v) for k, v in tensors.items()}, spec["num_files"])
    size = sum(f.stat().st_size for f in folder.glob("*.safetensors"))
    print(f"{name}: {size} bytes of weights, {vocabulary.size} tokens, {config['image_tile_tokens']} image tokens")


def samples(shard):
    """(key, image bytes, caption bytes) in the order of the tar."""
    found = {}
    with tarfile.open(shard) as archive:
        for member in archive:
            key, extension = member.name.split(".", 1)
            found.setdefault(key, {})[extension] = archive.extractfile(member).read()
    for key, members in found.items():
        image = next(members[e] for e in ("jpg", "png", "webp") if e in members)
        yield key, image, members["txt"]


class Oracle:
    """One model and its tokenizer; answers a pair as the authors' inference.py does, captions being text only."""

    def __init__(self, folder, max_new_tokens):
        self.model = reference_model.ReferenceModel.load(folder)
        self.tokenizer = reference_vocabulary.ReferenceTokenizer(folder)
        self.ends = reference_model.end_ids(folder, self.model.config)
        self.max_new_tokens = max_new_tokens
        self.num_image_tokens = self.model.config["image_tile_tokens"]

    def image_tokens(self, pixels):
        """Vision features [P, vision_dim] and projected ones [P, hidden]."""
        features = self.model.vision_features(torch.from_numpy(pixels)[None])
        assert features.shape[1] == self.num_image_tokens
        return features[0], self.model.projector(features)[0]

    def logits_after(self, image, text_ids, forced):
        """Logits at the end of the prompt and after each forced id: [1 + len(forced), V]."""
        out = self.model.language(inputs_embeds=self.model.embed(image, text_ids + forced), use_cache=False)
        return out.logits[0, -1 - len(forced):]

    def generate(self, image, text_ids, until_end=False):
        """Greedy ids, margins and the logits each id was chosen from."""
        language = self.model.language
        out = language(inputs_embeds=self.model.embed(image, text_ids), use_cache=True)
        ids, margins, steps, written = [], [], [], b""
        while True:
            logits = out.logits[0, -1]
            steps.append(logits)
            top = torch.topk(logits, 2).values
            margins.append(round(float(top[0] - top[1]), 6))
            ids.append(int(torch.argmax(logits)))
            before = len(written)
            written += self.tokenizer.decode_bytes(ids[-1:])
            start = max(0, before - len(reference_model.STOP_TEXT) + 1)
            stopped = reference_model.STOP_TEXT in written[start:] and not until_end
            if ids[-1] in self.ends or stopped or len(ids) == self.max_new_tokens:
                return ids, margins, steps
            out = language(input_ids=torch.tensor([ids[-1:]]), past_key_values=out.past_key_values, use_cache=True)

    def digit_probabilities(self, image, text_ids, answer_ids):
        """P of "1".."9" as the next token, and of "0" after "1": digits are single tokens."""
        digits = [self.tokenizer.encode(str(d)) for d in range(10)]
        assert all(len(d) == 1 for d in digits)
        logits = self.logits_after(image, text_ids, answer_ids + digits[1])[-2:]
        p = torch.softmax(logits.double(), dim=-1)
        return {"digits": [rounded(p[0, digits[d][0]]) for d in range(1, 10)],
                "zero_after_one": rounded(p[1, digits[0][0]])}

    def score(self, image, text_ids, ids):
        """Digit probabilities where the answer's score begins, if it has one."""
        written = b""
        for step, token in enumerate(ids):
            written += self.tokenizer.decode_bytes([token])
            if written.endswith(SCORE_KEY):
                return {"step": step + 1, **self.digit_probabilities(image, text_ids, ids[:step + 1])}
            if SCORE_KEY in written:
                return None
        return None

    @torch.inference_mode()
    def answer(self, pixels, caption):
        _, image = self.image_tokens(pixels)
        ids, margins, _ = self.generate(image, reference_model.prompt_ids(self.tokenizer, caption))
        return {"ids": ids, "margins": margins, "text": self.tokenizer.decode(ids)}

    @torch.inference_mode()
    def forced_score(self, pixels, caption):
        _, image = self.image_tokens(pixels)
        text_ids = reference_model.prompt_ids(self.tokenizer, caption)
        return self.digit_probabilities(image, text_ids, self.tokenizer.encode(SCORE_PREFIX))

    @torch.inference_mode()
    def row(self, data, caption, full):
        pixels = reference_model.pixel_values(data, self.model.image_size)
        features, image = self.image_tokens(pixels)
        text_ids = reference_model.prompt_ids(self.tokenizer, caption.decode("utf-8", errors="replace"))
        ids, margins, steps = self.generate(image, text_ids)
        top = torch.topk(steps[0], NUM_TOP_LOGITS)
        recaption = self.tokenizer.encode(RECAPTION_PREFIX)
        spelt = torch.log_softmax(self.logits_after(image, text_ids, recaption[:-1]).double(), dim=-1)
        log_p = spelt.gather(1, torch.tensor(recaption)[:, None]).sum()
        row = {
            "num_image_tokens": self.num_image_tokens,
            "text_ids": text_ids,
            "pixels_sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
            "features_probe": [rounded(v) for v in features.flatten()[::features.numel() // NUM_PROBES][:NUM_PROBES]],
            "first_logits": {"ids": top.indices.tolist(), "values": [rounded(v) for v in top.values]},
            "ids": ids,
            "margins": margins,
            "text": self.tokenizer.decode(ids),
            "score": self.score(image, text_ids, ids),
            "score_forced": self.digit_probabilities(image, text_ids, self.tokenizer.encode(SCORE_PREFIX)),
            "p_recaption": rounded(log_p.exp()),
            "log_p_recaption": rounded(log_p),
        }
        if full:
            ids, margins, _ = self.generate(image, text_ids, until_end=True)
            row["full"] = {"ids": ids, "margins": margins, "text": self.tokenizer.decode(ids)}
        return row


def rounded(value):
    """Nine significant digits: a float32 comes back exactly."""
    return float(f"{float(value):.9g}")


def rows(name, max_new_tokens, limit=None):
    oracle = Oracle(folder_of(name), max_new_tokens)
    index = 0
    for shard in SHARDS:
        for key, data, caption in samples(shard):
            if limit is not None and index >= limit:
                return
            row = {"key": key, "shard": shard.name}
            try:
                row |= oracle.row(data, caption, full=name == "tiny" and index % 4 == 0)
            except (PIL.UnidentifiedImageError, OSError) as error:
                row["failure"] = re.sub(r" <.*", "", str(error))
            index += 1
            yield row


def reference_specials(tokenizer, pad_id, caption):
    """Text ids under the authors' own caption rules, or None where their code raises."""
    image = '<img_start>{"path": "PATH", "source": "localpath", "file_type": "I"}<img_end>'
    text = image + "\n" + reference_model.PROMPT_BEFORE[1:] + caption + reference_model.PROMPT_AFTER
    marker = "<img_start>(.*?)<img_end>"

    def parsed(inner):
        try:
            return True, json.loads(inner)
        except json.JSONDecodeError:
            return False, None

    for inner in re.findall(marker, text):  # image markers that are JSON get a noloss frame
        usable, value = parsed(inner)
        if not usable:
            continue
        if not isinstance(value, dict):
            return None
        kind = value.get("file_type", "image")
        if not isinstance(kind, str) or kind.lower() != "i":
            return None
        whole = f"<img_start>{inner}<img_end>"
        text = text.replace(whole, f"<noloss_start>{whole}<noloss_end>")
    text = re.sub("<img_end> +", "<img_end>", text)
    text = re.sub("<img_end>(?![ \n])", "<img_end>\n", text)
    for inner in re.findall(marker, text):
        usable, value = parsed(inner)
        if not (usable and isinstance(value, dict) and "path" in value):
            text = text.replace(f"<img_start>{inner}<img_end>", "")
    parts = re.split("(<noloss_start>.*?<noloss_end>)", text, flags=re.DOTALL)
    if len(parts) != 3:
        return None
    ids = []
    for part in parts:
        if part.startswith("<noloss_start>"):
            part = part.replace("<noloss_start>", "").replace("<noloss_end>", "")
            part = "".join(p for p in re.split(f"({marker[:11]}.*?<img_end>)", part) if not re.match(marker, p))
        ids += tokenizer.encode_with_specials(part)
    return None if pad_id in ids else ids


def write_lines(path, lines):
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=9) as stream:
        for line in lines:
            stream.write((json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n").encode())
    path.write_bytes(buffer.getvalue())


def read_lines(path):
    with gzip.open(path, "rt") as stream:
        return [json.loads(line) for line in stream]


def default_max_new_tokens(name):
    return 384 if name == "tiny" else 48


def specials_rows(oracle):
    pad = oracle.model.config["pad_token_index"]
    for key, _, caption in samples(SHARDS[1]):
        ids = reference_specials(oracle.tokenizer, pad, caption.decode("utf-8", errors="replace"))
        yield {"key": key, "raises": True} if ids is None else {"key": key, "text_ids": ids}


def feature_tensors(oracle):
    tensors = {}
    with torch.inference_mode():
        for shard in SHARDS:
            for key, data, _ in samples(shard):
                if key in FEATURE_KEYS:
                    pixels = reference_model.pixel_values(data, oracle.model.image_size)
                    vision, projected = oracle.image_tokens(pixels)
                    tensors |= {f"{key}.vision": vision.contiguous(), f"{key}.projector": projected.contiguous()}
    return tensors


def run_oracle(name):
    target = REFERENCE / name
    target.mkdir(parents=True, exist_ok=True)
    count = default_max_new_tokens(name)
    written = list(rows(name, count))
    write_lines(target / "oracle.jsonl.gz", written)
    oracle = Oracle(folder_of(name), count)
    write_lines(target / "reference_specials.jsonl.gz", specials_rows(oracle))
    save_file(feature_tensors(oracle), target / "features.safetensors")

    answered = [r for r in written if "ids" in r]
    margins = [min(r["margins"]) for r in answered]
    summary = {
        "rows": len(written), "failures": len(written) - len(answered), "max_new_tokens": count,
        "smallest_margin": min(margins), "rows_with_near_ties": sum(m < NEAR_TIE for m in margins),
        "near_tie": NEAR_TIE, "rows_ended_by_eos": sum(r["ids"][-1] in oracle.ends for r in answered),
        "rows_ended_by_stop_text": sum("<Overall>" in r["text"] for r in answered),
        "dtype": "float32", "attention": "eager", "device": "cpu",
        "python": platform.python_version(), "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
        "safetensors": safetensors.__version__, "numpy": numpy.__version__, "pillow": PIL.__version__,
        "libjpeg_turbo": pillow_features.version("libjpeg_turbo"), "webp": pillow_features.version("webp"),
        "zlib": pillow_features.version("zlib"),
        "shards": {s.name: hashlib.sha256(s.read_bytes()).hexdigest() for s in SHARDS},
    }
    reference_model.write_json(target / "versions.json", summary)
    print(name, json.dumps({k: summary[k] for k in list(summary)[:8]}))


def trace_rows(path):
    """The program's --trace lines in the oracle's form."""
    for line in path.read_text().splitlines():
        row = json.loads(line)
        ids = row.pop("input_ids")
        row["num_image_tokens"] = ids.count(-1)
        row["text_ids"] = [i for i in ids if i != -1]
        yield row


def compare_rows(expected, found, tolerance):
    """Differences in words; ids may differ only from a near tie on."""
    problems = []
    if ("failure" in expected) != ("failure" in found):
        return [f"failure: {expected.get('failure')!r} and {found.get('failure')!r}"]
    for field in ("num_image_tokens", "text_ids", "pixels_sha256"):
        if field in found and found[field] != expected.get(field):
            problems.append(f"{field} differs")

    def close(field, a, b):
        worst = max((abs(x - y) / max(1.0, abs(x)) for x, y in zip(a, b)), default=0.0)
        if len(a) != len(b) or worst > tolerance:
            problems.append(f"{field}: off by {worst:.3g}")

    if "features_probe" in found and "features_probe" in expected:
        close("features_probe", expected["features_probe"], found["features_probe"])
    if "first_logits" in found and "first_logits" in expected:
        own = dict(zip(found["first_logits"]["ids"], found["first_logits"]["values"]))
        shared = [(v, own[i]) for i, v in zip(*expected["first_logits"].values()) if i in own]
        if len(shared) < NUM_TOP_LOGITS - 2:
            problems.append("first_logits: other ids")
        close("first_logits", [a for a, _ in shared], [b for _, b in shared])
    if "ids" in found and "ids" in expected and found["ids"] != expected["ids"]:
        pairs = zip(expected["ids"], found["ids"])
        at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(expected["ids"]), len(found["ids"])))
        margin = expected["margins"][at] if at < len(expected["margins"]) else None
        if margin is None or margin >= NEAR_TIE:
            problems.append(f"ids differ from step {at} on, where the margin is {margin}")
    elif found.get("text", expected.get("text")) != expected.get("text"):
        problems.append("text differs")
    return problems


def compare_other_files(name, tolerance):
    """Differences of the folder's other files from what is computed now."""
    oracle = Oracle(folder_of(name), default_max_new_tokens(name))
    problems = []
    if list(specials_rows(oracle)) != read_lines(REFERENCE / name / "reference_specials.jsonl.gz"):
        problems.append("reference_specials.jsonl.gz differs")
    problems += compare_tensors(load_file(REFERENCE / name / "features.safetensors"), feature_tensors(oracle), tolerance)
    return problems


def compare_tensors(expected, found, tolerance):
    problems = [f"{tensor}: in one of the two only" for tensor in expected.keys() ^ found.keys()]
    for tensor in sorted(expected.keys() & found.keys()):
        a, b = expected[tensor], found[tensor]
        if a.shape != b.shape or not torch.allclose(a.double(), b.double(), rtol=tolerance, atol=tolerance):
            problems.append(f"{tensor} differs")
    return problems


def run_compare(name, options):
    expected = {(r["shard"], r["key"]): r for r in read_lines(REFERENCE / name / "oracle.jsonl.gz")}
    by_key = {key: r for (_, key), r in expected.items()}
    if options.trace:
        found = trace_rows(options.trace)
    else:
        found = rows(name, default_max_new_tokens(name), options.limit)
    left = set(by_key)
    wrong = 0
    for row in found:
        problems = compare_rows(by_key[row["key"]], row, options.tolerance)
        left.discard(row["key"])
        if problems:
            wrong += 1
            print(f"{row['key']}: {'; '.join(problems)}")
    print(f"{name}: {len(by_key) - len(left)} rows compared, {wrong} differ")
    if left and options.limit is None:
        print(f"{name}: {len(left)} rows are missing: {', '.join(sorted(left)[:10])}")
    others = [] if options.trace or options.limit is not None else compare_other_files(name, options.tolerance)
    for problem in others:
        print(f"{name}: {problem}")
    return wrong == 0 and not others and (not left or options.limit is not None)


def run_compare_blocks(tolerance):
    problems = compare_tensors(load_file(REFERENCE / "blocks.safetensors"), reference_blocks.tensors(), tolerance)
    print(f"blocks: {len(problems)} differ", *problems)
    return not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["make", "oracle", "blocks", "compare"])
    parser.add_argument("names", nargs="*", help="which references; all when absent")
    parser.add_argument("--qwen-ranks", type=pathlib.Path, help="qwen.tiktoken; downloaded with pip when absent")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, help="compare: only the first rows")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="compare: relative, for features and logits")
    parser.add_argument("--trace", type=pathlib.Path, help="compare: lines written by the program's --trace")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    names = options.names or [*CHECKPOINTS, *(["tiny"] if options.command in ("oracle", "compare") else [])]
    unknown = set(names) - {*CHECKPOINTS, "tiny"}
    if unknown:
        parser.error(f"{', '.join(unknown)}: expected some of {', '.join(CHECKPOINTS)}, tiny")
    if options.command == "make":
        ranks = reference_vocabulary.load_qwen_ranks(options.qwen_ranks)
        for name in names:
            if name == "tiny":
                subprocess.run([sys.executable, ROOT / "scripts/make_tiny_model.py", "train"], check=True)
            else:
                make_checkpoint(name, CHECKPOINTS[name], ranks)
    elif options.command == "blocks":
        reference_blocks.write(REFERENCE / "blocks.safetensors")
    elif options.command == "oracle":
        for name in names:
            run_oracle(name)
    else:
        agrees = [run_compare(name, options) for name in names]
        if not options.names and not options.trace:
            agrees.append(run_compare_blocks(options.tolerance))
        if not all(agrees):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
