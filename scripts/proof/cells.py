"""The table of cells, and how one is run: in its own process, within its limit, again until its result is there."""

import dataclasses
import datetime
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
            train = Cell(f"prepare.ablation-{arm}-{seed}", "ablation.train", {"arm": arm, "seed": seed},
                         ("prepare.ablation-shards", "prepare.ablation-start"), LONG_CELL_MINUTES * 60, True)
            found += [train, Cell(f"ablation.{arm}.{seed}", "ablation.evaluate", {"arm": arm, "seed": seed}, (train.name,),
                                  LONG_CELL_MINUTES * 60, True)]
    # Its trials are those of a judge: eval tries every one on the same pairs.
    start = Cell("ablation.captions.0", "ablation.evaluate_start", {"arm": "both", "seed": 0},
                 ("prepare.ablation-start", "ablation.both.0"), LONG_CELL_MINUTES * 60)
    return [*found, start]


def all_cells(seeds=settings.NUM_SEEDS, sizes=tuple(settings.SIZES)):
    distribution = Cell("distribution", "distribution.measure", {}, ("prepare.enhanced", "prepare.rescored"))
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
    sizes = {int(p) for p in parts if p.isdigit()} | set(settings.SIZES)
    seed = parts[-1].rpartition("-")[2]
    seeds = max(settings.NUM_SEEDS, int(seed) + 1 if seed.isdigit() else 0)
    cell = next((c for c in all_cells(seeds, sorted(sizes)) if c.name == name), None)
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
    return subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


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
    write_atomically(cell.result(work), {
        "schema": "aitqe.proof/1", "cell": cell.name, "arguments": cell.arguments, "seconds": round(time.monotonic() - start, 1),
        "date": str(datetime.date.today()), "version": git_version(),
        "machine": {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "device": device}, "figures": figures})


# --- in the process that runs one after the other --------------------------------------------------


def run_slice(cell, work, device):
    """@return its exit status, or None when it ran into its limit"""
    command = [sys.executable, ROOT / "scripts/proof", "--work", work, "cell", cell.name, "--device", device]
    # Threads that spin while they wait take the time of those that they wait for, where cores are shared.
    environment = {"OMP_WAIT_POLICY": "passive"} | os.environ
    child = subprocess.Popen(list(map(str, command)), start_new_session=True, env=environment)
    try:
        return child.wait(cell.limit_s)
    except subprocess.TimeoutExpired:
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


def run(chosen, work, device):
    """@return 0 when every cell has its result"""
    failed = {}
    for index, cell in enumerate(chosen, 1):
        if cell.is_done(work):
            continue
        lacking = [need for need in cell.needs if need in failed]
        start = time.monotonic()
        problem = f"needs {', '.join(lacking)}" if lacking else run_cell(cell, work, device)
        if problem:
            failed[cell.name] = problem
        print(f"{index}/{len(chosen)} {cell.name}: {problem or f'done in {time.monotonic() - start:.0f} s'}", flush=True)
    return 1 if failed else 0


def print_list(chosen, work):
    for cell in chosen:
        print(f"{'done' if cell.is_done(work) else '-':6}{cell.name:48}{cell.limit_s / 60:3.0f} min"
              f"{' a slice' if cell.goes_on else ''}")
    print(f"{sum(c.is_done(work) for c in chosen)} of {len(chosen)} are done")
