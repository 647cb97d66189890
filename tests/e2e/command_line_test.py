"""What a user types and sees: help, errors, configuration, progress, streams, signals, resuming."""

import json
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import subprocess
import time
import unittest

from support import (ANY_NUMBER_MAY_FAIL, BINARY, EXAMPLES, LONGEST_RUN_S, MODEL_FLAGS, RANDOM_MODEL, TINY_MODEL,
                     EndToEndTest, HeldRun, content_of, environment, pairs, wait_for_file, write_tar)

NUM_LONG = 60  # pairs; their trace does not fit into a pipe of one page


class HelpTest(EndToEndTest):
    def subcommands(self):
        text = self.aitqe("--help").stdout
        return re.findall(r"^  ([a-z]+)  ", text.partition("ubcommands:")[2], re.MULTILINE)

    def test_every_subcommand_shows_an_example(self):
        names = self.subcommands()
        self.assertGreaterEqual(set(names), {"enhance", "score", "inspect"})
        for name in names:
            with self.subTest(command=name):
                text = self.aitqe(name, "--help").stdout
                self.assertRegex(text, rf"Examples?:\n  aitqe {name} ")

    def test_help_takes_less_than_a_second_and_needs_no_model(self):
        for arguments in [["--help"], *([name, "--help"] for name in self.subcommands())]:
            with self.subTest(arguments=arguments):
                before = os.times()
                self.aitqe(*arguments, env={"AITQE_MODEL": "/nowhere"})
                after = os.times()
                # Of the processor: on a busy machine the clock would measure others too.
                seconds = after.children_user - before.children_user + after.children_system - before.children_system
                self.assertLess(seconds, 1.0)

    def test_version(self):
        self.assertRegex(self.aitqe("--version").stdout, r"^aitqe \d+\.\d+\.\d+\n$")

    def test_help_goes_to_stdout_and_errors_to_stderr(self):
        self.assertEqual(self.aitqe("enhance", "--help").stderr, "")
        self.assertEqual(self.aitqe("enhance", "--no-such-flag", expect=2).stdout, "")


