"""Shards that img2dataset's own writer wrote, with a uid in each json as DataComp has it, through a run and back.

The writer is img2dataset's file img2dataset/writer.py. The rest of that program is not here: it needs older releases of
webdataset and pandas than the other tests.
"""

import hashlib
import importlib.metadata
import importlib.util
import io
import json
import unittest

import duckdb
import pyarrow
import pyarrow.parquet
import webdataset
from PIL import Image

from support import SharedRunTest, example_members, read_tar, sha256

NUM_SHARDS, NUM_PAIRS = 2, 6
SCHEMA = pyarrow.schema([(name, pyarrow.string()) for name in
                         ("uid", "url", "caption", "key", "status", "error_message", "exif", "sha256")]
                        + [(name, pyarrow.int32()) for name in ("width", "height", "original_width", "original_height")])


def img2dataset_writer():
    [path] = [file.locate() for file in importlib.metadata.files("img2dataset") if file.match("img2dataset/writer.py")]
    spec = importlib.util.spec_from_file_location("img2dataset_writer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def download(folder, pictures, shard):
    """What `img2dataset --output_format webdataset` leaves of one shard; its last picture was not to be had."""
    writer = img2dataset_writer().WebDatasetSampleWriter(shard, str(folder), True, 5, SCHEMA, "jpg")
    for i, (picture, caption) in enumerate(pictures):
        key = f"{shard:05d}{i:04d}"
        url = f"https://example.org/{key}.jpg"
        width, height = Image.open(io.BytesIO(picture)).size
        meta = {"uid": hashlib.md5(url.encode()).hexdigest(), "url": url, "caption": caption, "key": key,
                "status": "success", "error_message": None, "exif": "{}", "sha256": sha256(picture), "width": width,
                "height": height, "original_width": width, "original_height": height}
        writer.write(picture, key, caption, meta)
    lost = {name: None for name in SCHEMA.names} | {"uid": "f" * 32, "key": f"{shard:05d}{len(pictures):04d}",
                                                    "status": "failed_to_download", "error_message": "404"}
    writer.write(None, lost["key"], None, lost)
    writer.close()
    stats = {"count": len(pictures) + 1, "successes": len(pictures), "failed_to_download": 1, "failed_to_resize": 0}
    (folder / f"{shard:05d}_stats.json").write_text(json.dumps(stats, indent=4))


class Img2DatasetTest(SharedRunTest):
    @classmethod
    def run_once(cls, runner):
        members = example_members(NUM_SHARDS * NUM_PAIRS, ("jpg", "txt"))
        pictures = [(members[i][1], members[i + 1][1].decode()) for i in range(0, len(members), 2)]
        cls.downloaded = runner.folder / "downloaded"
        cls.downloaded.mkdir()
        for shard in range(NUM_SHARDS):
            download(cls.downloaded, pictures[shard * NUM_PAIRS:(shard + 1) * NUM_PAIRS], shard)
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
            "theirs.width = ours.image.width, theirs.sha256 = ours.image.sha256 "
            "FROM read_parquet($theirs) theirs JOIN read_parquet($ours) ours USING (key) ORDER BY key",
            {"theirs": [str(self.out / f"{name}.parquet") for name in self.names],
             "ours": [str(self.out / f"{name}.aitqe.parquet") for name in self.names]}).fetchall()
        self.assertEqual(found, [(row["key"], True, True, True, True, True) for row in self.rows])
        self.assertEqual(len(found), NUM_SHARDS * NUM_PAIRS)

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
