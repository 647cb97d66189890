"""Damaged tars: each kind is told, in stats and on stderr, and every pair that survives is written.

The tars are those of scripts/make_damaged_tars.py: four pairs, 0000 to 0003, each member 1024 bytes
long (header and data), so member i begins at byte 1024 * i. Their pictures are plain text: every
pair fails, which does not matter here.
"""

import gzip
import typing
import unittest

from support import SOURCE_DIR, EndToEndTest, pairs, tar_bytes, write_tar

TARS = SOURCE_DIR / "tests/data/tar"


class Damage(typing.NamedTuple):
    kind: str
    bytes_lost: int
    pairs_lost: int  # -1: a tar cut between members, or with a hole, does not tell
    keys: list       # of the pairs that survive


ALL = ["0000", "0001", "0002", "0003"]
CASES = {
    "cut_at_member": Damage("truncated_input", 0, -1, ALL[:2]),
    "cut_in_header": Damage("truncated_input", 300, 1, ALL[:2]),
    "cut_in_data": Damage("truncated_input", 512 + 100, 1, ALL[:2]),
    "flipped_header": Damage("bad_header", 1024, 1, ALL),  # 0002.jpg is lost, its caption is not
    "zeros_inserted": Damage("data_after_end_marker", 0, -1, ALL),
}


class DamagedTest(EndToEndTest):
    def test_each_kind_of_damage_is_told_and_survivors_are_written(self):
        for name, expected in CASES.items():
            with self.subTest(tar=name):
                result = self.enhance(TARS / f"{name}.tar", output=name, expect=3)
                output = self.output(name, name)
                summary = output.stats["summary"]
                damage = {"shard": name, "kind": expected.kind, "bytes": expected.bytes_lost,
                          "pairs_lost": expected.pairs_lost}
                self.assertEqual(summary["damage"], [damage])
                self.assertEqual([row["key"] for row in output.rows], expected.keys)
                self.assertEqual(summary["read"], len(expected.keys))
                members = [m for m in output.members if not m.is_record]
                lost = {"0002.jpg"} if name == "flipped_header" else set()
                names = [f"{key}.{suffix}" for key in expected.keys for suffix in ("jpg", "txt")]
                self.assertEqual([m.name for m in members], [n for n in names if n not in lost])
                for member in members:
                    suffix = member.name[-3:]
                    self.assertEqual(member.data, f"{suffix} {int(member.name[:4])} ".encode() * 40)
                self.assertIn(f"{name}.tar: ", result.stderr)
                self.assertIn("1 damaged place", result.stderr)

    def test_messages_say_where(self):
        words = {"cut_at_member": "ends at byte 4096", "cut_in_header": "ends at byte 4396",
                 "cut_in_data": "ends at byte 4708", "flipped_header": "went on at byte 5120",
                 "zeros_inserted": "more data from byte 5120"}
        for name, text in words.items():
            with self.subTest(tar=name):
                known = CASES[name].pairs_lost >= 0
                loss = f"; lost: {CASES[name].bytes_lost} bytes, " + ("at least 1 pair" if known else "pairs unknown")
                result = self.enhance(TARS / f"{name}.tar", output=name, expect=3)
                warnings = [line for line in result.stderr.splitlines() if "warning" in line and f"{name}.tar: " in line]
                self.assertEqual(len(warnings), 1, result.stderr)
                self.assertIn(text, warnings[0])
                self.assertTrue(warnings[0].endswith(loss), warnings[0])

    def test_joined_archives_are_read_on_with_a_warning(self):
        result = self.enhance(TARS / "joined.tar")
        self.assertRegex(result.stderr, "warning.*joined.tar: .*more data from byte 10240; read on")
        self.assertEqual([row["key"] for row in self.output("joined").rows], ALL + ALL)
        self.assertEqual(self.output("joined").stats["summary"]["damage"], [])

    def test_joined_archives_are_skipped_when_asked_and_the_loss_is_told(self):
        result = self.enhance(TARS / "joined.tar", "--joined-archives", "skip", expect=3)
        self.assertRegex(result.stderr, "warning.*joined.tar: .*; lost: 10240 bytes, at least 4 pairs")
        self.assertEqual([row["key"] for row in self.output("joined").rows], ALL)
        damage = {"shard": "joined", "kind": "data_after_end_marker", "bytes": 10240, "pairs_lost": 4}
        self.assertEqual(self.output("joined").stats["summary"]["damage"], [damage])

    def test_damage_is_shown_in_the_summary_of_the_run(self):
        result = self.enhance(TARS / "cut_in_data.tar", TARS / "flipped_header.tar", expect=3)
        self.assertIn("truncated_input", result.stdout)
        self.assertIn("bad_header", result.stdout)
        self.assertIn("2 places, 1,636 bytes, 2 pairs lost", result.stdout)

    def test_what_is_not_known_is_not_called_nothing(self):
        result = self.enhance(TARS / "cut_at_member.tar", expect=3)
        self.assertIn("1 place, 0 bytes, at least 0 pairs lost", result.stdout)
        self.assertRegex(result.stdout, r"cut_at_member truncated_input.* unknown pairs")

    def test_a_damaged_shard_stops_no_other(self):
        good = write_tar(self.folder / "in/good.tar", pairs(2))
        self.enhance(TARS / "cut_in_header.tar", good, expect=3)
        self.assertEqual([row["key"] for row in self.output("good").rows], ["0000", "0001"])
        self.assertEqual(self.output("good").stats["summary"]["damage"], [])

    def test_damage_is_told_again_by_a_run_that_finds_the_shard_done(self):
        self.enhance(TARS / "cut_in_data.tar", expect=3)
        result = self.enhance(TARS / "cut_in_data.tar", expect=3)
        self.assertIn("1 done before", result.stderr)
        self.assertIn("truncated_input", result.stdout)

    def test_broken_compression(self):
        for name in ("cut.tar.gz", "bad_crc.tar.gz", "cut.tar.zst"):
            with self.subTest(tar=name):
                result = self.enhance(TARS / name, output=name, expect=3)
                self.assertIn(name, result.stderr)
                kinds = {d["kind"] for d in self.output(name.split(".")[0], name).stats["summary"]["damage"]}
                self.assertEqual(kinds, {"source_failed"})

    def test_a_sound_file_in_the_place_of_a_broken_one_is_taken(self):
        shard = self.folder / "in/a.tar.gz"
        shard.parent.mkdir()
        whole = gzip.compress(tar_bytes(pairs(3)))
        for broken in (whole[:-20], whole[:-8] + bytes(8)):
            with self.subTest(size=len(broken)):
                output = f"out-{len(broken)}"
                shard.write_bytes(broken)
                self.enhance("in", output=output, expect=3)
                self.assertEqual(self.aitqe("status", output, "--format", "slurm").stdout.strip(), "0")
                shard.write_bytes(whole)
                self.enhance("in", output=output)
                self.assertEqual(self.aitqe("status", output, "--format", "slurm").stdout.strip(), "")


if __name__ == "__main__":
    unittest.main()
