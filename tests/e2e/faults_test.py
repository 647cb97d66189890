"""Faults that no other test injects; tests/faults.toml says which test stands for which. What a fault may never do: lose
a pair, leave half an output under its final name, or change a byte of what a plain run afterwards gives."""

import gzip
import io
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import unittest

from PIL import Image

from support import (ANY_NUMBER_MAY_FAIL, BINARY, LONGEST_RUN_S, MODEL_FLAGS, RECORD_SUFFIX, SOURCE_DIR, EndToEndTest, HeldRun,
                     content_of, environment, example_members, header, pairs, png, tar_bytes, was_judged, write_tar)

FAULTS = os.environ.get("AITQE_FAULTS")
DEVICE_FAULTS = os.environ.get("AITQE_DEVICE_FAULTS")
IS_LARGE_WANTED = bool(os.environ.get("AITQE_LARGE_SHARDS"))
TARS = SOURCE_DIR / "tests/data/tar"
PRELOAD_REASON = "faults.c is not built with sanitizers"


class FaultTest(EndToEndTest):
    """One shard of eight real pairs, in/a.tar."""

    def setUp(self):
        super().setUp()
        self.shard = write_tar(self.folder / "in/a.tar", example_members(8))

    def fault(self, **variables):
        """@return the environment in which faults.c does this"""
        return {"LD_PRELOAD": FAULTS} | {f"FAULT_{name}": str(value) for name, value in variables.items()}

    def calls(self, log="calls"):
        return len((self.folder / log).read_text().splitlines())

    def undisturbed(self):
        if not (self.folder / "undisturbed").exists():
            self.enhance("in", output="undisturbed")
        return content_of(self.folder / "undisturbed")

    def check_rerun(self, output="out", known=None):
        """The same command, undisturbed, ends the job with the very bytes."""
        self.enhance("in", output=output)
        self.assertEqual(content_of(self.folder / output), known or self.undisturbed())

    def check_nothing_half(self, output="out"):
        for path, data in content_of(self.folder / output).items():
            if not pathlib.Path(path).name.startswith(".") and not path.startswith("_aitqe/"):
                self.assertEqual(data, self.undisturbed()[path], path)


@unittest.skipUnless(FAULTS, PRELOAD_REASON)
class MemoryTest(FaultTest):
    LEAST_BYTES = 100_000
    NUM_POINTS = 12

    def run_short_of_memory(self, output, at):
        return subprocess.run([str(a) for a in (BINARY, "enhance", "in", "-o", output, *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL,
                                                "--threads", "1")],
                              cwd=self.folder, capture_output=True, text=True, timeout=LONGEST_RUN_S, check=False,
                              env=environment(**self.fault(CALL="memory", BYTES=self.LEAST_BYTES, AT=at,
                                                           LOG=self.folder / f"{output}.calls")))

    def test_memory_that_runs_out_is_told_and_costs_nothing(self):
        self.assertEqual(self.run_short_of_memory("counted", 0).returncode, 0)
        count = self.calls("counted.calls")
        codes = set()
        for i in range(self.NUM_POINTS):
            at = 1 + i * (count - 1) // (self.NUM_POINTS - 1)
            with self.subTest(request=at, of=count):
                done = self.run_short_of_memory(f"at-{i}", at)
                codes.add(done.returncode)
                if done.returncode == 0:  # did without, or fewer were asked for this time
                    self.assertEqual(content_of(self.folder / f"at-{i}"), self.undisturbed())
                    continue
                if done.returncode == -signal.SIGABRT:  # while libraries are loaded, before there is a program to tell it
                    self.assertFalse((self.folder / f"at-{i}").exists(), done.stderr)
                    continue
                self.assertIn(done.returncode, (75, 6, 5), done.stderr)
                self.assertRegex(done.stderr, "memory|allocate")
                if (self.folder / f"at-{i}").exists():
                    self.check_nothing_half(f"at-{i}")
                self.check_rerun(f"at-{i}")
        self.assertIn(75, codes)