class UsageErrorTest(EndToEndTest):
    def test_an_unknown_flag_names_the_nearest(self):
        result = self.aitqe("enhance", "in.tar", "-o", "out", "--batch-tokns", "5", expect=2)
        self.assertIn("--batch-tokns", result.stderr)
        self.assertIn("did you mean --batch-tokens?", result.stderr)

    def test_an_unknown_flag_with_its_value_attached(self):
        result = self.aitqe("enhance", "in.tar", "-o", "out", "--limt=5", expect=2)
        self.assertIn("did you mean --limit?", result.stderr)

    def test_an_unknown_command_names_the_nearest(self):
        result = self.aitqe("enhnace", "in.tar", expect=2)
        self.assertIn("did you mean enhance?", result.stderr)

    def test_a_value_that_is_no_choice_names_the_nearest(self):
        cases = [(["--dtype", "bf15"], "bf16"), (["--on-injection", "jugde"], "judge"), (["--packing", "ahed"], "ahead"),
                 (["--joined-archives", "raed"], "read"), (["--log-format", "jsn"], "json")]
        for flags, word in cases:
            with self.subTest(flags=flags):
                told = self.enhance(EXAMPLES, *flags, expect=2).stderr
                self.assertIn(flags[0], told)
                self.assertIn(f"did you mean {word}?", told)
        (self.folder / "c.toml").write_text('dtype = "bf15"\n')
        told = self.aitqe("enhance", EXAMPLES, "-o", "out", "--config", "c.toml", expect=2).stderr
        self.assertRegex(told, r"c\.toml: dtype.*did you mean bf16\?")

    def test_a_score_column_that_is_none_names_the_nearest(self):
        told = self.aitqe("select", "out", "--by", "score_expectd", "--best", "1", expect=2).stderr
        self.assertIn("expected a float column", told)
        self.assertIn("did you mean score_expected?", told)

    def test_no_command(self):
        self.assertIn("--help", self.aitqe(expect=2).stderr)

    def test_values_that_do_not_fit(self):
        for flags in (["--limit", "0"], ["--limit", "many"], ["--workers", "0"], ["--max-new-tokens", "0"],
                      ["--log-format", "xml"], ["--sample", "2"], ["--sample", "x"], ["--limit"]):
            with self.subTest(flags=flags):
                result = self.aitqe("enhance", EXAMPLES, "-o", "out", *flags, expect=2)
                self.assertIn(flags[0], result.stderr)

    def test_a_rule_that_means_nothing_names_the_nearest(self):
        nearest_rule = {"allways": "always", "score < 4": "score<4", "worst:10": "worst:10%", "modl": "model"}
        for rule, nearest in nearest_rule.items():
            with self.subTest(rule=rule):
                result = self.enhance(EXAMPLES, "--rewrite-when", rule, expect=2)
                self.assertIn("--rewrite-when", result.stderr)
                self.assertIn(f'Did you mean "{nearest}"?', result.stderr)

    def test_rules_out_of_range(self):
        for rule in ("score<0", "score<-1", "worst:0%", "worst:101%", "score<nan", ""):
            with self.subTest(rule=rule):
                self.assertIn("--rewrite-when", self.enhance(EXAMPLES, f"--rewrite-when={rule}", expect=2).stderr)

    def test_worst_needs_scores(self):
        result = self.enhance(EXAMPLES, "--rewrite-when", "worst:10%", expect=2)
        self.assertIn("--scores", result.stderr)

    def test_a_caption_source_that_means_nothing(self):
        result = self.enhance(EXAMPLES, "--caption-from", "yaml:caption", expect=2)
        self.assertIn("txt or json:FIELD", result.stderr)

    def test_a_device_and_a_type_that_mean_nothing(self):
        self.assertIn("--device", self.enhance(EXAMPLES, "--device", "tpu", expect=2).stderr)
        for flags in (["--dtype", "f64"], ["--packing", "some"], ["--device", "cuda:x"]):
            result = self.enhance(EXAMPLES, *flags, "--dry-run", expect=2)
            self.assertIn(flags[0], result.stderr)
            self.assertIn("expected", result.stderr)
        # Where nothing can be written is found out before the model is loaded.
        result = self.enhance(EXAMPLES, "--trace", "/dev/null/trace.jsonl", expect=5)
        self.assertIn("(--trace)", result.stderr)
        self.assertNotIn("loaded in", result.stderr)
        self.assertIn("--dtype", self.aitqe("enhance", EXAMPLES, "-o", "out", "--model", TINY_MODEL, "--dtype", "f8",
                                            expect=2).stderr)


class ModelErrorTest(EndToEndTest):
    def with_model(self, model, expect=6):
        return self.aitqe("enhance", EXAMPLES, "-o", self.folder / "out", "--model", model, expect=expect)

    def test_a_missing_folder(self):
        self.assertIn("no-model", self.with_model("no-model").stderr)

    def test_a_folder_without_a_model(self):
        (self.folder / "empty").mkdir()
        self.assertIn("config.json", self.with_model("empty").stderr)

    def test_a_folder_without_weights(self):
        shutil.copytree(RANDOM_MODEL, self.folder / "model", ignore=shutil.ignore_patterns("*.safetensors*"))
        self.assertIn("safetensors", self.with_model("model").stderr)

    def test_weights_that_are_cut_short(self):
        shutil.copytree(RANDOM_MODEL, self.folder / "model")
        file = self.folder / "model/model-00002-of-00003.safetensors"
        file.write_bytes(file.read_bytes()[:-100])
        self.assertIn("model-00002-of-00003.safetensors", self.with_model("model").stderr)

    def test_nothing_is_left_behind(self):
        self.with_model("no-model")
        self.assertEqual(list(self.folder.rglob("*.tar")), [])


