"""docs/guide.md, docs/training.md and configs/ keep up with the program."""

import re
import unittest

from support import ANY_NUMBER_MAY_FAIL, MODEL_FLAGS, SOURCE_DIR, EndToEndTest, pairs, png, write_tar

GUIDE = (SOURCE_DIR / "docs/guide.md").read_text(encoding="utf-8")


TASKS = (SOURCE_DIR / "docs/tasks.md").read_text(encoding="utf-8")
OF_ALL_COMMANDS = {"--help", "-h", "--quiet", "-q", "--log-format", "--config"}


def long_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def options_in_help(text):
    """Long and short ones that a command takes, not those that its texts speak of."""
    found = re.findall(r"^  (-\w)?,?(--[a-z][a-z-]+)", text.partition("Examples:")[0], re.MULTILINE)
    return {name for names in found for name in names if name}


def options_in_tables(text):
    return set(re.findall(r"`(--?[a-z][a-z-]*)[ `]", "\n".join(re.findall(r"^\|.*", text, re.MULTILINE))))


class GuideTest(EndToEndTest):
    def commands(self):
        text = self.aitqe("--help").stdout
        return re.findall(r"^  ([a-z]+)  ", text.partition("ubcommands:")[2], re.MULTILINE)

    def test_lists_the_very_options_of_every_command(self):
        """Long and short ones. What one command has does not count for another."""
        of_enhance, _, others = GUIDE[GUIDE.index("## Options\n"):].partition("### Options of other commands")
        rows = {command: row for commands, row in re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \| (.*)", others, re.MULTILINE)
                for command in re.findall(r"[a-z]+", commands)}
        listed = {command: options_in_tables(f"| {row}".replace("`--format json`", "")) for command, row in rows.items()}
        listed |= dict.fromkeys(("enhance", "score"), options_in_tables(of_enhance) | OF_ALL_COMMANDS)
        self.assertEqual(set(listed), set(self.commands()))
        for command, options in listed.items():
            with self.subTest(command=command):
                taken = options_in_help(self.aitqe(command, "--help").stdout)
                self.assertGreaterEqual(taken, OF_ALL_COMMANDS - {"--config"})
                self.assertEqual("--config" not in taken, command in ("config", "completion", "man"))
                self.assertEqual(taken - OF_ALL_COMMANDS, options - OF_ALL_COMMANDS)
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

    def test_the_outcome_table_names_the_stage_that_a_broken_image_fails_at(self):
        stages = re.findall(r"^\| `failed` pairs with `(\w+):` \| images", TASKS, re.MULTILINE)
        self.assertEqual(len(stages), 1)
        shard = write_tar(self.folder / "in/a.tar", [("cut.png", png()[:40]), ("cut.txt", b"a"), ("odd.png", b"no image"),
                                                     ("odd.txt", b"b")])
        self.enhance(shard)
        self.assertEqual({row["failure"]["stage"] for row in self.output("a").rows}, set(stages))

    def test_every_page_is_found_from_another(self):
        pages = {page.name: page.read_text() for page in [SOURCE_DIR / "README.md", *(SOURCE_DIR / "docs").glob("*.md")]}
        for name in pages:
            self.assertTrue(name == "README.md" or any(name in text for other, text in pages.items() if other != name), name)

    def test_links_lead_somewhere(self):
        for page in [SOURCE_DIR / "README.md", *sorted((SOURCE_DIR / "docs").glob("*.md"))]:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
                self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_names_no_option_that_does_not_exist(self):
        option_tables = GUIDE[GUIDE.index("## Options\n"):GUIDE.index("### Options of other commands")]
        self.assertFalse(long_options(option_tables) - long_options(self.aitqe("enhance", "--help").stdout))

    def test_every_example_configuration_is_accepted(self):
        shard = write_tar(self.folder / "in/00000.tar", pairs(1))
        self.aitqe("score", shard, "-o", self.folder / "scored", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)
        for config in sorted((SOURCE_DIR / "configs").glob("*.toml")):
            command = "score" if "[score]" in config.read_text() else "enhance"
            with self.subTest(config=config.name):
                self.aitqe(command, shard, "-o", self.folder / config.stem, *MODEL_FLAGS, "--dry-run",
                           "--forecast-s", "0", "--config", config)


