"""The list model of background tiles. Thumbnails are added when they are ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt
from PyQt6.QtGui import QImage

from app.core.settings import BackgroundSettings
from app.gui.backgrounds.item import FIXED_KINDS, Tile, TileKind

TILE_ROLE = int(Qt.ItemDataRole.UserRole)
IMAGE_ROLE = TILE_ROLE + 1
CHOSEN_ROLE = TILE_ROLE + 2
KEY_ROLE = TILE_ROLE + 3
"""Number key that chooses the tile, or 0."""
COLOUR_ROLE = TILE_ROLE + 4


class TileModel(QAbstractListModel):
    """Tiles, thumbnails, and which tile is chosen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tiles: list[Tile] = []
        self._images: dict[Tile, QImage] = {}
        self._settings = BackgroundSettings()
        self._own_colour = "#000000"

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._tiles)

    def data(self, index: QModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not index.isValid():
            return None
        row = index.row()
        tile = self._tiles[row]
        chosen = tile.chosen_by(self._settings)
        roles = Qt.ItemDataRole
        if role in (roles.ToolTipRole, roles.AccessibleDescriptionRole):
            return tile.broken or self._tip(tile, row)
        return {
            roles.DisplayRole: tile.name,
            roles.AccessibleTextRole: self.tr("{0}, chosen").format(tile.name) if chosen else tile.name,
            TILE_ROLE: tile,
            IMAGE_ROLE: self._images.get(tile),
            CHOSEN_ROLE: chosen,
            KEY_ROLE: self.number(row) if self.number(row) <= 9 else 0,
            COLOUR_ROLE: self._own_colour,
        }.get(role)

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """All tiles, from left to right."""
        return tuple(self._tiles)

    @property
    def chosen_row(self) -> int:
        """Row of the background in use, or -1."""
        return next((row for row, tile in enumerate(self._tiles) if tile.chosen_by(self._settings)), -1)

    def row_of(self, number: int) -> int | None:
        """Row of the tile with a number; None if there is none."""
        return next((row for row in range(len(self._tiles)) if self.number(row) == number), None)

    def number(self, row: int) -> int:
        """Return the number of a tile, as in `ctl background`: files follow those that are always there."""
        tile = self._tiles[row]
        if tile.kind in FIXED_KINDS:
            return FIXED_KINDS.index(tile.kind)
        return len(FIXED_KINDS) + sum(before.kind not in FIXED_KINDS for before in self._tiles[:row])

    def set_tiles(self, tiles: Sequence[Tile]) -> None:
        """Replace all tiles; keep the thumbnails of tiles that stay."""
        self.beginResetModel()
        self._tiles = list(tiles)
        self._images = {tile: image for tile, image in self._images.items() if tile in self._tiles}
        self.endResetModel()

    def has_image(self, tile: Tile) -> bool:
        """Whether the tile has a thumbnail."""
        return tile in self._images

    def set_image(self, tile: Tile, image: QImage) -> None:
        """Set a tile's thumbnail."""
        if tile in self._tiles:
            self._images[tile] = image
            self._emit_changed(self._tiles.index(tile))

    def set_broken(self, tile: Tile, reason: str) -> None:
        """Mark a tile whose file cannot be used."""
        if tile in self._tiles:
            row = self._tiles.index(tile)
            self._tiles[row] = replace(tile, broken=reason)
            self._emit_changed(row)

    def show_settings(self, settings: BackgroundSettings, own_colour: str) -> None:
        """Mark the tile that these settings choose."""
        if (settings, own_colour) == (self._settings, self._own_colour):
            return
        self._settings, self._own_colour = settings, own_colour
        if self._tiles:
            self.dataChanged.emit(self.index(0), self.index(len(self._tiles) - 1))

    def _emit_changed(self, row: int) -> None:
        self.dataChanged.emit(self.index(row), self.index(row))

    def _tip(self, tile: Tile, row: int) -> str:
        if tile.kind is TileKind.NONE:
            return self.tr("Shows your real background (Ctrl+0)")
        number = self.number(row)
        return self.tr("{0} (key {1})").format(tile.name, number) if number <= 9 else tile.name