class ConfigFileTest(EndToEndTest):
    """A dry run says which model it would take: that shows whose value counts."""

    def setUp(self):
        super().setUp()
        for name in ("by-flag", "by-variable", "by-file"):
            shutil.copytree(RANDOM_MODEL, self.folder / name)

    def dry_run(self, config, *flags, expect=0, env=None):
        (self.folder / "c.toml").write_text(config)
        result = self.aitqe("enhance", EXAMPLES, "-o", "out", "--dry-run", "--forecast-s", "0", "--config", "c.toml", *flags,
                            expect=expect, env=env)
        return result.stdout if expect == 0 else result.stderr

    def test_the_file_sets_what_nobody_else_sets(self):
        self.assertIn("with by-file ", self.dry_run('model = "by-file"\n'))

    def test_a_variable_beats_the_file(self):
        self.assertIn("with by-variable ", self.dry_run('model = "by-file"\n', env={"AITQE_MODEL": "by-variable"}))

    def test_a_flag_beats_variable_and_file(self):
        shown = self.dry_run('model = "by-file"\n', "--model", "by-flag", env={"AITQE_MODEL": "by-variable"})
        self.assertIn("with by-flag ", shown)

    def test_a_flag_beats_a_variable_without_a_file(self):
        result = self.aitqe("enhance", EXAMPLES, "-o", "out", "--dry-run", "--forecast-s", "0", "--model", "by-flag",
                            env={"AITQE_MODEL": "by-variable"})
        self.assertIn("with by-flag ", result.stdout)

    def test_the_table_of_the_command_counts_and_that_of_others_does_not(self):
        config = '[score]\nmodel = "by-flag"\n[enhance]\nmodel = "by-file"\n'
        self.assertIn("with by-file ", self.dry_run(config))

    def test_keys_may_have_dashes_or_underscores(self):
        self.dry_run('model = "by-file"\nmax_new_tokens = 7\nmax-side-px = 100\nfull = true\n')

    def test_inputs_and_output_may_stand_in_the_file(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(1))
        (self.folder / "c.toml").write_text(f'input = ["{shard}"]\noutput = "out"\nmodel = "by-file"\n'
                                            'max-new-tokens = 4\nmax-failed = "100%"\n')
        self.aitqe("enhance", "--config", "c.toml")
        self.assertEqual(len(self.output("a").rows), 1)

    def test_an_unknown_key_names_file_key_and_nearest(self):
        for config in ('max-new-tokns = 5\n', '[enhance]\nmax_new_tokns = 5\n'):
            with self.subTest(config=config):
                shown = self.dry_run(config, expect=2)
                self.assertIn("c.toml", shown)
                self.assertRegex(shown, "max[-_]new[-_]tokns")
                self.assertIn("did you mean max-new-tokens?", shown)

    def test_an_unknown_table_is_an_error(self):
        self.assertIn("enhnace", self.dry_run("[enhnace]\nlimit = 5\n", expect=2))

    def test_values_of_the_wrong_type_are_errors(self):
        for config in ('limit = "many"\n', "limit = 1.5\n", "limit = true\n", "limit = [1, 2]\n", 'full = "perhaps"\n',
                       "model = 1979-05-27\n", "limit = -1\n", "full = []\n", 'log-format = "xml"\n'):
            with self.subTest(config=config):
                shown = self.dry_run(config, expect=2)
                self.assertIn("c.toml", shown)
                self.assertIn(config.split(" ")[0], shown)

    def test_a_file_that_is_no_toml_names_the_line(self):
        self.assertIn("c.toml: line 2", self.dry_run("limit = 5\nlimit is 5\n", expect=2))

    def test_a_missing_file(self):
        self.assertIn("no.toml", self.aitqe("enhance", EXAMPLES, "-o", "out", "--config", "no.toml", expect=2).stderr)


class OutputErrorTest(EndToEndTest):
    def test_an_output_folder_below_a_file(self):
        (self.folder / "file").write_text("in the way")
        result = self.enhance(write_tar(self.folder / "in/a.tar", pairs(1)), output="file/out", expect=5)
        self.assertIn("file/out", result.stderr)

    def test_an_output_folder_that_is_a_file(self):
        (self.folder / "out").write_text("in the way")
        self.enhance(write_tar(self.folder / "in/a.tar", pairs(1)), expect=5)

    def test_a_folder_where_the_shard_should_go(self):
        (self.folder / "out/a.tar").mkdir(parents=True)
        result = self.enhance(write_tar(self.folder / "in/a.tar", pairs(1)), expect=5)
        self.assertIn("a.tar", result.stderr)
        self.assertFalse(self.output("a").stats_file.exists())

    def test_a_trace_that_cannot_be_written(self):
        result = self.enhance(write_tar(self.folder / "in/a.tar", pairs(1)), "--trace", "no/such/folder/t", expect=5)
        self.assertIn("--trace", result.stderr)

    def test_a_trace_on_a_full_disk(self):
        result = self.enhance(write_tar(self.folder / "in/a.tar", pairs(1)), "--trace", "/dev/full", expect=5)
        self.assertIn("/dev/full", result.stderr)
        self.assertFalse(self.output("a").tar.exists())

    def test_a_shard_that_does_not_fit(self):
        def limit_file_size():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

        shard = write_tar(self.folder / "in/a.tar", pairs(40))
        result = self.enhance(shard, expect=5, preexec_fn=limit_file_size)
        self.assertIn("a.tar: cannot be written", result.stderr)
        self.assertEqual([p.name for p in (self.folder / "out").iterdir()], ["_aitqe"])


