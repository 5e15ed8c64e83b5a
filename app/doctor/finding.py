"""What a check of this machine found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """The program works, but something is missing or will surprise the user."""
    PROBLEM = "problem"
    """A part of the program cannot work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about this machine that decides whether the program can work."""

    check: str
    """What was looked at, such as `virtual camera: module`; stable, so that support can ask for it."""
    state: State
    detail: str
    """What was seen, in one sentence."""
    why: str = ""
    """Why it matters to the user; empty where all is well."""
    fix: str = ""
    """What to do: words, and commands on lines of their own; empty where nothing is to be done."""

    def as_json(self) -> dict[str, str]:
        """The fields of `doctor --json`."""
        return {"check": self.check, "state": self.state.value, "detail": self.detail, "why": self.why, "fix": self.fix}
