"""Help of a command: its commands first, then its options in groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from app.cli.live_options import GROUPS, OPTIONS
from app.control.commands import SYNTAX

Row = tuple[str, str]


def _sections(parameters: Sequence[Any], context: Any, *, grouped: bool) -> dict[str, list[Row]]:
    """Return each title with its rows: option or argument, and help. Options of one command alone come first."""
    rows: dict[str, list[Row]] = {"Arguments": [], "Options": [], **{title: [] for title in GROUPS}}
    for parameter in parameters:
        row = parameter.get_help_record(context)
        if row is None:
            continue
        title = "Arguments" if parameter.param_type_name == "argument" else "Options"
        of_program = "Run" if parameter.name in ("version", "help") else None
        if grouped and title == "Options":
            title = OPTIONS[parameter.name].group if parameter.name in OPTIONS else of_program or title
        rows[title].append(row)
    return rows


def _summary(text: str) -> str:
    """Return the first sentence up to a colon or semicolon, in one line."""
    return re.split(r"[.:;](?=\s|$)", " ".join(text.split()), maxsplit=1)[0] + "."


def _write(command: Any, context: Any, formatter: Any) -> None:
    parameters = command.get_params(context)
    grouped = len(parameters) > 12
    for title, rows in _sections(parameters, context, grouped=grouped).items():
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
            formatter.write_dl(
                [(f"{name} {syntax.usage}".strip(), syntax.description) for name, syntax in SYNTAX.items()]
            )
        _write(self, ctx, formatter)
