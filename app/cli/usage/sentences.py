"""Turns what the parser of the command line refuses into one sentence."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from typer.core import TyperOption
from typer.exceptions import TyperException

from app.config.value_problem import first_problem
from app.core.messages.command_line import ParserText, UsageText
from app.core.text import Text


def refusal(error: TyperException) -> Text:
    """Return the sentence for an error of the parser, with what to do."""
    context = getattr(error, "ctx", None)
    # The first word is the name of the program.
    command = " ".join(["python3 run.py", *(context.command_path.split()[1:] if context else ())])
    kind = type(error).__name__
    if kind == "NoSuchOption":
        option, similar = getattr(error, "option_name", ""), tuple(getattr(error, "possibilities", None) or ())
        similar = tuple(get_close_matches(option, similar, cutoff=0.7))
        if similar:
            return ParserText.SIMILAR(name=option, names=similar)
        return ParserText.NO_OPTION(option=option, command=command)
    if kind == "BadOptionUsage":
        message = ParserText.NO_VALUE if "does not take" in error.message else ParserText.VALUE_MISSING
        return message(option=getattr(error, "option_name", ""))
    parameter = getattr(error, "param", None)
    if parameter is None:
        return _of_words(error.message, command)
    if kind == "MissingParameter":
        return ParserText.MISSING(name=_name(parameter), command=command)
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        first, problem = first_problem(cause)
        return UsageText.INVALID(option=_name(parameter), value=str(first["input"]), problem=problem)
    return ParserText.OTHER(message=f"{_name(parameter)}: {error.message.rstrip('.')}", command=command)


def _name(parameter: Any) -> str:
    if isinstance(parameter, TyperOption):
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name.upper()).strip("[]. ")


def _of_words(message: str, command: str) -> Text:
    """Return the sentence for words that are no command, or too many."""
    unknown = re.match(r"No such command '(.*?)'\.?(?: Did you mean (.*)\?)?$", message, re.DOTALL)
    if unknown is not None and unknown[2]:
        return ParserText.SIMILAR(name=unknown[1], names=tuple(re.findall(r"'(.*?)'", unknown[2])))
    if unknown is not None:
        return ParserText.NO_COMMAND(name=unknown[1], command=command)
    more = re.match(r"Got unexpected extra argument\S* \((.*)\)", message, re.DOTALL)
    if more is not None:
        return ParserText.TOO_MANY(words=more[1], command=command)
    return ParserText.OTHER(message=message.rstrip("."), command=command)
