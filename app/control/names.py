"""Names of settings in `ctl`, and the commands that set settings under shorter names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from app.config.parsing import parse_pan, parse_place
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
    name: setting for name, setting in SETTINGS.items() if name not in (*OWN_COMMANDS, "version")
}
"""The settings that `ctl set` changes."""

ValueTexts = Mapping[str, str]
"""Texts of values by the names of their settings."""

ALIASES: Mapping[str, str] = {
    "light match": "edges.light_match",
    "light portrait": "edges.portrait_light",
    "light wrap": "edges.light_wrap",
    "microphone": "output.microphone",
    "model": "matting.model",
    "overlay place": "overlay.place",
    "overlay size": "overlay.size",
    "overlay text": "overlay.text",
    "overlay text-place": "overlay.text_place",
    "overlay": "overlay.file",
    "parallax": "background.parallax",
    "ratio": "matting.downsample_ratio",
    "server ca": "matting.server_ca_file",
    "server token": "matting.server_token_file",
    "zoom": "framing.zoom",
}
"""Commands, some with their first word, that are `set` with the name of a setting."""
WHOLE: ValueTexts = {"framing.zoom": "1", "framing.pan_x": "0", "framing.pan_y": "0"}
CENTRED: ValueTexts = {"background.zoom": "1", "background.pan_x": "0", "background.pan_y": "0"}
PRESETS: Mapping[str, ValueTexts] = {
    "background-view fill": {"background.fit": "fill", **CENTRED},
    "background-view fit": {"background.fit": "fit", **CENTRED},
    "framing calm": {**WHOLE, "people.auto_framing": "calm"},
    "framing close": {**WHOLE, "people.auto_framing": "close"},
    "framing whole": {**WHOLE, "people.auto_framing": "off"},
    "overlay off": {"overlay.file": "none", "overlay.text": ""},
    "server off": {"matting.location": "local"},
    "server on": {"matting.location": "remote"},
}
"""Commands with a word that stands for values of several settings."""


def _view(section: str) -> Callable[[str], ValueTexts]:
    """Return the parser of `ZOOM [X,Y]` for the part of a frame or a background that is shown."""

    def parse(text: str) -> ValueTexts:
        zoom, _, position = text.partition(" ")
        float(zoom)
        pan = zip(("pan_x", "pan_y"), parse_pan(position), strict=True) if position else ()
        return {f"{section}.zoom": zoom, **{f"{section}.{name}": str(value) for name, value in pan}}

    return parse


def _placement(text: str) -> ValueTexts:
    return {f"placement.{name}": f"{value:g}" for name, value in parse_place(text)}


PARSERS: Mapping[str, Callable[[str], ValueTexts]] = {
    "background-view": _view("background"),
    "framing": _view("framing"),
    "place": _placement,
    "server": lambda url: {"matting.server": url, "matting.location": "remote"},
}
"""Commands whose argument stands for values of several settings. They raise ValueError or UsageError."""
SETTERS = {"set", *PARSERS, *(words.partition(" ")[0] for words in (*ALIASES, *PRESETS))}
"""Commands that only set something."""


def values_of(command: str, argument: str, usage: str) -> ValueTexts:
    """Return what one of `SETTERS` sets. usage: its arguments, for the message. Raises UsageError."""
    word, _, rest = argument.partition(" ")
    if command == "set":
        if not rest:
            raise UsageError(ControlText.VALUE_MISSING(name=word))
        return {word: rest}
    first = f"{command} {word}"
    if first in ALIASES:
        return {ALIASES[first]: rest}
    if f"{command} {argument}" in PRESETS:
        return PRESETS[f"{command} {argument}"]
    if command in PARSERS:
        with suppress(ValueError):
            return PARSERS[command](argument)
    elif command in ALIASES:
        return {ALIASES[command]: argument}
    raise UsageError(ControlText.NOT_POSSIBLE(name=command, argument=argument, usage=usage))


def find_settable(name: str) -> Setting | None:
    """Return the setting of a name, which may be its path in the settings file, such as `matting.edges.strict`."""
    plain = name.replace("-", "_")
    known = SETTABLE.get(plain) or SETTABLE.get(".".join(plain.split(".")[-2:]))
    return known if known is not None and plain in (known.name, ".".join(known.path)) else None
