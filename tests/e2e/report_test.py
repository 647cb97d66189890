"""`aitqe report` and `aitqe status`: what they prove from files alone, and the page in a real browser."""

import base64
import json
import os
import pathlib
import pty
import shutil
import subprocess
import time
import unittest

from browser import CHROMIUM, Browser
from support import (ANY_NUMBER_MAY_FAIL, BINARY, LONGEST_RUN_S, MODEL_FLAGS, EndToEndTest, HeldRun, SharedRunTest,
                     environment, example_members, pair, pairs, png, write_tar)

HOSTILE = [
    "</script><script>document.title = 'taken over'</script>",
    "<img src=x onerror=\"document.title = 'taken over'\">",
    "\"quotes\" 'and' `ticks` {{data}} <!-- & &lt;",
    "right\u202eto left \u2066isolated\u200b\ufeff",
    "javascript:alert(1) \\u003c/script\\u003e",
]


def lines(text):
    return [line for line in text.split("\n") if line]


class ReportTest(EndToEndTest):
    def make_run(self, counts, output="out", **options):
        for name, count in counts.items():
            write_tar(self.folder / f"in/{name}.tar", pairs(count))
        shards = [self.folder / f"in/{name}.tar" for name in counts]
        return self.enhance(*shards, "--rewrite-when", "never", output=output, **options)

    def report(self, *arguments, expect=0):
        result = self.aitqe("report", *arguments, "--json", "--max-failed", "100%", expect=expect)
        return json.loads(result.stdout)

    def test_a_complete_run(self):
        self.make_run({"b": 3, "a": 2})
        told = self.report("out")
        self.assertEqual(told["verdict"], "complete")
        self.assertEqual(told["problems"], [])
        self.assertEqual(told["shards"], {"expected": 2, "done": 2, "missing": []})
        self.assertEqual(told["summary"]["read"], 5)
        self.assertTrue(told["command"].startswith("aitqe enhance "))
        self.assertEqual(json.loads((self.folder / "out/sizes.json").read_text()), {"a.tar": 2, "b.tar": 3})
        first = (self.folder / "out/report.html").read_bytes()
        self.report("out")
        self.assertEqual((self.folder / "out/report.html").read_bytes(), first)

    def test_a_run_over_a_part_does_not_make_the_job_smaller(self):
        self.make_run({"a": 2, "b": 2, "c": 2})
        (self.folder / "out/b.aitqe.stats.json").unlink()
        self.enhance(self.folder / "in/c.tar", "--rewrite-when", "never")
        self.assertEqual(self.report("out", expect=75)["shards"]["missing"], ["b"])
        self.assertFalse((self.folder / "out/sizes.json").exists())
        self.assertEqual(self.aitqe("status", "out", "--format", "slurm").stdout, "1\n")
        self.enhance(self.folder / "in/b.tar", "--rewrite-when", "never")
        self.assertEqual(self.report("out")["verdict"], "complete")
        self.assertEqual(self.aitqe("status", "out", "--format", "slurm").stdout, "")

    def test_damage_of_the_output_is_told(self):
        self.make_run({"a": 3})
        path = self.folder / "out/a.tar"
        path.write_bytes(path.read_bytes().replace(b"picture 1", b"picture 7"))
        told = self.report("out", expect=3)
        self.assertEqual([problem["kind"] for problem in told["problems"]], ["sha256"])
        self.assertFalse((self.folder / "out/sizes.json").exists())

    def test_an_input_that_cannot_be_read_is_told_until_it_can_be(self):
        for name, count in {"a": 60, "b": 1, "c": 1}.items():
            write_tar(self.folder / f"in/{name}.tar", pairs(count))
        command = ["enhance", self.folder / "in", "-o", self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL]
        held = HeldRun(self.folder, command)
        self.addCleanup(held.close)
        (self.folder / "in/c.tar").unlink()
        self.assertEqual(held.finish()[0], 3)
        told = self.report("out", expect=3)
        self.assertEqual([problem["kind"] for problem in told["problems"]], ["unreadable_input"])
        self.assertIn("c.tar", json.loads(self.aitqe("status", "out", "--json").stdout)["missing"][0]["reason"])
        write_tar(self.folder / "in/c.tar", pairs(1))
        self.aitqe(*command)
        self.assertEqual(self.report("out")["verdict"], "complete")

    def test_what_a_filter_would_leave(self):
        self.make_run({"a": 4, "b": 3})
        scores = [row["score_expected"] for name in ("a", "b") for row in self.output(name).rows
                  if row["decision"] != "failed"]
        below = max(scores)
        told = self.report("out", "--filter-below", repr(below))["filter"]
        self.assertEqual((told["below"], told["left"]), (below, sum(score >= below for score in scores)))
        self.assertEqual(told["drift"]["before"]["captions"], 7)
        self.assertIsNone(self.report("out")["filter"])
        self.assertIn("--filter-below", self.aitqe("report", "out", "--filter-below", "0.5", expect=2).stderr)

    def test_parts_of_a_job_are_merged(self):
        self.make_run({"a": 3}, "task-0")
        self.make_run({"b": 2}, "task-1")
        told = self.report("task-0", "task-1", "--html", "job.html")
        self.assertEqual(told["summary"]["read"], 5)
        self.assertTrue((self.folder / "job.html").is_file())
        self.assertFalse((self.folder / "task-0/report.html").exists())
        self.assertEqual(json.loads((self.folder / "task-1/sizes.json").read_text()), {"b.tar": 2})

    def test_sampled_and_scored_runs_are_proven_too(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(40))
        self.aitqe("score", shard, "-o", "scored", "--sample", "50%", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)
        told = self.report("scored", "--no-html")
        self.assertLess(told["summary"]["read"], 40)
        self.assertFalse((self.folder / "scored/sizes.json").exists())
        self.assertFalse((self.folder / "scored/report.html").exists())

    def test_the_terminal_gets_a_screenful_without_colours_where_it_is_none(self):
        self.make_run({"a": 3, "b": 2})
        for environment in ({}, {"TERM": "dumb"}, {"NO_COLOR": "1"}):
            text = self.aitqe("report", "out", "--max-failed", "100%", env=environment).stdout
            self.assertIn("complete: 2 of 2 shards, 5 pairs", text)
            self.assertLessEqual(len(lines(text)), 24)
            self.assertNotIn("\x1b", text)
            self.assertEqual(text.isascii(), environment.get("TERM") == "dumb")

    def on_a_terminal(self, **changes):
        """What `aitqe report out` writes to a terminal."""
        ours, its = pty.openpty()
        subprocess.run([BINARY, "report", "out", "--no-html", "--max-failed", "100%"], stdin=subprocess.DEVNULL,
                       stdout=its, stderr=subprocess.DEVNULL, cwd=self.folder, timeout=LONGEST_RUN_S, check=True,
                       env=environment(**{"TERM": "xterm", **changes}))
        os.close(its)
        text = os.read(ours, 65536).decode()
        os.close(ours)
        return text

    def test_a_terminal_gets_colours_unless_it_wants_none(self):
        self.make_run({"a": 1})
        self.assertIn("\x1b[1;32mcomplete", self.on_a_terminal())
        self.assertNotIn("\x1b", self.on_a_terminal(NO_COLOR="1"))
        self.assertNotIn("\x1b", self.on_a_terminal(TERM="dumb"))

    def test_a_folder_that_is_no_output(self):
        self.assertIn("run.json", self.aitqe("report", self.folder, expect=4).stderr)
        self.assertIn("run.json", self.aitqe("status", self.folder, expect=4).stderr)
        self.assertIn("--help", self.aitqe("report", expect=2).stderr)

    def test_status_of_a_run_that_goes_on(self):
        write_tar(self.folder / "in/a.tar", pairs(60))
        write_tar(self.folder / "in/b.tar", pairs(1))
        held = HeldRun(self.folder, ["enhance", self.folder / "in", "-o", self.folder / "out", *MODEL_FLAGS,
                                     *ANY_NUMBER_MAY_FAIL])
        self.addCleanup(held.close)
        told = json.loads(self.aitqe("status", "out", "--json").stdout)
        self.assertEqual([shard["shard"] for shard in told["in_progress"]], ["a"])
        for _ in range(4):
            held.next_pair()
        # Of the pair in hand it may know already, of those before it must: rows wait in a block, the journal does not.
        deadline = time.monotonic() + LONGEST_RUN_S
        while json.loads(self.aitqe("status", "out", "--json").stdout)["in_progress"][0]["pairs"] < 4:
            self.assertLess(time.monotonic(), deadline, "status never counted the pairs that were answered")
        self.assertEqual((told["shards_expected"], told["shards_done"], told["slurm"]), (2, 0, "0-1"))
        self.assertEqual(self.report("out", expect=75)["verdict"], "incomplete")
        self.assertEqual(held.finish()[0], 0)
        self.assertIn("2 of 2 shards done, 61 pairs", self.aitqe("status", "out").stdout)


