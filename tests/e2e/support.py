"""What the end-to-end tests share: runs of the program, and shards made and read by other programs.

The environment says where things are (CMakeLists.txt sets it):
  AITQE_BINARY      the program
  AITQE_SOURCE_DIR  the source tree
  AITQE_LONGEST_RUN_S  after how long a run is taken for one that hangs
"""

import fcntl
import hashlib
import json
import os
import pathlib
import select
import struct
import subprocess
import tarfile
import tempfile
import time
import typing
import unittest
import zlib

SOURCE_DIR = pathlib.Path(os.environ.get("AITQE_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BINARY = pathlib.Path(os.environ.get("AITQE_BINARY", SOURCE_DIR / "build/release/aitqe"))

EXAMPLES = SOURCE_DIR / "examples/pairs-00000.tar"
HARD = SOURCE_DIR / "tests/data/parity/hard-00000.tar"
TINY_MODEL = SOURCE_DIR / "models/aitqe-tiny"
RANDOM_MODEL = SOURCE_DIR / "tests/data/reference/grouped-bf16-sharded"
MODEL_FLAGS = ["--model", TINY_MODEL, "--dtype", "f32"]
# For tests that look at files and messages: what the model makes of a picture of one colour does
# not matter there.
ANY_NUMBER_MAY_FAIL = ["--max-failed", "100%"]

RECORD_SUFFIX = ".aitqe.json"
LONGEST_RUN_S = int(os.environ.get("AITQE_LONGEST_RUN_S", "300"))


# --- running the program ---------------------------------------------------------------------------


def environment(**changes):
    """Ours without AITQE_* variables, which would act as flags."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AITQE_")}
    return clean | changes


class EndToEndTest(unittest.TestCase):
    """A test with a folder of its own, `self.folder`, that is gone afterwards."""

    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="aitqe-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def aitqe(self, *arguments, expect=0, env=None, **options):
        """Runs the program to its end. `expect`: its exit code."""
        command = [str(a) for a in (BINARY, *arguments)]
        options.setdefault("cwd", self.folder)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        result = subprocess.run(command, capture_output=True, env=environment(**(env or {})), timeout=LONGEST_RUN_S,
                                check=False, **options)
        result.stdout = result.stdout.decode("utf-8", "replace")
        result.stderr = result.stderr.decode("utf-8", "replace")
        self.assertEqual(result.returncode, expect,
                         f"{' '.join(command)}\nstdout: {result.stdout}\nstderr: {result.stderr}")
        return result

    def enhance(self, *arguments, output="out", **options):
        """`aitqe enhance` with the model of these tests, where any number of pairs may fail."""
        return self.aitqe("enhance", "-o", self.folder / output, *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL, *arguments,
                          **options)

    def output(self, name, folder="out"):
        return Output(self.folder / folder, name)


class SharedRunTest(unittest.TestCase):
    """Tests that look at one run from several sides."""

    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        runner = EndToEndTest()
        runner.setUp()
        cls.addClassCleanup(runner.doCleanups)
        cls.run_once(runner)

    @classmethod
    def run_once(cls, runner):
        """Runs the program and keeps what the tests look at. @param runner  an EndToEndTest"""
        raise NotImplementedError


class HeldRun:
    """A run that stops after a few pairs until its trace is read: the trace goes to a named pipe
    with room for one page. Lets a test act in the middle of a run without waiting for a clock.
    Of 32 pairs at a time, so that the model has not seen all when the first of them is there."""

    def __init__(self, folder, arguments, **options):
        trace = folder / "trace.fifo"
        os.mkfifo(trace)
        keeper = os.open(trace, os.O_RDWR)  # until the program has opened its end
        fcntl.fcntl(keeper, fcntl.F_SETPIPE_SZ, 4096)
        self.trace = os.open(trace, os.O_RDONLY)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("env", environment())
        command = [str(a) for a in (BINARY, *arguments, "--batch-size", 32, "--trace", trace)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.read_ahead = b""
        self.first_pair = self.next_pair()
        os.close(keeper)
        trace.unlink()

    def next_pair(self):
        """Waits until the next pair is judged. @return its line of the trace."""
        while b"\n" not in self.read_ahead:
            ready, _, _ = select.select([self.trace], [], [], LONGEST_RUN_S)
            more = os.read(self.trace, 4096) if ready else b""
            if not more:
                raise AssertionError(f"the run ended or hangs, exit code {self.process.poll()}")
            self.read_ahead += more
        line, _, self.read_ahead = self.read_ahead.partition(b"\n")
        return json.loads(line)

    def finish(self):
        """Lets the run go on. @return its exit code, stdout and stderr."""
        while os.read(self.trace, 65536):
            pass
        stdout, stderr = self.process.communicate(timeout=LONGEST_RUN_S)
        self.close()
        return self.process.returncode, stdout, stderr

    def close(self):
        if self.trace >= 0:
            os.close(self.trace)
            self.trace = -1
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def wait_for_file(path):
    """Until the program, which goes on beside the test, has put it in place."""
    deadline = time.monotonic() + LONGEST_RUN_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise AssertionError(f"{path} was never written")
        time.sleep(0.01)


# --- shards ----------------------------------------------------------------------------------------


class Member(typing.NamedTuple):
    """A member as Python's tarfile reads it."""

    name: str
    data: bytes
    mode: int
    mtime: float
    uid: int
    gid: int
    uname: str
    gname: str
    type: bytes
    linkname: str

    @property
    def is_record(self):
        return self.name.endswith(RECORD_SUFFIX)


def read_tar(path):
    with tarfile.open(path, "r:*") as archive:
        return [Member(m.name, archive.extractfile(m).read() if m.isreg() else b"", m.mode, m.mtime, m.uid, m.gid,
                       m.uname, m.gname, m.type, m.linkname) for m in archive]


def header(name, **fields):
    """A member header with nothing left at its default."""
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.uid, info.gid = 0o640, 1_600_000_000, 1000, 1001
    info.uname, info.gname = "maker", "makers"
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def tar_bytes(members, form=tarfile.PAX_FORMAT):
    """@param members  (name or header, bytes) each"""
    parts = []
    for info, data in members:
        info = header(info) if isinstance(info, str) else info
        info.size = len(data)
        parts.append(info.tobuf(form, "utf-8", "surrogateescape") + data + bytes(-len(data) % 512))
    return b"".join(parts) + bytes(1024)


def write_tar(path, members, form=tarfile.PAX_FORMAT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tar_bytes(members, form))
    return path


def png(width=8, height=8, color=(200, 30, 30)):
    """One colour. Nothing but the header is drawn larger than 64 px, so any size can be claimed."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes(color) * min(width, 64)) * min(height, 64)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pair(key, caption, color=(200, 30, 30)):
    caption = caption if isinstance(caption, bytes) else caption.encode()
    return [(f"{key}.png", png(color=color)), (f"{key}.txt", caption)]


def pairs(count, key="{:04d}"):
    """Pairs of one colour each: "picture 0", "picture 1", ..."""
    members = []
    for i in range(count):
        members += pair(key.format(i), f"picture {i}", (40 * i % 256, 25 * i % 256, 200))
    return members


def example_members(count, extensions=("jpg", "json", "txt")):
    """(name, bytes) of the first pairs of the bundled shard, which are real ones."""
    members = [(m.name, m.data) for m in read_tar(EXAMPLES) if m.name.split(".")[1] in extensions]
    return members[:count * len(extensions)]


# --- what came out ---------------------------------------------------------------------------------


class Output:
    """The files of one shard in an output folder."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder)
        self.tar = self.folder / f"{name}.tar"
        self.rows_file = self.folder / f"{name}.aitqe.jsonl"
        self.stats_file = self.folder / f"{name}.aitqe.stats.json"

    @property
    def rows(self):
        return [json.loads(line) for line in self.rows_file.read_bytes().decode().split("\n")[:-1]]

    @property
    def stats(self):
        return json.loads(self.stats_file.read_text())

    @property
    def members(self):
        return read_tar(self.tar)

    @property
    def records(self):
        """Key -> content of KEY.aitqe.json."""
        return {m.name.removesuffix(RECORD_SUFFIX): json.loads(m.data) for m in self.members if m.is_record}


def was_judged(row):
    """True for a pair that the model was asked about."""
    return row["p_rewrite"] >= 0


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def content_of(folder):
    """Path -> bytes of every file; times, all that differs between equal runs, are left out."""
    content = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if path.name.endswith(".aitqe.stats.json"):
            stats = json.loads(data)
            stats["duration_s"] = 0.0
            data = json.dumps(stats).encode()
        if path.name == "run.json":
            record = json.loads(data)
            record.pop("last_run", None)
            data = json.dumps(record).encode()
        content[str(path.relative_to(folder))] = data
    return content
