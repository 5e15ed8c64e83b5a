"""Commands that place the person over the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.config.parsing import parse_place
from app.core.messages.control import AnswerText
from app.core.placement import IN_PLACE
from app.core.settings import Settings
from app.core.text import Text

Change = Callable[[Callable[[Settings], Settings]], Settings]


def presenting(change: Change) -> Mapping[str, Callable[[str], str]]:
    """Return the actions of the commands by their names. change: see `SettingsController`."""
    return {"place": lambda text: _place(text, change)}


def _place(text: str, change: Change) -> Text:
    placement = parse_place(text)
    change(lambda now: now.replace(placement=placement))
    if placement == IN_PLACE:
        return AnswerText.IN_PLACE()
    return AnswerText.PLACED(x=f"{placement.x:g}", y=f"{placement.y:g}", scale=f"{placement.scale:g}")
