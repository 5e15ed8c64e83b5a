"""The result of one check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from app.core.errors import Text, t


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


_NEEDED = t("Without a virtual camera other programs cannot see the picture; only recording works.")
WHY: Mapping[str, Text] = {
    "camera": t("Without a camera, only the demo and video files are available."),
    "camera: permission": t("Without permission the camera cannot be read."),
    "camera: in use": t("A camera delivers frames to one program at a time."),
    "virtual camera: module": _NEEDED,
    "virtual camera: installed": _NEEDED,
    "virtual camera: Secure Boot": t(
        "With Secure Boot the kernel rejects modules whose key is not enrolled (“Key was rejected by service”)."
    ),
    "virtual camera: exclusive_caps": t(
        "Chromium, Chrome, Teams, Discord and Zoom do not list a virtual camera that also accepts output."
    ),
    "virtual camera: permission": t("Without permission the program cannot send frames to the virtual camera."),
    "virtual camera: in use": t("A virtual camera accepts frames from one program at a time."),
    "virtual camera: at start": t("After a restart the virtual camera is missing."),
    "virtual camera: options": t(
        "modprobe merges the options of all files, so devices may get another number, label or mode."
    ),
    "graphics card": t(
        "On a CPU the most accurate models reach a few frames per second; a graphics card runs them in real time."
    ),
    "models": t("Without a model the background cannot be replaced."),
    "display": t("The window cannot open; the program runs without a window."),
    "display: libraries": t("Qt cannot open a window without them."),
    "variables": t("Libraries and packages that they name may take the place of the program's own and make it fail."),
}
"""Why a check matters, by its name."""


def ok(check: str, detail: Text) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, State.OK, detail)


def warning(check: str, detail: Text, *steps: Text | CommandLine, why: Text | None = None) -> Finding:
    """Return the finding of something that is missing or surprises. why: where that of the check does not fit."""
    return Finding(check, State.WARNING, detail, why or WHY.get(check), steps)


def problem(check: str, detail: Text, *steps: Text | CommandLine, why: Text | None = None) -> Finding:
    """Return the finding of something that keeps a part of the program from working. why: as in `warning`."""
    return Finding(check, State.PROBLEM, detail, why or WHY.get(check), steps)
