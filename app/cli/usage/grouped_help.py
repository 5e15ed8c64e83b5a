"""Help of a command: its commands first, then its options in groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from app.cli.usage.ctl_help import DESCRIPTIONS
from app.control.commands import SYNTAX

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Camera": ("source", "size", "fps", "format", "on_demand"),
    "Background": (
        "background",
        "distance_blur",
        "background_fit",
        "background_zoom",
        "background_pan",
        "slide",
        "parallax",
    ),
    "Person and framing": (
        "zoom",
        "pan",
        "place",
        "auto_framing",
        "only_me",
        "zones",
        "light_match",
        "light_wrap",
        "portrait_light",
    ),
    "Outputs": (
        "virtual_camera",
        "virtual_camera_backend",
        "alpha_output",
        "pipewire",
        "overlay",
        "overlay_text",
        "mirror",
        "record",
        "record_alpha",
        "record_rate",
        "encoder",
        "microphone",
    ),
    "Matting": (
        "strict",
        "region",
        "engine",
        "server",
        "model",
        "weights",
        "refiner",
        "plate",
        "device",
        "executor",
        "precision",
        "downsample_ratio",
        "governor",
    ),
    "Run": (
        "seconds",
        "frames",
        "status_json",
        "minimised",
        "global_shortcuts",
        "config",
        "profile",
        "verbose",
        "version",
        "help",
    ),
}
"""Titles and the names of the options below them. Options of one command alone come first, without a group."""
Row = tuple[str, str]


def _sections(parameters: Sequence[Any], context: Any, *, grouped: bool) -> Iterator[tuple[str, list[Row]]]:
    """Yield each title with its rows: option or argument, and help."""
    rows: dict[str, list[tuple[int, Row]]] = {"Arguments": [], "Options": [], **{title: [] for title in GROUPS}}
    for parameter in parameters:
        row = parameter.get_help_record(context)
        if row is None:
            continue
        title = "Arguments" if parameter.param_type_name == "argument" else "Options"
        known = next((group for group, names in GROUPS.items() if parameter.name in names), None)
        if grouped and title == "Options" and known is not None:
            rows[known].append((GROUPS[known].index(parameter.name), row))
        else:
            rows[title].append((0, row))
    for title, found in rows.items():
        yield title, [row for _, row in sorted(found, key=lambda each: each[0])]


def _summary(text: str) -> str:
    """Return the first sentence up to a colon or semicolon, in one line."""
    return re.split(r"[.:;](?=\s|$)", " ".join(text.split()), maxsplit=1)[0] + "."


def _write(command: Any, context: Any, formatter: Any) -> None:
    parameters = command.get_params(context)
    grouped = len(parameters) > 12
    for title, rows in _sections(parameters, context, grouped=grouped):
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


class GroupedCommand(TyperCommand):
    """A command whose help shows its options in groups."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write(self, ctx, formatter)


class GroupedProgram(TyperGroup):
    """The program, whose help lists its commands before its options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write commands, then options."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(command.help or "")) for name, command in self.commands.items()])
        _write(self, ctx, formatter)


class ControlCommand(TyperCommand):
    """The command `ctl`, whose help lists what it may be told."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands for the running program, then the options."""
        with formatter.section("Commands for the running program"):
            formatter.write_dl([(f"{name} {SYNTAX[name].usage}".strip(), DESCRIPTIONS[name]) for name in SYNTAX])
        _write(self, ctx, formatter)
