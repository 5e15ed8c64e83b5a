"""Commands that place the person over the background, and lay out and move the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.config.parsing import parse_pan, parse_place, replace_checked
from app.control.changes import CommandError
from app.control.commands import JsonValue
from app.core.errors import UsageError
from app.core.messages.control import AnswerText, ControlText
from app.core.placement import IN_PLACE
from app.core.settings import BackgroundSettings, Settings
from app.core.text import Text

Change = Callable[[Callable[[Settings], Settings]], Settings]
StatusFields = Callable[[], Mapping[str, JsonValue]]


def presenting(change: Change, status_fields: StatusFields) -> Mapping[str, Callable[[str], str]]:
    """Return the actions of the commands by their names. The arguments are those of `SettingsController`."""
    return {
        "background-view": lambda text: _lay_out(text, change),
        "parallax": lambda text: _set_parallax(text, change),
        "place": lambda text: _place(text, change),
        "slide": lambda text: _turn(text, change, status_fields),
    }


def _place(text: str, change: Change) -> Text:
    placement = parse_place(text)
    change(lambda now: now.replace(placement=placement))
    if placement == IN_PLACE:
        return AnswerText.IN_PLACE()
    return AnswerText.PLACED(x=f"{placement.x:g}", y=f"{placement.y:g}", scale=f"{placement.scale:g}")


def _changed(change: Change, **changes: object) -> BackgroundSettings:
    return change(lambda now: now.replace(background=replace_checked(now.background, changes))).background


def _set_parallax(text: str, change: Change) -> Text:
    return AnswerText.PARALLAX(strength=f"{_changed(change, parallax=text).parallax:g}")


def _lay_out(text: str, change: Change) -> Text:
    """Lay the background out: `fill`, `fit`, or `ZOOM [X,Y]`."""
    zoom, _, position = text.partition(" ")
    if text in ("fill", "fit"):
        shown = _changed(change, fit=text, zoom=1, pan_x=0, pan_y=0)
    else:
        pan = dict(zip(("pan_x", "pan_y"), parse_pan(position), strict=True)) if position else {}
        shown = _changed(change, zoom=zoom, **pan)
    return AnswerText.LAID_OUT(fit=shown.fit, zoom=f"{shown.zoom:g}", x=f"{shown.pan_x:g}", y=f"{shown.pan_y:g}")


def _turn(text: str, change: Change, status_fields: StatusFields) -> Text:
    count = status_fields()["slides"]
    assert isinstance(count, int)
    if count == 0:
        raise CommandError(ControlText.NO_SLIDES())

    def update(now: Settings) -> Settings:
        return now.replace(background=turned(now.background, text, count))

    return AnswerText.SLIDE(number=change(update).background.slide, count=count)


def turned(background: BackgroundSettings, to: str, count: int) -> BackgroundSettings:
    """Return the background at another slide: `next`, `previous`, or a number. Raises UsageError."""
    present = min(background.slide, count)
    if to in ("next", "previous"):
        return background.replace(slide=min(max(present + (1 if to == "next" else -1), 1), count))
    if not to.isdecimal() or len(to) > len(str(count)) or not 1 <= int(to) <= count:
        raise UsageError(ControlText.SLIDE(text=to, count=count))
    return background.replace(slide=int(to))
