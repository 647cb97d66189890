"""Where pairs come from: every form of INPUT, and what is said when one cannot be used."""

import unittest

from support import EndToEndTest, pairs, tar_bytes, write_tar


class InputsTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        for name in ("00000", "00001", "00002"):
            write_tar(self.folder / f"in/{name}.tar", pairs(1, key=name + "-{}"))

    def keys(self, *names):
        return [row["key"] for name in names for row in self.output(name).rows]

    def shards_written(self):
        return sorted(p.name for p in (self.folder / "out").glob("*.tar"))

    def test_files_are_read_in_the_order_given(self):
        result = self.enhance("in/00002.tar", "in/00000.tar")
        self.assertEqual(self.keys("00000", "00002"), ["00000-0", "00002-0"])
        self.assertIn("2 shards written", result.stderr)

    def test_a_folder_gives_the_shards_directly_inside(self):
        write_tar(self.folder / "in/.hidden.tar", pairs(1))
        write_tar(self.folder / "in/below/00009.tar", pairs(1))
        (self.folder / "in/notes.txt").write_text("no shard")
        self.enhance("in")
        self.assertEqual(self.shards_written(), ["00000.tar", "00001.tar", "00002.tar"])

    def test_a_glob(self):
        self.enhance("in/0000[12].tar")
        self.assertEqual(self.shards_written(), ["00001.tar", "00002.tar"])

    def test_braces(self):
        self.enhance("in/{00000..00001}.tar")
        self.assertEqual(self.shards_written(), ["00000.tar", "00001.tar"])

    def test_a_list_file(self):
        (self.folder / "list.txt").write_text("# two of three\nin/00000.tar\n\n  in/00002.tar\n")
        self.enhance("@list.txt")
        self.assertEqual(self.shards_written(), ["00000.tar", "00002.tar"])

    def test_a_tar_on_standard_input(self):
        self.enhance("-", input=tar_bytes(pairs(2)))
        self.assertEqual(self.keys("stdin"), ["0000", "0001"])

    def test_the_output_of_a_command(self):
        self.enhance("pipe:cat in/00001.tar")
        self.assertEqual(self.keys("00001"), ["00001-0"])

    def test_commands_with_a_number_range(self):
        self.enhance("pipe:cat in/{00000..00001}.tar")
        self.assertEqual(self.shards_written(), ["00000.tar", "00001.tar"])

    def test_a_command_that_fails_after_its_output_is_reported(self):
        result = self.enhance("pipe:cat in/00001.tar; exit 7", expect=3)
        self.assertEqual(self.keys("00001"), ["00001-0"])
        self.assertIn("status 7", result.stderr)
        self.assertEqual([d["kind"] for d in self.output("00001").stats["summary"]["damage"]], ["source_failed"])

    def test_a_command_that_gives_nothing_is_reported(self):
        result = self.enhance("pipe:false", expect=3)
        self.assertIn("status 1", result.stderr)

    def test_a_failing_command_stops_no_other_shard(self):
        self.enhance("pipe:exit 1", "in/00002.tar", expect=3)
        self.assertEqual(self.keys("00002"), ["00002-0"])

    def test_a_missing_file(self):
        result = self.enhance("in/00000.tar", "in/no.tar", expect=4)
        self.assertIn("in/no.tar: no such file", result.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_a_glob_that_matches_nothing(self):
        result = self.enhance("in/9*.tar", expect=4)
        self.assertIn("in/9*.tar: matches no file", result.stderr)

    def test_an_empty_folder(self):
        (self.folder / "empty").mkdir()
        result = self.enhance("empty", expect=4)
        self.assertRegex(result.stderr, r"empty: no \.tar")

    def test_a_missing_member_of_a_list_names_the_line(self):
        (self.folder / "list.txt").write_text("in/00000.tar\nin/no.tar\n")
        result = self.enhance("@list.txt", expect=4)
        self.assertIn("list.txt:2: in/no.tar", result.stderr)

    def test_a_missing_list(self):
        result = self.enhance("@no.txt", expect=4)
        self.assertIn("@no.txt", result.stderr)

    def test_a_shard_without_any_pair(self):
        write_tar(self.folder / "empty.tar", [])
        result = self.enhance("empty.tar", expect=4)
        self.assertIn("no pair", result.stderr)

    def test_one_empty_shard_among_others_is_no_error(self):
        write_tar(self.folder / "empty.tar", [])
        self.enhance("empty.tar", "in/00000.tar")
        self.assertEqual(self.shards_written(), ["00000.tar", "empty.tar"])
        self.assertEqual(self.output("empty").rows, [])

    def test_two_inputs_of_one_name(self):
        write_tar(self.folder / "other/00000.tar", pairs(1))
        result = self.enhance("in/00000.tar", "other/00000.tar", expect=2)
        self.assertIn("in/00000.tar and other/00000.tar", result.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_the_output_folder_may_not_be_an_input_folder(self):
        before = sorted((self.folder / "in").iterdir())
        for spelling in ("in", "in/", "./in/../in"):
            with self.subTest(output=spelling):
                result = self.enhance("in/00000.tar", output=spelling, expect=2)
                self.assertIn("-o", result.stderr)
        self.assertEqual(sorted((self.folder / "in").iterdir()), before)

    def test_a_scheme_that_is_not_built_in_names_the_way_round(self):
        result = self.enhance("gs://bucket/00000.tar", expect=2)
        self.assertIn("pipe:", result.stderr)

    def test_no_input_and_no_output(self):
        self.assertIn("no input", self.aitqe("enhance", "-o", "out", expect=2).stderr)
        self.assertIn("-o", self.aitqe("enhance", "in/00000.tar", expect=2).stderr)

    def test_a_file_that_is_no_tar(self):
        (self.folder / "text.tar").write_text("this is no tar at all\n" * 100)
        result = self.enhance("text.tar", expect=3)
        self.assertIn("text.tar", result.stderr)

    def test_an_empty_file(self):
        (self.folder / "nothing.tar").write_bytes(b"")
        result = self.enhance("nothing.tar", expect=3)
        self.assertIn("nothing.tar", result.stderr)


if __name__ == "__main__":
    unittest.main()
