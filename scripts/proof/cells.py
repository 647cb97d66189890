"""The table of cells, and how one is run: in its own process, within its limit, again until its result is there."""

import contextlib
import dataclasses
import datetime
import fcntl
import fnmatch
import importlib
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

import settings
from settings import ROOT

CELL_MINUTES, LONG_CELL_MINUTES = 10, 20
MOST_SLICES = 12
GRACE_S = 90  # from the request to stop to the end by force


@dataclasses.dataclass(frozen=True)
class Cell:
    name: str
    task: str  # module.function, called with (work, device, **arguments); returns the figures
    arguments: dict = dataclasses.field(default_factory=dict)
    needs: tuple = ()
    limit_s: float = CELL_MINUTES * 60
    goes_on: bool = False  # where it was, when it is run again

    def is_preparation(self):
        return self.name.startswith("prepare.")

    def result(self, work):
        return work / "proof/done" / f"{self.name}.json" if self.is_preparation() else settings.RESULTS / f"{self.name}.json"

    def is_done(self, work):
        return self.result(work).exists()


def prepared(name, task, needs=(), **arguments):
    return Cell(f"prepare.{name}", task, arguments, tuple(f"prepare.{n}" for n in needs), LONG_CELL_MINUTES * 60, True)


def preparations():
    return [
        prepared("pool", "pool.make"),
        prepared("enhanced", "pool.enhance", ["pool"], rule="model"),
        prepared("features", "pool.compute_features", ["pool"]),
        prepared("clip", "pool.score_by_clip", ["features"]),
        prepared("recaptioned", "pool.enhance", ["pool"], rule="always"),
        prepared("rescored", "pool.rescore", ["enhanced"]),
        prepared("ablation-shards", "ablation.write_shards"),
        prepared("ablation-start", "ablation.train_start"),
    ]


def downstream_cells(seeds, sizes):
    found = []
    more = {"best-by-clip": "prepare.clip", "recaptioned": "prepare.recaptioned"}
    for size in sizes:
        for seed in range(seeds):
            for learner in settings.LEARNERS:
                for arm in settings.FIRST_ARMS + (settings.DOSE_ARMS if size == settings.DOSE_SIZE else []):
                    needs = ["prepare.enhanced", "prepare.features"] + ([more[arm]] if arm in more else [])
                    found.append(Cell(f"downstream.{learner}.{size}.{arm}.{seed}", "learner.measure",
                                      {"learner": learner, "size": size, "arm": arm, "seed": seed}, tuple(needs)))
    return found


def ablation_cells(seeds):
    found = []
    for seed in range(seeds):
        for arm in settings.ABLATIONS:
            train = prepared(f"ablation-{arm}-{seed}", "ablation.train", ["ablation-shards", "ablation-start"],
                             arm=arm, seed=seed)
            found += [train, Cell(f"ablation.{arm}.{seed}", "ablation.evaluate", {"arm": arm, "seed": seed}, (train.name,),
                                  LONG_CELL_MINUTES * 60, True)]
    # Its trials are those of a judge: eval tries every one on the same pairs.
    start = Cell("ablation.captions.0", "ablation.evaluate_start", {"arm": "both", "seed": 0}, ("prepare.ablation-both-0",),
                 LONG_CELL_MINUTES * 60, True)
    return [*found, start]


def all_cells(seeds=settings.NUM_SEEDS, sizes=tuple(settings.SIZES)):
    distribution = Cell("distribution", "distribution.measure", {}, ("prepare.enhanced", "prepare.recaptioned", "prepare.rescored"))
    return [*preparations(), distribution, *downstream_cells(seeds, sizes), *ablation_cells(seeds)]


def choose(table, patterns):
    """Cells whose names fit a pattern, in the table's order, each behind those that it needs."""
    by_name = {cell.name: cell for cell in table}
    chosen = {}

    def add(cell):
        for need in cell.needs:
            add(by_name[need])
        chosen.setdefault(cell.name, cell)

    for cell in table:
        if any(fnmatch.fnmatchcase(cell.name, pattern) for pattern in patterns):
            add(cell)
    return list(chosen.values())


def find(name):
    """The cell of that name, whatever its size and seed."""
    parts = name.split(".")
    sizes = {int(parts[2])} if parts[0] == "downstream" and parts[2:3] and parts[2].isdigit() else set()
    seed = parts[-1].rpartition("-")[2]
    seeds = max(settings.NUM_SEEDS, int(seed) + 1 if seed.isdigit() else 0)
    cell = next((c for c in all_cells(seeds, sorted(sizes | set(settings.SIZES))) if c.name == name), None)
    if cell is None:
        sys.exit(f"{name}: no such cell (see list)")
    return cell


