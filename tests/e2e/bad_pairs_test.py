"""Pairs that cannot be judged go through unchanged, and their row says why."""

import io
import resource
import struct
import typing
import unittest

from PIL import Image

from support import (MODEL_FLAGS, EndToEndTest, SharedRunTest, example_members, pair, png, read_tar,
                     was_judged, write_tar)


def jpeg(width=64, height=48):
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def tiff():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "TIFF")
    return buffer.getvalue()


def psd():
    """Adobe's header, three empty sections, and 8x8 pixels of three channels as they are."""
    return b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 8, 8, 8, 3) + bytes(3 * 4) + bytes(2) + bytes(3 * 8 * 8)


def heic():
    """The box that a HEIC file begins with, and an empty one with its pictures."""
    return struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"heic", 0, b"mif1", b"heic") + struct.pack(">I4s", 8, b"mdat")


HTML = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>\n'
CAPTION = b"a red square"


class Bad(typing.NamedTuple):
    members: list  # (suffix, bytes)
    stage: str     # "" where the pair can be judged all the same
    words: str = ""  # found in the failure's reason


CASES = {
    "no-image": Bad([("txt", CAPTION)], "image", "no_image"),
    "no-image-but-more": Bad([("json", b"{}"), ("mp3", b"ID3"), ("txt", CAPTION)], "image", "json, mp3, txt"),
    "no-caption": Bad([("png", png())], "caption", "txt"),
    "empty-caption": Bad([("png", png()), ("txt", b"")], ""),
    "invalid-utf8-caption": Bad([("png", png()), ("txt", b"caf\xe9 \xff\xfe")], ""),
    "caption-of-1-mb": Bad([("png", png()), ("txt", b"far too long " * 80_000)], "prompt", "prompt_too_long"),
    "empty-image": Bad([("jpg", b""), ("txt", CAPTION)], "image", "0 bytes"),
    "corrupt-jpeg": Bad([("jpg", b"\xff\xd8\xff" + bytes(range(256)) * 4), ("txt", CAPTION)], "image", "JPEG"),
    "truncated-jpeg": Bad([("jpg", jpeg()[:-400]), ("txt", CAPTION)], "image", "JPEG"),
    "html-as-jpeg": Bad([("jpg", HTML), ("txt", CAPTION)], "image", "<!DOCTYPE"),
    "bomb-in-the-header": Bad([("png", png(65535, 65535)), ("txt", CAPTION)], "image", "65535x65535"),
    "zero-width": Bad([("png", png(0, 8)), ("txt", CAPTION)], "image", "0x8"),
    "tiff": Bad([("tif", tiff()), ("txt", CAPTION)], "image", "unsupported_image: unsupported image format TIFF,"),
    "tiff-as-jpeg": Bad([("jpg", tiff()), ("txt", CAPTION)], "image", "unsupported_image: unsupported image format TIFF,"),
    "svg": Bad([("svg", SVG), ("txt", CAPTION)], "image", "unsupported_image: unsupported image format SVG,"),
    "psd": Bad([("psd", psd()), ("txt", CAPTION)], "image", "unsupported_image: unsupported image format PSD,"),
    "psd-as-png": Bad([("png", psd()), ("txt", CAPTION)], "image", "unsupported_image: unsupported image format PSD,"),
    "heic": Bad([("heic", heic()), ("txt", CAPTION)], "image", "unsupported_image: unsupported image format HEIC,"),
    "heic-as-jpeg": Bad([("jpg", heic()), ("txt", CAPTION)], "image", "unsupported_image: unsupported image format HEIC,"),
    "two-images": Bad([("jpg", jpeg()), ("png", png()), ("txt", CAPTION)], "sample", "several_images"),
    "duplicate-suffix": Bad([("png", png()), ("txt", CAPTION), ("txt", b"another one")], "sample", "duplicate_suffix"),
    "duplicate-suffix-by-case": Bad([("png", png()), ("txt", CAPTION), ("TXT", b"another one")], "sample",
                                    "duplicate_suffix"),
    "dotted-key": Bad([("v1.png", png()), ("v1.txt", CAPTION), ("v2.png", png()), ("v2.txt", CAPTION)], "sample",
                      "dotted_key_merge"),
}


