"""The command `ctl`: controls the running program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import notify
from app.config.setting import NO_VALUE, parse_background
from app.control.commands import COLLECT_S, SETTERS, Command, JsonValue, countdown_of, find_settable, parse_words
from app.control.transport import ask
from app.core import paths
from app.core.errors import MattecamError, UsageError
from app.core.files import is_file


def ctl(
    words: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="What to do, with its argument; see the list above.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Control the running program, such as from a desktop shortcut. Returns after the command took effect."""
    command = _with_absolute_path(parse_words(words))
    countdown_s = countdown_of(command.argument) if command.name == "plate" else None
    if countdown_s is not None:
        notify(f"Step out of the frame; capturing starts in {countdown_s:g} s and takes {COLLECT_S:g} s.")
    answer = ask(command)
    if not answer.done:
        raise (UsageError if answer.wrong_usage else MattecamError)(answer.message)
    if answer.status is not None:
        print(json.dumps(answer.status, indent=2) if as_json else status_line(answer.status))
    else:
        print(json.dumps({"message": answer.message}) if as_json else paths.advice(answer.message))


def _with_absolute_path(command: Command) -> Command:
    """Make paths in the command absolute, since the running program has another working directory."""
    argument = command.argument
    if command.name in SETTERS and argument:
        for name, text in command.values.items():
            if _names_file(name, text):
                return Command(command.name, argument.removesuffix(text) + _absolute(text))
        return command
    records = command.name in ("record", "record-alpha") and argument != "stop"
    reads_zones = command.name == "zones" and argument not in ("off", "undo")
    plate = command.name == "plate" and is_file(paths.from_user(argument))
    if command.name == "snapshot" or records or reads_zones or plate or _names_background(command):
        return Command(command.name, _absolute(argument))
    return command


def _absolute(file: str) -> str:
    return str(paths.from_user(file).absolute())


def _names_file(name: str, text: str) -> bool:
    """Return whether a setting has this text as the name of a file."""
    setting = find_settable(name)
    if setting is None or text in ("", NO_VALUE):
        return False
    return setting.is_path or (setting.name == "capture.source" and is_file(paths.from_user(text)))


def _names_background(command: Command) -> bool:
    """Return whether the argument is a file, and not another word that the command takes."""
    name = command.argument
    if command.name != "background" or name == "next" or name.isdecimal() or not paths.from_user(name).is_file():
        return False
    return parse_background(name).path is not None


def _model_in(status: Mapping[str, JsonValue]) -> str:
    model, weights = str(status.get("model") or "no model"), status.get("weights")
    return f"{model} with {Path(str(weights)).name}" if weights else model


def status_line(status: Mapping[str, JsonValue]) -> str:
    """Return the state of the program in one line."""
    state = "frozen" if status.get("frozen") and not status.get("paused") else str(status.get("phase"))
    parts = [
        "paused" if status.get("paused") else state,
        _model_in(status),
        f"{status.get('fps_out')} fps",
        f"background {status.get('background')}",
        str(status.get("virtual_camera") or status.get("pipewire") or "no virtual camera"),
    ]
    if status.get("recording"):
        parts.append(f"recording to {status['recording']}")
    if status.get("recording_alpha"):
        parts.append(f"recording the matte to {status['recording_alpha']}")
    return ", ".join(parts)
