"""Killed or failing at any write, sync or rename, a run leaves no half output, and run again ends with the bytes of a
run that was not disturbed. faults.c counts the program's calls on files below the output folder, and the pairs whose
prompts the model runs: no kill costs more of them than one batch.

AITQE_KILL_POINTS says how many kills there are: 60 unless given.
"""

import collections
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

from support import ANY_NUMBER_MAY_FAIL, BINARY, MODEL_FLAGS, content_of, environment, example_members, write_tar

FAULTS = os.environ.get("AITQE_FAULTS")
NUM_KILLS = int(os.environ.get("AITQE_KILL_POINTS", "60"))
BATCH_SIZE = 4
NUM_PAIRS = 12  # of the first shard
NUM_LATER_PAIRS = 6  # of each of the others: enough of them for so many calls
NUM_LATER_SHARDS = max(1, NUM_KILLS // 30)
NUM_PAIRS_OF_ALL = NUM_PAIRS + NUM_LATER_PAIRS * NUM_LATER_SHARDS
# What an output folder is made of, digits of shards left out.
FILES = [".tar", ".aitqe.jsonl", ".aitqe.parquet", ".aitqe.stats.json", "_stats.json", "_aitqe/run.json"]


def run(folder, out, *flags, **faults):
    """@return the finished process; `faults`: AT, CALL, DO of faults.c, and FOLDER and FILE, within the output folder"""
    variables = {"LD_PRELOAD": FAULTS, "FAULT_ASKED": f"{folder}/asked-{out}"}
    if faults:
        variables["FAULT_LOG"] = f"{folder}/calls-{out}"
        faults.setdefault("FOLDER", "")  # and so the folder itself, whose syncs make renames last
    for name, value in faults.items():
        is_path = name in ("FOLDER", "FILE")
        variables[f"FAULT_{name}"] = f"{folder}/{out}/{value}".rstrip("/") if is_path else str(value)
    command = [BINARY, "enhance", "in", "-o", folder / out, *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL, "--batch-size", BATCH_SIZE,
               "--threads", "1", "--device", "cpu", *flags]  # where faults.c sees what the model is given
    return subprocess.run([str(a) for a in command], cwd=folder, env=environment(**variables), capture_output=True,
                          text=True, timeout=300, check=False, stdin=subprocess.DEVNULL)


def calls(folder, out):
    """Number -> (name, file below the output folder, "" for the folder itself) of each counted call."""
    found = {}
    log = folder / f"calls-{out}"
    for line in log.read_text().splitlines() if log.exists() else []:
        number, call, path = line.split(" ", 2)
        found[int(number)] = (call, path.removeprefix(f"{folder / out}").removeprefix("/"))
    return found


def step_of(call, path):
    """The same for the files of all shards and processes: ("rename", ".tar"), ("write", "part of .tar"), ..."""
    folder, _, name = path.rpartition("/")
    is_part = re.fullmatch(r"\.(.*)\.part-.*", name)
    name = re.sub(r"^\d{5}", "", is_part[1] if is_part else name)
    return call, ("part of " if is_part else "") + (f"{folder}/" if folder else "") + name


def steps_of_commits():
    """Every step there is between a pair's answer and a shard that counts as done."""
    steps = {(call, "_aitqe/journal/") for call in ("open", "write", "unlink")}
    for file in FILES:
        steps |= {(call, f"part of {file}") for call in ("open", "write", "fsync", "close")}
        steps |= {("rename", file), ("fsync", file.rpartition("/")[0])}
    return steps


def journalled(folder, out):
    """Answers in the journals of shards that are not in place."""
    count = 0
    for journal in (folder / out / "_aitqe/journal").glob("*"):
        if not (folder / out / f"{journal.name}.aitqe.stats.json").exists():
            lines = journal.read_text().split("\n")[1:-1]
            count += sum(re.match(r"\d+ [0-9a-f]{16} \{\"pair\"", line) is not None for line in lines)
    return count


def asked(folder, out):
    """How many pairs the model has been given by all runs with this output."""
    log = folder / f"asked-{out}"
    return sum(map(int, log.read_text().split())) if log.exists() else 0


@unittest.skipUnless(FAULTS, "faults.c is not built with sanitizers")
class CrashTest(unittest.TestCase):
    maxDiff = 4000
    numbers = itertools.count()  # of output folders

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="aitqe-crash-")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        members = example_members(NUM_PAIRS_OF_ALL)
        per_pair = len(members) // NUM_PAIRS_OF_ALL
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
        cls.calls = [one for one in calls(cls.folder, "whole").values() if one[0] != "fdatasync"]

    def test_faults_c_sees_every_step_of_a_commit_and_every_pair_that_is_asked(self):
        seen = collections.Counter(itertools.starmap(step_of, self.calls))
        self.assertEqual(steps_of_commits() - set(seen), set())
        self.assertEqual(asked(self.folder, "whole"), NUM_PAIRS_OF_ALL)
        self.assertEqual(seen["write", "_aitqe/journal/"], NUM_PAIRS_OF_ALL + 1 + NUM_LATER_SHARDS)  # and their headers
        self.assertEqual({step_of("", path)[1] for path in self.whole}, set(FILES))
        # What lies there now was renamed into place, each after a sync of its bytes, and its folder was synced for each.
        for path in self.whole:
            folder, _, name = path.rpartition("/")
            part = f"{folder}{folder and '/'}.{name}.part-"
            before = list(itertools.takewhile(lambda one: one != ("rename", path), self.calls))
            self.assertLess(len(before), len(self.calls), path)
            self.assertEqual([call for call, file in before if file.startswith(part)][-2:], ["fsync", "close"], path)
        renames = collections.Counter(path.rpartition("/")[0] for call, path in self.calls if call == "rename")
        self.assertEqual({folder: seen["fsync", folder] for folder in renames}, renames)

    def check_nothing_half(self, out):
        """What has its final name is what the undisturbed run wrote."""
        for path, data in content_of(self.folder / out).items():
            if not pathlib.Path(path).name.startswith(".") and not path.startswith("_aitqe/"):
                self.assertEqual(data, self.whole[path], path)

    def check_rerun(self, out):
        """@return (pairs that were in a journal, pairs that the model was given twice)"""
        known = journalled(self.folder, out)
        again = run(self.folder, out)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(content_of(self.folder / out), self.whole)
        last_run = json.loads((self.folder / out / "_aitqe/run.json").read_text())["last_run"]
        self.assertEqual(last_run["pairs_resumed"], known)
        twice = asked(self.folder, out) - NUM_PAIRS_OF_ALL
        self.assertGreaterEqual(twice, 0, "faults.c does not see what the model is given")
        self.assertLessEqual(twice, BATCH_SIZE, "more than a batch was lost")
        return known, twice

    def check_killed(self, number, action, **only):
        """Threads take turns as they like, so the call of a number need not be the one it was undisturbed.
        @return  the step at which it was killed, and what check_rerun returns; None where there were not so many calls"""
        out = f"{action}-{number}-{next(self.numbers)}"
        done = run(self.folder, out, AT=number, DO=action, **only)
        found = None
        if done.returncode == 0:
            self.assertLess(max(calls(self.folder, out), default=0), number, "a call was counted and nothing happened")
        else:
            self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
            step = step_of(*calls(self.folder, out)[number])
            self.check_nothing_half(out)
            found = step, *self.check_rerun(out)
        shutil.rmtree(self.folder / out)
        return found

    def one_of_every_step(self):
        """Arguments of check_killed for each: its first call on its file, whatever other threads do meanwhile."""
        first = {}
        for call, path in self.calls:
            file, is_part, _ = path.partition(".part-")
            first.setdefault(step_of(call, path), {"CALL": call, "FOLDER" if is_part else "FILE": file})
        return [{"number": 1} | call for call in first.values()]

    def spread_evenly(self):
        """Arguments of check_killed for numbers of all calls, until there are no more."""
        done = set()
        for denominator in itertools.count(1):
            for numerator in range(denominator):
                number = 1 + len(self.calls) * (2 * numerator + 1) // (2 * denominator)
                if number not in done and number <= len(self.calls):
                    done.add(number)
                    yield {"number": number}
            if len(done) == len(self.calls):
                return

    def test_killed_at_any_call(self):
        kills, some, others = [], self.one_of_every_step(), self.spread_evenly()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            while some:
                kills += filter(None, pool.map(lambda point: self.check_killed(action="kill", **point), some))
                some = list(itertools.islice(others, max(0, NUM_KILLS - len(kills))))
        self.assertGreaterEqual(len(kills), NUM_KILLS, f"an undisturbed run has {len(self.calls)} calls")
        self.assertEqual(steps_of_commits() - {step for step, _, _ in kills}, set(), "steps at which no run was killed")
        self.assertGreater(max(known for _, known, _ in kills), NUM_PAIRS // 2, "no run went on in the middle of a shard")
        self.assertGreater(max(twice for _, _, twice in kills), 0, "no run was killed while the model had pairs")

    def test_killed_in_the_middle_of_a_write(self):
        for number in (1, 2, NUM_PAIRS // 2):
            with self.subTest(write=number):
                self.assertEqual(self.check_killed(number, "torn", CALL="write", FOLDER="_aitqe/journal/")[0],
                                 ("write", "_aitqe/journal/"))

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
            # A lock that cannot be had is not missed.
            numbers = [number for number, file in enumerate((file for one, file in self.calls if one == call), 1)
                       if not file.endswith("/.lock")]
            for number in {numbers[0], numbers[-1]}:
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
