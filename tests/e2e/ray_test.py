"""scripts/ray_enhance.py on a cluster of two nodes: shards are handed out, and a lost process or node costs nothing."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from support import (BINARY, LONGEST_RUN_S, MODEL_FLAGS, SOURCE_DIR, EndToEndTest, content_of, environment, example_members,
                     write_tar)

PYTHON = SOURCE_DIR / ".deps/cluster/bin/python3"
IS_WANTED = PYTHON.exists() and bool(os.environ.get("AITQE_LARGE_SHARDS"))
CUT_SHARD = SOURCE_DIR / "tests/data/tar/cut_at_member.tar"
NUM_SHARDS = 8
NUM_GPUS = 3  # ray_cluster.py: one on the first node, two on the second
# More than the default --max-failed of all pairs that there are.
BROKEN_PAIR = [("broken.jpg", b"no image"), ("broken.txt", b"a caption")]
LONGEST_JOB_S = 240

# Wrappers of the program, of which a worker's process is told by its options.
RECORDER = """#!/bin/sh
case "$*" in *--shards-from*) echo "$CUDA_VISIBLE_DEVICES" >>{folder}/devices ;; esac
AITQE_DEVICE=cpu exec {binary} "$@"
"""
ENDING_BADLY = """#!/bin/sh
{binary} "$@" || exit
case "$*" in *--shards-from*) echo "the trace cannot be written" >&2; exit 5 ;; esac
"""
TAKING_ITS_ACTOR_ALONG = """#!/bin/sh
{binary} "$@" || exit
case "$*" in *--shards-from*) kill -KILL $PPID ;; esac
"""


def processes_of(text):
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            if command[0] == str(BINARY).encode() and text.encode() in command:
                yield int(process.name)
        except (FileNotFoundError, ProcessLookupError):
            pass


def parent_of(process):
    return int(re.search(r"^PPid:\s+(\d+)", pathlib.Path(f"/proc/{process}/status").read_text(), re.M)[1])


def node_of(process):
    """The node's daemon, which starts the actors that start our processes."""
    return parent_of(parent_of(process))


