"""The argument of `ctl plate`."""

from __future__ import annotations

from app.core.errors import UsageError
from app.core.messages.control import ControlText
from app.core.plate_times import COLLECT_S, COUNTDOWN_S

USAGE = "take [SECONDS to step out of the picture]|drop|FILE"
MAX_COUNTDOWN_S = 60.0
CHECKS_S = 30.0
"""Time for a camera that starts, and for the check that nobody is in the picture."""


def is_taking(argument: str) -> bool:
    """Return whether a new plate is to be taken."""
    return argument.split(" ")[0] == "take"


def parse_countdown(argument: str) -> float | None:
    """Parse `take [SECONDS]`; return the seconds, None for the usual ones. Raises UsageError."""
    text = argument.partition(" ")[2]
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_COUNTDOWN_S:
        raise UsageError(ControlText.PLATE(text=argument))
    return seconds


def countdown_of(argument: str) -> float:
    """Return the seconds of the countdown of `take [SECONDS]`. Raises UsageError."""
    seconds = parse_countdown(argument)
    return COUNTDOWN_S if seconds is None else seconds


def taking_s(argument: str) -> float:
    """Return how much longer than other commands the answer may take. Raises UsageError."""
    return countdown_of(argument) + COLLECT_S + CHECKS_S if is_taking(argument) else 0.0
