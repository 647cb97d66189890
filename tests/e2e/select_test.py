"""`aitqe select`: a part of a finished run, and the way back."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

HF_HOME = tempfile.TemporaryDirectory(prefix="aitqe-e2e-hf-")  # before datasets is imported
os.environ |= {"HF_HOME": HF_HOME.name, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
               "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import datasets
import numpy
import webdataset

from support import (ANY_NUMBER_MAY_FAIL, MODEL_FLAGS, SOURCE_DIR, EndToEndTest, SharedRunTest, example_members, pairs,
                     read_tar, sha256, write_tar)

GUIDE = (SOURCE_DIR / "docs/guide.md").read_text(encoding="utf-8")
NUM = 12


def uid_of(key):
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def members_with_uid(count):
    """Pairs of the bundled shard; each has a uid in its json, as in DataComp."""
    members = []
    for name, data in example_members(count):
        if name.endswith(".json"):
            data = json.dumps(json.loads(data) | {"uid": uid_of(name.split(".")[0])}).encode()
        members.append((name, data))
    return members


def gnu_tar(path, members):
    """A shard that GNU tar wrote: it ends like ours, so that whole files can be compared."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in members:
            (pathlib.Path(folder) / name).write_bytes(data)
        names = [name for name, _ in members]
        subprocess.run(["tar", "--format=ustar", "-C", folder, "-cf", path, *names], check=True)
    return path


