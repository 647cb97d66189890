#!/usr/bin/env python3
"""Makes tests/data/gguf/small.gguf and expected.safetensors with the `gguf` package: every tensor type that is read.

    python scripts/make_gguf_vectors.py
Needs: pip install -r scripts/requirements-oracle.txt
"""

import pathlib

import gguf
import numpy
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/data/gguf"
TYPES = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16,
         "q4_0": gguf.GGMLQuantizationType.Q4_0, "q4_1": gguf.GGMLQuantizationType.Q4_1,
         "q8_0": gguf.GGMLQuantizationType.Q8_0}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(20251123)
    writer = gguf.GGUFWriter(FOLDER / "small.gguf", "llama")
    writer.add_block_count(2)
    writer.add_rope_freq_base(100000.0)
    writer.add_token_list(["a", "b", "c"])
    expected = {}
    for name, kind in TYPES.items():
        values = (random.standard_normal((3, 64)) * 2).astype(numpy.float32)
        stored = gguf.quants.quantize(values, kind)
        writer.add_tensor(name, stored, raw_dtype=kind)
        expected[name] = numpy.ascontiguousarray(gguf.quants.dequantize(stored, kind).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, FOLDER / "expected.safetensors", metadata={"gguf": "0.19.0"})
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