class DryRunTest(EndToEndTest):
    def test_a_dry_run_writes_nothing(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(2))
        result = self.enhance(shard, "--dry-run")
        self.assertIn("1 shards", result.stdout)
        self.assertIn("nothing is written there", result.stdout)
        self.assertIn("about 2 pairs", result.stdout)
        self.assertFalse((self.folder / "out").exists())

    def test_a_forecast_counts_the_pairs_of_shards_of_any_size(self):
        shards = [write_tar(self.folder / f"in/{count}.tar", pairs(count)) for count in (3, 60, 200)]
        self.enhance(shards[1])  # done before: not to be done again
        found = json.loads(self.enhance("in", "--dry-run", "--forecast-s", "0.2", "--json").stdout)
        self.assertAlmostEqual(found["pairs_expected"], 203, delta=10)
        self.assertEqual(found["shards_measured"], 2)
        self.assertAlmostEqual(found["run_s"], found["pairs_expected"] / found["pairs_per_s"], delta=0.1)
        limited = json.loads(self.enhance("in", "--dry-run", "--forecast-s", "0.2", "--json", "--limit", "20").stdout)
        self.assertEqual(limited["pairs_expected"], 20)

    def test_a_sample_is_judged_and_shown_with_what_to_expect_of_the_whole(self):
        for name, count in {"a": 30, "b": 50}.items():
            write_tar(self.folder / f"in/{name}.tar", pairs(count))
        flags = ["in", "--sample", "25%", "--seed", "5", "--rewrite-when", "always"]
        result = self.enhance(*flags, "--dry-run", "--forecast-s", "0.1", "--json", "--report", "look.html")
        found = json.loads(result.stdout)
        self.assertEqual((found["schema"], found["pairs_expected"]), ("aitqe.forecast/2", 80))
        preview = found["preview"]
        self.assertEqual((preview["random"], preview["seed"], preview["pairs_in_input"]), (True, 5, 80))
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["in", "look.html"])
        # The very pairs that a run with that sample takes, and what it does to them.
        self.enhance(*flags)
        rows = self.output("a").rows + self.output("b").rows
        self.assertEqual(preview["pairs"], len(rows))
        for name, decision in {"kept": "keep", "rewritten": "rewrite", "failed": "failed"}.items():
            share = preview[name]
            self.assertEqual(share["pairs"], sum(row["decision"] == decision for row in rows))
            self.assertLessEqual(share["low"], share["share"])
            self.assertGreaterEqual(share["high"], share["share"])
        captions = {(row["shard"], row["key"]): row["caption_out"] for row in rows}
        for pair in preview["border"]:
            self.assertEqual(pair["caption_out"], captions[pair["shard"], pair["key"]])
        text = self.enhance(*flags, "--dry-run", "--forecast-s", "0.1", output="new").stdout
        self.assertIn(f"{len(rows)} of 80 pairs judged, drawn at random", text)
        self.assertLessEqual(len(text.splitlines()), 24)
        self.assertFalse((self.folder / "new").exists())

    def test_pages_have_no_pictures_where_none_are_wanted(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(6))
        picture = re.compile(r"data:image/(?:jpeg|png|webp);base64,[\w+/]{40}|/9j/[\w+/]{40}")
        look = [shard, "--dry-run", "--forecast-s", "0.1", "--sample", "99%", "--report", "look.html"]
        for no_images in ([], ["--no-images"]):
            with self.subTest(no_images=no_images):
                self.enhance(*look, *no_images, output="never")
                page = (self.folder / "look.html").read_text()
                self.assertEqual(picture.search(page) is None, bool(no_images))
                self.assertIn("picture 3", page)
        self.enhance(shard)
        for no_images in ([], ["--no-images"]):
            with self.subTest(report=no_images):
                self.aitqe("report", "out", "--html", "run.html", *ANY_NUMBER_MAY_FAIL, *no_images)
                page = (self.folder / "run.html").read_text()
                self.assertEqual(picture.search(page) is None, bool(no_images))
                self.assertIn("picture 3", page)
        for flags in ([], ["--dry-run"]):
            told = self.enhance(shard, "--no-images", *flags, output="never", expect=2).stderr
            self.assertIn("--no-images: only with --dry-run --report FILE", told)

    def test_where_a_preview_may_be_written(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(2))
        refused = {"only with --dry-run": ["--report", "look.html"],
                   "ends in .html": ["--dry-run", "--report", shard],
                   "output folder": ["--dry-run", "--report", self.folder / "out/look.html"],
                   "--forecast-s 0": ["--dry-run", "--forecast-s", "0", "--report", "look.html"]}
        for message, flags in refused.items():
            with self.subTest(message=message):
                result = self.enhance(shard, *flags, expect=2)
                self.assertIn("--report", result.stderr)
                self.assertIn(message, result.stderr)
        self.enhance(shard, "--dry-run", "--report", "/dev/null/look.html", expect=5)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["in"])

    def test_a_dry_run_that_is_stopped_leaves_nothing(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(300))
        scratch = self.folder / "scratch"
        scratch.mkdir()
        command = [BINARY, "enhance", shard, "-o", self.folder / "out", *MODEL_FLAGS, "--dry-run", "--forecast-s", "300",
                   "--sample", "99%"]
        run = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(TMPDIR=str(scratch)))
        self.addCleanup(run.stderr.close)
        deadline = time.monotonic() + LONGEST_RUN_S
        while not any(scratch.iterdir()) and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(timeout=LONGEST_RUN_S), 75, run.stderr.read())
        self.assertEqual(list(scratch.iterdir()), [])
        self.assertFalse((self.folder / "out").exists())

    def test_a_stream_has_no_forecast(self):
        result = self.enhance("-", "--dry-run", input=b"", expect=2)
        self.assertIn("a forecast needs uncompressed tars", result.stderr)
        self.enhance("-", "--dry-run", "--forecast-s", "0", input=b"")

    def test_a_dry_run_finds_what_a_run_would_find(self):
        self.enhance("no.tar", "--dry-run", expect=4)
        self.enhance(EXAMPLES, "--dry-run", "--rewrite-when", "x", expect=2)
        self.aitqe("enhance", EXAMPLES, "-o", "out", "--model", "no-model", "--dry-run", expect=6)


