#!/usr/bin/env python3
"""Which faults are injected by which test, and how the latest run of the tests ended: docs/faults.md.

    scripts/faults.py                        checks tests/faults.toml and docs/faults.md against the tests that there are
    scripts/faults.py --results TESTS.xml    and against the results of `ctest --output-junit TESTS.xml`
    scripts/faults.py --results TESTS.xml --write    writes docs/faults.md

ctest must be told --test-output-size-passed 4000000 and --test-output-size-failed 4000000, or the names of
end-to-end tests are cut off. Exit status 1 with one line for each thing that does not hold. A test may be skipped where
tests/faults.toml says what it needs; the page says so if it is written then, and may say "passed" of another run.
"""

import argparse
import fnmatch
import pathlib
import re
import sys
import tomllib
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/faults.md"
NUMBERS = [f"F{number}" for number in range(1, 45)]
PASSED = "passed"
SKIPPED = "skipped"  # and ": why", where that is known

HEAD = """# Faults

What can go wrong, how a test makes it go wrong, and what must come of it. `scripts/faults.py` writes this page from
`tests/faults.toml` and from the results of a run of the tests, and `scripts/test.sh` fails where the page differs
from either. `faults.c` and `device_faults.cpp` are in tests/e2e; they are loaded into the program and let its calls fail. Tests named
`e2e.NAME` run the program itself (tests/e2e/NAME_test.py); others are those of a module. Exit codes are those of the
[README](../README.md#the-main-job).

| | fault | how it is injected | expected | test | result |
|---|---|---|---|---|---|
"""


def load():
    with open(ROOT / "tests/faults.toml", "rb") as file:
        return tomllib.load(file)


# --- the tests that there are ------------------------------------------------------------------------


def is_in_sources(test):
    if test.startswith("e2e."):
        script, _, method = test.removeprefix("e2e.").partition(" ")
        path = ROOT / f"tests/e2e/{script}_test.py"
        if not path.exists() or "." not in method:
            return False
        group, name = method.split(".")
        body = re.search(rf"^class {group}\b.*?(?=^class |\Z)", path.read_text(encoding="utf-8"), re.M | re.S)
        return body is not None and f"def {name}(self)" in body[0]
    module, _, name = test.partition(".")
    suite, _, case = name.partition(".")
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / f"tests/{module}").glob("*.cpp")))
    if "/" in suite:  # INSTANTIATE_TEST_SUITE_P(NAME, ...
        return re.search(rf"INSTANTIATE_TEST_SUITE_P\(\s*{re.escape(suite.split('/')[0])},", text) is not None
    pattern = r"\w+" if case == "*" else re.escape(case)
    return re.search(rf"TEST(_F|_P)?\({re.escape(suite)}, {pattern}\)", text) is not None


def problems_of_table(faults):
    for number in NUMBERS:
        entry = faults.get(number)
        if entry is None or not (entry.get("cases") or entry.get("awaits")):
            yield f"{number}: no test is named in tests/faults.toml"
    for number, entry in faults.items():
        if number not in NUMBERS:
            yield f"{number}: there is no such fault"
        for case in entry.get("cases", []):
            if not is_in_sources(case["test"]):
                yield f"{number}: there is no test {case['test']}"


# --- a run's results ---------------------------------------------------------------------------------


def results_of_methods(script, output):
    """What `unittest -v` printed -> {"e2e.NAME Class.method": result}"""
    places = list(re.finditer(r"^\w+ \(__main__\.(\w+\.\w+)\)", output, re.M))
    found = {}
    for place, following in zip(places, [*places[1:], None]):
        text = output[place.end():following.start() if following else len(output)]
        said = re.search(r"(?:\.\.\. |^)(ok|FAIL|ERROR|skipped .*)$", text, re.M)
        word = said[1] if said else "not ended"
        if found.get(f"{script} {place[1]}") in (None, "not ended"):  # a failure's report names it once more
            found[f"{script} {place[1]}"] = PASSED if word == "ok" else as_skipped(word)
    return found


def as_skipped(word):
    """`skipped 'WHY'`, as unittest says it -> "skipped: WHY"; other words stay."""
    why = re.fullmatch(rf"{SKIPPED} (['\"])(.*)\1", word)
    return f"{SKIPPED}: {why[2]}" if why else word


def read_results(path):
    found = {}
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = case.get("name")
        found[name] = {"run": PASSED, "fail": "FAILED"}.get(case.get("status"), SKIPPED)
        if name.startswith("e2e."):
            found |= results_of_methods(name, case.findtext("system-out") or "")
    return found


def result_of(case, results):
    """As the document says it: "passed", or what the first test that did not pass came to."""
    matching = [result for name, result in results.items() if fnmatch.fnmatchcase(name, case["test"])]
    if not matching:
        return "not run"
    bad = sorted((result for result in matching if result != PASSED), key=lambda result: result.startswith(SKIPPED))
    return bad[0] if bad else PASSED


def may_be_skipped(case, results):
    return "needs" in case and result_of(case, results).startswith(SKIPPED)


# --- the document ------------------------------------------------------------------------------------


def render(faults, results):
    """@param results  None: as if every test had passed
    @return  (text, numbers of the lines whose test was skipped and may be)"""
    lines = HEAD.splitlines()
    skipped = set()
    for number in NUMBERS:
        entry = faults.get(number, {})
        shown, fault = number, entry.get("fault", "")
        for case in entry.get("cases", []):
            how = case["how"] + (f" (needs {case['needs']})" if "needs" in case else "")
            result = PASSED if results is None else result_of(case, results)
            if results is not None and may_be_skipped(case, results):
                skipped.add(len(lines))
            lines.append(f"| {shown} | {fault} | {how} | {case['expect']} | `{case['test']}` | {result} |")
            shown = fault = ""
        if "not_injected" in entry:
            lines.append(f"| {shown} | {fault} | not injected {entry['not_injected']} | | | |")
        if "awaits" in entry:
            lines.append(f"| {shown} | {fault} | not there yet: {entry['awaits']} | | | |")
    return "\n".join(lines) + "\n", skipped


def comparable(text, results, skipped):
    """Without a run its results, the last column, are left out, and with one those of tests that it skipped."""
    return [line.rsplit("|", 2)[0] if results is None or number in skipped else line
            for number, line in enumerate(text.splitlines())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.write and not arguments.results:
        parser.error("--write needs --results: the page says how a run ended")
    faults = load()
    problems = list(problems_of_table(faults))
    results = read_results(arguments.results) if arguments.results else None
    text, skipped = render(faults, results)
    if arguments.write:
        DOCUMENT.write_text(text, encoding="utf-8")
    if results is not None:
        for number, entry in faults.items():
            for case in entry.get("cases", []):
                if result_of(case, results) != PASSED and not may_be_skipped(case, results):
                    problems.append(f"{number}: {case['test']}: {result_of(case, results)}")
    published = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    if comparable(published, results, skipped) != comparable(text, results, skipped):
        problems.append("docs/faults.md differs from tests/faults.toml or from the results: "
                        "scripts/faults.py --results build/release/tests.xml --write")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
