"""The command `ctl microphone`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.config.parsing import replace_checked
from app.core.errors import UsageError
from app.core.messages.control import AnswerText, ControlText
from app.core.settings import Settings
from app.core.text import Text

ALWAYS = ("off", "default")


def choose_microphone(
    name: str, change: Callable[[Callable[[Settings], Settings]], Settings], names: Callable[[], Sequence[str]]
) -> Text:
    """Choose `off`, `default` or a microphone by its name; return the answer.

    change, names: see `SettingsController`. Raises UsageError for a microphone that the system does not list.
    """
    listed = () if name in ALWAYS else tuple(names())
    if listed and name not in listed:
        raise UsageError(ControlText.NO_MICROPHONE(name=name, names=listed))
    changes = {"microphone": name}
    output = change(lambda now: now.replace(output=replace_checked(now.output, changes))).output
    if name == "off":
        return AnswerText.NO_MICROPHONE()
    if output.record is not None:
        return AnswerText.MICROPHONE_WHILE_RECORDING(name=name)
    known = name in (*ALWAYS, *listed)
    return AnswerText.MICROPHONE(name=name) if known else AnswerText.MICROPHONE_UNKNOWN(name=name)
