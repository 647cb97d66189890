"""`aitqe report` and `aitqe status`: what they prove from files alone, and the page in a real browser."""

import base64
import collections
import json
import math
import os
import pathlib
import pty
import re
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


# Of a shard, a key and a folder: what a file system lets through.
HOSTILE_NAME = "<img src=x onerror=alert(1)>&'`\""
HOSTILE_KEY = "<svg onload=alert(2)>&'"
HOSTILE_FOLDER = "<script>alert(3)<!--"
HOSTILE_URL = "javascript:alert(4)//</script><script>alert(5)</script>"

# Of the characters that the page shows by number, those in HOSTILE.
INVISIBLE = re.compile("[\u202e\u2066\u200b\ufeff]")

DIMENSIONS = ["overall", "text_quality", "image_text_matching", "object_detail", "semantic_understanding",
              "text_chart_description"]
NUM_LENGTH_BINS = 21


def best_score(row):
    return next((score for score in (row["score_expected"], row["score_forced"]) if score >= 0),
                row["scores"]["overall"])


def score_counts(scores):
    """Of 1 to 10, a score rounded half up; -1 is none."""
    bins = [min(max(math.floor(score + 0.5), 1), 10) for score in scores if score >= 0]
    return [bins.count(score) for score in range(1, 11)]


