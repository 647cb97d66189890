"""What a shell knows of the program: completion in real shells, the manual page, `aitqe config show`, presets."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import time
import tomllib
import unittest

from support import BINARY, EXAMPLES, LONGEST_RUN_S, MODEL_FLAGS, SOURCE_DIR, EndToEndTest, environment

README = (SOURCE_DIR / "README.md").read_text(encoding="utf-8")


class ShellTest(EndToEndTest):
    def commands(self):
        text = self.aitqe("--help").stdout
        return re.findall(r"^  ([a-z]+)  ", text.partition("ubcommands:")[2], re.MULTILINE)

    def long_options(self, command):
        text = self.aitqe(command, "--help").stdout.partition("Examples:")[0]
        return set(re.findall(r"^  (?:-\w,)?(--[a-z][a-z-]+)", text, re.MULTILINE))

    def script(self, shell):
        path = self.folder / f"completion.{shell}"
        path.write_text(self.aitqe("completion", shell).stdout)
        return path

    def run_shell(self, *command, **changes):
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LONGEST_RUN_S,
                              check=True, cwd=self.folder, stdin=subprocess.DEVNULL,
                              env=environment(HOME=str(self.folder), **changes)).stdout

    def check_completions(self, complete):
        """@param complete  gives what a shell offers for the last of some words"""
        self.assertEqual(complete("aitqe", "enh"), {"enhance"})
        self.assertEqual(complete("aitqe", ""), set(self.commands()))
        self.assertEqual(complete("aitqe", "enhance", "--rewr"), {"--rewrite-when"})
        self.assertEqual(complete("aitqe", "enhance", "--dtype", ""), {"auto", "f32", "bf16", "int8", "fp8"})
        self.assertEqual(complete("aitqe", "enhance", "--on-injection", ""), {"judge", "keep", "fail"})
        self.assertEqual(complete("aitqe", "enhance", "--no-"), {"--no-images", "--no-parquet"})
        self.assertEqual(complete("aitqe", "enhance", "a.tar", "--log-format", "j"), {"json"})
        self.assertEqual(complete("aitqe", "completion", ""), {"bash", "zsh", "fish"})
        self.assertEqual(complete("aitqe", "config", ""), {"show"})
        self.assertEqual(complete("aitqe", "config", "show", "enhance", "--ver"), {"--verify", "--verbose"})


class CompletionTest(ShellTest):
    def bash(self, *words):
        offered = self.run_shell("bash", "--norc", "-c", 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
                                 ' _aitqe; printf "%s\\n" "${COMPREPLY[@]}"', "bash", self.script("bash"), *words)
        return set(offered.split())

    def fish(self, *words):
        self.assertNotIn(" ", "".join(words))
        offered = self.run_shell("fish", "--no-config", "-c", f"source {self.script('fish')}; complete -C "
                                 f"'{' '.join(words)}'", XDG_CONFIG_HOME=str(self.folder))
        return {line.split("\t")[0] for line in offered.splitlines()}

    def zsh(self, *words):
        """Types the words into an interactive zsh and presses Tab; what `compadd` is given is noted down."""
        offered, ready = self.folder / "offered", self.folder / "ready"
        for path in (offered, ready):
            path.unlink(missing_ok=True)
        (self.folder / ".zshrc").write_text(f"""
