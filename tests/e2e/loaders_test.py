"""Enhanced shards load where people load them: webdataset and HF datasets, the programs themselves.

And open_clip's reader (open_clip_train.data), in a Python of its own with the torch that it imports.
"""

import json
import os
import re
import subprocess
import tempfile
import unittest

HF_HOME = tempfile.TemporaryDirectory(prefix="aitqe-e2e-hf-")  # before datasets is imported
os.environ |= {"HF_HOME": HF_HOME.name, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
               "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import datasets
import pyarrow.json
import webdataset

from support import LONGEST_RUN_S, SOURCE_DIR, SharedRunTest, environment, example_members, write_tar

OPEN_CLIP_PYTHON = SOURCE_DIR / ".deps/open-clip/bin/python3"
OPEN_CLIP_READER = """
import argparse, json, sys
import torch
from open_clip_train.data import get_wds_dataset

def read(is_train):
    args = argparse.Namespace(train_data=sys.argv[1], val_data=sys.argv[1], train_num_samples=None, val_num_samples=None,
                              train_data_upsampling_factors=None, dataset_resampled=False, seed=0, workers=0,
                              world_size=1, batch_size=4)
    data = get_wds_dataset(args, lambda image: torch.tensor(image.size), is_train, tokenizer=lambda text: [text])
    sizes, texts = [], []
    for images, captions in data.dataloader:
        sizes += images.tolist()
        texts += captions
    return sizes, texts, data.dataloader.num_samples

sizes, texts, _ = read(is_train=False)
_, texts_of_epoch, samples_of_epoch = read(is_train=True)
json.dump({"sizes": sizes, "texts": texts, "texts_of_epoch": texts_of_epoch, "samples_of_epoch": samples_of_epoch},
          sys.stdout)
"""

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
        cls.runner, cls.folder = runner, runner.folder
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

    def test_captions_mixed_as_the_page_shows_are_the_old_or_the_new_ones(self):
        code = re.search(r"```python\n(.*?)```", (SOURCE_DIR / "docs/tasks.md").read_text(encoding="utf-8"), re.S)[1]
        code = code.replace('"enhanced/{00000..00099}.tar"', "TARS, shardshuffle=False")
        rows = {row["key"]: row for row in self.rows}
        for share, column in ((0.0, "caption"), (1.0, "caption_out")):
            place = {"TARS": self.tars}
            exec(code.replace("ENHANCED_SHARE = 0.5", f"ENHANCED_SHARE = {share}"), place)
            texts = {sample["__key__"]: sample["txt"] for sample in place["pairs"]}
            self.assertEqual(texts, {key: row[column] for key, row in rows.items()})
        self.assertNotEqual([row["caption"] for row in self.rows], [row["caption_out"] for row in self.rows])

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

    def open_clip(self, folder):
        """What open_clip's reader gives of two shards: captions and image sizes in order, as for evaluation, and the
        captions and number of pairs of an epoch of training, for which it reads sizes.json."""
        told = subprocess.run([OPEN_CLIP_PYTHON, "-c", OPEN_CLIP_READER, f"{folder}/{{00000..00001}}.tar"], check=True,
                              capture_output=True, text=True, timeout=LONGEST_RUN_S, env=environment())
        return json.loads(told.stdout)

    @unittest.skipUnless(OPEN_CLIP_PYTHON.exists(), "no open_clip: scripts/setup.sh --tests could not install it")
    def test_open_clip_reads_every_pair(self):
        self.runner.aitqe("report", "out", "--no-html", "--max-failed", "100%")  # leaves sizes.json
        found = self.open_clip(self.folder / "out")
        self.assertEqual(found["texts"], [row["caption_out"] for row in self.rows])
        self.assertEqual(found["sizes"], [[row["image"]["width"], row["image"]["height"]] for row in self.rows])
        self.assertEqual(found["samples_of_epoch"], len(self.rows))
        self.assertEqual(sorted(found["texts_of_epoch"]), sorted(found["texts"]))

    @unittest.skipUnless(OPEN_CLIP_PYTHON.exists(), "no open_clip: scripts/setup.sh --tests could not install it")
    def test_open_clip_reads_what_select_writes(self):
        best = self.folder / "best"
        self.runner.aitqe("select", "out", "--best", "12", "--shards", best, "--pairs-per-shard", "6")
        found = self.open_clip(best)
        tars = sorted(str(path) for path in best.glob("*.tar"))
        self.assertEqual(found["texts"],
                         [s["txt"] for s in webdataset.WebDataset(tars, shardshuffle=False).decode("pil")])
        self.assertEqual((len(found["texts"]), found["samples_of_epoch"]), (12, 12))

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