class StreamsTest(EndToEndTest):
    def test_json_alone_is_on_stdout(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(3))
        result = self.enhance(shard, "--json")
        summary = json.loads(result.stdout)
        self.assertEqual(summary, self.output("a").stats["summary"])
        self.assertIn("3 pairs", result.stderr)

    def test_log_lines_can_be_json(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(1))
        result = self.enhance(shard, "--log-format", "json")
        lines = [json.loads(line) for line in result.stderr.splitlines()]
        self.assertGreaterEqual(len(lines), 2)
        for line in lines:
            self.assertEqual(set(line), {"time", "level", "message"})
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$")

    def test_errors_can_be_json_too(self):
        result = self.enhance("no \"such\" file.tar", "--log-format", "json", expect=4)
        (line,) = result.stderr.splitlines()
        self.assertEqual(json.loads(line)["level"], "error")
        self.assertIn('no "such" file.tar', json.loads(line)["message"])

    def test_quiet_says_nothing_when_all_is_well(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(1))
        self.assertEqual(self.enhance(shard, "-q").stderr, "")

    def test_no_carriage_returns_where_there_is_no_terminal(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(3))
        result = self.enhance(shard)
        self.assertNotIn("\r", result.stderr)
        self.assertNotIn("\x1b", result.stderr + result.stdout)

    def test_progress_is_one_line_on_a_terminal(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(NUM_LONG))
        terminal, program_side = pty.openpty()
        self.addCleanup(os.close, terminal)
        command = ["enhance", shard, "-o", self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL]
        run = HeldRun(self.folder, command, stderr=program_side, env=environment(TERM="xterm"))
        self.addCleanup(run.close)
        os.close(program_side)
        shown = b""
        while b" left" not in shown:  # the run is held: sooner or later a line shows pairs that are done
            ready, _, _ = select.select([terminal], [], [], LONGEST_RUN_S)
            self.assertTrue(ready, shown)
            shown += os.read(terminal, 4096)
        code, _, _ = run.finish()
        self.assertEqual(code, 0)
        line = next(l for l in reversed(shown.decode().split("\r")) if " left" in l)
        self.assertRegex(line, r"^shard 1/1  \d+ pairs  \d+\.\d pairs/s  \d+\.\d % rewritten  \d+ failed  \S.* left")


