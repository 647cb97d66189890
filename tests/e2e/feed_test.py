"""`--shards-from`: names of shards come line by line, and each is acknowledged when its shard is finished."""

import json
import os
import queue
import signal
import subprocess
import threading
import unittest

from support import (ANY_NUMBER_MAY_FAIL, BINARY, LONGEST_RUN_S, MODEL_FLAGS, EndToEndTest, content_of, environment, pairs,
                     write_tar)


class Fed:
    """A run that is given names, and what it prints."""

    def __init__(self, folder, *arguments):
        command = [BINARY, "enhance", "-o", folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL, "--shards-from", "-", *arguments]
        self.process = subprocess.Popen([str(a) for a in command], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=environment())
        self.receipts = queue.Queue()
        self.log = []
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.receipts.put(json.loads(line))

    def name(self, *lines):
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def receipt(self):
        return self.receipts.get(timeout=LONGEST_RUN_S)

    def end(self):
        """@return the exit code"""
        self.process.stdin.close()
        return self.process.wait(timeout=LONGEST_RUN_S)


class FeedTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        for name in ("a", "b", "c"):
            write_tar(self.folder / f"in/{name}.tar", pairs(3))

    def feed(self, *arguments):
        fed = Fed(self.folder, *arguments)
        for clean_up in (fed.process.stderr.close, fed.process.stdout.close, fed.process.stdin.close, fed.process.wait, fed.process.kill):
            self.addCleanup(clean_up)
        return fed

    def test_each_is_acknowledged_before_the_next_is_named(self):
        fed = self.feed()
        for number, name in enumerate(("a", "b", "c"), 1):
            fed.name(f"in/{name}.tar")
            receipt = fed.receipt()
            self.assertEqual((receipt["schema"], receipt["line"], receipt["shard"], receipt["status"]),
                             ("aitqe.receipt/1", number, name, "done"))
            self.assertEqual(receipt["read"], receipt["kept"] + receipt["rewritten"] + receipt["failed"])
            self.assertTrue(self.output(name).stats_file.exists())
        self.assertEqual(fed.end(), 0)
        self.enhance("in", output="whole")
        fed_files, whole = content_of(self.folder / "out"), content_of(self.folder / "whole")
        self.assertEqual(fed_files, whole)
        self.assertEqual(json.loads(self.aitqe("report", "out", "--json").stdout)["verdict"], "complete")

    def test_names_of_a_job_that_is_given_as_input(self):
        fed = self.feed("in")
        fed.name("# the last first", "", "c", "  a \r", "x")
        found = {receipt["line"]: receipt for receipt in (fed.receipt(), fed.receipt(), fed.receipt())}
        self.assertEqual({line: r["status"] for line, r in found.items()}, {3: "done", 4: "done", 5: "refused"})
        self.assertIn("x: no shard of the input is called that", found[5]["reason"])
        self.assertEqual(fed.end(), 3)
        # The whole job is pinned: what nobody named is missing.
        self.assertEqual(json.loads(self.aitqe("status", "out", "--json").stdout)["missing"][0]["shard"], "b")

    def test_a_signal_ends_the_wait_for_who_writes_to_a_named_pipe(self):
        os.mkfifo(self.folder / "names")
        with subprocess.Popen([str(a) for a in (BINARY, "enhance", "--shards-from", "names", "-o", "out", *MODEL_FLAGS)],
                              cwd=self.folder, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              text=True) as process:
            next(line for line in process.stderr if "loaded in" in line)
            process.send_signal(signal.SIGTERM)
            told = process.stderr.read()
            self.assertEqual(process.wait(timeout=LONGEST_RUN_S), 75, told)

    def test_what_was_done_is_said_to_be(self):
        self.enhance("in/a.tar")
        fed = self.feed()
        fed.name("in/a.tar", "in/a.tar")
        receipts = sorted((fed.receipt(), fed.receipt()), key=lambda receipt: receipt["line"])
        self.assertEqual([r["status"] for r in receipts], ["done_before", "refused"])
        self.assertEqual(receipts[0]["read"], 3)
        self.assertIn("a: was named before, in line 1", receipts[1]["reason"])
        self.assertEqual(fed.end(), 3)

    def test_what_cannot_be_used_stops_no_other(self):
        fed = self.feed()
        fed.name("in/no.tar", "in", "-", "out/a.tar", "gs://bucket/a.tar")
        for expected in ("no such file", "gives 3 shards, expected one a line", "-: a tar cannot come", "no such file", "not built in"):
            receipt = fed.receipt()
            self.assertEqual((receipt["status"], receipt["shard"]), ("refused", ""))
            self.assertIn(expected, receipt["reason"])
        fed.name("in/b.tar")
        self.assertEqual(fed.receipt()["status"], "done")
        self.assertEqual(fed.end(), 3)

    def test_a_signal_ends_the_wait_for_a_name(self):
        fed = self.feed()
        fed.name("in/a.tar")
        fed.receipt()
        fed.process.terminate()
        self.assertEqual(fed.process.wait(timeout=30), 75)

    def test_no_name_at_all_is_no_error(self):
        self.assertEqual(self.feed().end(), 0)

    def test_waiting_for_a_name_is_no_stall(self):
        fed = self.feed("--stall-timeout", "3")
        fed.name("in/a.tar")
        fed.receipt()
        with self.assertRaises(subprocess.TimeoutExpired):
            fed.process.wait(timeout=8)
        self.assertEqual(fed.end(), 0)

    def test_names_may_lie_in_a_file(self):
        (self.folder / "names.txt").write_text("in/a.tar\nin/b.tar")
        result = self.aitqe("enhance", "-o", "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL, "--shards-from", "names.txt", "--json")
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(sorted(line["shard"] for line in lines[:2]), ["a", "b"])
        self.assertEqual(lines[2]["read"], 6)

    def test_a_reader_that_is_gone_ends_the_run_resumable(self):
        reading_end, writing_end = os.pipe()
        os.close(reading_end)
        self.addCleanup(os.close, writing_end)
        command = [BINARY, "enhance", "-o", "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL, "--shards-from", "-"]
        done = subprocess.run([str(a) for a in command], cwd=self.folder, input=b"in/a.tar\n", stdout=writing_end,
                              stderr=subprocess.PIPE, env=environment(), timeout=LONGEST_RUN_S, check=False)
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn(b"a receipt cannot be written", done.stderr)

    def test_what_needs_all_names_beforehand_is_refused(self):
        for flags in (["--limit", "3"], ["--task-index", "0", "--task-count", "2"], ["--rewrite-when", "worst:10%"]):
            with self.subTest(flags=flags):
                result = self.aitqe("enhance", "-o", "out", *MODEL_FLAGS, "--shards-from", "-", *flags, expect=2)
                self.assertIn("--shards-from", result.stderr)
        self.assertIn("--shards-from", self.enhance("-", "--shards-from", "-", expect=2).stderr)
        self.assertIn("--shards-from", self.enhance("--shards-from", "no.txt", expect=4).stderr)

    def test_a_plan_lists_the_job(self):
        self.enhance("in/b.tar")
        plan = json.loads(self.enhance("in", "--dry-run", "--forecast-s", "0", "--json").stdout)
        self.assertEqual(plan, {"schema": "aitqe.plan/1", "shards": [{"shard": name, "done": name == "b"} for name in "abc"]})


if __name__ == "__main__":
    unittest.main()