# --- in the cell's own process ---------------------------------------------------------------------


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def git_version():
    """The commit, and "-dirty" where anything but results was changed since."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results/proof", ":!docs/evidence.md")
    return git("describe", "--always") + ("-dirty" if changed else "")


def slices_file(cell, work):
    """The seconds that earlier slices of it took, a line each."""
    return work / f"proof/slices/{cell.name}"


def seconds_before(cell, work):
    path = slices_file(cell, work)
    return sum(map(float, path.read_text().split())) if path.exists() else 0.0


def write_atomically(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(to_json(value))
    part.rename(path)


def to_json(value):
    """A line for each figure, so that a list of four hundred ranks is one line of a diff."""
    lines = [f" {json.dumps(key)}: {json.dumps(item, ensure_ascii=False)}" for key, item in value.items() if key != "figures"]
    figures = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value["figures"].items())
    return "{\n" + ",\n".join([*lines, f' "figures": {{\n{figures}\n }}']) + "\n}\n"


def run_here(cell, work, device):
    module, function = cell.task.split(".")
    start = time.monotonic()
    figures = getattr(importlib.import_module(module), function)(work, device, **cell.arguments)
    seconds = seconds_before(cell, work) + time.monotonic() - start
    machine = {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "device": device}
    write_atomically(cell.result(work), {
        "schema": "aitqe.proof/2", "cell": cell.name, "arguments": cell.arguments, "seconds": round(seconds, 1),
        "date": str(datetime.date.today()), "version": git_version(), "machine": machine, "figures": figures})
    slices_file(cell, work).unlink(missing_ok=True)


# --- in the process that runs one after the other --------------------------------------------------


def run_slice(cell, work, device):
    """@return its exit status, or None when it ran into its limit"""
    command = [sys.executable, ROOT / "scripts/proof", "--work", work, "cell", cell.name, "--device", device]
    # Threads that spin while they wait take the time of those that they wait for, where cores are shared.
    environment = {"OMP_WAIT_POLICY": "passive"} | os.environ
    start = time.monotonic()
    child = subprocess.Popen(list(map(str, command)), start_new_session=True, env=environment)
    try:
        return child.wait(cell.limit_s)
    except subprocess.TimeoutExpired:
        slices = slices_file(cell, work)
        slices.parent.mkdir(parents=True, exist_ok=True)
        with slices.open("a") as file:
            file.write(f"{time.monotonic() - start}\n")
        return None
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)
            try:
                child.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def run_cell(cell, work, device):
    """@return what became of it, in words; "" when its result is there"""
    for _ in range(MOST_SLICES if cell.goes_on else 1):
        status = run_slice(cell, work, device)
        if cell.is_done(work):
            return ""
        if status is not None:
            return f"failed with exit status {status}"
    return f"not complete after {cell.limit_s / 60:.0f} minutes" + (f", {MOST_SLICES} times" if cell.goes_on else "")


def to_do(chosen, work):
    """What is not done, without preparations that nothing else of it needs."""
    missing = {cell.name: cell for cell in chosen if not cell.is_done(work)}
    asked_for = any(not cell.is_preparation() for cell in chosen)
    needed = set()

    def need(cell):
        needed.add(cell.name)
        for name in cell.needs:
            if name in missing and name not in needed:
                need(missing[name])

    for cell in missing.values():
        if not cell.is_preparation() or not asked_for:
            need(cell)
    return [cell for cell in missing.values() if cell.name in needed]


@contextlib.contextmanager
def held(cell, work):
    """Whether this process has the cell to itself until the end of the block."""
    path = work / f"proof/locks/{cell.name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def run(chosen, work, device):
    """@return 0 when every cell has its result. Several may run at once over one WORK: each cell is done by one of them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that a cell's process ends with this one
    lacking = {}  # cells without a result, and why
    cells_to_do = to_do(chosen, work)
    for index, cell in enumerate(cells_to_do, 1):
        waits_for = [need for need in cell.needs if need in lacking]
        start = time.monotonic()
        with held(cell, work) as is_ours:
            if cell.is_done(work):
                continue
            if waits_for:
                problem = f"needs {', '.join(waits_for)}"
            else:
                problem = run_cell(cell, work, device) if is_ours else "another process is at it"
        if problem:
            lacking[cell.name] = problem
        print(f"{index}/{len(cells_to_do)} {cell.name}: {problem or f'done in {time.monotonic() - start:.0f} s'}", flush=True)
    return 1 if lacking else 0


def print_list(chosen, work):
    for cell in chosen:
        print(f"{'done' if cell.is_done(work) else '-':6}{cell.name:48}{cell.limit_s / 60:3.0f} min"
              f"{' a slice' if cell.goes_on else ''}")
    print(f"{sum(c.is_done(work) for c in chosen)} of {len(chosen)} are done")
