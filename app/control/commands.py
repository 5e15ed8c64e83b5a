"""What can be asked of the running program, and how it is written: one line of JSON there, one line back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.errors import MattecamError, UsageError
from app.core.settings import MAX_RATIO, MAX_ZOOM, MIN_RATIO

JsonValue = str | int | float | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

MAX_LINE_BYTES = 64 * 1024
_WITH_ARGUMENT = ("background", "scene", "ratio", "zoom")
_WITHOUT_ARGUMENT = ("pause", "resume", "freeze", "status", "quit")


@dataclass(frozen=True, slots=True)
class Command:
    """One wish."""

    name: str
    argument: str = ""

    def encode(self) -> bytes:
        """One line of JSON."""
        return json.dumps({"command": self.name, "argument": self.argument}).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program says to it."""

    done: bool
    message: str = ""
    """A sentence for the user: what is now so, or why not."""
    status: Mapping[str, JsonValue] | None = None
    """For the command `status`: the fields of `--status-json`."""

    def encode(self) -> bytes:
        """One line of JSON."""
        return json.dumps({"done": self.done, "message": self.message, "status": self.status}).encode() + b"\n"


class Controller(Protocol):
    """The running program, as the control server sees it; called on the server's thread.

    Each method gives the sentence for the user and raises a MattecamError where the wish cannot be met.
    """

    def background(self, name: str) -> str:
        """`next`, `blur[:0-100]`, `none`, a colour, or a background's file name."""
        ...

    def pause(self) -> str:
        """Show the stand-by card; a second time: go on."""
        ...

    def resume(self) -> str:
        """Go on, and thaw."""
        ...

    def freeze(self) -> str:
        """Keep the last picture; a second time: go on."""
        ...

    def scene(self, name: str) -> str:
        """Take over a saved scene."""
        ...

    def ratio(self, ratio: float | None) -> str:
        """Set the downsample ratio; None: automatic."""
        ...

    def zoom(self, zoom: float) -> str:
        """Zoom into the source's picture; 1: all of it."""
        ...

    def status(self) -> Mapping[str, JsonValue]:
        """The fields of `--status-json`."""
        ...

    def quit(self) -> str:
        """Ask the program to end; returns at once."""
        ...


def parse_words(words: Sequence[str]) -> Command:
    """Words of the command line as a command. Raises UsageError."""
    if not words:
        raise UsageError(f"Say what to do: {_known()}.")
    name, rest = words[0], list(words[1:])
    if name in _WITHOUT_ARGUMENT:
        if rest:
            raise UsageError(f"{name} takes no further words, but got {' '.join(rest)}.")
        return Command(name)
    if name not in _WITH_ARGUMENT:
        raise UsageError(f"There is no command {name!r}; there are {_known()}.")
    argument = " ".join(rest).strip()
    if not argument:
        raise UsageError(f"{name} needs one more word, such as {_example(name)}.")
    if name == "ratio":
        parse_ratio(argument)
    elif name == "zoom":
        parse_zoom(argument)
    return Command(name, argument)


def parse_ratio(text: str) -> float | None:
    """`auto` (None) or a number. Raises UsageError."""
    if text == "auto":
        return None
    ratio = _number(text)
    if not MIN_RATIO <= ratio <= MAX_RATIO:
        raise UsageError(f"The ratio must be auto or between {MIN_RATIO} and {MAX_RATIO:g}, not {text!r}.")
    return ratio


def parse_zoom(text: str) -> float:
    """A number. Raises UsageError."""
    zoom = _number(text)
    if not 1 <= zoom <= MAX_ZOOM:
        raise UsageError(f"The zoom must be between 1 and {MAX_ZOOM:g}, not {text!r}.")
    return zoom


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def decode_command(line: bytes) -> Command:
    """A line that came in as a command. Raises UsageError for anything else."""
    record = _record(line)
    name, argument = record.get("command"), record.get("argument", "")
    if not isinstance(name, str) or not isinstance(argument, str):
        raise UsageError('A request is one line of JSON such as {"command": "background", "argument": "next"}.')
    return parse_words([name, argument] if argument else [name])


def decode_answer(line: bytes) -> Answer:
    """A line that came back as an answer. Raises UsageError for anything else."""
    record = _record(line)
    done, message, status = record.get("done"), record.get("message"), record.get("status")
    if not isinstance(done, bool) or not isinstance(message, str) or not (status is None or isinstance(status, dict)):
        raise UsageError("The running program gave an answer that this version does not understand.")
    return Answer(done, message, status)


def _record(line: bytes) -> dict[str, JsonValue]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise UsageError("That is not one line with a JSON object.")
    return record


def answer(controller: Controller, line: bytes) -> Answer:
    """Do what a line asks for."""
    try:
        command = decode_command(line)
        if command.name == "status":
            return Answer(True, "", controller.status())
        return Answer(True, _actions(controller)[command.name](command.argument))
    except MattecamError as error:
        return Answer(False, str(error))


def _actions(controller: Controller) -> dict[str, Callable[[str], str]]:
    return {
        "background": controller.background,
        "scene": controller.scene,
        "ratio": lambda text: controller.ratio(parse_ratio(text)),
        "zoom": lambda text: controller.zoom(parse_zoom(text)),
        "pause": lambda _: controller.pause(),
        "resume": lambda _: controller.resume(),
        "freeze": lambda _: controller.freeze(),
        "quit": lambda _: controller.quit(),
    }


def _known() -> str:
    return ", ".join(sorted(_WITH_ARGUMENT + _WITHOUT_ARGUMENT))


def _example(name: str) -> str:
    return {"background": "next", "scene": "the scene's name", "ratio": "0.3", "zoom": "1.5"}[name]
