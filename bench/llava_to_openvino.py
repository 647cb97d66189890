#!/usr/bin/env python3
"""Writes an exported model (`aitqe convert --to llava`) as OpenVINO GenAI's VLMPipeline reads it.

    python bench/llava_to_openvino.py LLAVA OUT

optimum-intel does it. Weights are f32 in the file; the plugin converts them to what it computes in. GenAI tokenises a
prompt in one piece, where ours keeps the newline after the image apart: the tokenizer written here does not know the
token of two newlines, so that the ids are ours. Needs: pip install -r scripts/requirements-peer-openvino.txt
"""

import argparse
import json
import pathlib
import shutil
import tempfile

import openvino
from openvino_tokenizers import convert_tokenizer
from optimum.intel import OVModelForVisualCausalLM
from transformers import PreTrainedTokenizerFast

NEWLINES = "\u010a\u010a"  # two newlines in GPT-2's byte alphabet


def without_double_newline(source, folder):
    """A copy of the tokenizer that cannot spell two newlines as one token; ids stay."""
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    model = tokenizer["model"]
    model["merges"] = [merge for merge in model["merges"] if NEWLINES not in merge.replace(" ", "")]
    model["vocab"] = {token.replace(NEWLINES, "<two newlines>"): id for token, id in model["vocab"].items()}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    shutil.copyfile(source / "tokenizer_config.json", folder / "tokenizer_config.json")


def preprocessor_config(source):
    """With the names that GenAI looks for; it knows no resize to a given height and width."""
    config = json.loads((source / "preprocessor_config.json").read_text())
    size = config["size"]
    return config | {"size": {"shortest_edge": size["height"]}, "crop_size": size, "do_center_crop": True}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("llava", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    model = OVModelForVisualCausalLM.from_pretrained(options.llava, export=True, compile=False, load_in_8bit=False)
    model.save_pretrained(options.out)
    with tempfile.TemporaryDirectory() as name:
        without_double_newline(options.llava, pathlib.Path(name))
        tokenizers = convert_tokenizer(PreTrainedTokenizerFast.from_pretrained(name), with_detokenizer=True)
    for tokenizer, file in zip(tokenizers, ("openvino_tokenizer.xml", "openvino_detokenizer.xml")):
        openvino.save_model(tokenizer, options.out / file)
    shutil.copyfile(options.llava / "generation_config.json", options.out / "generation_config.json")
    (options.out / "preprocessor_config.json").write_text(json.dumps(preprocessor_config(options.llava)))


if __name__ == "__main__":
    main()
