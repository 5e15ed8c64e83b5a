"""The background that the user names in `ctl background`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config.parsing import GREEN, parse_background
from app.core.errors import UsageError
from app.core.messages.control import ControlText
from app.core.settings import BackgroundSettings


@dataclass(frozen=True, slots=True)
class BackgroundFile:
    """An image or video that the user can choose by name."""

    path: Path
    name: str
    """As shown in the window."""

    def matches(self, text: str) -> bool:
        """Return whether `text` is the shown name, the file name or its stem, in upper or lower case."""
        return text.casefold() in {known.casefold() for known in (self.name, self.path.name, self.path.stem)}


FIXED = ("none", "blur", "green", "colour")
"""The tiles before the files, in the order of the window; tile numbers start at 0."""


def next_background(current: BackgroundSettings, files: Sequence[BackgroundFile]) -> BackgroundSettings:
    """Return the background after `current`: blur, every file, then blur again; never "none". Raises UsageError."""
    paths = [file.path for file in files]
    if current.kind == "blur":
        following = 0
    elif current.kind in ("image", "video") and current.path in paths:
        following = paths.index(current.path) + 1
    else:
        return current.replace(kind="blur")
    if not paths:
        raise UsageError(ControlText.NO_OTHER_BACKGROUND())
    if following == len(paths):
        return current.replace(kind="blur")
    return parse_background(str(paths[following]), current)


def named_background(text: str, current: BackgroundSettings, files: Sequence[BackgroundFile]) -> BackgroundSettings:
    """Return the background with this name, tile number, or value of `--background`.

    Raises UsageError, which lists the choices.
    """
    if text.isdecimal():
        return _tile(int(text), current, files)
    file = next((file for file in files if file.matches(text)), None)
    if file is not None:
        return parse_background(str(file.path), current)
    if text.casefold() in FIXED:
        return _fixed(text.casefold(), current)
    chosen = parse_background(text, current)
    if chosen.kind in ("image", "video") and not (chosen.path and chosen.path.is_file()):
        raise UsageError(ControlText.NO_BACKGROUND(text=text, choices=_choices(files)))
    return chosen


def description(background: BackgroundSettings, files: Sequence[BackgroundFile]) -> str:
    """Return the background as an answer names it."""
    if background.kind in ("image", "video") and background.path is not None:
        return next((file.name for file in files if file.path == background.path), background.path.name)
    if background.kind == "colour":
        return background.colour
    return "none; the outputs show the room" if background.kind == "none" else background.kind


def _tile(number: int, current: BackgroundSettings, files: Sequence[BackgroundFile]) -> BackgroundSettings:
    if number < len(FIXED):
        return _fixed(FIXED[number], current)
    if number - len(FIXED) < len(files):
        return parse_background(str(files[number - len(FIXED)].path), current)
    raise UsageError(ControlText.NO_TILE(number=number, choices=_choices(files)))


def _fixed(name: str, current: BackgroundSettings) -> BackgroundSettings:
    if name == "green":
        return current.replace(kind="colour", colour=GREEN)
    return current.replace(kind=name)


def _choices(files: Sequence[BackgroundFile]) -> str:
    names = [*FIXED, *(file.name for file in files)]
    return ", ".join(f"{number} {name}" for number, name in enumerate(names))