@unittest.skipUnless(CHROMIUM, "the Debian package chromium is not installed")
class PageTest(SharedRunTest):
    """The page of one run, in a browser."""

    @classmethod
    def run_once(cls, runner):
        hostile = [member for i, text in enumerate(HOSTILE) for member in pair(f"hostile{i}", text)]
        broken = [("broken.png", png()[:40]), ("broken.txt", b"a picture that is cut")]
        real = [(name, data) for name, data in example_members(12)]
        write_tar(runner.folder / "in/a.tar", hostile + broken)
        write_tar(runner.folder / "in/b.tar", real)
        runner.enhance(runner.folder / "in", "--rewrite-when", "always")
        runner.aitqe("report", "out", "--max-failed", "100%", "--filter-below", "4.5")
        cls.page = runner.folder / "out/report.html"
        cls.rows = [row for name in ("a", "b") for row in runner.output(name).rows]
        browser = Browser()
        cls.addClassCleanup(browser.__exit__)
        cls.browser = browser
        browser.look(1200, 900)
        browser.open(cls.page)

    def shown(self):
        return self.browser.run("document.querySelectorAll('#gallery-cards .pair').length")

    def reset(self):
        for field in ("filter-text", "filter-decision", "filter-reason", "filter-low", "filter-high"):
            self.browser.fill(field, "")

    def test_draws_without_a_complaint_and_asks_for_nothing(self):
        self.assertEqual(self.browser.run("document.documentElement.dataset.drawn"), "true")
        self.assertEqual(self.browser.complaints, [])
        self.assertEqual([url for url in self.browser.requests if not url.startswith(("file:", "data:", "about:"))], [])
        self.assertGreater(self.browser.run("document.querySelectorAll('#score-chart svg rect').length"), 9)
        self.assertGreater(self.browser.run("document.querySelectorAll('#length-chart svg rect').length"), 19)
        self.assertEqual(self.browser.run("[...document.images].filter((i) => i.complete && i.naturalWidth === 0).length"), 0)
        self.assertGreater(self.browser.run("document.images.length"), 5)

    def test_captions_stay_text(self):
        self.assertEqual(self.browser.run("document.title"), "aitqe report")
        self.assertEqual(self.browser.run("document.scripts.length"), 2)
        text = self.browser.run("document.getElementById('gallery-cards').textContent")
        self.assertIn("document.title", text)
        self.assertIn("U+202E", text)
        self.assertNotIn("\u202e", text)

    def test_shows_what_a_filter_would_do_beside_what_rewriting_did(self):
        text = self.browser.run("document.getElementById('drift-tables').textContent")
        self.assertIn("If pairs with a score below 4.5 were left out instead", text)
        self.assertEqual(text.count("names and numbers that are gone"), 3)

    def test_filters_find_what_they_say(self):
        self.assertEqual(self.shown(), len(self.rows))
        self.browser.fill("filter-text", "CUT")
        self.assertEqual(self.shown(), sum("cut" in json.dumps(row).lower() for row in self.rows))
        self.reset()
        for decision in ("keep", "rewrite", "failed"):
            self.browser.fill("filter-decision", decision)
            self.assertEqual(self.shown(), sum(row["decision"] == decision for row in self.rows), decision)
        self.reset()
        self.browser.fill("filter-low", "3")
        self.browser.fill("filter-high", "6")
        self.assertEqual(self.shown(), sum(3 <= row["score_expected"] <= 6 for row in self.rows))
        self.reset()
        self.assertEqual(self.shown(), len(self.rows))

    def test_the_slider_counts_and_moves_by_keys(self):
        self.browser.fill("threshold-slider", "5")
        self.browser.run("document.getElementById('threshold-slider').focus()")
        self.browser.press("ArrowRight")
        self.assertEqual(self.browser.run("document.getElementById('threshold-value').textContent"), "5.05")
        scored = [row["score_expected"] for row in self.rows if row["decision"] != "failed"]
        below = sum(score < 5.05 for score in scored)
        self.assertIn(f"{below} of {len(scored)} scored pairs",
                      self.browser.run("document.getElementById('threshold-text').textContent"))

    def test_is_read_by_the_keyboard_alone(self):
        self.browser.run("document.activeElement.blur(), window.scrollTo(0, 0)")
        self.browser.open(self.page)
        self.browser.press("Tab")
        self.assertEqual(self.browser.run("document.activeElement.className"), "skip")
        # Whatever can be clicked can be reached.
        self.assertEqual(self.browser.run("[...document.querySelectorAll('a, button, summary, input, select')]"
                                          ".filter((node) => node.tabIndex < 0).length"), 0)

    def test_prints_without_what_paper_cannot_do(self):
        self.browser.order("Emulation.setEmulatedMedia", media="print",
                           features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.addCleanup(self.browser.order, "Emulation.setEmulatedMedia", media="", features=[])
        style = "getComputedStyle(document.{}).{}"
        self.assertEqual(self.browser.run(style.format("body", "backgroundColor")), "rgb(255, 255, 255)")
        self.assertEqual(self.browser.run(style.format("querySelector('nav')", "display")), "none")
        pdf = base64.b64decode(self.browser.order("Page.printToPDF")["data"])
        self.assertTrue(pdf.startswith(b"%PDF"))
        self.assertGreater(len(pdf), 20_000)

    def test_says_where_scores_come_from(self):
        text = self.browser.run("document.getElementById('group-tables').textContent")
        for title in ("Shards, the lowest mean score first", "Sources, by host", "Language of the caption", "Script"):
            self.assertIn(title, text)

    def test_fits_a_phone_and_knows_the_dark(self):
        light = self.browser.run("getComputedStyle(document.body).backgroundColor")
        self.browser.look(390, 800, "dark")
        self.addCleanup(self.browser.look, 1200, 900)
        self.assertNotEqual(self.browser.run("getComputedStyle(document.body).backgroundColor"), light)
        self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), 390)
        if "AITQE_PICTURES" in os.environ:
            self.take_pictures(pathlib.Path(os.environ["AITQE_PICTURES"]))

    def take_pictures(self, folder):
        """For looking at the page oneself: AITQE_PICTURES=FOLDER."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.page, folder)
        for name, width, scheme in (("phone", 390, "dark"), ("light", 1200, "light"), ("dark", 1200, "dark")):
            self.browser.look(width, 900, scheme)
            self.browser.picture(folder / f"{name}.png")


@unittest.skipUnless(CHROMIUM, "the Debian package chromium is not installed")
class PreviewPageTest(SharedRunTest):
    """What a dry run shows, in a browser."""

    @classmethod
    def run_once(cls, runner):
        write_tar(runner.folder / "in/a.tar", example_members(40))
        cls.page = runner.folder / "look.html"
        told = runner.enhance(runner.folder / "in", "--rewrite-when", "always", "--dry-run", "--forecast-s", "0.1",
                              "--sample", "50%", "--report", cls.page, "--json")
        cls.preview = json.loads(told.stdout)["preview"]
        cls.left = [path.name for path in runner.folder.iterdir()]
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.__exit__)
        cls.browser.look(1200, 900)
        cls.browser.open(cls.page)

    def text(self, place):
        return self.browser.run(f"document.getElementById('{place}').textContent")

    def test_says_that_it_is_a_preview(self):
        self.assertEqual(self.browser.complaints, [])
        self.assertEqual(self.browser.run("document.title"), "aitqe preview")
        self.assertIn(f"Preview: {self.preview['pairs']} of 40 pairs were judged", self.text("verdict"))
        self.assertIn("--sample 50% --seed 0", self.text("verdict"))
        self.assertIn("--dry-run", self.text("rerun-facts"))
        self.assertEqual(sorted(self.left), ["in", "look.html"])

    def test_says_what_is_to_be_expected_of_the_whole(self):
        low, high = (f"{100 * self.preview['rewritten'][end]:.1f}" for end in ("low", "high"))
        self.assertRegex(self.text("funnel"), rf"{low}.%.to.{high}.%")

    def test_shows_old_and_new_captions_with_pictures(self):
        self.assertGreater(self.browser.run("document.querySelectorAll('#gallery-cards ins').length"), 0)
        self.assertGreater(self.browser.run("document.images.length"), 5)


if __name__ == "__main__":
    unittest.main()
