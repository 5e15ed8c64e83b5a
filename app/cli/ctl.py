"""The command `ctl`: controls the running program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import notify
from app.config import paths, program
from app.config.parsing import parse_background
from app.config.setting import NO_VALUE
from app.control import Command, ask, parse_words
from app.control.arguments.plate import countdown_of, is_taking
from app.control.commands import JsonValue
from app.control.values import find_settable
from app.core.errors import MattecamError, UsageError
from app.core.messages.command_line import CommandLineText
from app.core.plate_times import COLLECT_S


def ctl(
    words: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="What to do, with its argument; see the list above.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Control the running program, such as from a desktop shortcut. Returns after the command took effect."""
    command = _with_absolute_path(parse_words(words))
    if command.name == "plate" and is_taking(command.argument):
        notify(CommandLineText.STEP_OUT(countdown=f"{countdown_of(command.argument):g}", seconds=f"{COLLECT_S:g}"))
    answer = ask(command)
    if not answer.done:
        raise (UsageError if answer.wrong_usage else MattecamError)(answer.message)
    if answer.status is not None:
        print(json.dumps(answer.status, indent=2) if as_json else status_line(answer.status))
    else:
        print(json.dumps({"message": answer.message}) if as_json else program.advice(answer.message))


def _with_absolute_path(command: Command) -> Command:
    """Make paths in the command absolute, since the running program has another working directory."""
    if command.name == "set":
        return _with_absolute_value(command)
    records = command.name in ("record", "record-alpha") and command.argument != "stop"
    new_file = command.name == "snapshot" or records
    a_file = command.name == "zones" and command.argument not in ("off", "undo")
    word, _, file = command.argument.partition(" ")
    if command.name == "server" and file not in ("", "none"):
        return Command(command.name, f"{word} {Path(file).expanduser().absolute()}")
    if new_file or a_file or _names_existing(command):
        return Command(command.name, str(Path(command.argument).expanduser().absolute()))
    return command


def _names_existing(command: Command) -> bool:
    """Return whether the argument is a file, or a folder of images, and not another word that the command takes."""
    if command.name == "background":
        if command.argument == "next" or command.argument.isdecimal() or not paths.from_user(command.argument).exists():
            return False
        return parse_background(command.argument).path is not None
    return command.name in ("overlay", "plate") and Path(command.argument).is_file()


def _with_absolute_value(command: Command) -> Command:
    name, _, value = command.argument.partition(" ")
    setting = find_settable(name)
    is_file = setting is not None and (setting.is_path or (setting.name == "capture.source" and Path(value).is_file()))
    return (
        Command("set", f"{name} {Path(value).expanduser().absolute()}")
        if value not in ("", NO_VALUE) and is_file
        else command
    )


def status_line(status: Mapping[str, JsonValue]) -> str:
    """Return the state of the program in one line."""
    state = "frozen" if status.get("frozen") and not status.get("paused") else str(status.get("phase"))
    parts = [
        "paused" if status.get("paused") else state,
        str(status.get("model") or "no model"),
        f"{status.get('fps_out')} fps",
        f"background {status.get('background')}",
        str(status.get("virtual_camera") or status.get("pipewire") or "no virtual camera"),
    ]
    server = {"connecting": "connecting to the server", "local": "server failed, matting on this computer"}
    if status.get("server_state") in server:
        parts.insert(2, server[str(status["server_state"])])
    elif status.get("round_trip_ms") is not None:
        parts.insert(2, f"round trip {status['round_trip_ms']} ms")
    if status.get("recording"):
        parts.append(f"recording to {status['recording']}")
    if status.get("recording_alpha"):
        parts.append(f"recording the matte to {status['recording_alpha']}")
    return ", ".join(parts)
