"""`aitqe contrast`: what it writes, read with Python's tarfile and webdataset."""

import collections
import json
import tarfile
import unittest

import webdataset

from support import EXAMPLES, SOURCE_DIR, EndToEndTest


def read(path):
    return list(webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False))


class ContrastTest(EndToEndTest):
    def contrast(self, *arguments, output="training", **options):
        return self.aitqe("contrast", EXAMPLES, "-o", self.folder / output, *arguments, **options)

    def shard(self, output="training"):
        return self.folder / output / "pairs-00000.tar"

    def test_every_pair_gives_a_good_and_a_bad_sample_of_the_same_picture(self):
        counts = json.loads(self.contrast("--json").stdout)
        source = {sample["__key__"]: sample for sample in read(EXAMPLES)}
        made = read(self.shard())
        self.assertEqual(len(made), counts["samples_written"])
        self.assertEqual(counts["pairs_read"], len(source))
        by_key = collections.defaultdict(dict)
        for sample in made:
            record = json.loads(sample["contrast.json"])
            key = record["source_key"]
            self.assertEqual(sample["jpg"], source[key]["jpg"])
            self.assertEqual(sample["__key__"], f"{key}-{record['label']}")
            by_key[key][record["label"]] = (sample["txt"].decode(), record)
        for key, labels in by_key.items():
            good_caption, good = labels["good"]
            bad_caption, bad = labels["bad"]
            self.assertNotEqual(bad_caption, good_caption)
            self.assertEqual(bad["recaption"], good_caption)
            self.assertEqual(good["recaption"], "")
            self.assertEqual(good_caption, source[key]["txt"].decode().strip())
            self.assertGreater(good["scores"]["overall"], bad["scores"]["overall"])
        self.assertEqual(sum(counts["by_flaw"].values()) + sum(counts["skipped"].values()), len(source))

    def test_other_flaws_can_be_switched_off_and_seeds_are_kept(self):
        self.contrast("--flaws", "other_image", output="one")
        records = [json.loads(s["contrast.json"]) for s in read(self.shard("one"))]
        self.assertEqual({r["flaw"] for r in records}, {"", "other_image"})
        self.contrast("--flaws", "other_image", output="two")
        self.assertEqual(self.shard("one").read_bytes(), self.shard("two").read_bytes())
        self.contrast("--flaws", "other_image", "--seed", "1", output="three")
        self.assertNotEqual(self.shard("one").read_bytes(), self.shard("three").read_bytes())

    def test_a_teachers_rows_are_taken_and_broken_ones_named(self):
        key = read(EXAMPLES)[0]["__key__"]
        notes = self.folder / "notes.jsonl"
        notes.write_text(json.dumps({"key": key, "scores": {"overall": 2}, "recaption": "a far better one"}) + "\n{\n")
        result = self.contrast("--teacher", notes)
        self.assertIn(f"{notes}:2: ", result.stderr)
        first = read(self.shard())[:2]
        self.assertEqual(first[0]["txt"].decode(), "a far better one")
        self.assertEqual(json.loads(first[1]["contrast.json"])["scores"]["overall"], 2.0)

    def test_report_rows_are_a_teacher_too(self):
        self.aitqe("score", EXAMPLES, "-o", self.folder / "scored", "--limit", "20", "--max-failed", "100%",
                   "--model", SOURCE_DIR / "models/aitqe-tiny")
        rows = self.folder / "scored/pairs-00000.aitqe.jsonl"
        scores = {row["key"]: row["scores"]["overall"] for row in map(json.loads, rows.read_text().splitlines())}
        self.assertGreater(len([score for score in scores.values() if score > 0]), 10)
        self.contrast("--teacher", rows)
        taken = [json.loads(sample["contrast.json"]) for sample in read(self.shard())]
        taken = [record for record in taken if scores.get(record["source_key"], -1) > 0]
        self.assertTrue(taken)
        for record in taken:
            own = record["label"] == "good" if scores[record["source_key"]] >= 6 else record["flaw"] == "shipped"
            if own:
                self.assertEqual(record["scores"]["overall"], scores[record["source_key"]])

    def test_rows_that_fit_nothing_are_named(self):
        notes = self.folder / "notes.jsonl"
        notes.write_text("".join(json.dumps({"key": f"none-{i}", "scores": {"overall": 2}}) + "\n" for i in range(40)))
        shown = self.contrast("--teacher", notes).stderr
        self.assertIn('key "none-0" is of no sample here', shown)
        self.assertIn("and 30 more rows of the teacher", shown)

    def test_usage_errors_say_what_to_do(self):
        for arguments, words in ((["--flaws", "shufled"], "is no flaw"), (["--teacher", "none.jsonl"], "--teacher"),
                                 (["--rounds", "0"], "--rounds")):
            with self.subTest(arguments=arguments):
                result = self.contrast(*arguments, expect=4 if "none.jsonl" in arguments else 2)
                self.assertIn(words, result.stderr)
        self.assertIn("reads its input twice",
                      self.aitqe("contrast", "-", "-o", self.folder / "x", input=b"", expect=2).stderr)

    def test_a_truncated_shard_gives_what_it_holds(self):
        cut = self.folder / "cut.tar"
        with tarfile.open(EXAMPLES) as tar:
            end = tar.getmembers()[30].offset + 600
        cut.write_bytes(EXAMPLES.read_bytes()[:end])
        result = self.aitqe("contrast", cut, "-o", self.folder / "training")
        self.assertIn("without the end marker", result.stderr)
        self.assertEqual(len(read(self.folder / "training/cut.tar")), 20)


if __name__ == "__main__":
    unittest.main()
