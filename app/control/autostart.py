"""The command `ctl autostart`."""

from __future__ import annotations

from app.core.errors import UsageError
from app.core.messages.control import AnswerText, ControlText
from app.core.text import Text
from app.system import autostart


def switch_autostart(switch: str) -> Text:
    """Start the window when the user logs in, or not. Raises UsageError where the system has no such entry."""
    if not autostart.supported():
        raise UsageError(ControlText.NO_AUTOSTART())
    if switch == "on":
        autostart.enable()
        return AnswerText.AUTOSTART_ON()
    autostart.disable()
    return AnswerText.AUTOSTART_OFF()
