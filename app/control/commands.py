"""Commands for the running program and their wire format: one line of JSON in, one line of JSON out."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from app.config.parsing import parse_pan, parse_place
from app.control.arguments.matting_server import USAGE as SERVER_USAGE
from app.control.arguments.overlay import USAGE as OVERLAY_USAGE
from app.control.arguments.plate import USAGE as PLATE_USAGE
from app.control.arguments.plate import taking_s
from app.core.errors import MattecamError, UsageError
from app.core.messages.control import ControlText
from app.core.settings import MAX_RATIO, MAX_ZOOM, MIN_RATIO

JsonValue = str | int | float | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

MAX_LINE_BYTES = 64 * 1024
SWITCHES = ("on", "off", "toggle")
AUTO_FRAMING = ("calm", "close")


@dataclass(frozen=True, slots=True)
class Syntax:
    """The argument that a command takes."""

    usage: str = ""
    """The argument as shown to the user, such as `NAME`; empty for none."""
    optional: bool = False
    choices: tuple[str, ...] = ()
    """The allowed arguments; empty: any text."""


SYNTAX: Mapping[str, Syntax] = {
    "autostart": Syntax("on|off", choices=("on", "off")),
    "background": Syntax(
        "next|NAME|NUMBER|blur[:0-100]|bokeh[:0-100]|FILE|PDF|FOLDER|screen[:N]|region:X,Y,WxH|window:TITLE|#RRGGBB|green|"
        "none"
    ),
    "background-view": Syntax(f"fill|fit|ZOOM [X,Y], such as 1.5 0,-1; the zoom is 1 to {MAX_ZOOM:g}"),
    "framing": Syntax(f"whole|calm|close|ZOOM [X,Y], such as 1.5 0,-1; the zoom is 1 to {MAX_ZOOM:g}"),
    "freeze": Syntax("|".join(SWITCHES), optional=True, choices=SWITCHES),
    "get": Syntax("[NAME of a setting]", optional=True),
    "light": Syntax("match|wrap|portrait 0-100, such as match 50"),
    "microphone": Syntax("off|default|NAME"),
    "model": Syntax("auto|NAME"),
    "overlay": Syntax(OVERLAY_USAGE),
    "only-me": Syntax("on|off|X,Y, a point of the person, from 0,0 (top left) to 1,1"),
    "parallax": Syntax("0-100"),
    "pause": Syntax("|".join(SWITCHES), optional=True, choices=SWITCHES),
    "place": Syntax("X,Y[,SCALE]|CORNER[:PERCENT]|reset, such as 0.2,0,0.8 or bottom-right:35"),
    "plate": Syntax(PLATE_USAGE),
    "quit": Syntax(),
    "ratio": Syntax(f"auto|{MIN_RATIO}-{MAX_RATIO:g}"),
    "record": Syntax("FILE|stop"),
    "record-alpha": Syntax("FILE|stop"),
    "remove-scene": Syntax("NAME"),
    "rename-scene": Syntax("NAME=NEW NAME"),
    "reset": Syntax("NAME of a setting"),
    "resume": Syntax(),
    "retry": Syntax(),
    "save-scene": Syntax("NAME"),
    "save-scene-with-camera": Syntax("NAME"),
    "scene": Syntax("NAME [--yes], which confirms that it shows the room"),
    "set": Syntax("NAME VALUE, such as output.mirror on; `get` lists the names"),
    "server": Syntax(SERVER_USAGE),
    "slide": Syntax("next|previous|NUMBER"),
    "snapshot": Syntax("FILE"),
    "status": Syntax(),
    "zones": Syntax("FILE|undo|off"),
    "zoom": Syntax(f"1-{MAX_ZOOM:g}"),
}


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    argument: str = ""

    @property
    def extra_s(self) -> float:
        """How much longer than others the command may take."""
        return taking_s(self.argument) if self.name == "plate" else 0.0

    def encode(self) -> bytes:
        """Return one line of JSON."""
        return json.dumps({"command": self.name, "argument": self.argument}).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """The program's answer to a command."""

    done: bool
    message: str = ""
    """A sentence for the user: the new state, or why it was not reached."""
    status: Mapping[str, JsonValue] | None = None
    """For the command `status`: the fields of `--status-json`, `paused` and `frozen`."""
    wrong_usage: bool = False
    """Whether the command is not done because it asks for something impossible."""

    def encode(self) -> bytes:
        """Return one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"


class Controller(Protocol):
    """The running program as seen by the control server. Thread-safe: commands may run concurrently."""

    def run(self, command: Command) -> str:
        """Execute a checked command other than `status`; return a sentence about the state it led to.

        Returns after the command took effect. Raises MattecamError if it cannot be executed.
        """
        ...

    def status(self) -> Mapping[str, JsonValue]:
        """Return the fields of `--status-json`, `paused` and `frozen`."""
        ...

    def close(self) -> None:
        """Let running commands return without waiting any longer."""
        ...


def parse_words(words: Sequence[str]) -> Command:
    """Parse the words of a command line. Raises UsageError, which names the choices."""
    known = ", ".join(SYNTAX)
    if not words:
        raise UsageError(ControlText.NO_COMMAND(names=known))
    name, argument = words[0], " ".join(words[1:]).strip()
    syntax = SYNTAX.get(name)
    if syntax is None:
        raise UsageError(ControlText.UNKNOWN_COMMAND(name=name, names=known))
    if argument and not syntax.usage:
        raise UsageError(ControlText.NO_ARGUMENT_ALLOWED(name=name, argument=argument))
    if not argument and syntax.usage and not syntax.optional:
        raise UsageError(ControlText.ARGUMENT_MISSING(name=name, usage=syntax.usage))
    if argument and syntax.choices and argument not in syntax.choices:
        raise UsageError(ControlText.NOT_A_CHOICE(name=name, argument=argument, choices=syntax.choices))
    check = {
        "ratio": parse_ratio,
        "zoom": parse_zoom,
        "framing": parse_framing,
        "only-me": parse_person,
        "place": parse_place,
        "light": parse_light,
        "plate": taking_s,
    }.get(name)
    if check is not None:
        check(argument)
    return Command(name, argument)


def parse_ratio(text: str) -> float | None:
    """Parse a downsample ratio; None is automatic. Raises UsageError."""
    if text == "auto":
        return None
    ratio = _number(text)
    if not MIN_RATIO <= ratio <= MAX_RATIO:
        raise UsageError(ControlText.RATIO(low=str(MIN_RATIO), high=f"{MAX_RATIO:g}", text=text))
    return ratio


def parse_zoom(text: str) -> float:
    """Parse a zoom factor. Raises UsageError."""
    zoom = _number(text)
    if not 1 <= zoom <= MAX_ZOOM:
        raise UsageError(ControlText.ZOOM(high=f"{MAX_ZOOM:g}", text=text))
    return zoom


def parse_framing(text: str) -> tuple[float, tuple[float, float] | None]:
    """Parse `whole`, a style of auto-framing, or `ZOOM [X,Y]` as (zoom, pan); pan None leaves it unchanged.

    Raises UsageError.
    """
    if text in ("whole", *AUTO_FRAMING):
        return 1.0, (0.0, 0.0)
    zoom, _, position = text.partition(" ")
    if math.isnan(_number(zoom)):
        raise UsageError(ControlText.FRAMING(styles=", ".join(("whole", *AUTO_FRAMING)), text=text))
    if not position:
        return parse_zoom(zoom), None
    pan = parse_pan(position)
    if not all(-1 <= value <= 1 for value in pan):
        raise UsageError(ControlText.POSITION(text=position))
    return parse_zoom(zoom), pan


LIGHTS = {"match": "light_match", "wrap": "light_wrap", "portrait": "portrait_light"}
"""The light controls by their name in `ctl`, and their settings."""


def parse_light(text: str) -> tuple[str, float]:
    """Parse `CONTROL STRENGTH` as (field of `EdgeSettings`, strength). Raises UsageError."""
    name, _, strength = text.partition(" ")
    value = _number(strength)
    if name not in LIGHTS or not 0 <= value <= 100:
        raise UsageError(ControlText.LIGHT(names="|".join(LIGHTS), text=text))
    return LIGHTS[name], value


def parse_person(text: str) -> tuple[float, float] | None:
    """Parse `on`, `off` or `X,Y`; the point is None without one. Raises UsageError."""
    if text in ("on", "off"):
        return None
    point = parse_pan(text)
    if not all(0 <= value <= 1 for value in point):
        raise UsageError(ControlText.PERSON(text=text))
    return point


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def decode_command(line: bytes) -> Command:
    """Parse a line that a client sent. Raises UsageError."""
    record = _record(line)
    name, argument = record.get("command"), record.get("argument", "")
    if not isinstance(name, str) or not isinstance(argument, str) or not _is_possible(name + argument):
        raise UsageError(ControlText.REQUEST(example='{"command": "background", "argument": "next"}'))
    return parse_words([name, argument] if argument else [name])


def _is_possible(text: str) -> bool:
    """Return whether a file may have this in its name: no other text is of use, and some cannot be written."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def decode_answer(line: bytes) -> Answer:
    """Parse a line that the program answered. Raises UsageError."""
    record = _record(line)
    done, message, status = record.get("done"), record.get("message"), record.get("status")
    if not isinstance(done, bool) or not isinstance(message, str) or not (status is None or isinstance(status, dict)):
        raise UsageError(ControlText.ANSWER_UNKNOWN())
    return Answer(done, message, status, record.get("wrong_usage") is True)


def _record(line: bytes) -> dict[str, JsonValue]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise UsageError(ControlText.NOT_JSON())
    return record


def answer(controller: Controller, line: bytes) -> Answer:
    """Execute the command in `line`."""
    try:
        command = decode_command(line)
        if command.name == "status":
            return Answer(True, "", controller.status())
        return Answer(True, controller.run(command))
    except MattecamError as error:
        return Answer(False, error.text, wrong_usage=isinstance(error, UsageError))
