"""`--verify`: a rewrite is scored under the same image, and taken only if it is better."""

import unittest

from support import EXAMPLES, EndToEndTest


class VerifyTest(EndToEndTest):
    def test_rewrites_that_are_taken_score_better_and_refused_ones_say_why(self):
        self.enhance(EXAMPLES, "--verify", "--limit", "120")
        rows = self.output("pairs-00000").rows
        rewritten = [row for row in rows if row["decision"] == "rewrite"]
        self.assertGreater(len(rewritten), 5)
        for row in rewritten:
            self.assertGreater(row["score_recaption"], row["score_forced"])
            self.assertEqual(row["caption_out"], row["recaption"].strip())
        for row in rows:
            if row["decision"] == "keep":
                self.assertEqual(row["caption_out"], row["caption"])
            if row["reason"] == "rewrite_not_better":
                self.assertLessEqual(row["score_recaption"], row["score_forced"])
            if not row["recaption"]:
                self.assertEqual(row["score_recaption"], -1.0)

    def test_the_answers_are_those_of_a_run_without_it(self):
        self.enhance(EXAMPLES, "--limit", "30", output="plain")
        self.enhance(EXAMPLES, "--limit", "30", "--verify", output="verified")
        for plain, verified in zip(self.output("pairs-00000", "plain").rows, self.output("pairs-00000", "verified").rows):
            for column in ("recaption", "scores", "score_expected", "p_rewrite"):
                self.assertEqual(plain[column], verified[column])

    def test_nothing_depends_on_the_batch(self):
        files = []
        for size in ("1", "16"):
            self.enhance(EXAMPLES, "--limit", "40", "--verify", "--batch-size", size, output=size)
            files.append([(self.folder / size / f"pairs-00000.{suffix}").read_bytes() for suffix in
                          ("tar", "aitqe.jsonl")])
        self.assertEqual(files[0], files[1])


if __name__ == "__main__":
    unittest.main()
