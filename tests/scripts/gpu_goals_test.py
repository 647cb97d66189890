#!/usr/bin/env python3
"""scripts/gpu_goals.py on results that were written by hand: arithmetic that can be done in the head."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import gpu_goals  # noqa: E402


def engine(mode, rate, dtype="bf16", tflop=10, preset="full", device="cuda"):
    return (f"mode={mode} preset={preset} device={device} dtype={dtype} backend=fused new_tokens=45\nround 1: pairs_per_s={rate * 2}\n"
            f"median: pairs_per_s={rate} (1 to 99) tflop_per_pair={tflop} tflop_per_s=1\nfirst logits of pair 0: 1=2.0\n")


def peer(mode, rate, new_tokens):
    return f"mode={mode} preset=full device=cuda new_tokens={new_tokens}\nround 1: pairs_per_s=7\nmedian: pairs_per_s={rate} (1 to 9)\n"


def products(bf16, fp8):
    return "".join(f"{kind} 16384x{n}x{k}: {rate} TF/s (1 to 9999)\n" for kind, rate in (("bf16", bf16), ("fp8 ", fp8))
                   for n, k in gpu_goals.PRODUCTS)


RESULTS = {
    "ceilings": products(800, 1000), "prefill": engine("prefill", 50) + engine("prefill", 64),
    "score": engine("score", 60, tflop=99), "rewrite": engine("rewrite", 30) + engine("rewrite", 54),
    "again": engine("again", 56), "fp8": engine("prefill", 95, "fp8") + engine("score", 90, "fp8"),
    "peer-score": peer("loop", 4, 10) + peer("batched", 20, 10) + peer("batched", 24, 10),
    "peer-rewrite": peer("loop", 1.5, 45) + peer("batched", 9, 45) + peer("batched", 99, 2),
}


class GpuGoalsTest(unittest.TestCase):
    def test_takes_the_best_run_of_each_step(self):
        found = gpu_goals.figures(RESULTS)
        self.assertAlmostEqual(found["G1"], 10 * 60 / 800)
        self.assertAlmostEqual(found["G2"], 54 / 60)
        self.assertAlmostEqual(found["G3 score"], 15)
        self.assertAlmostEqual(found["G3 rewrite"], 36)
        self.assertAlmostEqual(found["G4 score"], 2.5)
        self.assertAlmostEqual(found["G4 rewrite"], 6)
        self.assertAlmostEqual(found["G5"], 1.5)
        self.assertAlmostEqual(found["G6"], 0.9)
        self.assertAlmostEqual(found["G9"], 64 / 56 - 1)

    def test_says_of_each_goal_whether_it_held(self):
        verdicts = {line.split("  ")[0].strip(): line for line in gpu_goals.table(RESULTS)}
        self.assertTrue(verdicts["G1"].endswith(" held"))
        self.assertTrue(verdicts["G3 rewrite"].endswith("NOT HELD"))
        self.assertTrue(verdicts["G9"].endswith(" held"))
        self.assertIn("unmeasured", verdicts["G8"])

    def test_takes_no_other_model_or_device_for_the_full_one_on_a_gpu(self):
        for other in ({"preset": "tiny"}, {"device": "cpu"}):
            found = gpu_goals.figures(RESULTS | {"rewrite": engine("rewrite", 54, **other)})
            self.assertIsNone(found["G2"])

    def test_names_what_has_no_result(self):
        lines = gpu_goals.table({"score": RESULTS["score"]})
        self.assertEqual(sum("unmeasured" in line for line in lines), len(gpu_goals.GOALS) + 2)
        self.assertFalse(any("HELD" in line for line in lines))

    def test_weighs_products_by_the_work_they_are_in_a_pair(self):
        slow = products(800, 1000).replace("bf16 16384x37888x3584: 800", "bf16 16384x37888x3584: 400")
        rate = gpu_goals.product_rate(slow, "bf16")
        self.assertGreater(rate, 480)  # gate and up are some six tenths of the work
        self.assertLess(rate, 560)


if __name__ == "__main__":
    unittest.main()
