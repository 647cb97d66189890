"""Small things that every part of the benchmark uses."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def shown(path):
    """A path that says nothing about this machine."""
    path = pathlib.Path(path).absolute()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(shown, command[:1]))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