@unittest.skipUnless(FAULTS, PRELOAD_REASON)
class LargeStepTest(FaultTest):
    """No request of a certain size is ever met: what a model asks for that runs many pairs at a time."""

    def setUp(self):
        super().setUp()
        write_tar(self.shard, example_members(100))

    def enhance_with(self, least_bytes, output):
        return subprocess.run([str(a) for a in (BINARY, "enhance", "in", "-o", output, *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL,
                                                "--threads", "1", "--batch-size", "100", "--batch-tokens", "100000")],
                              cwd=self.folder, capture_output=True, text=True, timeout=LONGEST_RUN_S, check=False,
                              env=environment(**self.fault(CALL="memory", BYTES=least_bytes, AT="all")))

    def test_steps_that_do_not_fit_are_halved_until_they_do(self):
        self.assertEqual(self.enhance_with(1 << 40, "undisturbed").returncode, 0)
        done = self.enhance_with(2_000_000, "out")
        self.assertEqual(done.returncode, 0, done.stderr)
        limits = re.findall(r"it goes on with at most (\d+) prompt tokens \(--batch-tokens\), (\d+) pairs", done.stderr)
        self.assertGreater(len(limits), 2, done.stderr)
        for before, after in zip(limits, limits[1:]):
            self.assertTrue(any(int(a) < int(b) for a, b in zip(after, before)), limits)
        self.assertEqual(content_of(self.folder / "out"), content_of(self.folder / "undisturbed"))

    def test_where_the_model_itself_does_not_fit_the_run_ends_resumable(self):
        done = self.enhance_with(1_000_000, "out")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertRegex(done.stderr, "error: the model ran out of memory .*--batch-size")
        self.check_nothing_half()


