"""Tell what the tests find: `python -m tools.mutants RESULT.json [pytest options]`.

Draws mutants (small faults in the program) with a fixed seed and runs against each one the tests
that execute the changed lines, the cheapest first, until one fails. Run it in a scratch worktree:
the mutants are written into this folder, one at a time. RESULT.json holds the mutants, the tests of
each and how it ended; a second call continues there. `--again OLD.json` takes the killed mutants of
another result and those of their tests that still exist, without mapping them again; the test that
killed a mutant comes first.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import coverage
import pytest

from tools.mutant_draw import PACKAGES, drawn

TESTS = tuple(f"tests/{name}" for name in (*PACKAGES, "privacy", "api", "cli"))
LIMIT_S, PLANNED_S = 180, 120


class Map:
    """Plugin of pytest: records the seconds of each passed test and the lines it executes."""

    def __init__(self, files: set[str]) -> None:
        self.coverage = coverage.Coverage(
            None, config_file=False, include=sorted(files), messages=False
        )
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.failed = set[str]()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Name the test to coverage."""
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Add the time of a test's set-up, call or tear-down."""
        self.seconds[report.nodeid] += report.duration
        if not report.passed:
            self.failed.add(report.nodeid)

    def tests(self, file: str, lines: list[int]) -> list[str]:
        """Return the tests to run for lines of a file, cheapest first.

        Lines that run at import or compiled are not seen: then all tests of the file, or else of
        the package, count.
        """
        seen = self.coverage.get_data().contexts_by_lineno(str(Path(file).resolve()))
        found = (
            {test for line in lines for test in seen.get(line, []) if test}
            or {test for tests in seen.values() for test in tests if test}
            or {test for test in self.seconds if test.split("/")[1] == Path(file).parts[1]}
        )
        ordered, planned_s = list[str](), 0.0
        for test in sorted(found - self.failed, key=lambda each: self.seconds[each]):
            planned_s += self.seconds[test]
            ordered += [test] if planned_s < PLANNED_S else []
        return ordered


def mapped(chosen: list[dict[str, Any]], options: list[str]) -> None:
    """Add its tests to each mutant; the current folder is the tree."""
    plugin = Map({str(Path(mutant["file"]).resolve()) for mutant in chosen})
    plugin.coverage.start()
    pytest.main(
        ["-q", "-p", "no:cacheprovider", *options, *filter(os.path.exists, TESTS)], plugins=[plugin]
    )
    plugin.coverage.stop()
    for mutant in chosen:
        mutant["tests"] = plugin.tests(mutant["file"], mutant["lines"])


class Collected:
    """Plugin of pytest: records the names of the tests."""

    def __init__(self) -> None:
        self.names = set[str]()

    def pytest_collection_finish(self, session: Any) -> None:
        """Take the tests that the options select."""
        self.names = {item.nodeid for item in session.items}


def killed_before(path: Path, options: list[str]) -> list[dict[str, Any]]:
    """Return the mutants that another result calls killed, with their tests that exist now."""
    plugin = Collected()
    pytest.main(
        ["--collect-only", "-q", "-q", "-p", "no:cacheprovider", *options, *TESTS], plugins=[plugin]
    )
    chosen = [
        each
        for each in json.loads(path.read_text("utf-8"))
        if each["end"] not in ("survived", "gone")
    ]
    for mutant in chosen:
        killer = mutant.pop("end").partition(" ")[2]
        mutant["tests"] = [
            test for test in dict.fromkeys([killer, *mutant["tests"]]) if test in plugin.names
        ]
    return chosen


def tried(mutant: dict[str, Any], options: list[str]) -> str:
    """Return what the tests say of a mutant: `survived`, `timeout`, `gone` or the test that failed."""
    path = Path(mutant["file"])
    text, times = path.read_text("utf-8"), path.stat()
    places = [
        at
        for at in range(len(text))
        if text.startswith(mutant["before"], at) and text[at - 1 : at] in ("", "\n")
    ]
    if not places or not mutant["tests"]:
        return "survived" if places else "gone"
    at = min(places, key=lambda place: abs(text.count("\n", 0, place) + 1 - mutant["lines"][0]))
    listed = Path("mutant-tests.txt")
    listed.write_text("\n".join(mutant["tests"]), "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-rfE",
        "-p",
        "no:cacheprovider",
        *options,
        f"@{listed}",
    ]
    try:
        path.write_text(text[:at] + mutant["after"] + text[at + len(mutant["before"]) :], "utf-8")
        with tempfile.TemporaryDirectory() as folder:
            # numba does not notice a change in another file
            env = {**os.environ, "NUMBA_CACHE_DIR": folder} if "kernels" in path.parts else None
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=env
            )
    except subprocess.TimeoutExpired:
        return "timeout"
    finally:
        path.write_text(text, "utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # or numba would compile again
        listed.unlink()
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return (
        "survived"
        if done.returncode in (0, 5)
        else (failed or ["FAILED at import"])[0].partition(" - ")[0]
    )


def main() -> None:
    """Draw, map and try the mutants; write the result after each of them and print the totals."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("result", metavar="RESULT.json", type=Path)
    parser.add_argument("--again", metavar="OLD.json", type=Path)
    options, rest = parser.parse_known_args()
    kept, before = options.result, options.again
    if kept.exists():
        chosen = json.loads(kept.read_text("utf-8"))
    elif before is not None:
        chosen = killed_before(before, rest)
    else:
        chosen = drawn()
        mapped(chosen, rest)
    for mutant in chosen:
        if "end" not in mutant:
            mutant["end"] = tried(mutant, rest)
            print(
                f"{mutant['file']}:{mutant['lines'][-1]} {mutant['kind']}: {mutant['end']}",
                flush=True,
            )
        kept.write_text(json.dumps(chosen, indent=1), "utf-8")
    ends = ["killed" if " " in mutant["end"] else mutant["end"] for mutant in chosen]
    print({end: ends.count(end) for end in sorted(set(ends))})


if __name__ == "__main__":
    main()
