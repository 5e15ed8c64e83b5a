"""One tile of the strip of backgrounds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.core.settings import BackgroundSettings

GREEN = "#00b140"


class TileKind(Enum):
    """What a tile puts behind the person."""

    NONE = "none"
    BLUR = "blur"
    GREEN = "green"
    COLOUR = "colour"
    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: a kind, or a file."""

    kind: TileKind
    name: str
    path: Path | None = None
    own: bool = False
    """The user's own file, which can be renamed and removed."""
    broken: str = ""
    """Why the file cannot be used; empty where it can."""

    def chosen_by(self, settings: BackgroundSettings) -> bool:
        """Whether these settings show this tile."""
        green = settings.colour.lower() == GREEN
        if self.kind in (TileKind.GREEN, TileKind.COLOUR):
            return settings.kind == "colour" and green == (self.kind is TileKind.GREEN)
        return settings.kind == self.kind.value and (self.path is None or settings.path == self.path)

    def settings(self, before: BackgroundSettings, own_colour: str) -> BackgroundSettings:
        """The settings that choose this tile; what it does not speak of stays as before."""
        if self.kind is TileKind.GREEN:
            return before.replace(kind="colour", colour=GREEN)
        if self.kind is TileKind.COLOUR:
            return before.replace(kind="colour", colour=own_colour)
        if self.path is None:
            return before.replace(kind=self.kind.value)
        return before.replace(kind=self.kind.value, path=self.path)
