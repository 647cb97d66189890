"""Shards that img2dataset downloaded, from a server of this test, with a uid in each json as DataComp has it, through a run
and back."""

import csv
import hashlib
import subprocess
import unittest

import duckdb
import webdataset

from file_server import file_server
from support import LONGEST_RUN_S, SOURCE_DIR, SharedRunTest, environment, example_members, read_tar

IMG2DATASET_PYTHON = SOURCE_DIR / ".deps/img2dataset/bin/python3"
IMG2DATASET = """
import sys
from img2dataset import download

if __name__ == "__main__":
    urls, folder, pairs = sys.argv[1:]
    download(url_list=urls, input_format="csv", caption_col="caption", save_additional_columns=["uid"], output_folder=folder,
             output_format="webdataset", number_sample_per_shard=int(pairs), resize_mode="no", compute_hash="sha256",
             processes_count=1, thread_count=2, enable_wandb=False)
"""
NUM_SHARDS, NUM_PAIRS = 2, 6  # and one more that is not to be had


def download(folder, pictures):
    """What img2dataset leaves in folder/downloaded."""
    web = folder / "web"
    web.mkdir()
    with file_server(web) as port:
        script, urls = folder / "download.py", folder / "urls.csv"
        script.write_text(IMG2DATASET)
        with urls.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["url", "caption", "uid"])
            for i, (picture, caption) in enumerate([*pictures, (None, "lost")]):
                url = f"http://127.0.0.1:{port}/{i}.jpg"
                if picture is not None:
                    (web / f"{i}.jpg").write_bytes(picture)
                rows.writerow([url, caption, hashlib.md5(url.encode()).hexdigest()])
        done = subprocess.run([IMG2DATASET_PYTHON, script, urls, folder / "downloaded", str(NUM_PAIRS + 1)], check=False,
                              cwd=folder, capture_output=True, text=True, timeout=LONGEST_RUN_S,
                              env=environment(NO_ALBUMENTATIONS_UPDATE="1", WANDB_MODE="disabled"))
    if done.returncode or len(list((folder / "downloaded").glob("*.tar"))) != NUM_SHARDS:
        raise AssertionError(done.stdout + done.stderr)


@unittest.skipUnless(IMG2DATASET_PYTHON.exists(), "no img2dataset: scripts/setup.sh --tests installs it")
class Img2DatasetTest(SharedRunTest):
    @classmethod
    def run_once(cls, runner):
        members = example_members(NUM_SHARDS * (NUM_PAIRS + 1) - 1, ("jpg", "txt"))
        pictures = [(members[i][1], members[i + 1][1].decode()) for i in range(0, len(members), 2)]
        cls.downloaded = runner.folder / "downloaded"
        download(runner.folder, pictures)
        runner.enhance(cls.downloaded)
        cls.runner, cls.out = runner, runner.folder / "out"
        cls.names = [f"{shard:05d}" for shard in range(NUM_SHARDS)]
        cls.rows = [row for name in cls.names for row in runner.output(name).rows]

    def test_its_files_lie_beside_the_new_shards_unchanged(self):
        for name in self.names:
            for file in (f"{name}.parquet", f"{name}_stats.json"):
                self.assertEqual((self.out / file).read_bytes(), (self.downloaded / file).read_bytes())

    def test_its_parquet_and_ours_join_by_key(self):
        found = duckdb.connect().execute(
            "SELECT key, theirs.uid = ours.uid, theirs.url = ours.url, theirs.caption = ours.caption, "
            "theirs.width = ours.image.width, theirs.height = ours.image.height "
            "FROM read_parquet($theirs) theirs JOIN read_parquet($ours) ours USING (key) ORDER BY key",
            {"theirs": [str(self.out / f"{name}.parquet") for name in self.names],
             "ours": [str(self.out / f"{name}.aitqe.parquet") for name in self.names]}).fetchall()
        self.assertEqual(found, [(key, True, True, True, True, True) for key in sorted(row["key"] for row in self.rows)])
        self.assertEqual(len(found), NUM_SHARDS * (NUM_PAIRS + 1) - 1)

    def test_webdataset_reads_what_it_read_before_and_the_record(self):
        def samples(folder):
            tars = [str(folder / f"{name}.tar") for name in self.names]
            return list(webdataset.WebDataset(tars, shardshuffle=False).decode("pil"))

        before, after = samples(self.downloaded), samples(self.out)
        self.assertEqual([s["__key__"] for s in after], [s["__key__"] for s in before])
        for old, new, row in zip(before, after, self.rows):
            self.assertEqual(new["json"], old["json"])
            self.assertEqual(new["jpg"].tobytes(), old["jpg"].tobytes())
            self.assertEqual(new["txt"], row["caption_out"])
            self.assertEqual(new["aitqe.json"]["caption_original"], old["txt"])
            self.assertEqual(set(new) - set(old), {"aitqe.json"})

    def test_the_original_folder_comes_back(self):
        restored = self.runner.folder / "restored"
        self.runner.aitqe("select", self.out, "--restore", restored)
        self.assertEqual({path.name for path in restored.iterdir()}, {path.name for path in self.downloaded.iterdir()})
        for name in self.names:
            self.assertEqual(read_tar(restored / f"{name}.tar"), read_tar(self.downloaded / f"{name}.tar"))


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # webdataset leaves files open
