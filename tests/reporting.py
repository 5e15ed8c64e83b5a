"""What `run.py test` says of a run: each failure at once, and a count at the end, also of one that was interrupted."""

from __future__ import annotations

import pytest

_terminal: list[pytest.TerminalReporter] = []


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    _terminal[:] = (
        [reporter] if reporter is not None else []
    )  # the processes of a parallel run have no terminal


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name a failed test, so that nobody waits for minutes to learn which one it was."""
    if report.failed and _terminal:
        message = report.longreprtext.strip().splitlines()
        errors = [line.removeprefix("E").strip() for line in message if line.startswith("E ")]
        reason = (errors or message or [""])[0]
        _terminal[0].write_line("")
        _terminal[0].write_line(f"FAILED {report.nodeid} ({report.when}): {reason[:200]}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        counts = {
            name: len(terminalreporter.getreports(name)) for name in ("passed", "failed", "error")
        }
        words = ", ".join(f"{count} {name}" for name, count in counts.items())
        terminalreporter.write_line(
            f"Interrupted after {words}; the other tests did not run.", yellow=True
        )
