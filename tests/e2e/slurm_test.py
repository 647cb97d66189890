"""The job array of scripts/slurm on a real Slurm: its own daemons, two nodes on this machine, and a node that is lost."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from support import BINARY, SOURCE_DIR, TINY_MODEL, content_of, environment, example_members, write_tar

FAULTS = os.environ.get("AITQE_FAULTS")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "sinfo")
NUM_SHARDS = 8
NUM_TASKS = 4
# More than the default --max-failed of all pairs that there are.
BROKEN_PAIR = [("broken.jpg", b"no image"), ("broken.txt", b"a caption")]
LONGEST_WAIT_S = 240
# Slurm looks at time limits every half minute and gives a signal early rather than late: 10 to 40 s after the start of a job
# of one minute, which still has time to end.
SHORT_JOB = ("--time=1", "--signal=B:USR1@20")
# A node refuses a batch script that starts within the second in which its last start was revoked.
STANDSTILL_S = 3

CONFIGURATION = """
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.sock
SlurmctldPort=16917
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=8
KillWait=3
MinJobAge=600
GresTypes=gpu
NodeName=n[1-2] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[16921-16922] CPUs=2 RealMemory=2000 Gres=gpu:1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
# Any file will do for a GPU that is only given out.
GPUS = "NodeName=n[1-2] Name=gpu File=/dev/null\n"
# Notes what a task was given, and is then the program on a CPU. The first task is stopped as by a time limit, once.
RECORDER = """#!/bin/sh
if [ "$1" = enhance ]; then
  echo "$SLURM_ARRAY_TASK_ID device=$AITQE_DEVICE visible=$CUDA_VISIBLE_DEVICES" >>{folder}/devices
  if [ "$SLURM_ARRAY_TASK_ID" = 0 ] && mkdir {folder}/was-stopped 2>/dev/null; then exit 75; fi
fi
AITQE_DEVICE=cpu exec {binary} "$@"
"""