@unittest.skipUnless(DEVICE_FAULTS, PRELOAD_REASON)
class DeviceTest(FaultTest):
    """From some moment on every large allocation of libtorch fails as CUDA's calls do whose device is gone, or never ends."""

    LEAST_BYTES = 200_000  # no image has so many: those are made on the host
    NUM_POINTS = 8

    def enhance_until(self, first, output, *flags, action="fail"):
        faults = {"LD_PRELOAD": DEVICE_FAULTS, "FAULT_DO": action, "FAULT_BYTES": str(self.LEAST_BYTES), "FAULT_AT": str(first),
                  "FAULT_LOG": str(self.folder / f"{output}.count")}
        return subprocess.run([str(a) for a in (BINARY, "enhance", "in", "-o", output, *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL,
                                                "--threads", "1", "--batch-size", "2", *flags)],
                              cwd=self.folder, capture_output=True, text=True, timeout=LONGEST_RUN_S, check=False,
                              env=environment(**faults))

    def requests(self):
        """How many an undisturbed run makes."""
        self.assertEqual(self.enhance_until(0, "counted").returncode, 0)
        return int((self.folder / "counted.count").read_text())

    def test_a_model_that_stalls_ends_the_run_resumable(self):
        count = self.requests()
        stuck = set()
        for request in (count // 2, count - 1):
            with self.subTest(request=request, of=count):
                out = f"at-{request}"
                done = self.enhance_until(request, out, "--stall-timeout", "4", action="hang")
                self.assertEqual(done.returncode, 75, done.stderr)
                answers = (self.folder / out / "_aitqe/journal/a").read_text().splitlines()[1:]
                answered = {int(line.split()[0]) for line in answers}
                first = f"{min(set(range(8)) - answered):06}"  # that has no answer: the model is at it
                self.assertRegex(done.stderr, r"nothing has moved for .*: stuck in stage model of shard a, at pair "
                                              rf'"{first}": .*\(--stall-timeout\)')
                stuck.add(first)
                self.check_nothing_half(out)
                self.check_rerun(out)
        self.assertEqual(len(stuck), 2)

    def test_a_device_that_is_lost_ends_the_run_resumable_and_costs_nothing(self):
        count = self.requests()
        self.assertGreater(count, self.NUM_POINTS)
        for i in range(self.NUM_POINTS):
            first = 1 + i * (count - 1) // (self.NUM_POINTS - 1)
            with self.subTest(request=first, of=count):
                done = self.enhance_until(first, f"at-{i}")
                self.assertEqual(done.returncode, 75, done.stderr)
                self.assertRegex(done.stderr, r"error: the device was lost \(CUDA error: unspecified launch failure\); "
                                              "the same command goes on")
                if (self.folder / f"at-{i}").exists():
                    self.check_nothing_half(f"at-{i}")
                self.check_rerun(f"at-{i}")


class StallTest(FaultTest):
    def stalling(self, *flags, num_bytes=20_000):
        """A part of the shard comes, and then nothing."""
        return ["enhance", f"pipe:head -c {num_bytes} {self.shard}; sleep 1000 # {self.shard}", "-o", self.folder / "out",
                *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL, *flags]

    def test_an_input_that_stalls_ends_the_run_resumable(self):
        # In the middle of a member that is larger than what is read at once; the pair before it may have more of them.
        write_tar(self.shard, example_members(8) + [("z.bin", bytes(1_200_000)), ("z.txt", b"no picture")])
        for num_bytes, where in ((20_000, "before its first pair"), (900_000, 'behind pair "000006"')):
            with self.subTest(num_bytes=num_bytes):
                result = self.aitqe(*self.stalling("--stall-timeout", "4", num_bytes=num_bytes), expect=75)
                self.assertRegex(result.stderr, r"nothing has moved for .*: stuck in stage read of shard a, "
                                                rf"{where}: .*\(--stall-timeout\)")
                self.check_nothing_half()
        self.check_rerun()

    @unittest.skipUnless(FAULTS, PRELOAD_REASON)
    def test_a_picture_that_stalls_its_decoder_ends_the_run_resumable(self):
        picture = io.BytesIO()
        Image.new("RGB", (6000, 6000)).save(picture, "PNG")
        members = example_members(8, ("jpg", "txt"))
        write_tar(self.shard, [*members[:8], ("large.png", picture.getvalue()), ("large.txt", b"nothing"), *members[8:]])
        # Nothing else asks for so much: its pixels, 108 MB.
        hang = self.fault(CALL="memory", BYTES=100_000_000, AT=1, DO="hang", LOG=self.folder / "calls")
        result = self.enhance("in", "--stall-timeout", "4", expect=75, env=hang)
        self.assertRegex(result.stderr, r'nothing has moved for .*: stuck in stage prepare of shard a, at pair "large": '
                                        r".*\(--stall-timeout\)")
        self.check_nothing_half()
        self.check_rerun()

    def test_a_signal_ends_the_wait_for_an_input_that_stalls(self):
        with subprocess.Popen([str(a) for a in (BINARY, *self.stalling())], env=environment(), stderr=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, start_new_session=True) as process:
            for line in process.stderr:
                if b"loaded in" in line:
                    break
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)  # the command sleeps for longer than that
            self.assertEqual(process.returncode, 75)

    def test_a_run_that_cannot_even_stop_is_ended(self):
        write_tar(self.shard, pairs(200))
        run = HeldRun(self.folder, ["enhance", "in", "-o", self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL,
                                    "--stall-timeout", "4"], cwd=self.folder)
        self.addCleanup(run.close)
        _, stderr = run.process.communicate(timeout=LONGEST_RUN_S)  # its trace is never read on
        self.assertEqual(run.process.returncode, 75, stderr)
        while more := os.read(run.trace, 65536):
            run.read_ahead += more
        last = json.loads(run.read_ahead.split(b"\n")[-2])["key"]  # for whose line there was room
        self.assertIn(f'stuck in stage write of shard a, at pair "{int(last) + 1:04}": ', stderr.decode())
        self.assertIn(b"ending at once", stderr)
        self.check_rerun()

    def test_a_pipeline_that_is_slow_but_alive_goes_on(self):
        slow = f"pipe:(head -c 10000 {self.shard}; sleep 2; tail -c +10001 {self.shard}) # {self.shard}"
        self.enhance(slow, "--stall-timeout", "60")
        self.assertEqual(len(self.output("a").rows), 8)


@unittest.skipUnless(FAULTS, PRELOAD_REASON)
class ClockTest(FaultTest):
    def test_a_clock_that_jumps_changes_nothing(self):
        self.enhance("in", env=self.fault(CLOCK="jumps") | {"TZ": "Europe/Berlin"})
        self.assertEqual(content_of(self.folder / "out"), self.undisturbed())


