"""docs/guide.md and configs/ keep up with the program."""

import re
import unittest

from support import ANY_NUMBER_MAY_FAIL, MODEL_FLAGS, SOURCE_DIR, EndToEndTest, pairs, write_tar

GUIDE = (SOURCE_DIR / "docs/guide.md").read_text(encoding="utf-8")


def long_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


class GuideTest(EndToEndTest):
    def commands(self):
        text = self.aitqe("--help").stdout
        return re.findall(r"^  ([a-z]+)  ", text.partition("ubcommands:")[2], re.MULTILINE)

    def test_names_every_option_of_every_command(self):
        for command in self.commands():
            with self.subTest(command=command):
                missing = long_options(self.aitqe(command, "--help").stdout) - long_options(GUIDE) - {"--help"}
                self.assertFalse(missing, f"not in docs/guide.md: {missing}")
                self.assertIn(f"aitqe {command}", GUIDE)

    def test_pages_name_no_option_that_no_command_has(self):
        """Words of a line that begins with `aitqe COMMAND`."""
        known = {command: long_options(self.aitqe(command, "--help").stdout) for command in self.commands()}
        for page in [SOURCE_DIR / "README.md", *sorted((SOURCE_DIR / "docs").glob("*.md"))]:
            for command, rest in re.findall(r"^ {4}(?:[A-Z_]+=\S+ )*aitqe (\w+)([^|>\n]*)", page.read_text(), re.MULTILINE):
                with self.subTest(page=page.name, line=f"aitqe {command}{rest}"):
                    self.assertIn(command, known)
                    if command != "config":
                        self.assertFalse(long_options(rest.partition("#")[0]) - known[command])

    def test_every_page_is_found_from_another(self):
        pages = {page.name: page.read_text() for page in [SOURCE_DIR / "README.md", *(SOURCE_DIR / "docs").glob("*.md")]}
        for name in pages:
            self.assertTrue(name == "README.md" or any(name in text for other, text in pages.items() if other != name), name)

    def test_links_lead_somewhere(self):
        for page in [SOURCE_DIR / "README.md", *sorted((SOURCE_DIR / "docs").glob("*.md"))]:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
                self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_names_no_option_that_does_not_exist(self):
        option_tables = GUIDE[GUIDE.index("## Options"):]
        self.assertFalse(long_options(option_tables) - long_options(self.aitqe("enhance", "--help").stdout))

    def test_every_example_configuration_is_accepted(self):
        shard = write_tar(self.folder / "in/00000.tar", pairs(1))
        self.aitqe("score", shard, "-o", self.folder / "scored", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)
        for config in sorted((SOURCE_DIR / "configs").glob("*.toml")):
            command = "score" if "[score]" in config.read_text() else "enhance"
            with self.subTest(config=config.name):
                self.aitqe(command, shard, "-o", self.folder / config.stem, *MODEL_FLAGS, "--dry-run",
                           "--forecast-s", "0", "--config", config)


class MeasuringTest(unittest.TestCase):
    """docs/measuring.md says which script makes each file of bench/results."""

    def rows(self):
        """Of the table: file -> (script, what stands in its cell)."""
        text = (SOURCE_DIR / "docs/measuring.md").read_text(encoding="utf-8")
        found = re.findall(r"^\| [^|]*\| (`(scripts/[\w/.]+)[^|]*)\| \[([\w.-]+)\]", text, re.MULTILINE)
        self.assertGreater(len(found), 5)
        return {result: (script, cell) for cell, script, result in found}

    def test_every_result_has_a_script_that_makes_it(self):
        results = {path.name for path in (SOURCE_DIR / "bench/results").glob("*.txt")}
        rows = self.rows()
        self.assertEqual(results - set(rows), set(), "not in docs/measuring.md")
        by_hand = {result for result, (_, cell) in rows.items() if "by hand" in cell}
        self.assertEqual(by_hand, {"judge_blends.txt", "train_gpu.txt"})  # and no more of them
        for result, (script, _) in rows.items():
            with self.subTest(result=result):
                self.assertTrue((SOURCE_DIR / "bench/results" / result).is_file())
                source = (SOURCE_DIR / script).read_text(encoding="utf-8")
                if result not in by_hand:
                    self.assertIn("bench/results", source)

    def test_a_result_that_names_its_script_names_the_same(self):
        for result, (script, _) in self.rows().items():
            lines = (SOURCE_DIR / "bench/results" / result).read_text(encoding="utf-8").splitlines()[:3]
            named = re.findall(r"scripts/[\w/.]+\.(?:sh|py)", "\n".join(line for line in lines if line.startswith("#")))
            if named:
                with self.subTest(result=result):
                    family = {name.rsplit(".", 1)[0] for name in named}  # bench_images.sh calls bench_images.py
                    self.assertIn(script.rsplit(".", 1)[0], family)


if __name__ == "__main__":
    unittest.main()
