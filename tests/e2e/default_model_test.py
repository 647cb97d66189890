"""`aitqe enhance` without --model: the default model, on real pairs it was not trained on."""

import json
import random
import statistics
import struct
import tarfile
import unittest

from support import EXAMPLES, SOURCE_DIR, EndToEndTest

SELECTION = SOURCE_DIR / "scripts/openclipart_selection.tsv"


def generic_urls():
    """Drawings of the example shard that came with a generic caption: a person wrote a better one for each."""
    rows = [line.split("\t") for line in SELECTION.read_text(encoding="utf-8").splitlines()]
    return {row[0] for row in rows if len(row) > 2 and row[2] and not row[0].startswith("#")}


RECIPE = """
model = "{model}"
[[stage]]
name = "captions"
task = "caption"
shards = ["{shard}"]
num_steps = 16
images_per_step = 1
concepts = "{concepts}"
concepts_per_step = 3
warmup_steps = 1
[[stage.train]]
tensors = "mm_projector.*"
learning_rate = 3e-3
"""


def write_concepts(path, texts, dim):
    """A file as scripts/make_default_model.py writes it, with directions by chance."""
    generator = random.Random(1)
    rows = struct.pack(f"<{len(texts) * dim}f", *(generator.gauss(0, 0.064) for _ in range(len(texts) * dim)))
    lines = "\n".join(texts).encode()
    header = json.dumps({
        "rows": {"dtype": "F32", "shape": [len(texts), dim], "data_offsets": [0, len(rows)]},
        "texts": {"dtype": "U8", "shape": [len(lines)], "data_offsets": [len(rows), len(rows) + len(lines)]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + rows + lines)


class DefaultModelTest(EndToEndTest):
    def test_it_learns_concepts_without_pictures(self):
        write_concepts(self.folder / "concepts.safetensors", ["quartz lamp"], 1280)
        recipe = self.folder / "recipe.toml"
        recipe.write_text(RECIPE.format(model=SOURCE_DIR / ".deps/models/aitqe-small", shard=EXAMPLES,
                                        concepts=self.folder / "concepts.safetensors"))
        self.aitqe("train", recipe, "-o", self.folder / "model")
        rows = [json.loads(line) for line in (self.folder / "model/metrics.jsonl").read_text().splitlines()]
        losses = [row["loss"] for row in rows]
        self.assertEqual(len(losses), 16)
        # Three of four texts are the same two words; the fourth, of a picture, makes some steps dear to the end.
        self.assertLess(statistics.median(losses[8:]), 0.5 * losses[0], losses)

    def test_it_mends_generic_captions_and_keeps_the_others(self):
        result = self.aitqe("enhance", EXAMPLES, "-o", self.folder / "out")
        self.assertIn("aitqe-small", result.stderr)
        run = json.loads((self.folder / "out/_aitqe/run.json").read_text())
        self.assertEqual(run["config"]["max_new_tokens"], 128)  # what the model says of itself
        with tarfile.open(EXAMPLES) as tar:
            urls = {m.name.split(".")[0]: json.load(tar.extractfile(m))["url"] for m in tar if m.name.endswith(".json")}
        generic = {key for key, url in urls.items() if url.split(":", 1)[1].rsplit(".", 1)[0] in generic_urls()}
        self.assertEqual(len(generic), 80)
        rows = self.output("pairs-00000").rows
        rewritten = {row["key"] for row in rows if row["decision"] == "rewrite"}
        kept = {row["key"] for row in rows if row["decision"] == "keep"}
        self.assertGreaterEqual(len(rewritten & generic), 0.75 * len(generic))
        self.assertGreaterEqual(len(kept - generic), 0.75 * (len(rows) - len(generic)))
        for row in rows:
            if row["key"] in kept:
                self.assertEqual(row["caption_out"], row["caption"])


if __name__ == "__main__":
    unittest.main()
