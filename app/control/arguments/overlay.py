"""The argument of `ctl overlay`."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from app.config.parsing import parse_overlay_text, replace_checked
from app.core.errors import UsageError
from app.core.files import is_file
from app.core.messages.control import AnswerText, ControlText
from app.core.settings import OverlayPlace, OverlaySettings
from app.core.text import Text

USAGE = "FILE|off|text TEXT|place PLACE|text-place PLACE|size 10-400"
FIELDS = {"text": "text", "place": "place", "text-place": "text_place", "size": "size"}
"""The words that may come first, and what they set."""


def changed_overlay(argument: str, current: OverlaySettings) -> OverlaySettings:
    """Return the overlay that the argument names. Raises UsageError, which names the choices."""
    if argument == "off":
        return current.replace(file=None, text="")
    word, _, value = argument.partition(" ")
    if word not in FIELDS:
        path = Path(argument)
        if not is_file(path):
            raise UsageError(ControlText.NO_OVERLAY(text=argument, usage=USAGE))
        return current.replace(file=path)
    if word.endswith("place") and value not in get_args(OverlayPlace):
        raise UsageError(ControlText.OVERLAY_PLACE(text=value, places=get_args(OverlayPlace)))
    if word == "text":
        parse_overlay_text(value)
    return replace_checked(current, {FIELDS[word]: value})


def described(overlay: OverlaySettings) -> Text:
    """Return the answer that names the overlay."""
    if overlay.file is None and not overlay.text:
        return AnswerText.OVERLAY_OFF()
    return AnswerText.OVERLAY(file="–" if overlay.file is None else overlay.file.name, text=overlay.text or "–")
