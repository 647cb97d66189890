#!/usr/bin/env python3
"""Enhances a set of shards on a Ray cluster: one loaded model on each GPU, fed with shards.

    python3 scripts/ray_enhance.py [--address HOST:PORT] [--workers N] [--gpus-per-worker G] [--cpus-per-worker C]
                                   [--worker-timeout S] [--aitqe PROGRAM] -- INPUT... -o OUT [OPTION...]

What stands behind -- goes to `aitqe enhance`. Each worker is an actor that keeps one `aitqe enhance --shards-from -` and has two
shards in hand. Shards of a worker that is lost go to the others, and a new worker is started when the cluster has
room for one. A shard that was finished meanwhile is not done twice: output appears whole, or not at all. Paths, also
those relative to the working folder, must lead to the same files on every node. Prints a line of JSON for each shard that is finished.

When no shard is left `aitqe report` proves the output folder complete, with the --max-failed that was given, also where nothing
was to do; its text goes to stderr.

Exit status: that of the report (0 complete; 3 input is damaged or cannot be read, or too many pairs failed; 75 the folder
lacks shards, perhaps of another job); 75 when this job leaves shards and the same command goes on; 2, 4, 5, 6 (and, once all
shards are in place, 1) as `aitqe enhance` gives them.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import ray

IN_HAND = 2  # of a worker: the next shard is there when one ends
MOST_LOSSES = 20  # of workers, before the job is given up
RESUMABLE = 75
FATAL = (2, 4, 5, 6)
TO_BE_JUDGED = (0, 3, 4, RESUMABLE)  # at the end of a worker, which knows its own shards only; the report knows all
LOG_WAIT_S = 5  # for the last lines of a process that has ended
PATIENCE_S = 5  # before a shard that another process is at is tried again


class Worker:
    """An actor with one process; `enhance` is called by IN_HAND threads at once."""

    def __init__(self, command, folder):
        self.lock = threading.Lock()
        self.waiting = {}  # line -> [event, receipt]
        self.line = 0
        self.log = []
        self.process = subprocess.Popen([*command, "--shards-from", "-"], cwd=folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.log_reader = threading.Thread(target=self.read_log, daemon=True)
        self.log_reader.start()
        threading.Thread(target=self.read_receipts, daemon=True).start()

    def read_log(self):
        for line in self.process.stderr:
            self.log = [*self.log[-20:], line.rstrip()]

    def read_receipts(self):
        for line in self.process.stdout:
            receipt = json.loads(line)
            with self.lock:
                entry = self.waiting.pop(receipt.get("line"), None)
            if entry:
                entry[1] = receipt
                entry[0].set()
        self.process.wait()
        with self.lock:
            for event, _ in self.waiting.values():
                event.set()
            self.waiting.clear()

    def ready(self):
        """Once this returns the cluster has room for the worker."""

    def enhance(self, shard):
        """@return the shard's receipt, or {"exit": code of the process, "log": its last lines}"""
        entry = [threading.Event(), None]
        with self.lock:
            if self.process.poll() is None:
                self.line += 1
                self.waiting[self.line] = entry
                try:
                    self.process.stdin.write(shard + "\n")
                    self.process.stdin.flush()
                except OSError:
                    pass  # it has ended: read_receipts tells
            else:
                entry[0].set()
        entry[0].wait()
        return entry[1] or self.ending()

    def ending(self):
        code = self.process.wait()
        self.log_reader.join(LOG_WAIT_S)
        return {"exit": code, "log": self.log}

    def end(self):
        """No more shards come. @return as of `enhance` when the process has ended"""
        with contextlib.suppress(OSError):  # it has ended already
            self.process.stdin.close()
        return self.ending()


