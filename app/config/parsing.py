"""Values that the user writes: on the command line, in `ctl` and in files; and zones, JSON with an object for each."""

from __future__ import annotations

import re
from os.path import lexists
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from app.config.value_problem import file_problem, first_problem
from app.core.errors import SettingsError, UsageError
from app.core.files import paths
from app.core.files.disk_errors import why_not_read
from app.core.files.json_file import BrokenFileError, read_object
from app.core.files.names import is_folder
from app.core.settings import (
    COLOUR,
    BackgroundSettings,
    Model,
    PeopleSettings,
    Zone,
)
from app.core.text import t
from app.media.image_file import kind_of_file

GREEN = "#00b140"
TRANSPARENT = "transparent"
"""The background of a film or an image that is cut out; no live picture has it."""
M = TypeVar("M", bound=Model)


class UnknownBackgroundError(UsageError):
    """A text names neither a kind of background nor a file."""


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
        if isinstance(error, ValidationError):
            reason: str = file_problem(error)
        else:
            reason = error.text if isinstance(error, BrokenFileError) else why_not_read(error)
        raise SettingsError(t("The zones file {file} cannot be used: {reason}.", file=path, reason=reason)) from error