class SelectionTest(EndToEndTest):
    def test_a_limit_counts_over_all_shards(self):
        for name in ("a", "b", "c"):
            write_tar(self.folder / f"in/{name}.tar", pairs(3))
        self.enhance("in", "--limit", "5")
        self.assertEqual(len(self.output("a").rows), 3)
        self.assertEqual([row["key"] for row in self.output("b").rows], ["0000", "0001"])
        self.assertFalse(self.output("c").tar.exists())

    def test_a_limit_counts_pairs_that_were_done_before(self):
        for name in ("a", "b"):
            write_tar(self.folder / f"in/{name}.tar", pairs(3))
        self.enhance("in", "--limit", "3")
        self.enhance("in", "--limit", "3")
        self.assertFalse(self.output("b").tar.exists())

    def test_a_sample_is_a_share_and_the_same_one_each_time(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(40))
        keys = {}
        for output, flags in {"one": [], "again": [], "other": ["--seed", "7"]}.items():
            self.enhance(shard, "--sample", "25%", *flags, output=output)
            keys[output] = [row["key"] for row in self.output("a", output).rows]
        self.assertEqual(keys["one"], keys["again"])
        self.assertNotEqual(keys["one"], keys["other"])
        self.assertTrue(3 <= len(keys["one"]) <= 20, keys["one"])


class ResumeTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        write_tar(self.folder / "in/a.tar", pairs(2))
        write_tar(self.folder / "in/b.tar", pairs(NUM_LONG))
        (self.folder / "in/b.parquet").write_bytes(b"columns")

    def command(self, output="out", model_flags=MODEL_FLAGS):
        return ["enhance", self.folder / "in", "-o", self.folder / output, *model_flags, *ANY_NUMBER_MAY_FAIL]

    def held_in_second_shard(self):
        run = HeldRun(self.folder, self.command())
        self.addCleanup(run.close)
        line = run.first_pair
        while line["shard"] != "b":
            line = run.next_pair()
        wait_for_file(self.folder / "out/a.aitqe.stats.json")  # put in place beside the work on b
        return run

    def check_resumed(self, message="1 done before"):
        """The same command ends the job, with the bytes of a run that nothing disturbed."""
        self.assertIn(message, self.aitqe(*self.command()).stderr)
        self.aitqe(*self.command("undisturbed"))
        self.assertEqual(content_of(self.folder / "out"), content_of(self.folder / "undisturbed"))

    def test_a_stopped_run_leaves_no_part_of_a_shard_and_can_go_on(self):
        for stop in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            with self.subTest(signal=stop):
                shutil.rmtree(self.folder / "out", ignore_errors=True)
                run = self.held_in_second_shard()
                run.process.send_signal(stop)
                code, _, stderr = run.finish()
                self.assertEqual(code, 75, stderr)
                self.assertIn(b"the same command", stderr)
                names = sorted(p.name for p in (self.folder / "out").iterdir()
                               if p.is_file() and p.suffix != ".parquet")
                self.assertEqual(names, ["a.aitqe.jsonl", "a.aitqe.stats.json", "a.tar"])
        self.check_resumed()

    def test_a_signal_counts_from_the_start(self):
        process = subprocess.Popen([BINARY, *map(str, self.command())], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, cwd=self.folder)
        self.addCleanup(process.stderr.close)
        status = pathlib.Path(f"/proc/{process.pid}/status")
        caught = 1 << signal.SIGUSR1 - 1
        while not int(re.search(r"^SigCgt:\s+([0-9a-f]+)", status.read_text(), re.M)[1], 16) & caught:
            self.assertIsNone(process.poll(), "it ended without being asked")
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(timeout=LONGEST_RUN_S), 75, process.stderr.read())
        self.assertFalse(self.output("a").tar.exists())
        self.check_resumed("0 done before")

    def test_a_model_that_cannot_be_read_ends_the_run_resumable(self):
        model = self.folder / "model"
        shutil.copytree(TINY_MODEL, model)
        (model / "config.json").unlink()
        os.mkfifo(model / "config.json")
        result = self.aitqe(*self.command(model_flags=["--model", model]), "--stall-timeout", "2", expect=75)
        self.assertRegex(result.stderr, "nothing has moved for .*: the model is not loaded: .*--stall-timeout")
        self.check_resumed("0 done before")

    def test_a_second_signal_ends_the_run_at_once(self):
        run = self.held_in_second_shard()
        run.process.send_signal(signal.SIGTERM)
        run.process.send_signal(signal.SIGUSR1)
        self.assertEqual(run.process.wait(timeout=LONGEST_RUN_S), 143)
        self.assertFalse(self.output("b").tar.exists())
        self.check_resumed()

    def test_a_killed_run_can_go_on_and_its_leavings_go(self):
        run = self.held_in_second_shard()
        run.process.kill()
        run.process.wait(timeout=LONGEST_RUN_S)
        self.assertTrue(list((self.folder / "out").glob(".b.*")), "a killed run leaves temporaries")
        self.assertFalse(self.output("b").tar.exists())
        self.check_resumed()

    def test_a_second_run_does_nothing(self):
        self.aitqe(*self.command())
        before = content_of(self.folder / "out")
        times = {p.name: p.stat().st_mtime_ns for p in (self.folder / "out").iterdir() if p.is_file()}
        result = self.aitqe(*self.command(), "--json")
        self.assertIn("0 shards written, 2 done before", result.stderr)
        self.assertEqual(json.loads(result.stdout)["read"], NUM_LONG + 2)
        self.assertEqual(content_of(self.folder / "out"), before)
        self.assertEqual({p.name: p.stat().st_mtime_ns for p in (self.folder / "out").iterdir() if p.is_file()}, times)

    def test_a_shard_whose_files_were_touched_is_done_again(self):
        self.aitqe(*self.command())
        before = content_of(self.folder / "out")
        for name in ("a.tar", "a.aitqe.jsonl", "a.aitqe.stats.json"):
            with self.subTest(file=name):
                path = self.folder / "out" / name
                path.write_bytes(path.read_bytes()[:-3])
                self.assertIn("1 shards written, 1 done before", self.aitqe(*self.command()).stderr)
                self.assertEqual(content_of(self.folder / "out"), before)

    def test_another_configuration_is_refused_and_changes_nothing(self):
        self.aitqe(*self.command())
        before = content_of(self.folder / "out")
        result = self.aitqe(*self.command(), "--max-side-px", "100", expect=2)
        self.assertIn("another configuration", result.stderr)
        self.assertIn("--overwrite", result.stderr)
        self.assertEqual(content_of(self.folder / "out"), before)

    def test_another_configuration_is_refused_for_other_shards_too(self):
        self.aitqe(*self.command())
        before = content_of(self.folder / "out")
        shard = write_tar(self.folder / "new/c.tar", pairs(1))
        result = self.enhance(shard, "--max-side-px", "100", expect=2)
        self.assertIn("was begun with another configuration", result.stderr)
        self.assertEqual(content_of(self.folder / "out"), before)

    def test_a_shard_stays_its_tasks_however_the_input_grows(self):
        """What `status --format slurm` names is what has to run again, and then nothing is missing."""
        for name in ("b", "c"):
            write_tar(self.folder / f"growing/{name}.tar", pairs(1))
        task = [self.folder / "growing", "--task-count", "2", "--task-index"]
        self.enhance(*task, "1")
        write_tar(self.folder / "growing/a.tar", pairs(1))
        self.enhance(*task, "0")

        def missing():
            return self.aitqe("status", "out", "--format", "slurm").stdout.strip()

        self.assertEqual(missing(), "")
        self.output("b").stats_file.unlink()
        self.assertEqual(missing(), "0")
        self.enhance(*task, "0")
        self.assertEqual(missing(), "")

    def test_another_model_is_refused(self):
        self.aitqe(*self.command())
        shutil.copytree(TINY_MODEL, self.folder / "model")
        config = json.loads((self.folder / "model/config.json").read_text())
        (self.folder / "model/config.json").write_text(json.dumps(config, indent=1))
        flags = [self.folder / "model" if flag == TINY_MODEL else flag for flag in MODEL_FLAGS]
        result = self.aitqe(*self.command(model_flags=flags), expect=2)
        self.assertIn("another model", result.stderr)

    def test_other_preprocessing_is_another_model(self):
        self.aitqe(*self.command())
        shutil.copytree(TINY_MODEL, self.folder / "model")
        flags = [self.folder / "model" if flag == TINY_MODEL else flag for flag in MODEL_FLAGS]
        self.assertIn("2 done before", self.aitqe(*self.command(model_flags=flags)).stderr)
        path = next((self.folder / "model").glob("*/preprocessor_config.json"))
        path.write_text(json.dumps(json.loads(path.read_text()) | {"image_mean": [0.4, 0.4, 0.4]}))
        write_tar(self.folder / "in/c.tar", pairs(1))
        self.assertIn("another model", self.aitqe(*self.command(model_flags=flags), expect=2).stderr)

    def test_the_worst_of_other_scores_is_another_configuration(self):
        write_tar(self.folder / "in/c.tar", pairs(2))
        self.aitqe("score", "in", "-o", "scores", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)
        worst = ["--rewrite-when", "worst:10%", "--scores", "scores"]
        self.enhance("in", *worst)
        self.assertIn("3 done before", self.enhance("in", *worst).stderr)
        before = content_of(self.folder / "out")
        self.assertIn("another configuration", self.enhance("in/c.tar", *worst, expect=2).stderr)
        self.assertEqual(content_of(self.folder / "out"), before)

    def test_overwrite_does_all_shards_again(self):
        self.aitqe(*self.command())
        result = self.aitqe(*self.command(), "--max-side-px", "100", "--overwrite")
        self.assertIn("2 shards written, 0 done before", result.stderr)
        record = json.loads((self.folder / "out/_aitqe/run.json").read_text())
        self.assertEqual(record["config"]["max_side_px"], 100)

    def test_new_shards_are_added_to_a_finished_run(self):
        self.aitqe(*self.command())
        write_tar(self.folder / "in/c.tar", pairs(1))
        self.assertIn("1 shards written, 2 done before", self.aitqe(*self.command()).stderr)


