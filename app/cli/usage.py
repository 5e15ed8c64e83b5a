"""How the command line explains itself: commands first and options in groups, and one sentence for each wrong usage."""

from __future__ import annotations

import inspect
import re
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException

from app.cli.options import GROUPS, RUN
from app.config.parsing import first_problem
from app.control.commands import SYNTAX

Row = tuple[str, str]

VALUES = {"float range": "N", "int range": "N", "path": "FILE"}
"""What the help shows of an option's value in place of its type."""


def _summary(text: str) -> str:
    """Return the first sentence up to a colon or semicolon, in one line."""
    return re.split(r"[.:;](?=\s|$)", " ".join(text.split()), maxsplit=1)[0] + "."


def _write(command: Any, context: Any, formatter: Any) -> None:
    """Write arguments and options; many options are in groups, those of one command alone come first."""
    parameters = command.get_params(context)
    grouped = len(parameters) > 12
    sections: dict[str, list[Row]] = {"Arguments": [], "Options": [], **{title: [] for title in GROUPS}}
    for parameter in parameters:
        row = parameter.get_help_record(context)
        if row is None:
            continue
        is_argument = parameter.param_type_name == "argument"
        row = re.sub(r" <(.+?)>", "" if is_argument else lambda kind: f" {VALUES[kind[1]]}", row[0]), row[1]
        title = "Arguments" if is_argument else "Options"
        if grouped and not is_argument:
            of_program = RUN if parameter.name in ("version", "help") else None
            title = parameter.rich_help_panel or of_program or title
        sections[title].append(row)
    for title, rows in sections.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


class GroupedCommand(TyperCommand):
    """A command whose help shows its options in groups."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write(self, ctx, formatter)


class GroupedProgram(TyperGroup):
    """The program or a group of commands, whose help lists the commands before the options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write commands, then options."""
        with formatter.section("Commands"):
            shown = _summary if ctx.parent is None else inspect.cleandoc
            formatter.write_dl([(name, shown(command.help or "")) for name, command in self.commands.items()])
        _write(self, ctx, formatter)


class ControlCommand(GroupedCommand):
    """The command `ctl`, whose help lists the commands of the running program."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands for the running program, then the options."""
        with formatter.section("Commands for the running program"):
            rows = [(f"{name} {syntax.usage}".strip(), syntax.description) for name, syntax in SYNTAX.items()]
            formatter.write_dl(rows)
        super().format_options(ctx, formatter)


def refusal(error: TyperException) -> str:
    """Return the sentence for an error of the parser, with what to do."""
    context = getattr(error, "ctx", None)
    # The first word is the name of the program.
    command = " ".join(["python3 run.py", *(context.command_path.split()[1:] if context else ())])
    kind = type(error).__name__
    if kind == "NoSuchOption":
        option, similar = getattr(error, "option_name", ""), tuple(getattr(error, "possibilities", None) or ())
        similar = tuple(get_close_matches(option, similar, cutoff=0.7))
        if similar:
            return f"There is no “{option}”; did you mean {', '.join(similar)}?"
        return f"There is no option {option}; `{command} --help` lists the options."
    if kind == "BadOptionUsage":
        option = getattr(error, "option_name", "")
        if "does not take" in error.message:
            return f"{option} takes no value; write the option alone."
        return f"{option} needs a value; write it after the option."
    parameter = getattr(error, "param", None)
    if parameter is None:
        return _of_words(error.message, command)
    if kind == "MissingParameter":
        return f"{_name(parameter)} is missing; `{command} --help` shows what belongs there."
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        first, problem = first_problem(cause)
        return f"{_name(parameter)}: “{first['input']}” is not possible: {problem}."
    return f"{_name(parameter)}: {error.message.rstrip('.')}; `{command} --help` shows the usage."


def _name(parameter: Any) -> str:
    if isinstance(parameter, TyperOption):
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name.upper()).strip("[]. ")


def _of_words(message: str, command: str) -> str:
    """Return the sentence for words that are no command, or too many."""
    unknown = re.match(r"No such command '(.*?)'\.?(?: Did you mean (.*)\?)?$", message, re.DOTALL)
    if unknown is not None and unknown[2]:
        similar = re.findall(r"'(.*?)'", unknown[2])
        return f"There is no “{unknown[1]}”; did you mean {', '.join(similar)}?"
    if unknown is not None:
        return f"There is no command “{unknown[1]}”; `{command} --help` lists the commands."
    more = re.match(r"Got unexpected extra argument\S* \((.*)\)", message, re.DOTALL)
    if more is not None:
        return f"“{more[1]}” is too much; `{command} --help` shows what belongs there."
    return f"{message.rstrip('.')}; `{command} --help` shows the usage."
