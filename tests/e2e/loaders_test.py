"""Enhanced shards load where people load them: webdataset and HF datasets, the programs themselves.

open_clip is here by its rules alone: its reader (open_clip_train.data) imports torch and torchvision, of which only
builds with several gigabytes of CUDA libraries can be installed.
"""

import os
import re
import tempfile
import unittest

HF_HOME = tempfile.TemporaryDirectory(prefix="aitqe-e2e-hf-")  # before datasets is imported
os.environ |= {"HF_HOME": HF_HOME.name, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
               "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import datasets
import pyarrow.json
import webdataset

from support import SharedRunTest, example_members, write_tar

FLOATS = ["score_expected", "score_forced", "score_recaption", "p_rewrite"]
SCORES = ["overall", "text_quality", "image_text_matching", "object_detail", "semantic_understanding",
          "text_chart_description"]
TOO_LONG = b"far too long " * 20_000  # fails, so that rows and records of failed pairs are there


class LoadersTest(SharedRunTest):
    @classmethod
    def run_once(cls, runner):
        members = example_members(24)
        members[5 * 3 + 2] = (members[5 * 3 + 2][0], TOO_LONG)
        write_tar(runner.folder / "in/00000.tar", members[:36])
        write_tar(runner.folder / "in/00001.tar", members[36:])
        runner.enhance(runner.folder / "in")
        cls.folder = runner.folder
        cls.outputs = [runner.output(name) for name in ("00000", "00001")]
        cls.tars = [str(output.tar) for output in cls.outputs]
        cls.rows_files = [str(output.rows_file) for output in cls.outputs]
        cls.rows = [row for output in cls.outputs for row in output.rows]

    def test_webdataset_decodes_every_sample(self):
        samples = list(webdataset.WebDataset(self.tars, shardshuffle=False).decode("pilrgb"))
        self.assertEqual([s["__key__"] for s in samples], [row["key"] for row in self.rows])
        for sample, row in zip(samples, self.rows):
            self.assertEqual(sample["jpg"].size, (row["image"]["width"], row["image"]["height"]))
            self.assertEqual(sample["txt"], row["caption_out"])
            self.assertEqual(sample["aitqe.json"]["decision"], row["decision"])

    def test_all_samples_have_the_same_members(self):
        samples = webdataset.WebDataset(self.tars, shardshuffle=False)
        members = {tuple(sorted(k for k in s if not k.startswith("__"))) for s in samples}
        self.assertEqual(members, {("aitqe.json", "jpg", "json", "txt")})

    def test_hf_datasets_streams_the_shards(self):
        dataset = datasets.load_dataset("webdataset", data_files=self.tars, split="train", streaming=True)
        samples = list(dataset)
        self.assertEqual([s["__key__"] for s in samples], [row["key"] for row in self.rows])
        self.assertEqual([s["txt"] for s in samples], [row["caption_out"] for row in self.rows])
        self.check_features(dataset.features["aitqe.json"])

    def test_hf_datasets_loads_the_shards(self):
        dataset = datasets.load_dataset("webdataset", data_files=self.tars, split="train")
        self.assertEqual(len(dataset), 24)
        self.assertEqual([s["score_expected"] for s in dataset["aitqe.json"]],
                         [row["score_expected"] for row in self.rows])
        self.check_features(dataset.features["aitqe.json"])

    def test_hf_datasets_loads_the_report_rows(self):
        dataset = datasets.load_dataset("json", data_files=self.rows_files, split="train")
        self.assertEqual(list(dataset), self.rows)
        self.check_features(dataset.features)

    def check_features(self, features):
        for name in ("score_expected", "p_rewrite"):
            self.assertEqual(features[name], datasets.Value("float64"), name)
        for name in SCORES:
            self.assertEqual(features["scores"][name], datasets.Value("float64"), name)
        for name in ("decision", "reason", "recaption"):
            self.assertEqual(features[name], datasets.Value("string"), name)

    def test_open_clip_drops_no_sample(self):
        # open_clip's training/data.py: filter_no_caption_or_no_image, then this pipeline.
        def has_caption_and_image(sample):
            has_image = "png" in sample or "jpg" in sample or "jpeg" in sample or "webp" in sample
            return "txt" in sample and has_image

        pipeline = (webdataset.WebDataset(self.tars, shardshuffle=False).select(has_caption_and_image).decode("pilrgb")
                    .rename(image="jpg;png;jpeg;webp", text="txt").to_tuple("image", "text"))
        texts = [text for image, text in pipeline if image.mode == "RGB"]
        self.assertEqual(texts, [row["caption_out"] for row in self.rows])

    def test_floats_always_have_a_decimal_point_and_nothing_is_null(self):
        for output in self.outputs:
            for line in output.rows_file.read_text().splitlines():
                self.assertIsNone(re.search(r"\bnull\b", re.sub(r'"(\\.|[^"\\])*"', '""', line)))
                for column in FLOATS + SCORES:
                    values = re.findall(rf'"{column}": ?(-?[0-9][^,}}]*)', line)
                    self.assertTrue(values, column)
                    for value in values:
                        self.assertRegex(value, r"^-?[0-9]+\.[0-9]+(e-?[0-9]+)?$", column)

    def test_every_row_has_the_same_keys_and_types(self):
        def shape(value):
            if isinstance(value, dict):
                return {k: shape(v) for k, v in value.items()}
            return type(value).__name__

        shapes = [shape(row) for row in self.rows]
        self.assertEqual([list(s) for s in shapes], [list(shapes[0])] * len(shapes))
        self.assertTrue(all(s == shapes[0] for s in shapes))
        self.assertIn("failed", {row["decision"] for row in self.rows})

    def test_arrow_reads_the_rows_in_blocks_of_any_size(self):
        for block_bytes in (1 << 15, 1 << 20):
            options = pyarrow.json.ReadOptions(block_size=block_bytes, use_threads=False)
            rows = [row for row in self.rows if row["failure"]["stage"] != "prompt"]  # one line fits no small block
            path = self.folder / "rows.jsonl"
            lines = self.outputs[0].rows_file.read_bytes().split(b"\n")
            path.write_bytes(b"\n".join(line for line in lines if len(line) < 1 << 14))
            table = pyarrow.json.read_json(path, read_options=options)
            self.assertEqual(table.column("key").to_pylist(), [r["key"] for r in rows if r["shard"] == "00000"])
            self.assertEqual(str(table.schema.field("score_expected").type), "double")


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # webdataset leaves files open