class ScoreTest(EndToEndTest):
    def test_score_writes_rows_and_no_shard(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(3))
        (self.folder / "in/a.parquet").write_bytes(b"columns")
        self.aitqe("score", shard, "-o", self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)
        names = {p.name for p in (self.folder / "out").iterdir() if p.is_file()}
        names -= {"a.aitqe.parquet"}
        self.assertEqual(names, {"a.aitqe.jsonl", "a.aitqe.stats.json"})
        self.assertEqual(len(self.output("a").rows), 3)


class InspectTest(EndToEndTest):
    def test_a_model_that_fits(self):
        self.assertIn("everything fits", self.aitqe("inspect", RANDOM_MODEL).stdout)
        self.assertEqual(json.loads(self.aitqe("inspect", RANDOM_MODEL, "--json").stdout)["problems"], [])

    def test_a_model_that_does_not_fit_says_why(self):
        shutil.copytree(RANDOM_MODEL, self.folder / "model")
        config = json.loads((self.folder / "model/config.json").read_text())
        config["intermediate_size"] += 1
        (self.folder / "model/config.json").write_text(json.dumps(config))
        result = self.aitqe("inspect", "model", expect=6)
        self.assertIn("does not fit", result.stdout)
        self.assertIn("mlp", result.stdout)
        problems = json.loads(self.aitqe("inspect", "model", "--json", expect=6).stdout)["problems"]
        self.assertEqual(len(problems), 3 * config["num_hidden_layers"])  # gate, up and down of each layer
        self.assertEqual(len(set(problems)), len(problems))


if __name__ == "__main__":
    unittest.main()