class SelectTest(SharedRunTest):
    @classmethod
    def run_once(cls, runner):
        members = members_with_uid(2 * NUM)
        cls.inputs = {}
        for name, part in (("00000", members[:3 * NUM]), ("00001", members[3 * NUM:])):
            path = gnu_tar(runner.folder / f"in/{name}.tar", part)
            path.with_name(f"{name}_stats.json").write_text('{"successes": 12}')
            cls.inputs[name] = path
        runner.enhance(runner.folder / "in")
        runner.aitqe("score", runner.folder / "in", "-o", runner.folder / "scores", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)
        cls.runner, cls.folder, cls.out = runner, runner.folder, runner.folder / "out"
        cls.rows = [row for name in cls.inputs for row in runner.output(name).rows]
        cls.rewritten = [row for row in cls.rows if row["decision"] == "rewrite"]

    def select(self, *arguments, run=None, **options):
        return self.runner.aitqe("select", run or self.out, *arguments, **options)

    def keys(self, *arguments, **options):
        lines = self.select(*arguments, **options).stdout.splitlines()
        return [tuple(line.split("\t")) for line in lines]

    def new_folder(self):
        return pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "new"

    @staticmethod
    def name(row):
        return row["shard"], row["key"]

    def test_the_run_has_both_kinds(self):
        self.assertGreater(len(self.rewritten), 2)
        self.assertLess(len(self.rewritten), 2 * NUM - 2)

    def test_prints_keys_of_all_rows_in_order(self):
        self.assertEqual(self.keys(), [self.name(row) for row in self.rows])

    def test_takes_the_worst_and_the_best(self):
        by_score = sorted(self.rows, key=lambda row: row["score_expected"])
        scores = [row["score_expected"] for row in by_score]
        self.assertEqual(len(set(scores)), len(scores), "ties are for select_rows_test")
        worst = set(map(self.name, by_score[:6]))
        self.assertEqual(set(self.keys("--worst", "25%")), worst)
        self.assertEqual(set(self.keys("--worst", "6")), worst)
        self.assertEqual(set(self.keys("--best", "75%")), set(map(self.name, by_score[6:])))
        result = self.select("--best", "1000")
        self.assertIn("1000 rows were asked for, there are 24", result.stderr)

    def test_json_prints_the_rows_as_they_are(self):
        lines = self.select("--where", 'decision == "rewrite"', "--json").stdout.splitlines()
        self.assertEqual([json.loads(line) for line in lines], self.rewritten)

    def test_where_and_share_go_together(self):
        found = self.keys("--where", 'decision == "rewrite"', "--worst", "50%")
        by_score = sorted(self.rewritten, key=lambda row: row["score_expected"])
        self.assertEqual(set(found), set(map(self.name, by_score[:(len(by_score) + 1) // 2])))

    def test_npy_is_what_datacomp_reads(self):
        path = self.folder / "subset.npy"
        self.select("--worst", "10", "--npy", path)
        subset = numpy.load(path, mmap_mode="r")
        self.assertEqual(subset.dtype, numpy.dtype("u8,u8"))
        by_score = sorted(self.rows, key=lambda row: row["score_expected"])
        # As resharder.py makes a key of a uid and looks it up.
        for rank, row in enumerate(by_score):
            key = numpy.array([divmod(int(row["uid"], 16), 2**64)], numpy.dtype("u8,u8"))[0]
            count = numpy.searchsorted(subset, key, "right") - numpy.searchsorted(subset, key, "left")
            self.assertEqual(count, 1 if rank < 10 else 0)
        uids = sorted(row["uid"] for row in by_score[:10])
        array = numpy.array([(int(uid[:16], 16), int(uid[16:], 16)) for uid in uids], numpy.dtype("u8,u8"))
        saved = self.folder / "numpy.npy"
        numpy.save(saved, array)
        self.assertEqual(path.read_bytes(), saved.read_bytes())

    def test_shards_hold_the_samples_with_every_member(self):
        new = self.new_folder()
        self.select("--worst", "10", "--shards", new, "--pairs-per-shard", "4")
        chosen = self.keys("--worst", "10")
        before = {name: read_tar(self.out / f"{name}.tar") for name in self.inputs}
        expected = [member for shard, key in chosen for member in before[shard]
                    if member.name.split(".")[0] == key]
        tars = sorted(new.glob("*.tar"))
        self.assertEqual([tar.name for tar in tars], ["00000.tar", "00001.tar", "00002.tar"])
        self.assertEqual([member for tar in tars for member in read_tar(tar)], expected)
        self.assertEqual(json.loads((new / "sizes.json").read_text()),
                         {"00000.tar": 4, "00001.tar": 4, "00002.tar": 2})
        samples = list(webdataset.WebDataset([str(tar) for tar in tars], shardshuffle=False).decode("pil"))
        self.assertEqual([sample["__key__"] for sample in samples], [key for _, key in chosen])
        loaded = datasets.load_dataset("webdataset", data_files=[str(tar) for tar in tars], split="train")
        self.assertEqual(list(loaded["__key__"]), [key for _, key in chosen])

    def test_shards_of_a_score_run_come_from_its_input(self):
        new = self.new_folder()
        self.select("--best", "5", "--shards", new, run=self.folder / "scores")
        chosen = self.keys("--best", "5", run=self.folder / "scores")
        before = {name: read_tar(path) for name, path in self.inputs.items()}
        expected = [member for shard, key in chosen for member in before[shard] if member.name.split(".")[0] == key]
        self.assertEqual(read_tar(new / "00000.tar"), expected)

    def test_restore_gives_the_input_shards_byte_for_byte(self):
        new = self.new_folder()
        result = self.select("--restore", new)
        self.assertIn(f"{len(self.rewritten)} captions put back in 2 shards", result.stderr)
        for name, path in self.inputs.items():
            self.assertEqual((new / f"{name}.tar").read_bytes(), path.read_bytes())
        self.assertEqual({path.name for path in new.iterdir()},
                         {"00000.tar", "00001.tar", "00000_stats.json", "00001_stats.json"})

    def test_the_guides_program_reads_a_patch_with_the_original_shards(self):
        new = self.new_folder()
        self.select("--patch", new)
        self.assertEqual(sorted(path.name for path in new.iterdir()), ["00000.patch.jsonl", "00001.patch.jsonl"])
        program = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL).group(1)
        program = program.replace('"new-captions"', repr(str(new))).replace(
            '"data/{00000..00099}.tar"', repr([str(path) for path in self.inputs.values()]))
        variables = {}
        exec(program, variables)
        patched = list(variables["dataset"])
        enhanced = list(webdataset.WebDataset([str(self.out / f"{name}.tar") for name in self.inputs],
                                              shardshuffle=False).decode("pil"))
        self.assertEqual([s["txt"] for s in patched], [s["txt"] for s in enhanced])
        self.assertEqual([s["__key__"] for s in patched], [s["__key__"] for s in enhanced])
        self.assertEqual([s["jpg"].tobytes() for s in patched], [s["jpg"].tobytes() for s in enhanced])

    def test_a_patch_has_the_pairs_that_were_rewritten_and_selected(self):
        new = self.new_folder()
        limit = sorted(row["score_expected"] for row in self.rewritten)[2]
        self.select("--where", f"score_expected < {limit!r}", "--patch", new)
        found = [json.loads(line) for name in self.inputs
                 for line in (new / f"{name}.patch.jsonl").read_bytes().decode("ascii").splitlines()]
        expected = [row for row in self.rewritten if row["score_expected"] < limit]
        self.assertEqual(len(expected), 2)
        self.assertEqual(found, [{"schema": "aitqe.patch/1", "key": row["key"], "index": row["index"],
                                  "caption_sha256": sha256(row["caption"].encode()), "caption": row["caption_out"]}
                                 for row in expected])

    def test_usage_errors_say_what_to_do(self):
        cases = [(["--where", "score < 4"], "character 1: there is no column \"score\""),
                 (["--worst", "many"], "--worst many: expected a share"),
                 (["--worst", "-1"], "--worst"), (["--worst", "200%"], "--worst 200%"),
                 (["--worst", "1", "--best", "1"], "--worst excludes --best"),
                 (["--by", "index", "--best", "1"], "--by index: expected a float column"),
                 (["--restore", "new", "--best", "1"], "no other option"),
                 (["--shards", self.out / "new"], "is inside"), (["--patch", self.out], "which is read"),
                 (["--restore", "new"], "changed no caption")]
        for arguments, words in cases:
            with self.subTest(arguments=arguments):
                run = self.folder / "scores" if words == "changed no caption" else None
                self.assertIn(words, self.select(*arguments, run=run, expect=2).stderr)
        self.assertIn("no folder of a run", self.runner.aitqe("select", expect=2).stderr)
        self.assertIn("no shards", self.runner.aitqe("select", self.folder / "in", expect=4).stderr)

    def test_nothing_is_written_over_and_nothing_stays_of_a_failed_one(self):
        new = self.new_folder()
        self.select("--best", "1", "--shards", new)
        self.assertIn("is there already", self.select("--best", "1", "--shards", new, expect=5).stderr)
        self.select("--patch", new, expect=5)
        self.assertEqual([path.name for path in new.parent.iterdir()], ["new"])


class SelectRunTest(EndToEndTest):
    def test_json_captions_come_back_in_their_spelling(self):
        documents = [
            b'{"caption": "a caf\\u00e9 \\/ bar", "x": 1}',
            '{"caption":"ein Bär", "x": "plain"}'.encode(),
            '{"x": "Bär", "caption" : "caf\\u00E9"}\n'.encode(),
            b'{"caption": "first", "caption": "second \\u0041"}',
        ]
        members = []
        for i, document in enumerate(documents):
            picture = pairs(1, f"{i}")[0][1]
            members += [(f"{i}.png", picture), (f"{i}.json", document)]
        shard = gnu_tar(self.folder / "in/a.tar", members)
        self.enhance(shard, "--caption-from", "json:caption", "--rewrite-when", "always")
        rows = self.output("a").rows
        self.assertIn("rewrite", {row["decision"] for row in rows}, [row["reason"] for row in rows])
        self.aitqe("select", self.folder / "out", "--restore", self.folder / "new")
        self.assertEqual((self.folder / "new/a.tar").read_bytes(), shard.read_bytes())
        changed = [m.data for m in self.output("a").members if m.name.endswith(".json") and not m.is_record]
        self.assertNotEqual(changed, documents)

    def test_equal_keys_of_two_shards_do_not_meet_in_one_tar(self):
        for name in ("a", "b"):
            write_tar(self.folder / f"in/{name}.tar", pairs(2))
        self.enhance(self.folder / "in")
        self.aitqe("select", self.folder / "out", "--shards", self.folder / "new")
        self.assertEqual(json.loads((self.folder / "new/sizes.json").read_text()), {"00000.tar": 2, "00001.tar": 2})

    def test_pairs_that_a_sample_left_out_do_not_shift_the_others(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(12))
        for command in ("enhance", "score"):
            with self.subTest(command=command):
                run, new = self.folder / command, self.folder / f"{command}-new"
                self.aitqe(command, shard, "-o", run, "--sample", "50%", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)
                keys = [row["key"] for row in self.output("a", command).rows]
                self.assertTrue(0 < len(keys) < 12 and keys[-1] != f"{len(keys) - 1:04d}", keys)
                self.aitqe("select", run, "--shards", new)
                names = [m.name for m in read_tar(new / "00000.tar") if m.name.endswith(".png")]
                self.assertEqual(names, [f"{key}.png" for key in keys])

    def test_a_row_without_uid_is_an_error_that_says_what_to_do(self):
        self.enhance(write_tar(self.folder / "in/a.tar", pairs(1)))
        result = self.aitqe("select", self.folder / "out", "--npy", self.folder / "a.npy", expect=2)
        self.assertIn('pair "0000" has no uid', result.stderr)
        self.assertFalse((self.folder / "a.npy").exists())
        self.aitqe("select", self.folder / "out", "--where", 'uid != ""', "--npy", self.folder / "a.npy")
        self.assertEqual(len(numpy.load(self.folder / "a.npy")), 0)

    def test_a_tar_that_was_changed_is_not_restored(self):
        self.enhance(write_tar(self.folder / "in/a.tar", pairs(1)))
        tar = self.output("a").tar
        data = bytearray(tar.read_bytes())
        data[600] ^= 1
        tar.write_bytes(data)
        result = self.aitqe("select", self.folder / "out", "--restore", self.folder / "new", expect=3)
        self.assertIn("is not the file that was written", result.stderr)
        self.assertEqual([p.name for p in self.folder.iterdir() if "new" in p.name], [])

    def test_keys_with_tabs_and_line_ends_stay_on_their_line(self):
        members = [(name.replace("0000", "a\tb\nc\\d"), data) for name, data in pairs(1)]
        self.enhance(write_tar(self.folder / "in/a.tar", members))
        self.assertEqual(self.aitqe("select", self.folder / "out").stdout, "a\ta\\tb\\nc\\\\d\n")

    def test_an_unfinished_shard_is_refused(self):
        self.enhance(write_tar(self.folder / "in/a.tar", pairs(1)))
        self.output("a").stats_file.unlink()
        self.assertIn("not finished", self.aitqe("select", self.folder / "out", expect=2).stderr)


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # webdataset leaves files open