class SharingTest(FaultTest):
    def command(self):
        return ["enhance", "in", "-o", self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL]

    def test_a_second_run_on_one_output_leaves_the_shard_to_the_first(self):
        write_tar(self.shard, pairs(200))
        run = HeldRun(self.folder, self.command(), cwd=self.folder)
        self.addCleanup(run.close)
        second = self.aitqe(*self.command(), expect=75)
        self.assertIn("a.tar: another run is at this shard", second.stderr)
        self.assertFalse(self.output("a").tar.exists())
        code, _, stderr = run.finish()
        self.assertEqual(code, 0, stderr)
        self.check_rerun()

    @unittest.skipUnless(FAULTS, PRELOAD_REASON)
    def test_without_locks_two_runs_write_the_same(self):
        no_locks = self.fault(FOLDER=self.folder, CALL="flock", AT="all", DO="ENOLCK", LOG=self.folder / "calls")
        runs = [subprocess.Popen([str(a) for a in (BINARY, *self.command())], cwd=self.folder, env=environment(**no_locks),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
        for run in runs:
            _, stderr = run.communicate(timeout=LONGEST_RUN_S)
            self.assertEqual(run.returncode, 0, stderr)
        self.assertGreaterEqual(self.calls(), 2)
        self.check_rerun()


def no_two_hosts():
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        return "file systems are mounted as root, through /dev/fuse"
    return "" if shutil.which("bindfs") else "bindfs is not installed"


@unittest.skipIf(no_two_hosts(), no_two_hosts())
class TwoHostsTest(FaultTest):
    """One folder, seen by two hosts as over NFS: each remembers for a while what was there and what was not, and a lock that
    one of them takes is unknown to the other."""
    REMEMBERED_S = 600

    def setUp(self):
        super().setUp()
        (self.folder / "shared").mkdir()
        remembered = ",".join(f"{name}_timeout={self.REMEMBERED_S}" for name in ("attr", "entry", "negative"))
        for host in ("one", "two"):
            (self.folder / host).mkdir()
            done = subprocess.run(["bindfs", "-o", remembered, self.folder / "shared", self.folder / host], capture_output=True, check=False)
            if done.returncode:
                self.skipTest(f"mounting is not allowed here: {done.stderr}")
            self.addCleanup(subprocess.run, ["umount", "--lazy", self.folder / host], check=True)

    def start(self, host):
        return subprocess.Popen([str(a) for a in (BINARY, "enhance", "in", "-o", f"{host}/out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)],
                                cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def finish(self, run):
        _, stderr = run.communicate(timeout=LONGEST_RUN_S)
        self.assertEqual(run.returncode, 0, stderr)
        return stderr

    def test_two_hosts_that_do_one_shard_at_once_write_the_same(self):
        write_tar(self.shard, example_members(60))
        runs = [self.start("one"), self.start("two")]
        for run in runs:
            self.addCleanup(run.kill)
        for run in runs:
            self.finish(run)
        self.check_rerun("shared/out")

    def test_a_host_that_does_not_see_the_result_yet_writes_it_again(self):
        there = self.folder / "two/out"
        self.assertFalse(there.exists())
        self.finish(self.start("one"))
        self.assertFalse(there.exists(), "this file system shows at once what the other host did")
        self.finish(self.start("two"))
        self.check_rerun("shared/out")

    def test_the_other_host_tells_how_far_a_run_is(self):
        write_tar(self.shard, pairs(60))
        run = HeldRun(self.folder, ["enhance", "in", "-o", "one/out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL], cwd=self.folder)
        self.addCleanup(run.close)
        for _ in range(4):
            run.next_pair()
        [shard] = json.loads(self.aitqe("status", "two/out", "--json").stdout)["in_progress"]
        self.assertEqual(shard["shard"], "a")
        self.assertGreater(shard["pairs"], 0)
        self.assertEqual(run.finish()[0], 0)


class InputErrorTest(FaultTest):
    def check_cut_off_then_mended(self, *inputs, env=None):
        result = self.enhance(*inputs, expect=3, env=env)
        stats = self.output("a").stats
        self.assertIn("source_failed", [d["kind"] for d in stats["summary"]["damage"]])
        self.assertLessEqual(stats["summary"]["read"], 8)
        return result

    @unittest.skipUnless(FAULTS, PRELOAD_REASON)
    def test_a_disk_that_cannot_be_read_costs_a_rerun(self):
        # Larger than what is read at once.
        write_tar(self.shard, example_members(8) + [("z.bin", bytes(600_000)), ("z.txt", b"no picture")])
        result = self.check_cut_off_then_mended(
            "in", env=self.fault(FOLDER=self.folder / "in", CALL="read", AT=2, DO="EIO"))
        self.assertIn("a.tar: cannot be read: Input/output error", result.stderr)
        self.check_rerun()

    @unittest.skipUnless(FAULTS, PRELOAD_REASON)
    def test_reads_that_are_short_or_interrupted_change_nothing(self):
        write_tar(self.shard, example_members(2))
        for action in ("short", "EINTR"):
            with self.subTest(action):
                self.enhance("in", output=action, env=self.fault(FOLDER=self.folder / "in", CALL="read", AT="all", DO=action,
                                                                 LOG=self.folder / f"{action}.calls"))
                self.assertGreater(self.calls(f"{action}.calls"), 1)
                self.assertEqual(content_of(self.folder / action), self.undisturbed())

    def test_a_command_that_failed_is_run_again(self):
        broken = self.folder / "broken"
        broken.write_text("")
        command = f"pipe:if test -e {broken}; then head -c 20000 {self.shard}; exit 9; else cat {self.shard}; fi # {self.shard}"
        result = self.check_cut_off_then_mended(command)
        self.assertIn("exited with status 9", result.stderr)
        broken.unlink()
        status = json.loads(self.aitqe("status", "out", "--json").stdout)
        self.assertEqual((status["shards_done"], [missing["shard"] for missing in status["missing"]]), (0, ["a"]))
        self.assertIn("could not be read to the end", status["missing"][0]["reason"])
        report = json.loads(self.aitqe("report", "out", "--json", expect=3).stdout)
        self.assertEqual(([problem["kind"] for problem in report["problems"]], report["shards"]["missing"]), (["cut_off"], ["a"]))
        chosen = self.aitqe("select", "out", "--best", "100%")
        self.assertIn("the pairs that could not be read are not here", chosen.stderr)
        plan = self.aitqe("enhance", command, "-o", "out", *MODEL_FLAGS, "--dry-run", "--forecast-s", "0", "--json")
        self.assertEqual(json.loads(plan.stdout)["shards"], [{"shard": "a", "done": False}])
        again = self.enhance(command)
        self.assertIn("could not be read to the end; done again", again.stderr)
        self.assertEqual(json.loads(self.aitqe("status", "out", "--json").stdout)["missing"], [])
        for name in ("a.tar", "a.aitqe.jsonl"):
            self.assertEqual((self.folder / "out" / name).read_bytes(), self.undisturbed()[name])

    def test_an_input_that_has_changed_is_refused_until_told_what_to_do(self):
        self.enhance("in")
        before = content_of(self.folder / "out")
        write_tar(self.shard, example_members(9))
        result = self.enhance("in", expect=2)
        self.assertRegex(result.stderr, r"a\.tar: has \d+ bytes and had \d+ when .*out/a was made of it.*--overwrite")
        self.assertEqual(content_of(self.folder / "out"), before)
        self.output("a").stats_file.unlink()
        self.enhance("in")
        self.assertEqual(len(self.output("a").rows), 9)

    def test_another_input_of_the_same_name_and_size_is_refused(self):
        self.enhance("in")
        before = content_of(self.folder / "out")
        whole = self.shard.read_bytes()
        # Read anew, but the same: moved, and touched.
        write_tar(self.folder / "moved/a.tar", example_members(8))
        self.enhance("moved")
        os.utime(self.shard)
        self.enhance("in")
        self.assertEqual(content_of(self.folder / "out"), before)
        other = whole.replace(b"JFIF", b"jfif", 1)
        self.assertNotEqual(other, whole)
        (self.folder / "other").mkdir()
        (self.folder / "other/a.tar").write_bytes(other)
        self.shard.write_bytes(other)
        for source in ("other", "in"):
            with self.subTest(source=source):
                result = self.enhance(source, expect=2)
                self.assertRegex(result.stderr, rf"{source}/a\.tar: has other bytes than in/a\.tar had when .*--overwrite")
                self.assertEqual(content_of(self.folder / "out"), before)

    def test_another_command_for_a_shard_of_the_same_name_is_refused(self):
        command = f"pipe:cat {self.shard} # a.tar"
        self.enhance(command)
        self.assertIn("1 done before", self.enhance(command).stderr)
        result = self.enhance(f"pipe:cat  {self.shard} # a.tar", expect=2)
        self.assertRegex(result.stderr, r"was pipe:cat .*# a\.tar when .*--overwrite")


class OutputTest(FaultTest):
    def mounted(self, options):
        """A disk of its own as OUT, gone after the test."""
        out = self.folder / "out"
        out.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", out], capture_output=True, check=False)
        if done.returncode:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", out], check=True)
        return out

    def test_a_disk_that_is_really_full(self):
        out = self.mounted("size=1m")
        filler = out / "filler"
        filler.write_bytes(bytes(900_000))  # room for the journal, none for the shard
        write_tar(self.shard, example_members(40))
        # From a pipe, whose size nobody knows: else it would be found out before the model is loaded.
        result = self.enhance(f"pipe:cat {self.shard}", expect=5)
        self.assertIn("No space left on device", result.stderr)
        filler.unlink()
        self.check_nothing_half()
        subprocess.run(["mount", "-o", "remount,size=100m", out], check=True)
        self.check_rerun()

    def test_a_folder_that_can_only_be_read(self):
        out = self.mounted("size=10m")
        subprocess.run(["mount", "-o", "remount,ro", out], check=True)
        result = self.enhance("in", expect=5)
        self.assertIn("Read-only file system", result.stderr)
        self.assertNotIn("loaded in", result.stderr)

    def test_a_folder_that_vanishes(self):
        write_tar(self.shard, pairs(200))
        run = HeldRun(self.folder, ["enhance", "in", "-o", self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL],
                      cwd=self.folder)
        self.addCleanup(run.close)
        shutil.rmtree(self.folder / "out")
        code, _, stderr = run.finish()
        self.assertEqual(code, 5, stderr)
        self.assertRegex(stderr, rb"out/.*No such file or directory")
        self.check_rerun()

    def test_leavings_of_dead_runs_go_and_those_of_others_stay(self):
        out = self.folder / "out"
        ours = [".a.tar.part-999999-0", ".a.aitqe.jsonl.part-999999-0"]
        others = {"a.tar.tmp": b"half", "b.tar": b"another shard", ".b.tar.swp": b"an editor's", "notes.txt": b"mine"}
        (out / "_aitqe/journal").mkdir(parents=True)
        (out / "_aitqe/journal/a").write_bytes(b"0 0123456789abcdef torn")
        for name in ours:
            (out / name).write_bytes(b"half")
            os.utime(out / name, (0, 0))  # so long ago that nobody can be at it any more
        for name, data in others.items():
            (out / name).write_bytes(data)
        self.enhance("in")
        self.assertEqual(content_of(out), self.undisturbed() | others)


# tar -> (exit code, kinds of damage, keys): what scripts/make_damaged_tars.py puts into each. Their pictures are text.
FOUR = ["0000", "0001", "0002", "0003"]
HOSTILE_TARS = {
    "special.tar": (0, [], None),
    "sparse.tar": (0, [], ["hole"]),
    "names_gnu.tar": (0, [], None),
    "names_pax.tar": (0, [], None),
    "pax_bomb.tar": (3, ["bad_header"], FOUR),
    "negative_size.tar": (3, ["bad_header"], FOUR),
    "negative_real_size.tar": (3, ["bad_header"], FOUR),
    "huge_size.tar": (3, None, None),
    "empty.tar": (4, [], []),
}


# As scripts/make_damaged_tars.py gives them.
NAMES = ["/etc/passwd.txt", "../up.txt", "a\nb.txt", "sm\udcf8rbr\udcf8d.txt", "\u732b.txt", "d/" * 60 + "x" * 300 + ".txt",
         "p" * 120 + "/" + "n" * 90 + ".txt"]
SPECIAL = [("folder", tarfile.DIRTYPE, "", (0, 0), b""), ("folder/a.txt", tarfile.REGTYPE, "", (0, 0), b"abc"),
           ("soft", tarfile.SYMTYPE, "../../etc/passwd", (0, 0), b""), ("hard", tarfile.LNKTYPE, "folder/a.txt", (0, 0), b""),
           ("null", tarfile.CHRTYPE, "", (1, 3), b""), ("disk", tarfile.BLKTYPE, "", (8, 1), b""),
           ("fifo", tarfile.FIFOTYPE, "", (0, 0), b""), ("folder/b.txt", tarfile.REGTYPE, "", (0, 0), b"def")]
PASSED_THROUGH = {
    "special.tar": SPECIAL,
    "sparse.tar": [("hole.txt", tarfile.REGTYPE, "", (0, 0), b"begin" + bytes(100_000 - 5) + b"end")],
    "names_gnu.tar": [(name, tarfile.REGTYPE, "", (0, 0), b"abc") for name in NAMES],
    "names_pax.tar": [(name, tarfile.REGTYPE, "", (0, 0), b"abc") for name in NAMES],
}


def members_of(tar):
    """(name, type, target, device, bytes) of each as Python reads them, without our records."""
    with tarfile.open(tar) as archive:
        return [(m.name, m.type, m.linkname, (m.devmajor, m.devminor), archive.extractfile(m).read() if m.isreg() else b"")
                for m in archive if not m.name.endswith(RECORD_SUFFIX)]


class HostileTarTest(EndToEndTest):
    def test_every_member_passes_through_in_its_place(self):
        for name, members in PASSED_THROUGH.items():
            with self.subTest(tar=name):
                shard = name.removesuffix(".tar")
                self.enhance(TARS / name, output=f"out/{shard}")
                self.assertEqual(members_of(self.output(shard, f"out/{shard}").tar), members)
                # No name was used as a path.
                files = {f"{shard}{suffix}" for suffix in (".tar", ".aitqe.jsonl", ".aitqe.parquet", ".aitqe.stats.json")}
                self.assertEqual({path.name for path in (self.folder / "out" / shard).iterdir()}, {*files, "_aitqe"})
                self.assertEqual([path.name for path in self.folder.iterdir()], ["out"])
        self.assertEqual({path.name for path in (self.folder / "out").iterdir()}, {name[:-4] for name in PASSED_THROUGH})
        for path in map(pathlib.Path, ("/etc/passwd.txt", "/etc/passwd" + RECORD_SUFFIX)):
            self.assertFalse(path.exists(), path)

    def test_each_is_read_as_far_as_it_goes_and_told(self):
        for name, (code, kinds, keys) in HOSTILE_TARS.items():
            with self.subTest(tar=name):
                self.enhance(TARS / name, output=name, expect=code)
                output = self.output(name.split(".")[0], name)
                found = [d["kind"] for d in output.stats["summary"]["damage"]]
                self.assertTrue(found if kinds is None else found == kinds, found)
                if keys is not None:
                    self.assertEqual([row["key"] for row in output.rows], keys)
                again = self.enhance(TARS / name, output=name, expect=code)
                self.assertIn("0 shards written, 1 done before", again.stderr)

    def test_a_bomb_is_stopped(self):
        shard = self.folder / "in/bomb.tar.gz"
        shard.parent.mkdir()
        with gzip.open(shard, "wb", compresslevel=1) as file:
            file.write(header("0000.txt", size=96 << 20).tobuf())
            for _ in range(96):
                file.write(bytes(1 << 20))
        result = self.enhance(shard, expect=3)
        self.assertIn("taken for a compression bomb", result.stderr)
        self.assertEqual([d["kind"] for d in self.output("bomb").stats["summary"]["damage"]], ["expansion_limit"])

    def test_a_member_that_claims_more_than_there_is_takes_no_memory(self):
        with open(TARS / "huge_size.tar", "rb") as tar:
            self.enhance("-", expect=3, stdin=tar)
        self.assertTrue(self.output("stdin").stats["summary"]["damage"])


PICTURE = png()
CAPTIONS = {  # key -> (bytes, stage of the failure or "")
    "empty": (b"", ""),
    "white-space": (b" \t\r\n \n", ""),
    "one-megabyte": (b"a very long caption " * 52_000, "prompt"),
    "repeated-token": (b"cat " * 100_000, "prompt"),
    "one-long-word": (b"a" * 300_000, "prompt"),
    "invalid-utf8": (b"caf\xe9 \xff\xfe \xc3", ""),
    "overlong-utf8": (b"a \xc0\xaf b \xed\xa0\x80", ""),
    "byte-order-mark": (b"\xef\xbb\xbfa red square", ""),
    "utf-16": ("a red square".encode("utf-16"), ""),
    "control-characters": (b"a\0red\x07 \x1b[31msquare\x7f", ""),
    "bidi-overrides": ("a \u202eerauqs der\u202c \u2066square\u2069".encode(), ""),
    "zero-width": ("a\u200b \u200dred\ufeff \u2060square".encode(), ""),
    "decomposed": ("cafe\u0301 re\u0323\u0307d".encode(), ""),
    "many-marks": (("a" + "\u0301" * 100).encode(), ""),
    "private-use": ("\ue000\U0010ffff\U0001f600".encode(), ""),
    "line-ends": (b"a red\r\nsquare\r", ""),
}


class CaptionTest(EndToEndTest):
    def test_any_caption_is_judged_or_told_and_keeps_its_bytes(self):
        members = [member for key, (caption, _) in CAPTIONS.items() for member in ((f"{key}.png", PICTURE), (f"{key}.txt", caption))]
        self.enhance(write_tar(self.folder / "in/captions.tar", members))
        output = self.output("captions")
        self.assertEqual([row["key"] for row in output.rows], list(CAPTIONS))
        written = {member.name: member.data for member in output.members}
        for row in output.rows:
            with self.subTest(caption=row["key"]):
                caption, stage = CAPTIONS[row["key"]]
                # What the model makes of an odd caption may be unreadable: that is the answer's failure, not the caption's.
                self.assertIn(row["failure"]["stage"], [stage] if stage else ["", "answer"], row["failure"])
                self.assertEqual(was_judged(row), not stage)
                self.assertEqual(row["caption"], caption.decode("utf-8", "replace"))
                if row["decision"] != "rewrite":
                    self.assertEqual(written[f"{row['key']}.txt"], caption)
                if stage == "prompt":
                    self.assertRegex(row["failure"]["reason"], r"^prompt_too_long: .*--max-prompt-tokens")


class SizeTest(EndToEndTest):
    def test_a_shard_of_one_pair(self):
        self.enhance(write_tar(self.folder / "in/one.tar", pairs(1)))
        self.assertEqual([row["key"] for row in self.output("one").rows], ["0000"])

    @unittest.skipUnless(IS_LARGE_WANTED, "AITQE_LARGE_SHARDS is not set")
    def test_a_million_tiny_pairs(self):
        maker = self.folder / "maker.py"
        maker.write_text("import sys, tarfile\n"
                         "for i in range(1_000_000):\n"
                         "    info = tarfile.TarInfo(f'{i:07}.txt')\n"
                         "    info.size = 1\n"
                         "    sys.stdout.buffer.write(info.tobuf(tarfile.USTAR_FORMAT) + b'c' + bytes(511))\n"
                         "sys.stdout.buffer.write(bytes(1024))\n")
        self.enhance(f"pipe:{sys.executable} {maker} # million.tar", "--no-parquet")
        summary = self.output("million").stats["summary"]
        self.assertEqual((summary["read"], summary["failures"]), (1_000_000, {"image: no_image": 1_000_000}))

    @unittest.skipUnless(IS_LARGE_WANTED, "AITQE_LARGE_SHARDS is not set")
    def test_a_member_of_five_gigabytes_is_left_out_in_little_memory(self):
        size = 5 << 30
        (self.folder / "head").write_bytes(header("0000.bin", size=size).tobuf())
        (self.folder / "tail").write_bytes(tar_bytes(pairs(2)))
        limit = 4 << 20  # KiB
        result = self.enhance(f"pipe:cat head; head -c {size} /dev/zero; cat tail # large.tar", expect=3)
        self.assertIn(f"has {size} bytes, limit is", result.stderr)
        self.assertEqual([row["key"] for row in self.output("large").rows], ["0000", "0001"])
        self.assertEqual([d["kind"] for d in self.output("large").stats["summary"]["damage"]], ["member_too_large"])
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, limit)


if __name__ == "__main__":
    unittest.main()
