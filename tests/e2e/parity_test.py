"""The program against the reference, token by token: input ids, pixels, first logits, generated ids."""

import json
import unittest

import oracle

LOGIT_TOLERANCE = 1e-3
# A step whose two best logits lie closer than this may go either way, in at most 1 % of the pairs.
NEAR_TIE = 1e-4
# In bf16 products carry 8 bits; a step is compared only where the reference's margin is clear of that.
BF16_CLEAR_MARGIN = 1.0
MOST_NEAR_TIES = 0.01


def first_difference(ours, theirs):
    """Index of the first step that differs, or None."""
    for step, (a, b) in enumerate(zip(ours, theirs)):
        if a != b:
            return step
    return None if len(ours) == len(theirs) else min(len(ours), len(theirs))


class ParityTest(unittest.TestCase):
    def run_checkpoint(self, name, dtype, *options):
        run = oracle.Run(name, "--dtype", dtype, "--max-new-tokens", str(oracle.max_new_tokens(name)), *options)
        expected = oracle.oracle(name)
        self.assertGreaterEqual(len(expected), 300)
        self.assertEqual(run.trace.keys(), expected.keys())
        return run, expected

    def check_inputs(self, name, ours, theirs):
        self.assertEqual(ours["input_ids"], [-1] * theirs["num_image_tokens"] + theirs["text_ids"], name)
        self.assertEqual(ours["pixels_sha256"], theirs["pixels_sha256"], name)

    def check_first_logits(self, name, ours, theirs):
        values = dict(zip(ours["first_logits"]["ids"], ours["first_logits"]["values"]))
        lowest = min(values.values())
        for token, value in zip(theirs["first_logits"]["ids"], theirs["first_logits"]["values"]):
            self.assertAlmostEqual(values.get(token, lowest), value, delta=LOGIT_TOLERANCE, msg=name)

    def compare_f32(self, checkpoint):
        run, expected = self.run_checkpoint(checkpoint, "f32")
        near_ties = []
        compared = 0
        for key, theirs in expected.items():
            ours = run.trace[key]
            self.assertEqual("failure" in ours, "failure" in theirs, (key, ours.get("failure"), theirs.get("failure")))
            if "failure" in theirs:
                continue
            self.check_inputs(key, ours, theirs)
            self.check_first_logits(key, ours, theirs)
            compared += 1
            step = first_difference(ours["ids"], theirs["ids"])
            if step is None:
                self.assertEqual(ours["text"], theirs["text"], key)
                continue
            self.assertLess(theirs["margins"][step], NEAR_TIE, f"{key}: step {step} differs")
            near_ties.append((key, step, theirs["margins"][step]))
        print(f"{checkpoint} f32: {compared} pairs equal the reference, {len(near_ties)} differ at a near tie {near_ties}")
        self.assertLessEqual(len(near_ties), MOST_NEAR_TIES * compared)

    def compare_bf16(self, checkpoint):
        run, expected = self.run_checkpoint(checkpoint, "bf16")
        equal = different = 0
        for key, theirs in expected.items():
            ours = run.trace[key]
            if "failure" in theirs:
                continue
            self.check_inputs(key, ours, theirs)
            step = first_difference(ours["ids"], theirs["ids"])
            if step is None:
                equal += 1
                continue
            different += 1
            self.assertLess(theirs["margins"][step], BF16_CLEAR_MARGIN, f"{key}: step {step} differs")
        print(f"{checkpoint} bf16: {equal} pairs equal the f32 reference, {different} differ, each at a step with a "
              f"margin below {BF16_CLEAR_MARGIN}")


class ReferenceSpecialsTest(unittest.TestCase):
    def compare(self, checkpoint):
        run = oracle.Run(checkpoint, "--dtype", "f32", "--max-new-tokens", "1", "--reference-specials",
                         shards=oracle.SHARDS[1:])
        expected = oracle.oracle(checkpoint)
        raised = 0
        for theirs in oracle.rows_of(oracle.REFERENCE / checkpoint / "reference_specials.jsonl.gz"):
            key = ("hard-00000", theirs["key"])
            if "failure" in expected[key]:
                continue
            ours = run.trace[key]
            if theirs.get("raises"):
                raised += 1
                self.assertIn("failure", ours, key)
                continue
            self.assertNotIn("failure", ours, key)
            self.assertEqual([i for i in ours["input_ids"] if i >= 0], theirs["text_ids"], key)
        self.assertGreater(raised, 0)


class NoSpecialIdsTest(unittest.TestCase):
    def check(self, checkpoint):
        """Whatever a caption spells, only ordinary tokens and the image slots at the start come out."""
        run = oracle.Run(checkpoint, "--max-new-tokens", "1", shards=oracle.SHARDS[1:])
        ordinary = len(json.loads((oracle.folder_of(checkpoint) / "vocab.json").read_text()))
        for key, row in run.trace.items():
            if "failure" in row:
                continue
            ids = row["input_ids"]
            slots = ids.count(-1)
            self.assertEqual(ids[:slots], [-1] * slots, key)
            self.assertTrue(all(0 <= i < ordinary for i in ids[slots:]), key)


def add_tests():
    for name in oracle.CHECKPOINTS:
        label = name.replace("-", "_")
        setattr(ParityTest, f"test_f32_{label}", lambda self, n=name: self.compare_f32(n))
        setattr(ParityTest, f"test_bf16_{label}", lambda self, n=name: self.compare_bf16(n))
        setattr(ReferenceSpecialsTest, f"test_{label}", lambda self, n=name: self.compare(n))
        setattr(NoSpecialIdsTest, f"test_{label}", lambda self, n=name: self.check(n))


add_tests()

if __name__ == "__main__":
    unittest.main(verbosity=2)
