"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.core.text import Text


class State(Enum):
    """How serious a finding is."""

    OK = "ok"
    WARNING = "warning"
    """The program works, but something is missing or will surprise the user."""
    PROBLEM = "problem"
    """A part of the program cannot work."""


class CommandLine(str):
    """A line to run or to copy into a file; it is never translated."""

    __slots__ = ()


Steps = tuple[Text | CommandLine, ...]
"""What to do, in order: sentences and commands."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about this machine that decides whether the program can work."""

    check: str
    """What was checked, such as `virtual camera: module`; stable, so that support can refer to it."""
    state: State
    detail: Text
    """What was found, in one sentence."""
    why: Text | None = None
    """Why it matters; None if all is well."""
    steps: Steps = ()
    """How to fix it; empty if nothing is to be done."""

    @property
    def fix(self) -> str:
        """The steps, one per line."""
        return "\n".join(self.steps)

    def as_json(self) -> dict[str, str]:
        """Return the fields of `doctor --json`."""
        return {
            "check": self.check,
            "state": self.state.value,
            "detail": self.detail,
            "why": self.why or "",
            "fix": self.fix,
        }


def ok(check: str, detail: Text) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, State.OK, detail)


def warning(check: str, detail: Text, why: Text | None, *steps: Text | CommandLine) -> Finding:
    """Return the finding of something that is missing or surprises."""
    return Finding(check, State.WARNING, detail, why, steps)


def problem(check: str, detail: Text, why: Text, *steps: Text | CommandLine) -> Finding:
    """Return the finding of something that keeps a part of the program from working."""
    return Finding(check, State.PROBLEM, detail, why, steps)
