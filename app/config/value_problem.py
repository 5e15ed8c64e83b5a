"""Turns the first error of pydantic into a part of a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.core.settings import COLOUR
from app.core.text import Text, t

_PATTERNS = {COLOUR: t("it must be a colour like #00b140")}

_PROBLEMS: dict[str, Callable[[dict[str, Any]], Text]] = {
    "literal_error": lambda context: t("it must be one of {expected}", expected=context["expected"]),
    "greater_than_equal": lambda context: t("it must be at least {limit}", limit=_number(context["ge"])),
    "less_than_equal": lambda context: t("it must be at most {limit}", limit=_number(context["le"])),
    "too_long": lambda context: t("it has more than {limit} parts", limit=context["max_length"]),
    "too_short": lambda context: t("it has fewer than {limit} parts", limit=context["min_length"]),
    "string_pattern_mismatch": lambda context: _PATTERNS.get(context["pattern"], t("it must be text")),
    "string_too_long": lambda context: t("it has more than {limit} characters", limit=context["max_length"]),
    "string_too_short": lambda context: t("it is empty"),
    "missing": lambda context: t("it is missing"),
    "extra_forbidden": lambda context: t("there is no such setting"),
}
"""By the type of pydantic's error; its context as argument."""

_KINDS: tuple[tuple[tuple[str, ...], Text], ...] = (
    (("float_", "finite_number"), t("it must be a number")),
    (("int_",), t("it must be a whole number")),
    (("bool_",), t("it must be true or false")),
    (("string_", "path_"), t("it must be text")),
    (("tuple_", "list_"), t("it must be a list")),
    (("dict_", "model_", "mapping_"), t("it must be an object with names and values")),
)
"""The same by how the type begins."""


def _number(limit: Any) -> str:
    return f"{limit:g}"


def file_problem(error: ValidationError) -> Text:
    """Return the field of a file and why its value is not possible."""
    first, problem = first_problem(error)
    field = ".".join(str(part) for part in first["loc"]) or "settings"
    return t("{field}: {problem}", field=field, problem=problem)


def first_problem(error: ValidationError) -> tuple[ErrorDetails, Text | str]:
    """Return the first error and why its value is not possible, for a sentence that names the field."""
    first = error.errors(include_url=False)[0]
    known = _PROBLEMS.get(first["type"])
    if known is not None:
        return first, known(first.get("ctx", {}))
    for beginnings, problem in _KINDS:
        if first["type"].startswith(beginnings):
            return first, problem
    return first, first["msg"].removeprefix("Value error, ")
