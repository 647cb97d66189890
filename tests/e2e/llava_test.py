"""`aitqe convert --to llava`: what HF `tokenizers` makes of the exported folder, and what is refused.

That transformers computes the same from it is checked by scripts/check_llava.py, which needs torch.
"""

import json
import tarfile
import unittest

from support import EXAMPLES, MODEL_FLAGS, SOURCE_DIR, TINY_MODEL, EndToEndTest

from tokenizers import Tokenizer

BEFORE, AFTER = "\nEvaluate the caption: ", ("\nif score is low, give a short description of the image.\n"
                                             "Respond using a dictionary structure.")


class LlavaTest(EndToEndTest):
    def test_hf_tokenizers_gives_our_ids_with_the_exported_file(self):
        self.aitqe("convert", TINY_MODEL, "--to", "llava", "-o", self.folder / "llava")
        tokenizer = Tokenizer.from_file(str(self.folder / "llava/tokenizer.json"))
        trace = self.folder / "trace.jsonl"
        self.aitqe("score", EXAMPLES, "-o", self.folder / "out", "--limit", "40", "--max-new-tokens", "1", "--trace",
                   trace, "--max-failed", "100%", *MODEL_FLAGS)
        rows = [json.loads(line) for line in trace.read_text().splitlines()]
        self.assertEqual(len(rows), 40)
        config = json.loads((self.folder / "llava/config.json").read_text())
        with tarfile.open(EXAMPLES) as archive:
            for row in rows:
                caption = archive.extractfile(f"{row['key']}.txt").read().decode()
                pieces = ["<image>" * config["image_seq_length"], "\n", BEFORE + caption + AFTER]
                ids = [id for piece in pieces for id in tokenizer.encode(piece).ids]
                ours = [config["image_token_index"] if id == -1 else id for id in row["input_ids"]]
                self.assertEqual(ids, ours, row["key"])

    def test_another_tower_is_refused_in_one_line(self):
        result = self.aitqe("convert", SOURCE_DIR / "models/aitqe-small", "--to", "llava", "-o", self.folder / "x",
                            expect=6)
        self.assertIn("is no SigLIP", result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertFalse((self.folder / "x").exists())

    def test_usage_errors(self):
        export = ["convert", TINY_MODEL, "--to", "llava"]
        self.assertIn("-o", self.aitqe(*export, expect=2).stderr)
        self.assertIn("--base", self.aitqe(*export, "--base", TINY_MODEL, "-o", "x", expect=2).stderr)
        self.assertIn("--to", self.aitqe("convert", TINY_MODEL, "--to", "gguf", "-o", "x", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
