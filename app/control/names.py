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
    name: setting for name, setting in SETTINGS.items() if setting.description and name not in OWN_COMMANDS
}
"""The settings that `ctl set` changes; one without a description is set by the program."""

ValueTexts = Mapping[str, str]
"""Texts of values by the names of their settings."""
Parser = Callable[[str], ValueTexts]
"""From an argument; raises ValueError or UsageError for one that is not possible."""


def _one(name: str) -> Parser:
    """Return the parser of any value of a setting."""
    return lambda text: {name: text}


def _fixed(values: ValueTexts) -> Parser:
    """Return the parser of no argument."""

    def parse(text: str) -> ValueTexts:
        if text:
            raise ValueError(text)
        return values

    return parse


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
SHORT: Mapping[str, Parser] = {
    "background-view": _view("background"),
    "background-view fill": _fixed({"background.fit": "fill", **CENTRED}),
    "background-view fit": _fixed({"background.fit": "fit", **CENTRED}),
    "framing": _view("framing"),
    "framing calm": _fixed({**WHOLE, "people.auto_framing": "calm"}),
    "framing close": _fixed({**WHOLE, "people.auto_framing": "close"}),
    "framing whole": _fixed({**WHOLE, "people.auto_framing": "off"}),
    "light match": _one("edges.light_match"),
    "light portrait": _one("edges.portrait_light"),
    "light wrap": _one("edges.light_wrap"),
    "microphone": _one("output.microphone"),
    "model": _one("matting.model"),
    "overlay": _one("overlay.file"),
    "overlay off": _fixed({"overlay.file": "none", "overlay.text": ""}),
    "overlay place": _one("overlay.place"),
    "overlay size": _one("overlay.size"),
    "overlay text": _one("overlay.text"),
    "overlay text-place": _one("overlay.text_place"),
    "parallax": _one("background.parallax"),
    "place": lambda text: {f"placement.{name}": f"{value:g}" for name, value in parse_place(text)},
    "ratio": _one("matting.downsample_ratio"),
    "server": lambda url: {"matting.server": url, "matting.location": "remote"},
    "server ca": _one("matting.server_ca_file"),
    "server off": _fixed({"matting.location": "local"}),
    "server on": _fixed({"matting.location": "remote"}),
    "server token": _one("matting.server_token_file"),
    "zoom": _one("framing.zoom"),
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
                return SHORT[words](text)
    raise UsageError(ControlText.NOT_POSSIBLE(name=command, argument=argument, usage=usage))


def find_settable(name: str) -> Setting | None:
    """Return the setting of a name, which may be its path in the settings file, such as `matting.edges.strict`."""
    plain = name.replace("-", "_")
    known = SETTABLE.get(plain) or SETTABLE.get(".".join(plain.split(".")[-2:]))
    return known if known is not None and plain in (known.name, ".".join(known.path)) else None
