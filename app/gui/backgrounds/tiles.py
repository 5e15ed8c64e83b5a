"""The tiles of the background strip: their names in the language of the window (thread-safe), and their list model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt
from PyQt6.QtGui import QImage

from app.backgrounds.kinds import named_backgrounds
from app.config.parsing import GREEN
from app.control.backgrounds import BackgroundFile, Tiles
from app.core.settings import BackgroundSettings
from app.gui.i18n.messages import tr
from app.gui.widgets.qt import tip_of


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
    version: object = None
    """Of the file, as of `version_of`: a thumbnail shows one version."""
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


def bundled_name(english: str) -> str:
    """Return the translated name of a bundled background, or its English name."""
    names = {
        "Soft studio": tr("Soft studio"),
        "Window light": tr("Window light"),
        "White bricks": tr("White bricks"),
        "Oak slats": tr("Oak slats"),
        "Bookshelf": tr("Bookshelf"),
        "Paper waves": tr("Paper waves"),
        "Dusk hills": tr("Dusk hills"),
        "Evening lights": tr("Evening lights"),
    }
    return names.get(english, english)


def fixed_names() -> tuple[str, str, str, str]:
    """Return the names of the tiles that are no files: no background, blur, green, a colour."""
    return (
        tr("None"),
        tr("Blur"),
        tr("Green"),
        tr("Colour"),
    )


def tiles(own_colour: str) -> Tiles:
    """Return the backgrounds with the names that the window shows. own_colour: that of the tile "Colour"."""
    files = [BackgroundFile(path, bundled_name(english), english) for path, english in named_backgrounds()]
    return Tiles(files, fixed_names(), own_colour)


LAST_KEY = 9
"""Tiles with greater numbers have no key."""


class TileModel(QAbstractListModel):
    """Tiles, thumbnails, and which tile is chosen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tiles: tuple[Tile, ...] = ()
        """All tiles, from left to right."""
        self._images: dict[Tile, QImage] = {}
        self._settings = BackgroundSettings()
        self._own_colour = "#000000"

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.tiles)

    def data(self, index: QModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not index.isValid():
            return None
        tile, roles = self.tiles[index.row()], Qt.ItemDataRole
        if role in (roles.ToolTipRole, roles.AccessibleDescriptionRole):
            described = tile.broken or self._tip(tile, index.row())
            return tip_of(described) if role == roles.ToolTipRole else described
        if role == roles.AccessibleTextRole and index.row() == self.chosen_row:
            return self.tr("{0}, chosen").format(tile.name)
        return tile.name if role in (roles.DisplayRole, roles.AccessibleTextRole) else None

    def tile_at(self, index: QModelIndex) -> Tile | None:
        """Return the tile of an index; None where there is none."""
        return self.tiles[index.row()] if index.isValid() else None

    @property
    def colour(self) -> str:
        """That of the tile "Colour": the one in use if the tile is chosen."""
        in_use = Tile(TileKind.COLOUR, "").chosen_by(self._settings)
        return self._settings.colour if in_use else self._own_colour

    @property
    def chosen_row(self) -> int:
        """Row of the background in use, or -1."""
        return next((row for row, tile in enumerate(self.tiles) if tile.chosen_by(self._settings)), -1)

    def row_of(self, number: int) -> int | None:
        """Row of the tile with a number; None if there is none."""
        return next((row for row in range(len(self.tiles)) if self.number(row) == number), None)

    def number(self, row: int) -> int:
        """Return the number of a tile, as in `ctl background`: its place in the strip; 0 for "None", which is last."""
        return 0 if self.tiles[row].kind is TileKind.NONE else row + 1

    def set_tiles(self, tiles: Sequence[Tile]) -> None:
        """Replace all tiles; keep the thumbnails of tiles that stay."""
        self.beginResetModel()
        self.tiles = tuple(tiles)
        self._images = {tile: image for tile, image in self._images.items() if tile in self.tiles}
        self.endResetModel()

    def image_of(self, tile: Tile) -> QImage | None:
        """Return a tile's thumbnail, if there is one."""
        return self._images.get(tile)

    def set_image(self, tile: Tile, image: QImage) -> None:
        """Set a tile's thumbnail."""
        if tile in self.tiles:
            self._images[tile] = image
            self._tell_changed()

    def set_broken(self, tile: Tile, reason: str) -> None:
        """Mark a tile whose file cannot be used."""
        self.tiles = tuple(replace(each, broken=reason) if each == tile else each for each in self.tiles)
        self._tell_changed()

    def show_settings(self, settings: BackgroundSettings, own_colour: str) -> None:
        """Mark the tile that these settings choose."""
        if (settings, own_colour) != (self._settings, self._own_colour):
            self._settings, self._own_colour = settings, own_colour
            self._tell_changed()

    def _tell_changed(self) -> None:
        """Let the views paint the tiles anew."""
        self.dataChanged.emit(self.index(0), self.index(len(self.tiles) - 1))

    def _tip(self, tile: Tile, row: int) -> str:
        if tile.kind is TileKind.NONE:
            return self.tr("Shows your real background (Ctrl+0)")
        number = self.number(row)
        return self.tr("{0} (key {1})").format(tile.name, number) if number <= LAST_KEY else tile.name
