"""Killed or failing at any write, sync or rename, a run leaves no half output, and run again ends with the bytes of a
run that was not disturbed. faults.c counts the program's calls on files below the output folder.

AITQE_KILL_POINTS says at how many calls it is killed: 40 unless given.
"""

import concurrent.futures
import errno
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import ANY_NUMBER_MAY_FAIL, BINARY, EXAMPLES, MODEL_FLAGS, content_of, environment, example_members, write_tar

FAULTS = os.environ.get("AITQE_FAULTS")
NUM_KILLS = int(os.environ.get("AITQE_KILL_POINTS", "40"))
NUM_PAIRS = 12  # of the first shard
NUM_LATER_PAIRS = 6  # of each of the others: enough of them for so many calls
NUM_LATER_SHARDS = max(1, NUM_KILLS // 30)


def run(folder, out, *flags, **faults):
    """@return the finished process; `faults`: AT, CALL, DO of faults.c, and FOLDER below the output folder"""
    out = folder / out
    below = faults.pop("FOLDER", "")
    variables = {f"FAULT_{name}": str(value) for name, value in faults.items()}
    if faults:
        variables |= {"LD_PRELOAD": FAULTS, "FAULT_FOLDER": f"{out}/{below}", "FAULT_LOG": f"{out}.calls"}
    command = [BINARY, "enhance", "in", "-o", out, *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL, "--batch-size", "4", "--threads", "1",
               *flags]
    return subprocess.run([str(a) for a in command], cwd=folder, env=environment(**variables), capture_output=True,
                          text=True, timeout=300, check=False, stdin=subprocess.DEVNULL)


def calls(folder, out):
    """(name, file below the output folder) of each counted call."""
    found = []
    for line in (folder / f"{out}.calls").read_text().splitlines():
        _, call, path = line.split(" ", 2)
        found.append((call, path.removeprefix(f"{folder / out}/")))
    return found


def journalled(folder, out):
    """Answers in the journals of shards that are not in place."""
    count = 0
    for journal in (folder / out / "_aitqe/journal").glob("*"):
        if not (folder / out / f"{journal.name}.aitqe.stats.json").exists():
            lines = journal.read_text().split("\n")[1:-1]
            count += sum(re.match(r"\d+ [0-9a-f]{16} \{\"pair\"", line) is not None for line in lines)
    return count


@unittest.skipUnless(FAULTS, "faults.c is not built with sanitizers")
class CrashTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="aitqe-crash-")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        members = example_members(NUM_PAIRS + NUM_LATER_PAIRS * NUM_LATER_SHARDS)
        per_pair = len(members) // (NUM_PAIRS + NUM_LATER_PAIRS * NUM_LATER_SHARDS)
        first = NUM_PAIRS * per_pair
        write_tar(cls.folder / "in/00000.tar", members[:first])
        for number in range(NUM_LATER_SHARDS):
            begin = first + number * NUM_LATER_PAIRS * per_pair
            write_tar(cls.folder / f"in/{number + 1:05}.tar", members[begin:begin + NUM_LATER_PAIRS * per_pair])
        (cls.folder / "in/00001_stats.json").write_text('{"made": "by a downloader"}')
        done = run(cls.folder, "whole", AT=0)
        assert done.returncode == 0, done.stderr
        cls.whole = content_of(cls.folder / "whole")
        # A journal is synced by the clock: on a slow machine more often.
        cls.calls = [one for one in calls(cls.folder, "whole") if one[0] != "fdatasync"]

    def kill_points(self):
        """Numbers of calls: one of every kind (a rename of a tar, a sync of rows, ...), then evenly spread ones."""
        kinds = {}
        for number, (call, path) in enumerate(self.calls, 1):
            kinds.setdefault((call, re.sub(r"\.part-.*|\d{5}", "", path)), number)
        points = sorted(kinds.values())
        self.assertIn(("rename", ".tar"), kinds)
        self.assertIn(("rename", ".aitqe.stats.json"), kinds)
        self.assertIn(("unlink", "_aitqe/journal/"), kinds)
        self.assertGreaterEqual(len(self.calls), NUM_KILLS)
        for denominator in itertools.count(1):
            for numerator in range(denominator):
                if len(points) >= NUM_KILLS:
                    return sorted(points)
                number = 1 + len(self.calls) * (2 * numerator + 1) // (2 * denominator)
                if number not in points and number <= len(self.calls):
                    points.append(number)

    def check_nothing_half(self, out):
        """What has its final name is what the undisturbed run wrote."""
        for path, data in content_of(self.folder / out).items():
            if not pathlib.Path(path).name.startswith(".") and not path.startswith("_aitqe/"):
                self.assertEqual(data, self.whole[path], path)

    def check_rerun(self, out):
        known = journalled(self.folder, out)
        again = run(self.folder, out)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(content_of(self.folder / out), self.whole)
        last_run = json.loads((self.folder / out / "_aitqe/run.json").read_text())["last_run"]
        self.assertEqual(last_run["pairs_resumed"], known)
        return known

    def check_killed(self, number, action, **only):
        """Threads take turns as they like, so the call of a number need not be the one it was undisturbed."""
        out = f"{action}-{number}"
        done = run(self.folder, out, AT=number, DO=action, **only)
        # The journals' folder is made again or not, as the shards overlap: a run may have a few calls less.
        if done.returncode == 0 and len(self.calls) - 4 < number:
            return 0
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
        self.check_nothing_half(out)
        known = self.check_rerun(out)
        shutil.rmtree(self.folder / out)
        return known

    def test_killed_at_any_call(self):
        points = self.kill_points()
        self.assertGreaterEqual(len(points), NUM_KILLS)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            known = list(pool.map(lambda number: self.check_killed(number, "kill"), points))
        self.assertGreater(max(known), NUM_PAIRS // 2, "no run went on in the middle of a shard")

    def test_killed_in_the_middle_of_a_write(self):
        for number in (1, 2, NUM_PAIRS // 2):
            with self.subTest(write=number):
                self.check_killed(number, "torn", CALL="write", FOLDER="_aitqe/journal/")

    def check_fails(self, message, **fault):
        out = "-".join(str(value).strip(".") for value in fault.values())
        done = run(self.folder, out, **fault)
        self.assertEqual(done.returncode, 5, f"{fault}: {done.stderr}")
        self.assertIn(message, done.stderr)
        self.check_nothing_half(out)
        self.assertEqual([p.name for p in (self.folder / out).glob(".*")], [], "temporary files stay")
        self.check_rerun(out)

    def test_a_full_disk(self):
        of_writes = sum(call == "write" for call, _ in self.calls)
        for number in (1, of_writes // 3, of_writes - 1, of_writes):
            with self.subTest(write=number):
                self.check_fails("No space left on device", CALL="write", AT=number, DO="ENOSPC")
        self.check_fails("Disk quota exceeded", CALL="write", AT=2, DO="EDQUOT")

    def test_a_disk_that_tells_late_that_it_is_full(self):
        """Where writes are kept back (NFS, quotas) it is heard at a close; a rename may need room for the name."""
        for action in ("ENOSPC", "EDQUOT", "EIO"):
            for call, file in (("close", ".00000.tar.part"), ("close", ".00001.aitqe.jsonl.part"), ("fsync", ".00000.tar.part"),
                               ("rename", "00000.tar"), ("rename", "00001.aitqe.stats.json")):
                with self.subTest(action=action, call=call, file=file):
                    self.check_fails(os.strerror(getattr(errno, action)), CALL=call, FOLDER=file, AT=1, DO=action)

    def test_a_disk_that_fails(self):
        for call in ("write", "fsync", "rename", "open", "mkdir"):
            last = sum(one == call for one, _ in self.calls)
            for number in {1, last}:
                with self.subTest(call=call, number=number):
                    self.check_fails("Input/output error", CALL=call, AT=number, DO="EIO")

    def test_writes_that_are_short_or_interrupted(self):
        for action in ("short", "EINTR"):
            with self.subTest(action):
                done = run(self.folder, action, CALL="write", AT="all", DO=action)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(content_of(self.folder / action), self.whole)


if __name__ == "__main__":
    unittest.main(verbosity=2)