class ClusterTest(EndToEndTest):
    """Tests that share a cluster and its input."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="aitqe-ray-")
        cls.addClassCleanup(scratch.cleanup)
        cls.shared = pathlib.Path(scratch.name)
        members = example_members(NUM_SHARDS * 5)
        for shard in range(NUM_SHARDS):
            write_tar(cls.shared / f"in/{shard:05}.tar", members[15 * shard:15 * (shard + 1)] + (BROKEN_PAIR if shard == 0 else []))
        subprocess.run([str(a) for a in (BINARY, "enhance", *cls.arguments("alone"))], env=environment(), check=True,
                       capture_output=True, cwd=cls.shared)
        cls.alone = content_of(cls.shared / "alone")
        cls.cluster = subprocess.Popen([PYTHON, SOURCE_DIR / "tests/e2e/ray_cluster.py"], stdin=subprocess.PIPE, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       env=environment(RAY_USAGE_STATS_ENABLED="0"))
        cls.addClassCleanup(cls.end_cluster)
        cls.address = cls.cluster.stdout.readline().strip()
        if not cls.address:
            raise AssertionError("no cluster")

    @classmethod
    def end_cluster(cls):
        cls.cluster.stdin.close()
        cls.cluster.wait(timeout=60)
        cls.cluster.stdout.close()

    def lose_second_node(self):
        self.cluster.stdin.write("lose\n")
        self.cluster.stdin.flush()
        self.assertEqual(self.cluster.stdout.readline(), "lost\n")

    @staticmethod
    def arguments(out, max_failed="100%", shards="in"):
        return [shards, "-o", out, *MODEL_FLAGS, "--threads", "1", "--max-failed", max_failed]

    def start(self, arguments, *of_the_job, program=BINARY):
        """@param of_the_job  options; one worker on each GPU without any"""
        command = [PYTHON, SOURCE_DIR / "scripts/ray_enhance.py", "--address", self.address, "--aitqe", program, *of_the_job, "--",
                   *arguments]
        clean = environment(RAY_USAGE_STATS_ENABLED="0")
        clean.pop("CUDA_VISIBLE_DEVICES", None)
        # Unbuffered, so that a first line that is read takes no second one along.
        job = subprocess.Popen([str(a) for a in command], cwd=self.shared, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               bufsize=0)
        self.addCleanup(job.kill)
        return job

    def end(self, job, expect=0):
        """@return stdout and stderr"""
        stdout, stderr = (text.decode() for text in job.communicate(timeout=LONGEST_JOB_S))
        self.assertEqual(job.returncode, expect, stderr)
        return stdout, stderr

    def wrapper(self, text):
        program = self.shared / f"{self._testMethodName}.sh"
        program.write_text(text.format(folder=self.shared, binary=BINARY))
        program.chmod(0o755)
        return program

    def check_end(self, job, out, first_receipts=()):
        """@return stderr"""
        stdout, stderr = self.end(job)
        receipts = [*first_receipts, *map(json.loads, stdout.splitlines())]
        self.assertEqual(sorted(receipt["shard"] for receipt in receipts), [f"{shard:05}" for shard in range(NUM_SHARDS)])
        self.check_equal(out)
        self.assertIn(f"complete: {NUM_SHARDS} of {NUM_SHARDS} shards", stderr)
        return stderr

    def check_equal(self, out):
        def files(content):
            # Of a killed process a journal may stay behind that was about to go.
            return {path: data for path, data in content.items()
                    if not path.startswith("_aitqe/") and path != "sizes.json"}
        self.assertEqual(files(content_of(self.shared / out)), files(self.alone))


@unittest.skipUnless(IS_WANTED, "only with scripts/test.sh --full, which installs Ray")
class RayTest(ClusterTest):
    def test_every_gpu_has_a_worker_that_sees_no_other(self):
        job = self.start(self.arguments("bound"), program=self.wrapper(RECORDER))
        self.check_end(job, "bound")
        devices = (self.shared / "devices").read_text().splitlines()
        self.assertEqual(sorted(devices), ["0", "0", "1"])

    def test_a_process_is_killed(self):
        job = self.start(self.arguments("killed"), "--workers", 2)
        first = json.loads(job.stdout.readline())
        os.kill(next(processes_of("killed")), signal.SIGKILL)
        self.assertIn("ended with -9", self.check_end(job, "killed", [first]))
        # All is there: nothing to do, and no worker. Of 41 pairs one has failed.
        for limit, status in (("100%", 0), ("1%", 3)):
            stdout, stderr = self.end(self.start(self.arguments("killed", limit)), expect=status)
            self.assertEqual(stdout, "")
            self.assertIn("failed", stderr)

    def test_an_actor_is_killed(self):
        job = self.start(self.arguments("orphaned"), "--workers", 2)
        first = json.loads(job.stdout.readline())
        orphan = next(processes_of("orphaned"))
        os.kill(parent_of(orphan), signal.SIGKILL)
        self.assertIn("a worker was lost (Actor", self.check_end(job, "orphaned", [first]))
        deadline = time.monotonic() + LONGEST_RUN_S
        while list(processes_of("orphaned")):
            self.assertLess(time.monotonic(), deadline, "a process has outlived its actor")
            time.sleep(0.1)
        self.check_equal("orphaned")

    def test_actors_that_are_lost_at_the_very_end_cost_nothing(self):
        job = self.start(self.arguments("late"), program=self.wrapper(TAKING_ITS_ACTOR_ALONG))
        self.assertIn("lost after its last shard", self.check_end(job, "late"))

    def test_a_process_that_ends_badly_when_all_is_in_place_is_told(self):
        job = self.start(self.arguments("ends-badly"), "--workers", 1, program=self.wrapper(ENDING_BADLY))
        _, stderr = self.end(job, expect=5)
        self.assertIn("the trace cannot be written", stderr)
        self.assertIn("ended with 5", stderr)

    def test_damage_is_told_again_when_nothing_is_left_to_do(self):
        write_tar(self.shared / "damaged/0.tar", example_members(1))
        (self.shared / "damaged/1.tar").write_bytes(CUT_SHARD.read_bytes())
        arguments = self.arguments("of-damaged", shards="damaged")
        stdout, _ = self.end(self.start(arguments, "--workers", 1), expect=3)
        self.assertEqual(len(stdout.splitlines()), 2)
        self.aitqe("enhance", *arguments, cwd=self.shared, expect=3)
        stdout, _ = self.end(self.start(arguments, "--workers", 1), expect=3)
        self.assertEqual(stdout, "")

    def test_a_cluster_without_room_ends_the_job_after_a_while(self):
        job = self.start(self.arguments("no-worker"), "--gpus-per-worker", NUM_GPUS, "--worker-timeout", 2)
        stdout, stderr = self.end(job, expect=75)
        self.assertEqual(stdout, "")
        self.assertIn("--worker-timeout", stderr)

    def test_an_error_of_usage_comes_before_any_worker(self):
        _, stderr = self.end(self.start([*self.arguments("refused"), "--rewrite-when", "sometimes"]), expect=2)
        self.assertIn("--rewrite-when", stderr)

    def test_an_error_of_one_worker_that_all_would_have_ends_the_job(self):
        _, stderr = self.end(self.start([*self.arguments("full"), "--trace", "/dev/full"]), expect=5)
        self.assertIn("/dev/full", stderr)


@unittest.skipUnless(IS_WANTED, "only with scripts/test.sh --full, which installs Ray")
class LostNodeTest(ClusterTest):
    def test_a_node_is_lost(self):
        # A worker that the first node has no room for.
        alone = self.start(self.arguments("left"), "--workers", 1, "--gpus-per-worker", 0, "--cpus-per-worker", 2,
                           "--worker-timeout", 5)
        first_left = json.loads(alone.stdout.readline())
        alone_on_second = next(processes_of("left"))
        os.kill(alone_on_second, signal.SIGSTOP)
        job = self.start(self.arguments("lost"), "--workers", NUM_GPUS, "--cpus-per-worker", 0)
        workers = self.wait_for_processes("lost", NUM_GPUS)
        on_second = [process for process in [alone_on_second, *workers] if node_of(process) == node_of(alone_on_second)]
        self.assertEqual(len(on_second), NUM_GPUS)
        actors = [parent_of(process) for process in on_second]
        # As if the machine were switched off, with shards in hand. Ray's processes would go on until they miss their daemon.
        self.signal_all(on_second, signal.SIGSTOP)
        self.lose_second_node()
        self.signal_all([*actors, *on_second], signal.SIGKILL)
        self.assertIn("a worker was lost", self.check_end(job, "lost"))

        stdout, stderr = self.end(alone, expect=75)
        self.assertIn("--worker-timeout", stderr)
        again = self.start(self.arguments("left"), "--workers", 1)
        told_again, _ = self.end(again)
        receipts = [first_left, *map(json.loads, [*stdout.splitlines(), *told_again.splitlines()])]
        names = [receipt["shard"] for receipt in receipts]  # not of a shard that was finished and not told when the node was lost
        self.assertEqual(len(names), len(set(names)))
        self.check_equal("left")

    def wait_for_processes(self, text, count):
        deadline = time.monotonic() + LONGEST_RUN_S
        while len(found := list(processes_of(text))) < count:
            self.assertLess(time.monotonic(), deadline, "a process is missing")
            time.sleep(0.02)
        return found

    @staticmethod
    def signal_all(processes, number):
        for process in processes:
            with contextlib.suppress(ProcessLookupError):  # gone with its node
                os.kill(process, number)


if __name__ == "__main__":
    unittest.main()
