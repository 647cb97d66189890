"""What scripts/judge_rewrites.py compares a rewrite with."""

import json
import os
import pathlib
import sys
import tempfile
import unittest

import numpy

ROOT = pathlib.Path(os.environ.get("AITQE_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "scripts"))

import judge_rewrites  # noqa: E402

WORDS = ("cat", "dog", "tree", "car")


def encode(texts):
    """A word a dimension."""
    return numpy.array([[text.split().count(word) for word in WORDS] for text in texts], numpy.float32)


def row(source, truth, recaption, caption="car", **more):
    return {"kind": "other_image", "rewrites": True, "source": source, "truth": truth, "caption": caption,
            "recaption": recaption} | more


class JudgeRewritesTest(unittest.TestCase):
    def test_only_rewritten_mismatches_of_a_known_truth_count(self):
        rows = [row("a", "cat", "cat"), row("a", "cat", "cat", kind="near_miss"), row("a", "cat", "cat", rewrites=False),
                row("a", "", "cat"), row("a", "cat", " ")]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "trials.jsonl"
            path.write_text("".join(json.dumps(one) + "\n" for one in rows))
            self.assertEqual(judge_rewrites.read_rewrites([path]), rows[:1])

    def test_strangers_are_of_the_same_source(self):
        rows = [row("a", "cat", "cat"), row("b", "tree", "tree tree"), row("a", "dog", "dog cat"), row("b", "car", "tree")]
        found = judge_rewrites.cosines(rows, encode)
        self.assertEqual(found.rewrite.tolist(), [1, 2, 1, 0])
        self.assertEqual(found.bad.tolist(), [0, 0, 0, 1])
        self.assertEqual(found.stranger.tolist(), [1, 1, 0, 0])
        self.assertEqual(judge_rewrites.by_source(rows), {"a": [0, 2], "b": [1, 3]})

    def test_each_text_is_told_from_those_of_all_other_images_and_equal_ones_count_half(self):
        rows = [row("a", "cat", "cat"), row("b", "cat", "cat"), row("b", "dog", "tree")]
        self.assertEqual(judge_rewrites.wins_over_others(judge_rewrites.cosines(rows, encode)).tolist(), [0.75, 0.75, 0.5])


if __name__ == "__main__":
    unittest.main()
