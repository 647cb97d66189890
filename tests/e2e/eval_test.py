"""`aitqe eval`, `aitqe audit` and `aitqe convert` on the bundled pairs."""

import io
import json
import tarfile
import unittest

from support import EXAMPLES, SOURCE_DIR, EndToEndTest

TINY = ["--model", SOURCE_DIR / "models/aitqe-tiny", "--dtype", "f32"]


class EvalTest(EndToEndTest):
    def test_eval_prints_a_table_and_writes_every_trial(self):
        result = self.aitqe("eval", EXAMPLES, "-o", self.folder / "eval", "--limit", "40", *TINY)
        for words in ("good captions", "other_image", "truncated", "AUROC by score"):
            self.assertIn(words, result.stdout)
        figures = json.loads((self.folder / "eval/eval.json").read_text())["sources"]["all"]
        trials = [json.loads(line) for line in (self.folder / "eval/trials.jsonl").read_text().splitlines()]
        good = [t for t in trials if t["kind"] == "good" and t["score"] >= 0]
        self.assertEqual(figures["good"], len(good))
        self.assertEqual(len({t["key"] for t in trials}), 40)
        # The figure is what the rows give.
        mismatched = {t["key"]: t["score"] for t in trials if t["kind"] == "other_image" and t["score"] >= 0}
        pairs = [(t["score"], mismatched[t["key"]]) for t in good if t["key"] in mismatched]
        wins = sum((g > b) + 0.5 * (g == b) for g, _ in pairs for _, b in pairs) / len(pairs)**2
        self.assertAlmostEqual(figures["kinds"]["other_image"]["auroc_by_score"]["value"], wins, places=9)

    def test_the_same_command_prints_the_same(self):
        runs = [self.aitqe("eval", EXAMPLES, "--limit", "12", "--json", "--batch-size", str(size), *TINY).stdout
                for size in (1, 16)]
        self.assertEqual(runs[0], runs[1])

    def test_audit_suggests_a_threshold_that_rewrites_the_wanted_share(self):
        result = self.aitqe("audit", EXAMPLES, "--limit", "60", "--rewrite-rate", "30%", "-o", self.folder / "audit",
                            *TINY)
        self.assertIn("--rewrite-when 'score<", result.stdout)
        audit = json.loads((self.folder / "audit/audit.json").read_text())
        trials = [json.loads(line) for line in (self.folder / "audit/trials.jsonl").read_text().splitlines()]
        own = [t["score"] for t in trials if t["kind"] in ("good", "shipped") and t["score"] >= 0]
        below = sum(score < audit["threshold"] for score in own) / len(own)
        self.assertLessEqual(below, 0.31)
        self.assertGreaterEqual(below + sum(s == audit["threshold"] for s in own) / len(own), 0.29)
        for grouping in ("by_words", "by_script", "by_language", "by_image_side"):
            self.assertEqual(sum(group["captions"] for group in audit[grouping]), len(own), grouping)
        self.assertEqual(audit["not_tried"], ["wrong_language"])  # no pair brings translations
        self.assertIn("not tried, since no caption can have it: wrong_language", result.stdout)

    def test_other_peoples_fields_and_unusable_pairs_are_told(self):
        shard = self.folder / "own.tar"
        with tarfile.open(EXAMPLES) as source, tarfile.open(shard, "w") as tar:
            for member in list(source)[:36]:
                data = source.extractfile(member).read()
                if member.name.endswith(".json"):
                    data = b'{"group": 7, "texts": "x", "kind": null, "translations": [1]}'
                if member.name.startswith("000001."):
                    if member.name.endswith(".txt"):
                        continue
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        audit = json.loads(self.aitqe("audit", shard, "--json", *TINY).stdout)
        self.aitqe("score", shard, "-o", self.folder / "scored", "--max-failed", "100%", *TINY)
        rows = (self.folder / "scored/own.aitqe.jsonl").read_text().splitlines()
        self.assertEqual(sum(group["captions"] for group in audit["by_words"]) + sum(audit["skipped"].values()), len(rows))
        self.assertEqual(audit["skipped"], {"no_caption": 1})
        self.assertIn("left out: no_caption", self.aitqe("eval", shard, *TINY).stdout)

    def test_an_audit_of_nothing_says_so(self):
        shard = self.folder / "broken.tar"
        with tarfile.open(shard, "w") as tar:
            for name, data in (("a.jpg", b"no picture"), ("a.txt", b"a cat")):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        shown = self.aitqe("audit", shard, *TINY, expect=4).stderr
        self.assertIn("no caption of the input could be judged, e.g. broken/a: image", shown)

    def test_an_adapter_goes_back_onto_its_base_and_onto_no_other(self):
        self.aitqe("contrast", EXAMPLES, "-o", self.folder / "training")
        recipe = self.folder / "recipe.toml"
        recipe.write_text(f'model = "{TINY[1]}"\ndtype = "f32"\n[[stage]]\nname = "judge"\ntask = "judge"\n'
                          f'shards = ["{self.folder}/training"]\nnum_steps = 6\nimages_per_step = 2\nwarmup_steps = 0\n'
                          '[[stage.lora]]\nmodules = "model.model.layers.*"\nrank = 2\nlearning_rate = 1e-2\n')
        self.aitqe("train", recipe, "-o", self.folder / "trained")
        adapter = self.folder / "trained/adapter"
        self.aitqe("convert", adapter, "--base", TINY[1], "-o", self.folder / "merged")
        verdicts = {}
        for name, model in (("base", TINY[1]), ("trained", self.folder / "trained"), ("merged", self.folder / "merged")):
            self.aitqe("score", EXAMPLES, "-o", self.folder / f"by-{name}", "--model", model, "--dtype", "f32",
                       "--limit", "20", "--max-failed", "100%")
            rows = (self.folder / f"by-{name}/pairs-00000.aitqe.jsonl").read_text().splitlines()
            verdicts[name] = [json.loads(row)["p_rewrite"] for row in rows]
        for trained, merged in zip(verdicts["trained"], verdicts["merged"]):
            self.assertAlmostEqual(trained, merged, delta=0.05)  # factors are stored in bf16
        moved = max(abs(a - b) for a, b in zip(verdicts["trained"], verdicts["base"]))
        self.assertGreater(moved, 0.2)  # so a lost adapter would be seen
        other = SOURCE_DIR / "tests/data/reference/tied-f32-single"
        self.assertIn("stands on", self.aitqe("convert", adapter, "--base", other, "-o", self.folder / "x",
                                              expect=6).stderr)

    def test_usage_errors(self):
        self.assertIn("no input", self.aitqe("eval", expect=2).stderr)
        self.assertIn("read twice", self.aitqe("audit", "-", input=b"", expect=2).stderr)
        for rate in ("0%", "100%"):
            self.assertIn("above 0% and below 100%",
                          self.aitqe("audit", EXAMPLES, "--rewrite-rate", rate, expect=2).stderr)
        self.assertIn("--base", self.aitqe("convert", TINY[1], "-o", self.folder / "x", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
