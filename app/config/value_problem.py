"""Turns the first error of pydantic into a part of a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.core.messages.settings import FileReason, ValueProblem
from app.core.settings import COLOUR
from app.core.text import Text

_PATTERNS: dict[str, ValueProblem] = {COLOUR: ValueProblem.COLOUR}

_PROBLEMS: dict[str, Callable[[dict[str, Any]], Text]] = {
    "literal_error": lambda context: ValueProblem.CHOICE(expected=context["expected"]),
    "greater_than_equal": lambda context: ValueProblem.AT_LEAST(limit=_number(context["ge"])),
    "less_than_equal": lambda context: ValueProblem.AT_MOST(limit=_number(context["le"])),
    "too_long": lambda context: ValueProblem.FEWER(limit=context["max_length"]),
    "too_short": lambda context: ValueProblem.MORE(limit=context["min_length"]),
    "string_pattern_mismatch": lambda context: _PATTERNS.get(context["pattern"], ValueProblem.TEXT)(),
    "string_too_long": lambda context: ValueProblem.LONGER(limit=context["max_length"]),
    "string_too_short": lambda context: ValueProblem.EMPTY(),
    "missing": lambda context: ValueProblem.ABSENT(),
    "extra_forbidden": lambda context: ValueProblem.UNKNOWN(),
}
"""By the type of pydantic's error; its context as argument."""

_KINDS: tuple[tuple[tuple[str, ...], ValueProblem], ...] = (
    (("float_", "finite_number"), ValueProblem.NUMBER),
    (("int_",), ValueProblem.WHOLE_NUMBER),
    (("bool_",), ValueProblem.SWITCH),
    (("string_", "path_"), ValueProblem.TEXT),
    (("tuple_", "list_"), ValueProblem.LIST),
    (("dict_", "model_", "mapping_"), ValueProblem.OBJECT),
)
"""The same by how the type begins."""


def _number(limit: Any) -> str:
    return f"{limit:g}"


def file_problem(error: ValidationError) -> Text:
    """Return the field of a file and why its value is not possible."""
    first, problem = first_problem(error)
    field = ".".join(str(part) for part in first["loc"]) or "settings"
    return FileReason.INVALID(field=field, problem=problem)


def first_problem(error: ValidationError) -> tuple[ErrorDetails, Text | str]:
    """Return the first error and why its value is not possible, for a sentence that names the field."""
    first = error.errors(include_url=False)[0]
    known = _PROBLEMS.get(first["type"])
    if known is not None:
        return first, known(first.get("ctx", {}))
    for beginnings, problem in _KINDS:
        if first["type"].startswith(beginnings):
            return first, problem()
    return first, first["msg"].removeprefix("Value error, ")