def length_counts(captions):
    bins = [min(len(caption) // 10, NUM_LENGTH_BINS - 1) for caption in captions]
    return [bins.count(i) for i in range(NUM_LENGTH_BINS)]


def kind_of(row):
    return f"{row['failure']['stage']}: {row['failure']['reason'].split(':')[0]}"


def reason_of(row):
    return kind_of(row) if row["decision"] == "failed" else row["reason"]


def percent(part, whole):
    return f"{100 * part / whole:.1f}\u00a0%"


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


class BrowsedTest(SharedRunTest):
    """Tests that look at one page, `page`, in `browser`."""

    @classmethod
    def browse(cls, page):
        cls.page = page
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.__exit__)
        cls.browser.look(1200, 900)
        cls.browser.open(page)

    def tearDown(self):
        self.browser.run("1")  # whatever was complained of before is told before the answer
        self.assertEqual(self.browser.complaints, [])

    def expect_bars(self, place, labels, series):
        """Compares the bars of a chart, their heights and the table below it.
        @param series  name ("" of the only one) -> counts"""
        labels = [str(label) for label in labels]
        named = [(f"{label}{', ' + name if name else ''}", counts[i])
                 for i, label in enumerate(labels) for name, counts in series.items()]
        bars = self.browser.bars(place)
        self.assertEqual([title for title, _ in bars], [f"{name}: {count}" for name, count in named])
        largest = max(count for _, count in named)
        highest = max(height for _, height in bars)
        for (title, height), (_, count) in zip(bars, named):
            self.assertAlmostEqual(height, highest * count / largest, delta=1.5, msg=title)
            self.assertEqual(height > 0, count > 0, title)
        self.assertEqual(self.browser.table(place + " details", ""),
                         [[label, *(str(counts[i]) for counts in series.values())] for i, label in enumerate(labels)])


@unittest.skipUnless(CHROMIUM, "the Debian package chromium is not installed")
class PageTest(BrowsedTest):
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
        cls.rows = [row for name in ("a", "b") for row in runner.output(name).rows]
        cls.stats = runner.output("a").stats
        cls.command = json.loads((runner.folder / "out/_aitqe/run.json").read_text())["last_run"]["command"]
        cls.browse(runner.folder / "out/report.html")

    def shown(self):
        return self.browser.run("document.querySelectorAll('#gallery-cards .pair').length")

    def reset(self):
        for field in ("filter-text", "filter-decision", "filter-reason", "filter-low", "filter-high"):
            self.browser.fill(field, "")

    def test_draws_without_a_complaint_and_asks_for_nothing(self):
        self.assertEqual(self.browser.run("document.documentElement.dataset.drawn"), "true")
        self.assertEqual(self.browser.complaints, [])
        self.assertEqual([url for url in self.browser.requests if not url.startswith(("file:", "data:", "about:"))], [])
        self.assertEqual(self.browser.run("[...document.images].filter((i) => i.complete && i.naturalWidth === 0).length"), 0)
        self.assertGreater(self.browser.run("document.images.length"), 5)

    def test_charts_show_the_rows(self):
        scores = score_counts(best_score(row) for row in self.rows)
        self.assertGreater(sum(count > 0 for count in scores), 1)
        self.expect_bars("#score-chart", range(1, 11), {"": scores})
        before = length_counts(row["caption"] for row in self.rows)
        after = length_counts(row["caption_out"] for row in self.rows)
        self.assertNotEqual(before, after)
        last = max(9, *(i for i in range(NUM_LENGTH_BINS) if before[i] or after[i]))
        self.expect_bars("#length-chart", [f"{10 * i}" for i in range(last + 1)],
                         {"before": before[:last + 1], "after": after[:last + 1]})

    def test_the_funnel_counts_the_rows(self):
        decided = collections.Counter(row["decision"] for row in self.rows)
        refused = sum(row["decision"] == "keep" and row["reason"].startswith("rewrite_") for row in self.rows)
        suspect = sum(row["injection_suspect"] for row in self.rows)
        self.assertGreater(min(decided["rewrite"], decided["failed"]), 0)
        expected = {"read": len(self.rows), "judged": len(self.rows) - decided["failed"], "kept": decided["keep"],
                    "of these refused: a rewrite was due and of no use": refused, "rewritten": decided["rewrite"],
                    "failed": decided["failed"], **({"suspect captions": suspect} if suspect else {})}
        self.assertEqual(self.browser.table("#funnel", "From pairs read"),
                         [[name, "", str(count), percent(count, len(self.rows))] for name, count in expected.items()])
        scores = [best_score(row) for row in self.rows if best_score(row) >= 0]
        tiles = dict(zip(self.browser.texts("#tiles .tile span"), self.browser.texts("#tiles .tile b")))
        self.assertEqual(tiles, {
            "pairs read": str(len(self.rows)), "rewritten": percent(decided["rewrite"], len(self.rows)),
            "kept": percent(decided["keep"], len(self.rows)), "failed": percent(decided["failed"], len(self.rows)),
            "mean score": f"{sum(scores) / len(scores):.2f}"})

    def test_tells_failures_and_reasons(self):
        for title, has_failed in (("Failed pairs", True), ("Why pairs were kept or rewritten", False)):
            counts = collections.Counter(reason_of(row) for row in self.rows
                                         if (row["decision"] == "failed") == has_failed)
            self.assertTrue(counts)
            rows = self.browser.table("#failure-tables", title)
            self.assertEqual({code: (pairs, share) for code, _, pairs, share in rows},
                             {code: (str(pairs), percent(pairs, len(self.rows))) for code, pairs in counts.items()})
            for code, words, _, _ in rows:
                self.assertIn(" ", words, code)  # a sentence and not nothing, nor the code again

    def test_tells_how_to_run_it_again(self):
        self.assertEqual(self.browser.texts("#rerun pre"), [self.command])
        facts = dict(zip(self.browser.texts("#rerun-facts dt"), self.browser.texts("#rerun-facts dd")))
        self.assertEqual((facts["aitqe"], facts["model, sha256"], facts["configuration, sha256"]),
                         tuple(self.stats[name] for name in ("version", "model_sha256", "config_sha256")))
        self.assertEqual(len(facts["model, sha256"]), 64)
        self.assertEqual(facts["rewrite when"], "always")

    def test_marks_the_words_that_differ(self):
        marks = """(old, now) => {
            const lines = captionLines({decision: 'rewrite', caption: old, caption_out: now});
            return lines.map((line) => [line.querySelector('.words').textContent,
                                        ...[...line.querySelectorAll('del, ins')].map((mark) => mark.textContent)]);
        }"""
        self.assertEqual(self.browser.run(f"({marks})('A big  red dog, sitting', 'a small red dog on the grass.')"), [
            ["A big red dog, sitting", "big", "sitting"], ["a small red dog on the grass.", "small", "on the grass."]])
        self.assertEqual(self.browser.run(f"({marks})('the same', 'The same.')"), [["the same"], ["The same."]])
        # Long ones are compared as far as is quick, and shown to their end.
        long = [f"w{i}" for i in range(300)]
        sign = "[the rest is not compared]"
        old, new = self.browser.run(f"({marks})('{' '.join(long)}', 'new {' '.join(long[:199])}')")
        self.assertEqual(old, [" ".join(long[:200] + [sign] + long[200:]), "w199"])
        self.assertEqual(new, [" ".join(["new"] + long[:199]), "new"])
        # On the page: what is not marked is the same in both, and nothing of either is left out.
        shown = self.browser.run("""[...document.querySelectorAll('#gallery-cards .pair')].map((card) => {
            const lines = [...card.querySelectorAll('.words')];
            const plain = (line) => [...line.childNodes].filter((node) => !['DEL', 'INS'].includes(node.nodeName))
                .map((node) => node.textContent).join('');
            return {facts: [...card.querySelectorAll('dd')].map((fact) => fact.textContent),
                    tag: card.querySelector('.tag').textContent, whole: lines.map((line) => line.textContent),
                    plain: lines.map(plain)};
        })""")
        bare = [re.sub(r"[\W_]+", " ", text).lower().split() for card in shown if card["tag"] == "rewritten"
                for text in card["plain"]]
        self.assertEqual(bare[::2], bare[1::2])
        self.assertTrue(any(bare), "no two captions have a word in common")
        rewritten = {(row["shard"], row["key"]): row for row in self.rows if row["decision"] == "rewrite"}
        for card in (card for card in shown if card["tag"] == "rewritten"):
            row = rewritten.pop((card["facts"][-1], card["facts"][-2]))
            visible = INVISIBLE.sub(lambda found: f"U+{ord(found[0]):04X}", row["caption"])
            self.assertEqual(card["whole"], [" ".join(visible.split()), " ".join(row["caption_out"].split())])
        self.assertEqual(rewritten, {})

    def test_captions_stay_text(self):
        self.assertEqual(self.browser.run("document.title"), "aitqe report")
        self.assertEqual(self.browser.run("document.scripts.length"), 3)
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
        reasons = collections.Counter(reason_of(row) for row in self.rows)
        self.assertGreater(len(reasons), 1)
        self.assertEqual(self.browser.texts("#filter-reason option"), ["all", *sorted(reasons)])
        for reason, pairs in reasons.items():
            self.browser.fill("filter-reason", reason)
            self.assertEqual(self.shown(), pairs, reason)
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

    def walk(self):
        """Presses Tab until the page's end. @return for each stop, by what it is known"""
        known = ("(() => { const at = document.activeElement; return at === document.body ? '' :"
                 " at.id || at.getAttribute('href') || at.className"
                 " || at.tagName + ' in ' + (at.closest('[id]')?.id ?? '?'); })()")
        stops = []
        for _ in range(300):
            self.browser.press("Tab")
            stops.append(self.browser.run(known))
            if stops[-1] == "":
                return stops[:-1]
        raise AssertionError(f"Tab never leaves the page: {stops}")

    def test_tab_stops_at_everything_in_order(self):
        self.browser.open(self.page)
        stops = self.walk()
        links = self.browser.run("[...document.querySelectorAll('nav a')].map((link) => link.getAttribute('href'))")
        self.assertEqual(stops[:1 + len(links)], ["#gallery", *links])  # "Skip to the pairs" first
        firsts = list(dict.fromkeys(stops[1 + len(links):]))
        self.assertEqual([stop for stop in firsts if "border" not in stop], [
            "SUMMARY in score-chart", *(["SUMMARY in dimensions"] if "SUMMARY in dimensions" in firsts else []),
            "threshold-slider", "SUMMARY in length-chart", "filter-text", "filter-decision", "filter-reason",
            "filter-low", "filter-high", "filter-order", "SUMMARY in gallery-cards"])
        self.assertEqual(stops.count("SUMMARY in gallery-cards"), len(self.rows))

    def test_enter_opens_what_tab_has_reached(self):
        self.browser.open(self.page)
        self.browser.press("Tab")
        self.browser.press("Enter")
        self.assertEqual(self.browser.run("location.hash"), "#gallery")
        reached = "document.activeElement.closest('#gallery-cards') !== null"
        for _ in range(30):
            self.browser.press("Tab")
            if self.browser.run(reached):
                break
        self.assertTrue(self.browser.run(reached), "the pairs are not behind the link that leads to them")
        self.assertFalse(self.browser.run("document.activeElement.parentNode.open"))
        self.browser.press("Enter")
        self.assertTrue(self.browser.run("document.activeElement.parentNode.open"))
        self.assertGreater(self.browser.run("document.activeElement.nextSibling.clientHeight"), 0)
        self.browser.press("Enter")
        self.assertFalse(self.browser.run("document.activeElement.parentNode.open"))

    def test_is_read_by_the_keyboard_alone(self):
        self.browser.run("document.activeElement.blur(), window.scrollTo(0, 0)")
        self.browser.open(self.page)
        self.browser.press("Tab")
        self.assertEqual(self.browser.run("document.activeElement.className"), "skip")
        # Whatever can be clicked can be reached.
        self.browser.run("window.reached = new Set([document.activeElement])")
        clickable = self.browser.run("""(window.clickable = [...document.querySelectorAll('*')].filter((node) =>
            node.checkVisibility() && (node.matches('a, button, summary, input, select, textarea, [onclick]') ||
            getComputedStyle(node).cursor === 'pointer') && !node.parentNode.closest('summary, button, a, label'))).length""")
        self.assertGreater(clickable, 20)
        for _ in range(clickable + 20):
            self.browser.press("Tab")
            self.browser.run("reached.add(document.activeElement)")
        self.assertEqual(self.browser.run("clickable.filter((node) => !reached.has(node)).map((node) => node.outerHTML)"), [])

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
class ManyShardsPageTest(BrowsedTest):
    """The page of fourteen shards, all dimensions judged, with names that nobody should have given."""

    @classmethod
    def run_once(cls, runner):
        real = example_members(24)
        names = [f"shard{i:02}" for i in range(12)]
        for i, name in enumerate(names):
            write_tar(runner.folder / f"in/{name}.tar", real[6 * i:6 * i + 6])
        record = (f"{HOSTILE_KEY}.json", json.dumps({"url": HOSTILE_URL}).encode())
        write_tar(runner.folder / f"in/{HOSTILE_NAME}.tar", [*pair(HOSTILE_KEY, "a caption"), record])
        aside = write_tar(runner.folder / HOSTILE_FOLDER / "aside.tar", pairs(1))
        runner.enhance(runner.folder / "in", aside, "--full", "--rewrite-when", "score<5",
                       output=f"{HOSTILE_FOLDER}/out")
        runner.aitqe("report", runner.folder / HOSTILE_FOLDER / "out", "--max-failed", "100%")
        cls.rows = {name: runner.output(name, f"{HOSTILE_FOLDER}/out").rows
                    for name in (*names, HOSTILE_NAME, "aside")}
        cls.browse(runner.folder / HOSTILE_FOLDER / "out/report.html")

    def means(self):
        """Shard -> its mean score."""
        return {name: sum(best_score(row) for row in rows) / len(rows) for name, rows in self.rows.items()}

    def test_draws_every_dimension(self):
        self.assertEqual(self.browser.texts("#dimensions .multiples h3"),
                         [name.replace("_", " ") for name in DIMENSIONS])
        drawn = set()
        for i, name in enumerate(DIMENSIONS):
            counts = score_counts(row["scores"][name] for rows in self.rows.values() for row in rows)
            self.assertEqual(sum(counts), 26)
            drawn.add(tuple(counts))
            self.expect_bars(f"#dimensions .multiples > div:nth-child({i + 1})", range(1, 11), {"": counts})
        self.assertGreater(len(drawn), 3, "the dimensions hardly differ: any one would pass for another")

    def test_names_the_worst_and_the_best_shards(self):
        means = self.means()
        for title, order in (("Shards with the lowest mean score", 1), ("Shards with the highest mean score", -1)):
            expected = sorted(means, key=lambda name: order * means[name])[:10]
            rows = self.browser.table("#group-tables", title)
            self.assertEqual([row[0] for row in rows], expected)
            self.assertEqual([row[2:4] for row in rows],
                             [[f"{means[name]:.2f}", str(len(self.rows[name]))] for name in expected])
            self.assertEqual([row[4] for row in rows], [
                percent(sum(row["decision"] == "rewrite" for row in self.rows[name]), len(self.rows[name]))
                for name in expected])

    def test_draws_the_means_of_all_shards(self):
        bins = [min(math.floor(4 * (mean - 1)), 35) for mean in self.means().values()]
        self.assertGreater(len(set(bins)), 3)
        self.expect_bars("#group-tables", [f"{1 + i / 4:g}" for i in range(36)],
                         {"": [bins.count(i) for i in range(36)]})

    def test_the_slider_shows_pairs_at_the_border(self):
        scores = sorted(best_score(row) for rows in self.rows.values() for row in rows)
        shown = {}
        for limit in (1, *(round(20 * score) / 20 for score in scores), 9.95):
            limit = min(max(limit, 1), 9.95)
            self.browser.fill("threshold-slider", str(limit))
            below = [score for score in scores if score < limit][:-4:-1]
            above = [score for score in scores if score >= limit][:3]
            for place, expected in (("below", below), ("above", above)):
                facts = self.browser.texts(f"#border-{place} .facts")
                self.assertEqual([re.search(r"score ([\d.]+)", fact)[1] for fact in facts],
                                 [f"{score:.2f}" for score in expected], (limit, place))
            shown[limit] = (len(below), len(above))
        self.assertIn((3, 3), shown.values())
        self.assertGreater(len(set(scores)), 20)

    def test_says_how_many_folders_it_does_not_name(self):
        self.addCleanup(self.browser.open, self.page)
        self.browser.run("data.num_folders = 1030, at('folders').replaceChildren(), drawTotals()")
        self.assertEqual(self.browser.texts("#folders"),
                         [str(self.page.parent) + " \u2026 and 1,029 more"])

    def test_names_stay_text(self):
        self.assertEqual(self.browser.run("document.scripts.length"), 3)
        self.assertEqual(self.browser.run("[...document.querySelectorAll('*')].filter((node) => [...node.attributes]"
                                          ".some((attribute) => attribute.name.startsWith('on'))).length"), 0)
        self.assertEqual(self.browser.run("[...document.images].filter((i) => !i.src.startsWith('data:')).length"), 0)
        self.assertEqual(self.browser.run("[...document.links].filter((link) => !link.getAttribute('href')"
                                          ".startsWith('#')).length"), 0)
        self.assertEqual([url for url in self.browser.requests if not url.startswith(("file:", "data:", "about:"))], [])
        shown = {"#group-tables": [HOSTILE_NAME], "#rerun pre": [HOSTILE_FOLDER, "aside.tar", "--full"],
                 "#folders": [HOSTILE_FOLDER + "/out"], "#gallery-cards": [HOSTILE_KEY, HOSTILE_URL, HOSTILE_NAME]}
        self.browser.fill("filter-text", "onload=alert(2)")
        self.addCleanup(self.browser.fill, "filter-text", "")
        self.assertEqual(len(self.browser.texts("#gallery-cards .pair")), 1)
        for place, names in shown.items():
            text = "".join(self.browser.texts(place))
            for name in names:
                self.assertIn(name, text, place)


@unittest.skipUnless(CHROMIUM, "the Debian package chromium is not installed")
class PreviewPageTest(BrowsedTest):
    """What a dry run shows, in a browser."""

    @classmethod
    def run_once(cls, runner):
        write_tar(runner.folder / "in/a.tar", example_members(40))
        page = runner.folder / "look.html"
        told = runner.enhance(runner.folder / "in", "--rewrite-when", "always", "--dry-run", "--forecast-s", "0.1",
                              "--sample", "50%", "--report", page, "--json")
        cls.preview = json.loads(told.stdout)["preview"]
        cls.left = [path.name for path in runner.folder.iterdir()]
        cls.browse(page)

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
