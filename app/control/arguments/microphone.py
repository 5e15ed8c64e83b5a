"""The command `ctl microphone`."""

from __future__ import annotations

from collections.abc import Callable

from app.config.parsing import replace_checked
from app.core.messages.control import AnswerText
from app.core.settings import Settings
from app.core.text import Text


def choose_microphone(name: str, change: Callable[[Callable[[Settings], Settings]], Settings]) -> Text:
    """Choose `off`, `default` or a microphone by its name; return the answer. change: see `SettingsController`."""
    changes = {"microphone": name}
    output = change(lambda now: now.replace(output=replace_checked(now.output, changes))).output
    if name == "off":
        return AnswerText.NO_MICROPHONE()
    if output.record is not None:
        return AnswerText.MICROPHONE_WHILE_RECORDING(name=name)
    return AnswerText.MICROPHONE(name=name)
