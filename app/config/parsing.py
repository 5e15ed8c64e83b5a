"""Values that the user writes: on the command line, in `ctl` and in files; and zones, JSON with an object for each."""

from __future__ import annotations

import re
from collections.abc import Callable
from os.path import lexists
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.core import paths
from app.core.errors import SettingsError, Text, UsageError, t
from app.core.files import BrokenFileError, is_folder, read_object, why_not_used
from app.core.settings import (
    COLOUR,
    BackgroundSettings,
    Model,
    PeopleSettings,
    Zone,
)
from app.media.image_file import kind_of_file

GREEN = "#00b140"
TRANSPARENT = "transparent"
"""The background of a film or an image that is cut out; no live picture has it."""
M = TypeVar("M", bound=Model)


class UnknownBackgroundError(UsageError):
    """A text names neither a kind of background nor a file."""


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


def parse_size(text: str) -> tuple[int, int]:
    """Parse a size such as `1280x720` to (1280, 720). Raises UsageError."""
    match = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text.strip())
    if match is None:
        raise UsageError(f"“{text}” is not a size; write it like 1280x720.")
    return int(match[1]), int(match[2])


def parse_pan(text: str) -> tuple[float, float]:
    """Parse a pan such as `0.5,-1` to (0.5, -1.0). Raises UsageError."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"“{text}” is not a position; write two numbers like 0.5,-1.") from None
    return x, y


def parse_background(text: str | Path, base: BackgroundSettings | None = None) -> BackgroundSettings:
    """Return `base` with the background that `text` names. Raises UsageError.

    A path always names a file. A file that does not exist is an error only where its name has no suffix: it may be on a
    disk that is not connected.
    """
    base = base or BackgroundSettings()
    if isinstance(text, Path):
        return _file_background(text, base)
    if text == "none":
        return base.replace(kind="none")
    if text == TRANSPARENT:
        raise UsageError(
            "A live picture has no transparent background; choose a colour, such as green. A film or an image has one "
            "(on the command line: `run.py convert --background transparent`)."
        )
    if text == "green":
        return base.replace(kind="colour", colour=GREEN)
    if text.startswith("#"):
        if not re.match(COLOUR, text):
            raise UsageError(f"“{text}” is not a colour; write it like #00b140.")
        return base.replace(kind="colour", colour=text)
    blur = re.fullmatch(r"(blur|bokeh)(?::(.*))?", text)
    if blur is not None:
        try:
            strength = base.blur_strength if blur[2] is None else float(blur[2])
        except ValueError:
            raise UsageError(f"“{blur[2]}” is not a blur strength; write a number from 0 to 100.") from None
        if not 0 <= strength <= 100:
            raise UsageError(f"“{blur[2]}” is not a blur strength; write a number from 0 to 100.")
        return base.replace(kind="blur", blur_strength=strength, bokeh=blur[1] == "bokeh")
    if not text:
        raise UsageError("The background is empty; write blur, a file, #RRGGBB, green or none.")
    path = paths.from_user(text)
    if "://" in text or is_folder(path) or not (path.suffix or lexists(path)):
        raise UnknownBackgroundError(f"There is no background “{text}”; write blur, a file, #RRGGBB, green or none.")
    return _file_background(path, base)


def _file_background(path: Path, base: BackgroundSettings) -> BackgroundSettings:
    return base.with_file(kind_of_file(path), path.absolute())


def describe_background(settings: BackgroundSettings) -> str:
    """Return the background as the command line writes it, such as `blur:50` or a file."""
    if settings.kind == "blur":
        return f"{'bokeh' if settings.bokeh else 'blur'}:{settings.blur_strength:g}"
    if settings.kind == "colour":
        return settings.colour
    return "none" if settings.kind == "none" else str(settings.path)


def replace_checked(model: M, changes: dict[str, Any]) -> M:
    """Return `model` with `changes`. Raises UsageError for an invalid value."""
    try:
        return model.replace(**changes)
    except ValidationError as error:
        first, problem = first_problem(error)
        name = str(first["loc"][0]).replace("_", "-") if first["loc"] else "value"
        raise UsageError(f"{name}: “{first['input']}” is not possible: {problem}.") from None


def read_zones(path: Path) -> tuple[Zone, ...]:
    """Return the zones in a file such as `{"zones": [{"kind": "drop", "points": [[0, 0], [1, 0]], "radius": 0.1}]}`.

    Raises SettingsError.
    """
    try:
        data = read_object(path)
        if data is None:
            raise SettingsError(t("The zones file {file} does not exist; check the path.", file=path))
        if set(data) != {"zones"}:
            raise BrokenFileError(t("it does not hold one list “zones” and nothing else"))
        zones = data["zones"] if isinstance(data["zones"], list) else []
        if any(isinstance(zone, dict) and zone.get("kind") == "keep" for zone in zones):
            raise BrokenFileError(
                t("it holds a keep zone, which shows the room; only zones of the kind “drop” can be used")
            )
        return PeopleSettings.model_validate(data).zones
    except (ValidationError, BrokenFileError, OSError) as error:
        reason = file_problem(error) if isinstance(error, ValidationError) else why_not_used(error)
        raise SettingsError(t("The zones file {file} cannot be used: {reason}.", file=path, reason=reason)) from error
