"""The command `ctl`: controls the running program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import notify
from app.config.setting import NO_VALUE, parse_background
from app.control.commands import (
    COLLECT_S,
    SYNTAX,
    Command,
    Status,
    countdown_of,
    find_settable,
    parse_words,
)
from app.control.transport import ask
from app.core import paths
from app.core.errors import MattecamError, UsageError
from app.core.files import is_file

# Commands whose argument is a file unless it is one of their words.
OF_A_FILE = ("record", "record-alpha", "snapshot")


def ctl(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND",
            help="What to do, with its argument; see the list above.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Control the running program, such as from a desktop shortcut. Returns after the command took
    effect.
    """
    command = _with_absolute_path(parse_words(words))
    if command.name == "plate":
        countdown_s = countdown_of(command.argument)
        notify(
            f"Step out of the frame; capturing starts in {countdown_s:g} s and takes {COLLECT_S:g} "
            "s.",
        )
    answer = ask(command)
    if not answer.done and answer.wrong_usage:
        raise UsageError(answer.message)
    if not answer.done:
        raise MattecamError(answer.message)
    if answer.status is None:
        print(json.dumps({"message": answer.message}) if as_json else answer.message)
    else:
        print(json.dumps(answer.status, indent=2) if as_json else status_line(answer.status))


def _with_absolute_path(command: Command) -> Command:
    """Make a path in the command absolute, since the running program has another working
    directory.
    """
    text = command.argument
    if command.name == "set":
        name, value = command.assignment
        if _names_file(name, value):
            return Command(command.name, f"{name} {_absolute(value)}")
    elif command.name in OF_A_FILE and text not in SYNTAX[command.name].usage.split("|"):
        return Command(command.name, _absolute(text))
    elif command.name == "background" and text != "next" and is_file(paths.from_user(text)):
        if parse_background(text).path is None:  # a file called blur
            return command
        return Command(command.name, _absolute(text))
    return command


def _names_file(name: str, value: str) -> bool:
    """Return whether the value of a setting is a path."""
    setting = find_settable(name)
    if setting is None:
        return False
    if setting.name == "capture.source":  # which may also be a camera
        return is_file(paths.from_user(value))
    return setting.is_path and value != NO_VALUE


def _absolute(file: str) -> str:
    return str(paths.from_user(file).absolute())


def status_line(status: Status) -> str:
    """Return the state of the program in one line."""
    state = str(status.get("phase"))
    if status.get("paused"):
        state = "paused"
    elif status.get("frozen"):
        state = "frozen"
    model = status.get("model") or "no model"
    weights = status.get("weights")
    if weights:
        model = f"{model} with {Path(weights).name}"
    parts = [
        state,
        model,
        f"{status.get('fps_out')} fps",
        f"background {status.get('background')}",
        str(status.get("virtual_camera") or status.get("pipewire") or "no virtual camera"),
    ]
    if status.get("recording"):
        parts.append(f"recording to {status['recording']}")
    if status.get("recording_alpha"):
        parts.append(f"recording the matte to {status['recording_alpha']}")
    return ", ".join(parts)