class TrainingTest(EndToEndTest):
    """docs/training.md lists the keys of a recipe, with the defaults of recipe.h, and its recipe can be read."""

    # Heading in the page -> what stands in a recipe before such a key, and the structs that hold the values.
    TABLES = {
        "## Keys of a recipe": ("", ("Recipe",)),
        "### Keys of a stage": ("[[stage]]\n", ("StageOptions",)),
        "### Keys of `[[stage.train]]`": ("[[stage]]\n[[stage.train]]\n", ("TrainedTensors",)),
        "### Keys of `[[stage.lora]]`": ("[[stage]]\n[[stage.lora]]\n", ("TrainedLora", "LoraOptions")),
    }

    def setUp(self):
        super().setUp()
        self.text = (SOURCE_DIR / "docs/training.md").read_text(encoding="utf-8")

    def train(self, recipe, expect):
        path = self.folder / "recipe.toml"
        path.write_text(recipe, encoding="utf-8")
        return self.aitqe("train", path, "-o", self.folder / "out", expect=expect).stderr

    def listed(self, heading):
        """Key -> its default, as it stands in the table below a heading."""
        section = re.split(r"^##", self.text[self.text.index(heading + "\n") + len(heading):], flags=re.MULTILINE)[0]
        rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", section, re.MULTILINE)
        self.assertEqual(len(rows), len(dict(rows)), f"{heading}: a key stands there twice")
        return dict(rows)

    def test_lists_the_very_keys_of_a_recipe(self):
        for heading, (before, _) in self.TABLES.items():
            with self.subTest(table=heading):
                known = self.train(before + "no_such_key = 1\n", expect=2).partition("known here: ")[2]
                self.assertEqual(set(self.listed(heading)), set(known.strip().split(", ")))

    def test_tells_the_defaults_of_the_program(self):
        code = "".join((SOURCE_DIR / "include/aitqe/train" / name).read_text() for name in ("recipe.h", "parameters.h"))
        for heading, (_, structs) in self.TABLES.items():
            values = {}
            for name in structs:
                fields = re.search(rf"^struct {name} {{\n(.*?)^}};", code, re.MULTILINE | re.DOTALL)[1]
                values |= re.findall(r"^  [\w:]+ (\w+) = ([^;]+);", fields, re.MULTILINE)
            for key, default in self.listed(heading).items():
                with self.subTest(table=heading, key=key):
                    if default in ("needed", "none"):
                        self.assertIn(values.get(key, ""), ("", "0"))  # 0: no number yet
                    else:
                        value = re.sub(r"StageTask::(\w+)", lambda found: f'"{found[1].lower()}"', values[key])
                        self.assertEqual(default.strip("`"), value)

    def test_its_recipe_and_those_that_come_along_are_read(self):
        """What fails then is the model, which is not there."""
        recipes = {path.name: path.read_text(encoding="utf-8") for path in (SOURCE_DIR / "configs/train").glob("*.toml")}
        whole, *stages = re.findall(r"```toml\n(.*?)```", self.text, re.DOTALL)
        recipes |= {"the page's": whole} | {f"the page's {i}": f'model = "base"\n{one}' for i, one in enumerate(stages)}
        for name, recipe in recipes.items():
            with self.subTest(recipe=name):
                self.assertIn("no such model folder", self.train(recipe, expect=6))


class MeasuringTest(unittest.TestCase):
    """docs/measuring.md says which script makes each file of bench/results."""

    def rows(self):
        """Of the table: file -> (script, what stands in its cell)."""
        text = (SOURCE_DIR / "docs/measuring.md").read_text(encoding="utf-8")
        found = re.findall(r"^\| [^|]*\| (`(scripts/[\w/.]+)[^|]*)\| \[([\w.-]+)\]", text, re.MULTILINE)
        self.assertGreater(len(found), 5)
        return {result: (script, cell) for cell, script, result in found}

    def test_every_result_has_a_script_that_makes_it(self):
        folder = SOURCE_DIR / "bench/results"
        results = {path.name for path in folder.iterdir() if path.suffix == ".txt" or path.is_dir()}
        rows = self.rows()
        self.assertEqual(results - set(rows), set(), "not in docs/measuring.md")
        by_hand = {result for result, (_, cell) in rows.items() if "by hand" in cell}
        self.assertEqual(by_hand, {"judge_blends.txt", "train_gpu.txt"})  # and no more of them
        for result, (script, _) in rows.items():
            with self.subTest(result=result):
                self.assertTrue((folder / result).exists())
                path = SOURCE_DIR / script
                source = "".join(one.read_text(encoding="utf-8") for one in (path.glob("*.py") if path.is_dir() else [path]))
                if result not in by_hand:
                    self.assertIn("bench/results", source)

    def test_a_result_that_names_its_script_names_the_same(self):
        for result, (script, _) in self.rows().items():
            path = SOURCE_DIR / "bench/results" / result
            if path.is_dir():
                continue
            lines = path.read_text(encoding="utf-8").splitlines()[:3]
            named = re.findall(r"scripts/[\w/.]+\.(?:sh|py)", "\n".join(line for line in lines if line.startswith("#")))
            if named:
                with self.subTest(result=result):
                    family = {name.rsplit(".", 1)[0] for name in named}  # bench_images.sh calls bench_images.py
                    self.assertIn(script.rsplit(".", 1)[0], family)


if __name__ == "__main__":
    unittest.main()
