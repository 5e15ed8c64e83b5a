from __future__ import annotations

import pytest

from tests.fuzz import tally


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tally.total():
        terminalreporter.write_line(f"fuzzed: {tally.total()} cases of bad input")
