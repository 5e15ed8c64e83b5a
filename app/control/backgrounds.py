"""The background that the user names in `ctl background`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.config.parsing import GREEN, UnknownBackgroundError, parse_background
from app.control.changes import CommandError
from app.core.errors import UsageError
from app.core.files import exists
from app.core.settings import BackgroundSettings


@dataclass(frozen=True, slots=True)
class BackgroundFile:
    """An image or video that the user can choose by name."""

    path: Path
    name: str
    """As shown in the window."""
    alias: str = ""
    """The English name where the window shows a translated one."""

    def matches(self, text: str) -> bool:
        """Return whether `text` is a name, the file name or its stem; case, "-" and "_" for spaces do not matter."""
        names = (self.name, self.alias, self.path.name, self.path.stem)
        return _comparable(text) in {_comparable(known) for known in names if known}


def _comparable(name: str) -> str:
    return name.casefold().replace("-", " ").replace("_", " ")


MAX_DIGITS = 4
"""Longer numbers name files."""
FIXED = ("none", "blur", "green", "colour")
"""The tiles that are no files; tile numbers start at 0."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The backgrounds that the user can name."""

    files: Sequence[BackgroundFile]
    fixed_names: tuple[str, ...] = FIXED
    """The names of these tiles as shown in the window."""
    own_colour: str | None = None
    """Colour of the tile "colour"; None: the colour in the settings."""

    def fixed(self, text: str) -> str | None:
        """Return the entry of `FIXED` that `text` names, in English or as shown; None if it names another."""
        for name, shown in zip(FIXED, self.fixed_names, strict=True):
            if text.casefold() in (name, shown.casefold()):
                return name
        return None

    def choices(self) -> str:
        """Return the numbers and names of all tiles."""
        fixed = zip(FIXED, self.fixed_names, strict=True)
        names = [name if shown.casefold() == name else f"{name} ({shown})" for name, shown in fixed]
        names += [file.name for file in self.files]
        return ", ".join(f"{number} {name}" for number, name in enumerate(names))


def next_background(
    current: BackgroundSettings, files: Sequence[BackgroundFile], *, blur: bool = True
) -> BackgroundSettings:
    """Return the background after `current`: blur, every file, then blur again; never "none".

    blur: whether to use it; one that shows text is left out. Raises UsageError.
    """
    paths = [file.path for file in files]
    if current.kind == "blur":
        following = 0
    elif current.file in paths:
        following = paths.index(current.file) + 1
    else:
        following = len(paths)
    if following == len(paths) and blur and current.kind != "blur":
        return current.replace(kind="blur")
    if not paths:
        raise CommandError("There is no other background; add images or videos first.")
    return parse_background(str(paths[following % len(paths)]), current)


def named_background(text: str, current: BackgroundSettings, tiles: Tiles) -> BackgroundSettings:
    """Return the background with this name, tile number, or value of `--background`.

    Raises UsageError, which lists the choices.
    """
    if text.isdecimal() and len(text) <= MAX_DIGITS:
        return _tile(int(text), current, tiles)
    file = next((file for file in tiles.files if file.matches(text)), None)
    if file is not None:
        return parse_background(str(file.path), current)
    fixed = tiles.fixed(text)
    if fixed is not None:
        return _fixed(fixed, current, tiles)
    with suppress(UnknownBackgroundError):
        chosen = parse_background(text, current)
        if chosen.file is None or exists(chosen.file):
            return chosen
    raise UsageError(f"There is no background and no file “{text}”; the backgrounds are {tiles.choices()}.")


def description(background: BackgroundSettings, files: Sequence[BackgroundFile]) -> str:
    """Return the background as an answer names it."""
    if background.file is not None:
        return next((file.name for file in files if file.path == background.file), background.file.name)
    if background.kind == "colour":
        return background.colour
    if background.kind == "blur" and background.bokeh:
        return "bokeh"
    return "none; the outputs show the room" if background.kind == "none" else background.kind


def _tile(number: int, current: BackgroundSettings, tiles: Tiles) -> BackgroundSettings:
    if number < len(FIXED):
        return _fixed(FIXED[number], current, tiles)
    if number - len(FIXED) < len(tiles.files):
        return parse_background(str(tiles.files[number - len(FIXED)].path), current)
    raise UsageError(f"There is no tile {number}; the backgrounds are {tiles.choices()}.")


def _fixed(name: str, current: BackgroundSettings, tiles: Tiles) -> BackgroundSettings:
    if name in ("green", "colour"):
        return current.replace(kind="colour", colour=GREEN if name == "green" else tiles.own_colour or current.colour)
    return current.replace(kind=name)
