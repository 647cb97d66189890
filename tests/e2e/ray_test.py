"""scripts/ray_enhance.py on a cluster of two nodes: shards are handed out, and a lost process or node costs nothing."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from support import BINARY, MODEL_FLAGS, SOURCE_DIR, EndToEndTest, content_of, environment, example_members, write_tar

PYTHON = SOURCE_DIR / ".deps/cluster/bin/python3"
IS_WANTED = PYTHON.exists() and bool(os.environ.get("AITQE_LARGE_SHARDS"))
NUM_SHARDS = 8
LONGEST_JOB_S = 240


def processes_of(text):
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            if command[0] == str(BINARY).encode() and text.encode() in command:
                yield int(process.name)
        except (FileNotFoundError, ProcessLookupError):
            pass


@unittest.skipUnless(IS_WANTED, "only with scripts/test.sh --full, which installs Ray")
class RayTest(EndToEndTest):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="aitqe-ray-")
        cls.addClassCleanup(scratch.cleanup)
        cls.shared = pathlib.Path(scratch.name)
        members = example_members(NUM_SHARDS * 5)
        for shard in range(NUM_SHARDS):
            write_tar(cls.shared / f"in/{shard:05}.tar", members[15 * shard:15 * (shard + 1)])
        subprocess.run([str(a) for a in (BINARY, "enhance", *cls.arguments("alone"))], env=environment(), check=True,
                       capture_output=True, cwd=cls.shared)
        cls.alone = content_of(cls.shared / "alone")

    @staticmethod
    def arguments(out):
        return ["in", "-o", out, *MODEL_FLAGS, "--threads", "1", "--max-failed", "100%"]

    def setUp(self):
        super().setUp()
        self.cluster = subprocess.Popen([PYTHON, SOURCE_DIR / "tests/e2e/ray_cluster.py"], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env=environment(RAY_USAGE_STATS_ENABLED="0"))
        self.addCleanup(self.end_cluster)
        self.address = self.cluster.stdout.readline().strip()
        self.assertTrue(self.address, "no cluster")

    def end_cluster(self):
        self.cluster.stdin.close()
        self.cluster.wait(timeout=60)
        self.cluster.stdout.close()

    def start(self, out, *more, num_workers=2):
        command = [PYTHON, SOURCE_DIR / "scripts/ray_enhance.py", "--address", self.address, "--gpus-per-worker", "0", "--workers",
                   num_workers, "--aitqe", BINARY, "--", *self.arguments(out), *more]
        job = subprocess.Popen([str(a) for a in command], cwd=self.shared, env=environment(RAY_USAGE_STATS_ENABLED="0"), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(job.kill)
        return job

    def check_end(self, job, out, receipts):
        stdout, stderr = job.communicate(timeout=LONGEST_JOB_S)
        self.assertEqual(job.returncode, 0, stderr)
        receipts += [json.loads(line) for line in stdout.splitlines()]
        self.assertEqual(sorted(receipt["shard"] for receipt in receipts), [f"{shard:05}" for shard in range(NUM_SHARDS)])

        def files(content):
            return {path: data for path, data in content.items() if path != "_aitqe/run.json"}
        self.assertEqual(files(content_of(self.shared / out)), files(self.alone))
        self.assertEqual(json.loads(self.aitqe("report", self.shared / out, "--json", "--max-failed", "100%").stdout)["verdict"],
                         "complete")
        return stderr

    def test_a_node_is_lost(self):
        job = self.start("node-lost")
        receipts = [json.loads(job.stdout.readline())]
        self.cluster.stdin.write("lose\n")
        self.cluster.stdin.flush()
        self.assertIn("a worker was lost", self.check_end(job, "node-lost", receipts))

    def test_a_process_is_killed(self):
        job = self.start("killed")
        receipts = [json.loads(job.stdout.readline())]
        os.kill(next(processes_of("killed")), signal.SIGKILL)
        self.assertIn("ended with -9", self.check_end(job, "killed", receipts))
        # All is there: nothing to do, and no worker.
        again = self.start("killed")
        self.assertEqual(again.communicate(timeout=LONGEST_JOB_S)[0], "")
        self.assertEqual(again.returncode, 0)

    def test_an_error_of_usage_comes_before_any_worker(self):
        job = self.start("refused", "--rewrite-when", "sometimes")
        _, stderr = job.communicate(timeout=LONGEST_JOB_S)
        self.assertEqual(job.returncode, 2)
        self.assertIn("--rewrite-when", stderr)

    def test_an_error_of_one_worker_that_all_would_have_ends_the_job(self):
        job = self.start("no-room", "--trace", "/dev/full")
        _, stderr = job.communicate(timeout=LONGEST_JOB_S)
        self.assertEqual(job.returncode, 5)
        self.assertIn("/dev/full", stderr)


if __name__ == "__main__":
    unittest.main()