class BadPairsTest(SharedRunTest):
    """All cases in one shard, with a good pair at either end."""

    @classmethod
    def run_once(cls, runner):
        members = pair("good-first", "a red square")
        for key, case in CASES.items():
            members += [(f"{key}.{suffix}", data) for suffix, data in case.members]
        members += pair("good-last", "a red square")
        cls.shard = write_tar(runner.folder / "in/bad.tar", members)
        runner.enhance(cls.shard)
        cls.output = runner.output("bad")
        cls.rows = {row["key"]: row for row in cls.output.rows}

    def test_every_pair_goes_through_unchanged(self):
        before = read_tar(self.shard)
        after = [m for m in self.output.members if not m.is_record]
        self.assertEqual([m.name for m in after], [m.name for m in before])
        rewritten = {f"{key}.txt" for key, row in self.rows.items() if row["decision"] == "rewrite"}
        for old, new in zip(before, after):
            if old.name not in rewritten:
                self.assertEqual(new, old, old.name)

    def test_the_row_says_in_which_stage_and_why(self):
        for key, case in CASES.items():
            with self.subTest(pair=key):
                row = self.rows[key]
                if not case.stage:
                    self.assertTrue(was_judged(row), row["failure"])
                    continue
                self.assertEqual(row["decision"], "failed")
                self.assertEqual(row["failure"]["stage"], case.stage, row["failure"])
                self.assertIn(case.words, row["failure"]["reason"])
                self.assertEqual(row["caption_out"], row["caption"])
                texts = [data for suffix, data in case.members if suffix == "txt"]
                self.assertEqual([m.data for m in self.output.members if m.name == f"{key}.txt"], texts)
                self.assertFalse(was_judged(row))

    def test_the_reason_is_a_code_then_words(self):
        for key, case in CASES.items():
            if case.stage:
                with self.subTest(pair=key):
                    self.assertRegex(self.rows[key]["failure"]["reason"], r"^[a-z][a-z0-9_]*(: \S.*)?$")

    def test_a_pair_that_failed_before_it_was_judged_has_no_verdict_reason(self):
        for key, case in CASES.items():
            if case.stage:
                self.assertEqual(self.rows[key]["reason"], "", key)  # docs/formats.md

    def test_good_pairs_beside_bad_ones_are_judged(self):
        for key in ("good-first", "good-last"):
            self.assertTrue(was_judged(self.rows[key]), self.rows[key]["failure"])

    def test_the_caption_is_told_whatever_else_is_wrong(self):
        self.assertEqual(self.rows["html-as-jpeg"]["caption"], "a red square")
        self.assertTrue(self.rows["html-as-jpeg"]["caption_present"])
        self.assertTrue(self.rows["empty-caption"]["caption_present"])
        self.assertFalse(self.rows["no-caption"]["caption_present"])
        self.assertEqual(self.rows["invalid-utf8-caption"]["caption"], "caf\ufffd \ufffd\ufffd")
        self.assertEqual(len(self.rows["caption-of-1-mb"]["caption"]), 13 * 80_000)

    def test_the_summary_counts_failures_by_stage_and_code(self):
        summary = self.output.stats["summary"]
        failed = [row for row in self.rows.values() if row["decision"] == "failed"]
        self.assertEqual((summary["read"], summary["failed"]), (len(CASES) + 2, len(failed)))
        counts = {}
        for row in failed:
            name = f"{row['failure']['stage']}: {row['failure']['reason'].split(':')[0]}"
            counts[name] = counts.get(name, 0) + 1
        self.assertEqual(summary["failures"], counts)
        self.assertEqual(summary["failures"]["image: no_image"], 2)
        self.assertEqual(summary["captions_missing"], 2)  # no-caption and dotted-key

    def test_codes_are_few(self):
        # A reason with a number or a name in its code would make a line of the summary for each pair.
        for name in self.output.stats["summary"]["failures"]:
            self.assertRegex(name, r"^[a-z]+: [a-z_0-9]+$")

    def test_a_bomb_is_refused_without_its_memory(self):
        gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        self.assertLess(gigabytes, 4)  # its pixels alone are 12 GB


class DuplicateKeysTest(EndToEndTest):
    def test_a_key_that_comes_back_fails_and_is_written_in_its_place(self):
        members = pair("a", "first") + pair("b", "second") + pair("a", "third")
        shard = write_tar(self.folder / "in/keys.tar", members)
        self.enhance(shard)
        output = self.output("keys")
        self.assertEqual([row["key"] for row in output.rows], ["a", "b", "a"])
        self.assertEqual([was_judged(row) for row in output.rows], [True, True, False])
        self.assertEqual(output.rows[2]["failure"]["stage"], "sample")
        self.assertRegex(output.rows[2]["failure"]["reason"], "^duplicate_key")
        self.assertEqual([(m.name, m.data) for m in output.members if not m.is_record][4:], members[4:])

    def test_keys_that_differ_by_case(self):
        shard = write_tar(self.folder / "in/keys.tar", pair("cat", "first") + pair("CAT", "second"))
        self.enhance(shard)
        self.assertRegex(self.output("keys").rows[1]["failure"]["reason"], "^key_differs_by_case")


class FailureBudgetTest(EndToEndTest):
    """`--max-failed`: which share of failed pairs makes the exit code 3."""

    def setUp(self):
        super().setUp()
        self.shard = write_tar(self.folder / "in/a.tar", [("a.jpg", HTML), ("a.txt", CAPTION)])

    def run_with(self, shard, *flags, expect):
        return self.aitqe("enhance", shard, "-o", self.folder / "out", *MODEL_FLAGS, *flags, expect=expect)

    def test_more_than_one_percent_is_too_much_unless_said_otherwise(self):
        result = self.run_with(self.shard, expect=3)
        self.assertIn("1 of 1 pairs failed", result.stderr)
        self.assertIn("--max-failed", result.stderr)
        self.assertEqual(self.output("a").stats["summary"]["failed"], 1)

    def test_all_may_fail_with_100_percent(self):
        self.run_with(self.shard, "--max-failed", "100%", expect=0)

    def test_the_budget_is_no_part_of_the_configuration(self):
        self.run_with(self.shard, expect=3)
        result = self.run_with(self.shard, "--max-failed", "100%", expect=0)
        self.assertIn("1 done before", result.stderr)

    def test_the_border_itself_is_within_the_budget(self):
        good = example_members(3, ("jpg", "txt"))
        shard = write_tar(self.folder / "in/b.tar", [("bad.jpg", HTML), ("bad.txt", CAPTION), *good])
        self.run_with(shard, "--max-failed", "25%", expect=0)
        self.run_with(shard, "--max-failed", "24.9%", expect=3)
        self.run_with(shard, "--max-failed", "0.25", expect=0)

    def test_a_share_that_means_nothing(self):
        for text in ("101%", "-1%", "many", "5 %", ""):
            with self.subTest(share=text):
                result = self.run_with(self.shard, f"--max-failed={text}", expect=2)
                self.assertIn("--max-failed", result.stderr)


if __name__ == "__main__":
    unittest.main()