def wait_until(condition, what):
    """Polls daemons that tell nobody when they are ready."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {LONGEST_WAIT_S} s for {what}")
        time.sleep(0.2)
    return found


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        for name in ("etc", "state", "spool/n1", "spool/n2", "log", "run"):
            (folder / name).mkdir(parents=True)
        folder.chmod(0o755)
        key = folder / "etc/munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        (folder / "etc/slurm.conf").write_text(CONFIGURATION.format(folder=folder))
        (folder / "etc/gres.conf").write_text(GPUS)
        # "CgroupPlugin=disabled" ends slurmd 22.05.
        (folder / "etc/cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        self.environment = environment(SLURM_CONF=str(folder / "etc/slurm.conf"))
        self.run("munged", "--force", f"--key-file={key}", f"--socket={folder}/run/munge.sock",
                 f"--pid-file={folder}/run/munged.pid", f"--log-file={folder}/log/munged.log",
                 f"--seed-file={folder}/run/munged.seed")
        self.run("slurmctld", "-c")
        for node in ("n1", "n2"):
            self.start_node(node)
        wait_until(self.has_two_idle_nodes, "two idle nodes")

    def has_two_idle_nodes(self):
        done = subprocess.run(["sinfo", "-h", "-N", "-o", "%T"], env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.split() == ["idle", "idle"]

    def start_node(self, node):
        self.run("slurmd", "-N", node)

    def run(self, *command, **variables):
        done = subprocess.run([str(a) for a in command], env=self.environment | variables, capture_output=True, text=True,
                              timeout=LONGEST_WAIT_S, check=False)
        if done.returncode:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def pid(self, daemon):
        try:
            return int((self.folder / f"run/{daemon}.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def describe(self):
        """What somebody wants to know of a test that waited in vain."""
        parts = [subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout
                 for command in (["squeue", "-r", "-t", "all", "-o", "%i %T %r %N"], ["sinfo", "-N", "-o", "%N %T %E"])]
        parts += [f"{log.name}:\n" + "\n".join(log.read_text().splitlines()[-30:]) for log in sorted((self.folder / "log").glob("slurm*"))]
        return "\n".join(parts)

    def stop(self):
        for daemon in ("slurmd.n1", "slurmd.n2", "slurmctld", "munged"):
            pid = self.pid(daemon)
            if pid is not None:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def tasks(self, job):
        """index -> (state, node) of the tasks of an array that are not over."""
        lines = self.run("squeue", "-h", "-r", "-j", job, "-o", "%K %T %N").splitlines()
        return {int(parts[0]): (parts[1], parts[2] if len(parts) > 2 else "") for parts in map(str.split, lines)}

    def lose(self, node):
        """As if the machine were switched off: its daemons first, so that nobody tells how the jobs ended."""
        numbers = [line.split()[0] for line in self.run("squeue", "-h", "-r", "-w", node, "-o", "%A").splitlines()]
        os.kill(self.pid(f"slurmd.{node}"), signal.SIGKILL)
        steps = {f"slurmstepd: [{number}.batch]" for number in numbers}
        kill_processes(lambda process: (process / "cmdline").read_text().strip("\0 ") in steps)
        kill_processes(lambda process: f"SLURMD_NODENAME={node}\0".encode() in (process / "environ").read_bytes())


def kill_processes(is_chosen):
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if is_chosen(process):
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError, UnicodeDecodeError):
            pass  # gone meanwhile


def has_pending_signal(process):
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    mask = int(re.search(r"^ShdPnd:\s+([0-9a-f]+)", status, re.M)[1], 16)
    return mask & 1 << signal.SIGUSR1 - 1


def missing():
    if os.geteuid() != 0:
        return "Slurm's daemons are started as root"
    absent = [name for name in PROGRAMS if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    return "" if FAULTS else "faults.c is not built with sanitizers"


@unittest.skipIf(missing(), missing())
class SlurmTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        os.environ["PATH"] += ":/usr/sbin"
        scratch = tempfile.TemporaryDirectory(prefix="aitqe-slurm-")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        members = example_members(NUM_SHARDS * 5)
        for shard in range(NUM_SHARDS):
            write_tar(cls.folder / f"in/{shard:05}.tar", members[15 * shard:15 * (shard + 1)] + (BROKEN_PAIR if shard == 0 else []))
        # More than a task has answered by the time that it has written a line of its first shard.
        for shard in range(NUM_SHARDS):
            write_tar(cls.folder / f"long/{shard:05}.tar", members)
        cls.cluster = Cluster(cls.folder / "slurm")
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        self.pending_since = {}
        for log in self.folder.glob("log-*.txt"):  # what another test's tasks said
            log.unlink()

    def wait_until(self, condition, what):
        try:
            return wait_until(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.cluster.describe()}\n{self.logs()}") from error

    def arguments(self, out, shards):
        return [self.folder / shards, "-o", self.folder / out, "--model", TINY_MODEL, "--dtype", "f32", "--threads", "1",
                "--max-failed", "100%"]

    def submit(self, out, array, shards="in", options=(), **variables):
        """@param options  of sbatch
        @return the job's number"""
        # The node's own environment, and nothing of a scheduler that these tests may run under.
        names = ",".join(["ALL", *(f"{name}={value}" for name, value in variables.items())])
        return self.cluster.run("sbatch", "--parsable", f"--array={array}", "--ntasks=1", "--mem=200", f"--export={names}",
                                f"--output={self.folder}/log-%a.txt", f"--chdir={self.folder}", *options,
                                SOURCE_DIR / "scripts/slurm/enhance.sbatch", *self.arguments(out, shards), AITQE=str(BINARY)).strip()

    def release(self, job):
        """Tasks that were requeued wait two minutes unless told to start."""
        now = time.monotonic()
        pending = {index for index, (state, _) in self.cluster.tasks(job).items() if state == "PENDING"}
        self.pending_since = {index: self.pending_since.get(index, now) for index in pending}
        for index, since in self.pending_since.items():
            if now - since > STANDSTILL_S:  # or has begun meanwhile
                subprocess.run(["scontrol", "update", f"jobid={job}_{index}", "StartTime=now"], env=self.cluster.environment,
                               capture_output=True, check=False)

    def wait_for(self, job):
        def is_over():
            self.release(job)
            return not self.cluster.tasks(job)
        self.wait_until(is_over, f"the end of job {job}")

    def logs(self):
        return "\n".join(f"{p.name}:\n{p.read_text()}" for p in sorted(self.folder.glob("log-*.txt")))

    def check_equal(self, out, shards="in"):
        def files(folder):
            return {path: data for path, data in content_of(self.folder / folder).items() if path != "_aitqe/run.json"}
        alone = f"alone-{shards}"
        if not (self.folder / alone).exists():
            subprocess.run([str(a) for a in (BINARY, "enhance", *self.arguments(alone, shards))], check=True,
                           capture_output=True, env=environment())
        self.assertEqual(sorted(files(out)), sorted(files(alone)), self.logs())
        self.assertEqual(files(out), files(alone))

    def test_an_array_survives_the_loss_of_a_node_and_a_retry_of_some_tasks(self):
        # Task 1 stops in the middle of its first shard, the first time it runs.
        stop = {"LD_PRELOAD": FAULTS, "FAULT_FOLDER": f"{self.folder}/out/_aitqe/journal/00001", "FAULT_CALL": "write",
                "FAULT_AT": "3", "FAULT_DO": "stop", "FAULT_LOG": f"{self.folder}/calls"}
        job = self.submit("out", f"0-{NUM_TASKS - 1}", **stop)
        self.wait_until(lambda: (self.folder / "calls").exists() and len((self.folder / "calls").read_text().splitlines()) >= 3,
                   "task 1 in the middle of a shard")
        node = self.cluster.tasks(job)[1][1]
        # The next time nothing stops it.
        (self.folder / "calls").unlink()
        stopped = self.stopped_process()
        self.assertIn(f"SLURMD_NODENAME={node}\0", pathlib.Path(f"/proc/{stopped}/environ").read_text())
        self.cluster.lose(node)
        self.wait_until(lambda: self.cluster.tasks(job).get(1, ("", ""))[0] == "PENDING", "task 1 back in the queue")
        self.cluster.run("scontrol", "update", f"jobid={job}_1", "StartTime=now")
        self.wait_for_restart(job)
        self.wait_for(job)
        self.check_equal("out")
        self.assertRegex(self.logs(), r"log-1.txt:(.|\n)*[1-9]\d* pairs answered before")

        # Two tasks of the array again, whose shards have gone.
        self.cluster.start_node(node)
        for shard in (1, 3, 5, 7):
            for path in (self.folder / "out").glob(f"{shard:05}.*"):
                path.unlink()
        status = [BINARY, "status", self.folder / "out", "--format", "slurm"]
        tasks = subprocess.run(status, check=True, capture_output=True, text=True, env=environment()).stdout.strip()
        self.assertEqual(tasks, "1,3")
        self.wait_for(self.submit("out", tasks))
        self.check_equal("out")

    def stopped_process(self):
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                status = (process / "status").read_text()
                if re.search(r"^State:\s+T", status, re.M) and b"FAULT_DO=stop" in (process / "environ").read_bytes():
                    return process.name
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass
        raise AssertionError("no process has stopped")

    def wait_for_restart(self, job):
        """Its third write stops the task again, as it has the same environment: it is sent on."""
        def goes_on():
            if (self.folder / "calls").exists():
                try:
                    os.kill(int(self.stopped_process()), signal.SIGCONT)
                    return True
                except AssertionError:
                    return False
            return 1 not in self.cluster.tasks(job)
        self.wait_until(goes_on, "task 1 running again")

    def submit_stopping(self, out, options=()):
        """A task that stands still in the middle of its shard. @return the job's number, and the process"""
        calls = self.folder / f"calls-{out}"
        stop = {"LD_PRELOAD": FAULTS, "FAULT_FOLDER": f"{self.folder}/{out}/_aitqe/journal/00000", "FAULT_CALL": "write",
                "FAULT_AT": "3", "FAULT_DO": "stop", "FAULT_LOG": str(calls)}
        job = self.submit(out, "0-0", "long", options, **stop)
        self.wait_until(lambda: calls.exists() and len(calls.read_text().splitlines()) >= 3, "a task in the middle of a shard")
        return job, self.stopped_process()

    def check_that_it_requeues(self, job, stopped, out):
        """A task that is given USR1, or will be."""
        self.wait_until(lambda: has_pending_signal(stopped), "the signal to reach the program")
        os.kill(int(stopped), signal.SIGCONT)
        self.wait_until(lambda: "back into the queue" in self.logs(), "a task that has put itself back")
        self.wait_for_requeued(job)
        self.check_equal(out, "long")

    def test_a_signal_puts_a_task_back_into_the_queue(self):
        job, stopped = self.submit_stopping("again")
        self.cluster.run("scancel", "--batch", "--signal=USR1", job)
        self.check_that_it_requeues(job, stopped, "again")

    def test_a_task_whose_time_is_nearly_over_is_told_by_slurm_and_goes_on_in_its_next_run(self):
        self.check_that_it_requeues(*self.submit_stopping("timed", SHORT_JOB), "timed")

    def test_submit_binds_gpus_and_the_report_comes_behind_requeued_tasks(self):
        recorder = self.folder / "recorder"
        recorder.write_text(RECORDER.format(folder=self.folder, binary=BINARY))
        recorder.chmod(0o755)
        command = [SOURCE_DIR / "scripts/slurm/submit.sh", "2", "--gres=gpu:1", "--ntasks=1", "--mem=200",
                   f"--output={self.folder}/log-%a.txt", "--", *self.arguments("submitted", "in")]
        done = subprocess.run([str(a) for a in command], env=self.cluster.environment | {"AITQE": str(recorder)},
                              cwd=self.folder, capture_output=True, text=True, check=True)
        job, report = re.fullmatch(r"array (\d+), report (\d+)\n", done.stdout).groups()
        self.wait_until(lambda: self.cluster.tasks(job).get(0, ("", ""))[0] == "PENDING" and (self.folder / "was-stopped").exists(),
                        "task 0 back in the queue")
        reason = self.cluster.run("squeue", "-h", "-j", report, "-o", "%T %r").split()
        self.assertEqual(reason, ["PENDING", "Dependency"])
        self.wait_for(job)
        log = self.folder / f"aitqe-report-{report}.log"
        self.wait_until(lambda: not self.cluster.run("squeue", "-h", "-t", "PD,R,CG", "-j", report), "the end of the report")
        self.assertRegex(log.read_text(), r"(?m)^complete: ")
        # One pair of 41 has failed, which is below the limit of the tasks and above the default.
        self.assertRegex(log.read_text(), r"(?m)^  failed +1 ")
        self.assertIn(" ExitCode=0:0 ", self.cluster.run("scontrol", "show", "job", "-o", report))
        for name in ("report.html", "sizes.json"):
            (self.folder / "submitted" / name).unlink()
        self.check_equal("submitted")
        given = sorted((self.folder / "devices").read_text().splitlines())
        self.assertEqual(given, ["0 device=cuda:all visible=0"] * 2 + ["1 device=cuda:all visible=0"])

    def wait_for_requeued(self, job):
        def is_over():
            # While Slurm puts it back it lists no task at all.
            self.release(job)
            try:
                os.kill(int(self.stopped_process()), signal.SIGCONT)
            except AssertionError:
                pass
            return not self.cluster.tasks(job) and self.logs().count("loaded in") > 1
        self.wait_until(is_over, f"the end of job {job}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
