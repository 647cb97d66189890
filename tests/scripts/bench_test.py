#!/usr/bin/env python3
"""scripts/bench: what its tables say of records that were written by hand."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/bench"))
import figures  # noqa: E402
import report  # noqa: E402


def one_round(dtype, workload, ratios, same=16):
    peers = {name: {"figures": {"aitqe / it": ratio}, "ids": {"same": same, "pairs": 16}} for name, ratio in ratios.items()}
    return {"round": 0, "dtype": dtype, "workload": workload, "figures": {"prefill / GEMM ceiling": 0.7}, "peers": peers}


def bars_of(rounds, nearness=None):
    return {what: (figure, held) for what, figure, _, held in
            figures.bars(figures.summarise(rounds), rounds, nearness or {})}


class BarsTest(unittest.TestCase):
    def test_the_weakest_ratio_to_any_setting_of_a_peer_counts(self):
        bars = bars_of([one_round("bf16", "score", {"transformers": 2.0, "transformers, 8 at once": 1.4,
                                                    "transformers, 16 at once": 1.2, "openvino": 1.7,
                                                    "openvino, 16 at once": 0.9, "llama.cpp": 1.1})])
        self.assertEqual(bars["bf16, score: aitqe / transformers"], (2.0, True))
        self.assertEqual(bars["bf16, score: aitqe / transformers at its best in batches"], (1.2, False))
        self.assertEqual(bars["bf16, score: aitqe / openvino at its best"], (0.9, False))
        self.assertEqual(bars["bf16, score: aitqe / llama.cpp at its best"], (1.1, True))
        self.assertEqual(bars["bf16, score: prefill / GEMM ceiling"], (0.7, True))

    def test_every_f32_answer_has_to_be_that_of_the_reference(self):
        bars = bars_of([one_round("f32", "score", {"transformers": 2.0}, same=15)])
        self.assertEqual(bars["f32, score: answers with the ids of transformers"], (15, False))

    def test_rounding_is_judged_against_f32_and_beside_the_reference(self):
        answers = {("f32", "score"): {"transformers": {"a": [1, 2, 3, 4], "b": [5, 6, 7, 8]}},
                   ("bf16", "score"): {"aitqe": {"a": [1, 2, 3, 4], "b": [5, 6, 0, 8]},
                                       "transformers": {"a": [1, 0, 3, 4], "b": [5, 6, 7, 8]}}}
        nearness = figures.against_f32(answers)
        self.assertEqual(nearness["score"]["aitqe"], {"f32_ids_of": "transformers", "pairs": 2, "tokens_alike": 3,
                                                      "same": 1})
        self.assertEqual(nearness["score"]["transformers"]["tokens_alike"], 2.5)
        bars = bars_of([], nearness)
        self.assertEqual(bars["bf16, score: tokens as in f32, ours / those of transformers"], (1.2, True))
        self.assertIn("3.00      1 of 2", "\n".join(report.nearness({"against_f32": nearness})))

    def test_who_was_not_there_is_named(self):
        bars = bars_of([one_round("f32", "score", {})])
        self.assertEqual(bars["f32, score: answers with the ids of transformers"], (None, None))
        self.assertEqual(bars["f32, score: aitqe / openvino at its best"], (None, None))
        self.assertTrue(report.verdicts({"bars": [("a", None, 1.0, None)]})[-1].endswith("unmeasured"))

    def test_what_did_not_hold_is_told_in_capitals(self):
        self.assertIn("NOT HELD", report.verdicts({"bars": [("a", 1.0, 2.0, False)]})[-1])


if __name__ == "__main__":
    unittest.main()
