"""docs/guide.md and configs/ keep up with the program."""

import re
import unittest

from support import ANY_NUMBER_MAY_FAIL, MODEL_FLAGS, SOURCE_DIR, EndToEndTest, pairs, write_tar

GUIDE = (SOURCE_DIR / "docs/guide.md").read_text(encoding="utf-8")


def long_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


class GuideTest(EndToEndTest):
    def test_names_every_option_of_the_main_commands(self):
        for command in ("enhance", "score", "report", "select", "status"):
            missing = long_options(self.aitqe(command, "--help").stdout) - long_options(GUIDE) - {"--help"}
            self.assertFalse(missing, f"not in docs/guide.md: {missing}")

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


if __name__ == "__main__":
    unittest.main()