autoload -Uz compinit; compinit -u -D
source {self.script("zsh")}
compadd() {{
  local -a hits
  [[ "$*" == *-[OAD]\\ * ]] || {{ builtin compadd -A hits "$@"; print -rl -- $hits >> {offered} }}
  builtin compadd "$@"
}}
note() {{ print done > {ready} }}
zle -N note; bindkey '^X' note
PS1='> '
""")
        ours, its = pty.openpty()
        shell = subprocess.Popen(["zsh", "-i"], stdin=its, stdout=its, stderr=its, cwd=self.folder,
                                 start_new_session=True,
                                 env=environment(HOME=str(self.folder), ZDOTDIR=str(self.folder), TERM="dumb"))
        os.close(its)
        try:
            self.read_until(ours, lambda shown: b"> " in shown)
            os.write(ours, " ".join(words).encode() + b"\t\x18")
            self.read_until(ours, lambda _: ready.exists())
        finally:
            shell.kill()
            shell.wait()
            os.close(ours)
        lines = offered.read_text().split() if offered.exists() else []
        return {word.removesuffix("=") for word in lines if word.startswith(words[-1])}

    def read_until(self, terminal, is_done):
        """What is written to a terminal must be read, or its writer waits."""
        shown, deadline = b"", time.monotonic() + LONGEST_RUN_S
        while not is_done(shown):
            self.assertLess(time.monotonic(), deadline, shown)
            if select.select([terminal], [], [], 0.02)[0]:
                shown += os.read(terminal, 65536)

    def test_bash_completes(self):
        self.check_completions(self.bash)
        self.assertEqual(self.bash("aitqe", "enhance", "--dtype", "=", "b"), {"bf16"})
        self.assertEqual(self.bash("aitqe", "--"), {"--help", "--version"})
        self.assertEqual(self.bash("aitqe", "enhance", "--limit", ""), set())
        for command in self.commands():
            with self.subTest(command=command):
                offered = {word for word in self.bash("aitqe", command, "--") if word.startswith("--")}
                self.assertEqual(offered, self.long_options(command))

    @unittest.skipUnless(shutil.which("fish"), "the Debian package fish is not installed")
    def test_fish_completes(self):
        self.check_completions(self.fish)
        self.assertEqual(self.fish("aitqe", "enhance", "--"), self.long_options("enhance"))

    @unittest.skipUnless(shutil.which("zsh"), "the Debian package zsh is not installed")
    def test_zsh_completes(self):
        self.check_completions(self.zsh)
        self.assertEqual(self.zsh("aitqe", "enhance", "--"), self.long_options("enhance"))

    @unittest.skipUnless(shutil.which("zsh"), "the Debian package zsh is not installed")
    def test_each_script_is_sound(self):
        for shell, check in {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"]}.items():
            self.run_shell(*check, self.script(shell))

    def test_an_unknown_shell_is_told_which_there_are(self):
        told = self.aitqe("completion", "tcsh", expect=2).stderr
        self.assertIn("bash, zsh or fish", told)
        self.assertNotIn("did you mean", told)
        self.assertIn("did you mean bash?", self.aitqe("completion", "bsh", expect=2).stderr)
        self.assertIn("shell", self.aitqe("completion", expect=2).stderr)


class ManPageTest(ShellTest):
    def page(self):
        path = self.folder / "aitqe.1"
        path.write_text(self.aitqe("man").stdout)
        return path

    @unittest.skipUnless(shutil.which("mandoc"), "the Debian package mandoc is not installed")
    def test_mandoc_has_nothing_to_complain_of(self):
        told = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", self.page()], capture_output=True, text=True)
        self.assertEqual((told.returncode, told.stdout + told.stderr), (0, ""))

    @unittest.skipUnless(shutil.which("groff"), "the Debian package groff-base is not installed")
    def test_groff_has_nothing_to_complain_of(self):
        told = subprocess.run(["groff", "-man", "-Tutf8", "-ww", self.page()], capture_output=True, text=True)
        self.assertEqual((told.returncode, told.stderr), (0, ""))

    @unittest.skipUnless(shutil.which("mandoc"), "the Debian package mandoc is not installed")
    def test_tells_every_command_option_and_exit_status(self):
        shown = self.run_shell("mandoc", "-T", "ascii", "-O", "width=200", self.page())
        shown = re.sub(r".\x08", "", shown)  # bold by overstriking
        for command in self.commands():
            section = re.search(rf"^   {command}\n(.*?)(?=^   \S|^[A-Z])", shown, re.MULTILINE | re.DOTALL)
            self.assertIsNotNone(section, command)
            self.assertIn(f"aitqe {command}", section[1])
            self.assertEqual(self.long_options(command) - set(re.findall(r"--[a-z][a-z-]+", section[1])), set(), command)
        statuses = re.findall(r"^\| ([0-9, ]+) \|", README[README.index("| status | meaning"):], re.MULTILINE)
        self.assertEqual(len(statuses), 9)
        for status in statuses:
            self.assertRegex(shown[shown.index("EXIT STATUS"):], rf"(?m)^ +{status}( |$)")

    @unittest.skipUnless((BINARY.parent / "cmake_install.cmake").exists() and shutil.which("cmake"), "no build folder")
    def test_is_installed_with_the_completions_and_presets(self):
        subprocess.run(["cmake", "--install", BINARY.parent, "--prefix", self.folder / "usr", "--component", "manners"],
                       check=True, capture_output=True)
        share = self.folder / "usr/share"
        self.assertEqual((share / "man/man1/aitqe.1").read_text(), self.page().read_text())
        for path, shell in {"bash-completion/completions/aitqe": "bash", "zsh/site-functions/_aitqe": "zsh",
                            "fish/vendor_completions.d/aitqe.fish": "fish"}.items():
            self.assertEqual((share / path).read_text(), self.script(shell).read_text())
        self.assertTrue((share / "aitqe/configs/careful.toml").is_file())


class ConfigShowTest(ShellTest):
    def show(self, *arguments, **options):
        told = json.loads(self.aitqe("config", "show", "--json", *arguments, **options).stdout)
        return {value["option"]: (value["values"], value["origin"], value["where"]) for value in told["values"]}

    def test_tells_where_every_value_comes_from(self):
        (self.folder / "c.toml").write_text('limit = 7\nmax-new-tokens = 9\nworkers = 3\n[enhance]\nfull = true\n')
        shown = self.show("enhance", "a.tar", "-o", "out", "--limit", "5", "--config", "c.toml",
                          env={"AITQE_MAX_NEW_TOKENS": "8", "AITQE_LIMIT": "6"})
        self.assertEqual(shown["limit"], (["5"], "flag", "--limit"))
        self.assertEqual(shown["max-new-tokens"], (["8"], "variable", "AITQE_MAX_NEW_TOKENS"))
        self.assertEqual(shown["workers"], (["3"], "file", "c.toml"))
        self.assertEqual(shown["full"], (["true"], "file", "c.toml"))
        self.assertEqual(shown["output"], (["out"], "flag", "--output"))
        self.assertEqual(shown["input"], (["a.tar"], "flag", "command line"))
        self.assertEqual(shown["rewrite-when"], (["model"], "default", ""))
        self.assertEqual(shown["verify"], (["false"], "default", ""))
        self.assertEqual(shown["scores"], ([], "unset", ""))

    def test_has_every_option_of_every_command(self):
        for command in self.commands():
            if command in ("config", "completion", "man"):
                continue
            with self.subTest(command=command):
                options = {"--" + name for name in self.show(command)}
                self.assertEqual(self.long_options(command) - options, {"--help"})

    def test_what_it_prints_is_a_configuration_file_that_sets_the_same(self):
        flags = ["a b.tar", "{0..9}.tar", "-o", 'out "quoted" \\ folder', "--limit", "5", "--full", "--sample", "10%"]
        text = self.aitqe("config", "show", "enhance", *flags).stdout
        (self.folder / "mine.toml").write_text(text)
        self.assertEqual(tomllib.loads(text)["enhance"]["input"], ["a b.tar", "{0..9}.tar"])
        before, after = self.show("enhance", *flags), self.show("enhance", "--config", "mine.toml")
        for option, (values, origin, _) in before.items():
            if option == "config":
                continue
            self.assertEqual(after[option][0], values, option)
            if origin == "flag":
                self.assertEqual(after[option][1:], ("file", "mine.toml"), option)

    def test_shows_no_secrets(self):
        shown = self.aitqe("config", "show", "enhance", "https://me:secret@example.org/a.tar?key=secret").stdout
        self.assertIn("https://example.org/a.tar", shown)
        self.assertNotIn("secret", shown)

    def test_mistakes_are_told_as_for_the_command_itself(self):
        self.assertIn("did you mean --limit?", self.aitqe("config", "show", "enhance", "--limt", "5", expect=2).stderr)
        self.assertIn("did you mean enhance?", self.aitqe("config", "show", "enhnace", expect=2).stderr)
        self.assertIn("of which command", self.aitqe("config", "show", expect=2).stderr)
        self.assertIn("show", self.aitqe("config", "shw", expect=2).stderr)


class PresetTest(ShellTest):
    def test_presets_are_found_by_name_from_anywhere(self):
        for preset in ("paper", "careful", "fast"):
            told = self.aitqe("config", "show", "--json", "enhance", "--config", preset).stdout
            values = {value["option"]: value for value in json.loads(told)["values"]}
            in_file = tomllib.loads((SOURCE_DIR / f"configs/{preset}.toml").read_text())["enhance"]
            self.assertTrue(in_file)
            for option, value in in_file.items():
                shown = str(value).lower() if isinstance(value, bool) else str(value)
                self.assertEqual((values[option]["values"], values[option]["origin"]), ([shown], "file"), option)
                self.assertTrue(values[option]["where"].endswith(f"configs/{preset}.toml"))

    def test_every_table_of_a_preset_is_accepted(self):
        for preset in sorted((SOURCE_DIR / "configs").glob("*.toml")):
            for command in tomllib.loads(preset.read_text()):
                with self.subTest(preset=preset.name, command=command):
                    self.aitqe("config", "show", command, "--config", preset)

    def test_a_preset_that_is_not_there(self):
        result = self.aitqe("enhance", EXAMPLES, "-o", "out", *MODEL_FLAGS, "--config", "carefull", expect=2)
        self.assertIn("did you mean careful?", result.stderr)

    def test_careful_runs_and_its_report_has_limits(self):
        self.enhance(EXAMPLES, "--limit", "6", "--config", "careful", "--rewrite-when", "never")  # so nothing drifts
        told = self.aitqe("report", "out", "--config", "careful", "--max-failed", "100%", "--json", "--no-html")
        self.assertEqual(json.loads(told.stdout)["drift_limits"],
                         {"divergence_bits": 0.2, "repeated_percent": 5.0, "beyond": ""})

    def test_careful_verifies_every_new_caption(self):
        self.enhance(EXAMPLES, "--limit", "12", "--config", "careful", "--rewrite-when", "always")
        rows = self.output("pairs-00000").rows
        verified = [row for row in rows if row["score_recaption"] >= 0]
        self.assertTrue(verified)
        for row in rows:
            if row["decision"] == "rewrite":
                self.assertGreater(row["score_recaption"], row["score_expected"])

    def test_the_report_of_careful_ends_with_3_beyond_a_limit(self):
        """The tiny model says the same of every picture, which is what the limits are there for."""
        self.enhance(EXAMPLES, "--limit", "12", "--rewrite-when", "always")
        told = self.aitqe("report", "out", "--config", "careful", "--max-failed", "100%", "--json", "--no-html", expect=3)
        self.assertNotEqual(json.loads(told.stdout)["drift_limits"]["beyond"], "")
        self.aitqe("report", "out", "--max-failed", "100%", "--no-html")  # without them all is well


if __name__ == "__main__":
    unittest.main()
