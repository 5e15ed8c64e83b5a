"""Tell where the time of the tests goes: `python -m tools.test_times [pytest options]`.

Runs the tests like `python3 run.py test` and prints the seconds of the slowest tests, fixtures,
files and folders. The options are those of pytest and `--all`; `--rows N` sets the number of rows
of each table (20). The machine must be idle: the times are wall-clock times.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

import pytest

import run

_FIXTURE = "seconds of fixture "


class Times:
    """Plugin of pytest: collects the time of every test and fixture, also from worker processes.

    Attributes are in seconds, keyed by the name of the test, or of the fixture.
    """

    def __init__(self) -> None:
        self.tests: defaultdict[str, float] = defaultdict(float)
        self.fixtures: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the time of a test's set-up, call or tear-down."""
        self.tests[report.nodeid] += report.duration
        if report.when == "teardown":  # properties of a test are part of each of its reports
            for name, value in report.user_properties:
                if name.startswith(_FIXTURE):
                    self.fixtures[name.removeprefix(_FIXTURE)] += float(str(value))


_new: list[tuple[str, object]] = []
"""Properties of the test that runs in this process: the fixtures that were set up since the last
report.
"""


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    """Measure the fixture alone: those that it needs are set up before."""
    start_s = time.perf_counter()
    try:
        return (yield)
    finally:
        _new.append((_FIXTURE + fixturedef.argname, time.perf_counter() - start_s))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> None:
    """Send the fixtures' times with the report of the test, which also worker processes do."""
    item.user_properties.extend(_new)
    _new.clear()


def table(title: str, durations_s: dict[str, float], rows: int) -> str:
    """Return a table of the largest durations, with their share of the sum in percent."""
    total_s = sum(durations_s.values())
    largest = sorted(durations_s.items(), key=lambda each: -each[1])[:rows]
    lines = [
        f"{each_s:8.1f} s {100 * each_s / max(total_s, 1e-9):5.1f} %  {name}"
        for name, each_s in largest
    ]
    return "\n".join([f"{title}: {len(durations_s)}, {total_s:.0f} s in all", *lines])


def grouped(tests_s: dict[str, float], depth: int | None) -> dict[str, float]:
    """Return the sums of each file, or of each folder with so many parts (`tests/gui` has two)."""
    sums: defaultdict[str, float] = defaultdict(float)
    for name, duration_s in tests_s.items():
        file = PurePosixPath(name.partition("::")[0])
        sums[str(file if depth is None else PurePosixPath(*file.parts[:-1][:depth]))] += duration_s
    return sums


def report(times: Times, rows: int) -> Iterable[str]:
    """Yield the tables."""
    yield table("Folders", grouped(times.tests, 2), rows)
    yield table("Files", grouped(times.tests, None), rows)
    yield table("Fixtures", times.fixtures, rows)
    yield table("Tests", times.tests, rows)


def main(arguments: Sequence[str]) -> int:
    """Run pytest with the arguments; print the tables; return the exit code of pytest."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--rows", type=int, default=20)
    known, options = parser.parse_known_args(arguments)
    times = Times()
    code = pytest.main(run.pytest_options(["-p", "tools.test_times", *options]), plugins=[times])
    print("\n\n".join(report(times, known.rows)))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
