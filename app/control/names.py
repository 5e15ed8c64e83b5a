"""Names of settings in `ctl`, and the commands that set settings under shorter names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from app.config.parsing import parse_pan
from app.config.setting import SETTINGS, Setting
from app.core.errors import UsageError
from app.core.messages.control import ControlText

OWN_COMMANDS = {
    "paused": "pause",
    "frozen": "freeze",
    "selected": "only-me",
    "people.zones": "zones",
    "output.record": "record",
    "output.record_alpha": "record-alpha",
}
"""Settings that other commands change, and those commands."""
SETTABLE: Mapping[str, Setting] = {
    name: setting for name, setting in SETTINGS.items() if setting.description and name not in OWN_COMMANDS
}
"""The settings that `ctl set` changes; one without a description is set by the program."""

ValueTexts = Mapping[str, str]
"""Texts of values by the names of their settings."""
Parser = Callable[[str], ValueTexts]
"""From an argument; raises ValueError or UsageError for one that is not possible."""
Alias = str | ValueTexts | Parser
"""The name of a setting, whose value is the argument; values that are set without an argument; or what parses one."""


def _view(section: str) -> Parser:
    """Return the parser of `ZOOM [X,Y]` for the part of a frame or a background that is shown."""

    def parse(text: str) -> ValueTexts:
        zoom, _, position = text.partition(" ")
        float(zoom)
        pan = zip(("pan_x", "pan_y"), parse_pan(position), strict=True) if position else ()
        return {f"{section}.zoom": zoom, **{f"{section}.{name}": str(value) for name, value in pan}}

    return parse


WHOLE: ValueTexts = {"framing.zoom": "1", "framing.pan_x": "0", "framing.pan_y": "0"}
CENTRED: ValueTexts = {"background.zoom": "1", "background.pan_x": "0", "background.pan_y": "0"}
SHORT: Mapping[str, Alias] = {
    "background-view": _view("background"),
    "background-view fill": {"background.fit": "fill", **CENTRED},
    "background-view fit": {"background.fit": "fit", **CENTRED},
    "flip": "capture.flip",
    "framing": _view("framing"),
    "framing calm": {**WHOLE, "people.auto_framing": "calm"},
    "framing close": {**WHOLE, "people.auto_framing": "close"},
    "framing whole": {**WHOLE, "people.auto_framing": "off"},
    "light match": "edges.light_match",
    "light portrait": "edges.portrait_light",
    "microphone": "output.microphone",
    "model": "matting.model",
    "ratio": "matting.downsample_ratio",
    "rotate": "capture.rotate",
    "zoom": "framing.zoom",
}
"""Commands, some with their first word, that are other names of `set`."""
SETTERS = {"set", *(words.partition(" ")[0] for words in SHORT)}
"""Commands that only set something."""


def values_of(command: str, argument: str, usage: str) -> ValueTexts:
    """Return what one of `SETTERS` sets. usage: its arguments, for the message. Raises UsageError."""
    word, _, rest = argument.partition(" ")
    if command == "set":
        if not rest:
            raise UsageError(ControlText.VALUE_MISSING(name=word))
        return {word: rest}
    for words, text in ((f"{command} {word}", rest), (command, argument)):
        if words in SHORT:
            with suppress(ValueError):
                return expanded(SHORT[words], text)
    raise UsageError(ControlText.NOT_POSSIBLE(name=command, argument=argument, usage=usage))


def expanded(alias: Alias, text: str) -> ValueTexts:
    """Return what an alias sets with this argument. Raises as `Parser`."""
    if isinstance(alias, str):
        return {alias: text}
    if callable(alias):
        return alias(text)
    if text:
        raise ValueError(text)
    return alias


def find_settable(name: str) -> Setting | None:
    """Return the setting of a name, which may be its path in the settings file, such as `matting.edges.strict`."""
    plain = name.replace("-", "_")
    known = SETTABLE.get(plain) or SETTABLE.get(".".join(plain.split(".")[-2:]))
    return known if known is not None and plain in (known.name, ".".join(known.path)) else None