class Job:
    def __init__(self, shards, start_worker, num_workers, worker_timeout_s, receipts):
        self.worker_timeout_s = worker_timeout_s
        self.last_worker_at = time.monotonic()  # when there was one
        self.receipts = receipts
        self.todo = list(reversed(shards))
        self.postponed = []  # (time, shard)
        self.start_worker = start_worker
        self.starting = {}  # future -> worker
        self.in_hand = {}  # future -> (worker, shard)
        self.workers = []
        self.losses = 0
        self.worst = 0
        for _ in range(num_workers):
            self.start()

    def start(self):
        worker = self.start_worker()
        self.starting[worker.ready.remote()] = worker

    def lose(self, worker, why):
        if worker not in self.workers:
            return
        self.workers.remove(worker)
        for future in [f for f, (owner, _) in self.in_hand.items() if owner is worker]:
            self.todo.append(self.in_hand.pop(future)[1])
        ray.kill(worker)
        self.losses += 1
        print(f"{sys.argv[0]}: a worker was lost ({why}); {len(self.todo)} shards to do", file=sys.stderr)
        self.start()

    def give_out(self):
        now = time.monotonic()
        self.todo += [shard for at, shard in self.postponed if at <= now]
        self.postponed = [(at, shard) for at, shard in self.postponed if at > now]
        for hand in range(IN_HAND):  # everybody gets one before anybody gets two
            for worker in self.workers:
                held = sum(owner is worker for owner, _ in self.in_hand.values())
                if self.todo and held <= hand:
                    shard = self.todo.pop()
                    self.in_hand[worker.enhance.remote(shard)] = (worker, shard)

    def take_started(self, future):
        worker = self.starting.pop(future)
        self.workers.append(worker)
        try:
            ray.get(future)
        except ray.exceptions.RayActorError as error:
            self.lose(worker, type(error).__name__)

    def take_receipt(self, future):
        if future not in self.in_hand:
            return  # of a worker that was lost meanwhile
        worker, shard = self.in_hand[future]
        try:
            receipt = ray.get(future)
        except ray.exceptions.RayActorError as error:
            self.lose(worker, type(error).__name__)
            return
        if "exit" in receipt:
            if receipt["exit"] in FATAL:
                print("\n".join(receipt["log"]), file=sys.stderr)
                sys.exit(receipt["exit"])
            self.lose(worker, f"its process ended with {receipt['exit']}: {' '.join(receipt['log'][-1:])}")
            return
        del self.in_hand[future]
        if receipt["status"] == "elsewhere":
            self.postponed.append((time.monotonic() + PATIENCE_S, shard))
            return
        print(json.dumps(receipt), file=self.receipts, flush=True)
        if receipt["status"] in ("unreadable", "refused") or receipt["damaged_places"]:
            self.worst = 3

    def why_given_up(self):
        """@return "" while there is hope"""
        if self.losses > MOST_LOSSES:
            return f"{self.losses} workers were lost"
        if time.monotonic() - self.last_worker_at > self.worker_timeout_s:
            return f"the cluster had no room for a worker for {self.worker_timeout_s:g} s (--worker-timeout)"
        return ""

    def run(self):
        """@return the exit status; 0: the report is to judge"""
        while self.todo or self.postponed or self.in_hand:
            if self.workers:
                self.last_worker_at = time.monotonic()
            if why := self.why_given_up():
                print(f"{sys.argv[0]}: {why}; the same command goes on", file=sys.stderr)
                return RESUMABLE
            self.give_out()
            futures = [*self.in_hand, *self.starting]
            if not futures:
                time.sleep(1)
                continue
            ready, _ = ray.wait(futures, timeout=1)
            for future in ready:
                self.take_started(future) if future in self.starting else self.take_receipt(future)
        return self.end() or self.worst

    def end(self):
        """Every shard has its receipt. @return the exit status of a process that could not end well, else 0"""
        status = 0
        for future in [worker.end.remote() for worker in self.workers]:
            try:
                ending = ray.get(future)
            except ray.exceptions.RayActorError as error:
                print(f"{sys.argv[0]}: a worker was lost after its last shard ({type(error).__name__})", file=sys.stderr)
                continue
            if ending["exit"] not in TO_BE_JUDGED:
                print("\n".join([*ending["log"], f"{sys.argv[0]}: a process ended with {ending['exit']}"]), file=sys.stderr)
                status = max(status, ending["exit"])  # not a signal's, which is negative: all that counts is in place
        return status


def plan(command):
    """Names of the shards that are not in place; checks options, input and output before a worker starts."""
    done = subprocess.run([*command, "--dry-run", "--forecast-s", "0", "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return [shard["shard"] for shard in json.loads(done.stdout)["shards"] if not shard["done"]]


def report(program, arguments):
    """Of the same output and with the same limit, wherever they were given: as an option, in AITQE_* or in a file.
    @return the exit status"""
    show = [program, "config", "show", "--json", "enhance", *arguments]
    shown = subprocess.run(show, stdout=subprocess.PIPE, text=True, check=True)
    values = {value["option"]: value["values"] for value in json.loads(shown.stdout)["values"]}
    command = [program, "report", *values["output"], "--no-html", "--max-failed", *values["max-failed"]]
    return subprocess.run(command, stdout=sys.stderr, check=False).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="auto", help="of the cluster; auto: the one of this machine")
    parser.add_argument("--workers", type=int, help="as many as the cluster has GPUs (or, without any, nodes) unless given")
    parser.add_argument("--gpus-per-worker", type=float, default=1)
    parser.add_argument("--cpus-per-worker", type=float, default=1)
    parser.add_argument("--worker-timeout", type=float, default=600, metavar="SECONDS",
                        help="end with 75 when for so long there was no worker at all, as where a lost node does not come back")
    parser.add_argument("--aitqe", default="aitqe", help="the program, as it is called on every node")
    parser.add_argument("arguments", nargs="+", metavar="-- INPUT... -o OUT")
    options = parser.parse_args()
    command = [options.aitqe, "enhance", *options.arguments]
    shards = plan(command)
    if not shards:
        return report(options.aitqe, options.arguments)
    receipts = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Ray tells of lost nodes on stdout
    ray.init(address=options.address, log_to_driver=False)
    gpus = options.gpus_per_worker
    available = ray.cluster_resources().get("GPU", 0) / gpus if gpus else len(ray.nodes())
    actor = ray.remote(Worker).options(num_cpus=options.cpus_per_worker, num_gpus=gpus, max_concurrency=IN_HAND + 2,
                                       scheduling_strategy="SPREAD")
    num_workers = max(1, min(options.workers or int(available), len(shards)))
    job = Job(shards, lambda: actor.remote(command, os.getcwd()), num_workers, options.worker_timeout, receipts)
    return job.run() or report(options.aitqe, options.arguments)


if __name__ == "__main__":
    sys.exit(main())
