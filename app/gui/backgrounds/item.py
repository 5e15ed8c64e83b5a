"""A tile of the background strip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.core.settings import BackgroundSettings

GREEN = "#00b140"


class TileKind(Enum):
    """Kinds of background."""

    NONE = "none"
    BLUR = "blur"
    GREEN = "green"
    COLOUR = "colour"
    IMAGE = "image"
    VIDEO = "video"


FIXED_KINDS = (TileKind.NONE, TileKind.BLUR, TileKind.GREEN, TileKind.COLOUR)
"""Kinds without a file, in the order of their numbers from 0 on."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A background that can be chosen: a kind, or a file."""

    kind: TileKind
    name: str
    path: Path | None = None
    own: bool = False
    """A file of the user, which can be renamed and removed."""
    broken: str = ""
    """Why the file cannot be used; empty for a usable file."""

    def chosen_by(self, settings: BackgroundSettings) -> bool:
        """Whether these settings choose this tile."""
        green = settings.colour.lower() == GREEN
        if self.kind in (TileKind.GREEN, TileKind.COLOUR):
            return settings.kind == "colour" and green == (self.kind is TileKind.GREEN)
        return settings.kind == self.kind.value and (self.path is None or settings.path == self.path)

    def settings(self, before: BackgroundSettings, own_colour: str) -> BackgroundSettings:
        """Return `before` changed so that it chooses this tile."""
        if self.kind is TileKind.GREEN:
            return before.replace(kind="colour", colour=GREEN)
        if self.kind is TileKind.COLOUR:
            return before.replace(kind="colour", colour=own_colour)
        if self.path is None:
            return before.replace(kind=self.kind.value)
        return before.with_file(self.kind.value, self.path)
