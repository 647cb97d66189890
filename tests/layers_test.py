#!/usr/bin/env python3
"""Checks the layout rules: who may include whom, sizes, mirrored tests, no macros of our own.

The rules' data is scripts/layers.txt. Needs nothing but Python. A message names the file and line.
"""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
TORCH_FOLDERS = ("ATen/", "torch/", "c10/")
HEADER_LINES = 200
SOURCE_LINES = 400


class Layers:
    """scripts/layers.txt: `module: those it names`, and rules that start with `!`."""

    def __init__(self, text):
        self.named = {}
        self.torch_free = set()
        self.covered = {}  # "module/header" -> (the test that covers it, why)
        self.macros = set()
        for line in text.splitlines():
            key, colon, rest = line.partition(":")
            if line.startswith("#") or not colon:
                continue
            if key == "!torch-free":
                self.torch_free |= set(rest.split())
            elif key == "!macros":
                self.macros |= set(rest.split())
            elif key.startswith("!covered "):
                test, _, reason = rest.strip().partition(" ")
                self.covered[key.removeprefix("!covered ")] = (test, reason)
            else:
                self.named[key] = rest.split()

    def below(self, module):
        """Every module that `module` may include, itself among them."""
        found, todo = set(), [module]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self.named[name]
        return found


def files(*patterns):
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def lines(path):
    return list(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))


def place(path, number=None):
    name = str(path.relative_to(ROOT))
    return name if number is None else f"{name}:{number}"


def module_of(path):
    """`io` for src/io/tar.cpp and include/aitqe/io/tar.h; None for src/main.cpp."""
    parts = path.relative_to(ROOT).parts
    folders = parts[2:-1] if parts[0] == "include" else parts[1:-1]
    return folders[0] if folders else None


def includes(path):
    for number, line in lines(path):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2)


LAYERS = Layers((ROOT / "scripts/layers.txt").read_text(encoding="utf-8"))
HEADERS = files("include/aitqe/*/*.h")
OUR_CODE = HEADERS + files("src/*.cpp", "src/*/**/*.cpp", "src/*/**/*.h")
WITH_TESTS = OUR_CODE + files("tests/**/*.cpp", "tests/**/*.h", "bench/**/*.cpp")


class LayoutTest(unittest.TestCase):
    def expect_none(self, complaints):
        if complaints:
            self.fail("\n" + "\n".join(complaints))

    def test_every_module_has_a_layer(self):
        self.expect_none([f"{place(path)}: module {module_of(path)} is not in scripts/layers.txt"
                          for path in OUR_CODE
                          if module_of(path) and module_of(path) not in LAYERS.named])

    def test_a_module_includes_only_modules_below_it(self):
        complaints = []
        for path in OUR_CODE:
            module = module_of(path)
            allowed = LAYERS.below(module) if module else set(LAYERS.named)
            for number, header in includes(path):
                parts = header.split("/")
                if parts[0] == "aitqe" and parts[1] not in allowed:
                    complaints.append(f"{place(path, number)}: {module} may not include {header}")
                if parts[0] == "aitqe" and not (ROOT / "include" / header).is_file():
                    complaints.append(f"{place(path, number)}: there is no {header}")
                if ".." in parts:
                    complaints.append(f"{place(path, number)}: {header} climbs out of its folder")
        self.expect_none(complaints)

    def test_cmake_links_only_modules_below(self):
        complaints = []
        for path in files("src/*/CMakeLists.txt"):
            call = re.search(r"aitqe_module\((\w+)(.*?)\)", path.read_text(), re.DOTALL)
            used = re.search(r"\bUSES\s+([a-z0-9_ \n]+)", call.group(2)) if call else None
            for name in used.group(1).split() if used else []:
                if name not in LAYERS.below(call.group(1)):
                    complaints.append(f"{place(path)}: {call.group(1)} may not use {name}")
        self.expect_none(complaints)

    def test_torch_free_modules_see_no_libtorch(self):
        self.expect_none([f"{place(path, number)}: {module_of(path)} builds without libtorch"
                          for path in OUR_CODE if module_of(path) in LAYERS.torch_free
                          for number, header in includes(path)
                          if header.startswith(TORCH_FOLDERS)])

    def test_torch_free_modules_use_only_torch_free_ones(self):
        self.expect_none([f"{module} builds without libtorch, but may include {below}"
                          for module in sorted(LAYERS.torch_free)
                          for below in sorted(LAYERS.below(module) - LAYERS.torch_free)])

    def test_files_stay_below_the_ceilings(self):
        complaints = []
        for path in WITH_TESTS:
            if path.is_relative_to(ROOT / "tests"):
                continue
            ceiling = HEADER_LINES if path.suffix == ".h" else SOURCE_LINES
            if len(lines(path)) > ceiling:
                complaints.append(f"{place(path)}: {len(lines(path))} lines, at most {ceiling}")
        self.expect_none(complaints)

    def test_every_public_header_has_its_test(self):
        """Sources without a public header of their own are details, tested through one that has."""
        complaints = []
        for path in HEADERS:
            name = f"{module_of(path)}/{path.stem}"
            test, reason = LAYERS.covered.get(name, (f"tests/{name}_test.cpp", "mirror"))
            if not (ROOT / test).is_file():
                complaints.append(f"{place(path)}: no {test}")
            if not reason:
                complaints.append(f"scripts/layers.txt: !covered {name} gives no reason")
        for name in LAYERS.covered:
            if not (ROOT / "include/aitqe" / f"{name}.h").is_file():
                complaints.append(f"scripts/layers.txt: !covered {name}: there is no such header")
        self.expect_none(complaints)

    def test_every_source_belongs_to_a_build(self):
        complaints = []
        for path in files("src/*/**/*.cpp", "tests/*/*.cpp"):
            folder = path.parent
            while not (folder / "CMakeLists.txt").is_file() and folder != ROOT:
                folder = folder.parent
            listed = (folder / "CMakeLists.txt").read_text()
            stem = path.stem.removesuffix("_fuzz")  # tests/fuzz lists names, not files
            if not re.search(rf"\b{re.escape(stem)}\b", listed):
                complaints.append(f"{place(path)}: not in {place(folder / 'CMakeLists.txt')}")
        self.expect_none(complaints)

    def test_headers_are_guarded_by_pragma_once(self):
        self.expect_none([f"{place(path)}: no #pragma once" for path in WITH_TESTS
                          if path.suffix == ".h" and "#pragma once" not in path.read_text()
                          and "isa" not in path.parts])

    def test_no_using_namespace(self):
        self.expect_none([f"{place(path, number)}: {line.strip()}" for path in WITH_TESTS
                          for number, line in lines(path)
                          if re.match(r"\s*using\s+namespace\b", line)])

    def test_no_macros_of_our_own(self):
        complaints = []
        for path in WITH_TESTS:
            if path.is_relative_to(ROOT / "src/kernels/isa"):
                continue  # one source compiled for several instruction sets
            for number, line in lines(path):
                match = re.match(r"\s*#\s*define\s+(\w+)", line)
                if match and match.group(1) not in LAYERS.macros:
                    complaints.append(f"{place(path, number)}: defines {match.group(1)}")
        self.expect_none(complaints)


if __name__ == "__main__":
    unittest.main()
