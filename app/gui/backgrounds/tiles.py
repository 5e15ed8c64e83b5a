"""The tiles of the backgrounds: their names (thread-safe), model, and the list that paints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PyQt6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    pyqtSignal,
)
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.backgrounds.kinds import named_backgrounds
from app.config.setting import GREEN
from app.control.files import Backgrounds
from app.core.settings import BackgroundSettings
from app.gui.state import SettingsStore
from app.gui.translation import tr
from app.gui.widgets.controls import describe
from app.gui.widgets.qt import existing, scaled, tip_of
from app.gui.widgets.theme import ALARM, IMAGES, icon

# Kinds without a file, in the order of their numbers from 0 on.
FIXED_KINDS = ("none", "blur", "green", "colour")


@dataclass(frozen=True, slots=True)
class Tile:
    """A background that can be chosen: a kind, or a file."""

    # That of the settings, but `green` for this colour.
    kind: str
    name: str
    path: Path | None = None
    # A file of the user, which can be renamed and removed.
    own: bool = False
    # Of the file, as of `version_of`: a thumbnail shows one version.
    version: object = None

    def chosen_by(self, settings: BackgroundSettings) -> bool:
        """Whether these settings choose this tile."""
        is_green = settings.colour.lower() == GREEN
        if self.kind == "green":
            return settings.kind == "colour" and is_green
        if self.kind == "colour":
            return settings.kind == "colour" and not is_green
        return settings.kind == self.kind and self.path in (None, settings.path)

    def settings(self, before: BackgroundSettings, own_colour: str) -> BackgroundSettings:
        """Return `before` changed so that it chooses this tile."""
        if self.path is not None:
            return before.with_file(self.kind, self.path)
        colours = {"green": GREEN, "colour": own_colour}
        if self.kind in colours:
            return before.replace(kind="colour", colour=colours[self.kind])
        return before.replace(kind=self.kind)


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
    return tr("None"), tr("Blur"), tr("Green"), tr("Colour")


def shown_backgrounds(own_colour: str) -> Backgrounds:
    """Return the backgrounds with the names that the window shows, those of files also in English.

    own_colour: that of the tile "Colour".
    """
    files = named_backgrounds()
    fixed = ("none", "blur", "green", own_colour)
    shown: list[tuple[str, str | Path]] = [*zip(fixed_names(), fixed, strict=True)]
    shown += [(bundled_name(english), path) for path, english in files]
    # `ctl` in scripts has English names, whatever the language of the window.
    shown += [(english, path) for path, english in files if bundled_name(english) != english]
    return shown


# Tiles with greater numbers have no key.
LAST_KEY = 9
# Not 0: no single key may show the real background.
NUMBER_KEYS = tuple("123456789")


class TileModel(QAbstractListModel):
    """Tiles, their thumbnails, and which of them the settings choose."""

    def __init__(self, store: SettingsStore, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        # From left to right.
        self.tiles: tuple[Tile, ...] = ()
        # The thumbnails of files, or why they cannot be used.
        self._pictures: dict[Tile, QImage | str] = {}
        store.changed.connect(self._tell_changed)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        # A list has no rows below a row.
        is_below_row = parent is not None and parent.isValid()
        return 0 if is_below_row else len(self.tiles)

    def data(self, index: QModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        tile = self.tile_at(index)
        roles = Qt.ItemDataRole
        if tile is None:
            return None
        if role == roles.AccessibleDescriptionRole:
            return self._description(tile, index.row())
        if role == roles.ToolTipRole:
            return tip_of(self._description(tile, index.row()))
        if role == roles.AccessibleTextRole and index.row() == self.chosen_row:
            return tr("{0}, chosen").format(tile.name)
        if role in (roles.DisplayRole, roles.AccessibleTextRole):
            return tile.name
        return None

    def tile_at(self, index: QModelIndex) -> Tile | None:
        """Return the tile of an index; None where there is none."""
        if not index.isValid():
            return None
        return self.tiles[index.row()]

    @property
    def colour(self) -> str:
        """That of the tile "Colour": the one in use if the tile is chosen."""
        settings = self._store.current
        is_chosen = Tile("colour", "").chosen_by(settings.background)
        return settings.background.colour if is_chosen else settings.window.own_colour

    @property
    def chosen_row(self) -> int:
        """Row of the background in use, or -1."""
        background = self._store.current.background
        for row, tile in enumerate(self.tiles):
            if tile.chosen_by(background):
                return row
        return -1

    def number(self, row: int) -> int:
        """Return the number of a tile, as in `ctl background`: its place, or 0 for "None"."""
        # "None" is the last tile: the room must not be where a hand goes first.
        if row == len(self.tiles) - 1:
            return 0
        return row + 1

    def numbered(self, number: int) -> Tile | None:
        """Return the tile of a number; None where there is none."""
        if number >= len(self.tiles):
            return None
        if number == 0:
            return self.tiles[-1]
        return self.tiles[number - 1]

    def set_tiles(self, tiles: Sequence[Tile]) -> None:
        """Replace the tiles, but for those that stay, whose order is the same."""
        # One by one: with a reset, views would lose their current tile.
        nowhere = QModelIndex()
        for row in reversed(range(len(self.tiles))):
            if self.tiles[row] not in tiles:
                self.beginRemoveRows(nowhere, row, row)
                self._pictures.pop(self.tiles[row], None)
                self.tiles = (*self.tiles[:row], *self.tiles[row + 1 :])
                self.endRemoveRows()
        for row, tile in enumerate(tiles):
            if tile not in self.tiles:
                self.beginInsertRows(nowhere, row, row)
                self.tiles = (*self.tiles[:row], tile, *self.tiles[row:])
                self.endInsertRows()

    def image_of(self, tile: Tile) -> QImage | None:
        """Return a tile's thumbnail, if there is one."""
        picture = self._pictures.get(tile)
        return picture if isinstance(picture, QImage) else None

    def problem_of(self, tile: Tile) -> str:
        """Return why the file of a tile cannot be used; empty for a usable one."""
        problem = self._pictures.get(tile)
        return problem if isinstance(problem, str) else ""

    def show_file(self, tile: Tile, shown: QImage | str) -> None:
        """Set a tile's thumbnail, or mark it as one whose file cannot be used and say why."""
        if tile in self.tiles:
            self._pictures[tile] = shown
            self._tell_changed()

    def _tell_changed(self) -> None:
        """Let the views paint the tiles anew."""
        self.dataChanged.emit(self.index(0), self.index(len(self.tiles) - 1))

    def _description(self, tile: Tile, row: int) -> str:
        problem = self.problem_of(tile)
        if problem:
            return problem
        number = self.number(row)
        if number == 0:
            return tr("Shows your real background (Ctrl+0)")
        if number > LAST_KEY:
            return tile.name
        return tr("{0} (key {1})").format(tile.name, number)


THUMBNAIL = QSize(128, 72)
MARGIN = 6
RADIUS = 8.0
# So many pixels of the room are one in its blurred picture.
BLUR = 14


def tile_size(metrics: QFontMetrics) -> QSize:
    """Return the size of a tile with its name, in device-independent pixels."""
    width = THUMBNAIL.width() + 2 * MARGIN
    height = THUMBNAIL.height() + 2 * MARGIN + metrics.lineSpacing() + 4
    return QSize(width, height)


class TileDelegate(QStyledItemDelegate):
    """Paints thumbnail, name, number key, a badge on videos, and a ring around the chosen tile."""

    def __init__(self, model: TileModel, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        # In pixels, of a tile with the space beside it; less than it needs has no effect.
        self.width = 0

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        size = tile_size(option.fontMetrics)
        return QSize(max(size.width(), self.width), size.height())

    def paint(
        self,
        painter: QPainter | None,
        option: QStyleOptionViewItem,
        index: QModelIndex,
    ) -> None:
        tile = self._model.tile_at(index)
        if painter is None or tile is None:
            return
        chosen = index.row() == self._model.chosen_row
        left = option.rect.x() + (option.rect.width() - THUMBNAIL.width()) / 2
        area = QRectF(left, option.rect.y() + MARGIN, THUMBNAIL.width(), THUMBNAIL.height())
        shape = QPainterPath()
        shape.addRoundedRect(area, RADIUS, RADIUS)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setClipPath(shape)
        self._paint_picture(painter, area, tile, option.palette)
        painter.setClipping(False)
        self._paint_badges(painter, area, tile, self._model.number(index.row()), option)
        self._paint_ring(painter, area, tile, chosen, option)
        self._paint_name(painter, tile, chosen, option)
        painter.restore()

    def _paint_picture(
        self,
        painter: QPainter,
        area: QRectF,
        tile: Tile,
        palette: QPalette,
    ) -> None:
        image = self._model.image_of(tile)
        if image is not None:
            painter.drawImage(area, image)
        elif tile.kind == "green":
            painter.fillRect(area, QColor(GREEN))
        elif tile.kind == "colour":
            painter.fillRect(area, QColor(self._model.colour))
        elif tile.kind in ("blur", "none"):
            painter.drawImage(area, _room(blurred=tile.kind == "blur"))
        else:
            painter.fillRect(area, palette.color(QPalette.ColorRole.Midlight))
        if tile.path is None:
            icon("person").paint(painter, area.adjusted(0, 10, 0, 0).toRect())
        if self._model.problem_of(tile):
            painter.fillRect(area, QColor(0, 0, 0, 130))
            middle = area.center()
            place = QRect(round(middle.x()) - 14, round(middle.y()) - 16, 28, 28)
            icon("warning").paint(painter, place)

    @staticmethod
    def _paint_badges(
        painter: QPainter,
        area: QRectF,
        tile: Tile,
        number: int,
        option: QStyleOptionViewItem,
    ) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 150))
        if tile.kind == "video":
            badge = QRectF(area.left() + 6, area.bottom() - 24, 26, 18)
            painter.drawRoundedRect(badge, 5, 5)
            painter.setBrush(QColor("white"))
            middle = badge.center()
            tip = middle + QPointF(6, 0)
            triangle = [middle + QPointF(-4, -5), tip, middle + QPointF(-4, 5)]
            painter.drawPolygon(QPolygonF(triangle))
        if 0 < number <= LAST_KEY:
            side = scaled(17, existing(option.widget))
            badge = QRectF(area.right() - 5 - side, area.top() + 5, side, side)
            painter.setBrush(QColor(0, 0, 0, 120))
            painter.drawRoundedRect(badge, 5, 5)
            small = QFont(option.font)
            small.setPixelSize(scaled(11, existing(option.widget)))
            painter.setFont(small)
            painter.setPen(QColor("white"))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(number))

    @staticmethod
    def _paint_ring(
        painter: QPainter,
        area: QRectF,
        tile: Tile,
        chosen: bool,
        option: QStyleOptionViewItem,
    ) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if chosen:
            colour = option.palette.color(QPalette.ColorRole.Accent)
            if tile.kind == "none":
                colour = QColor(ALARM)
            painter.setPen(QPen(colour, 3))
            painter.drawRoundedRect(area.adjusted(-2, -2, 2, 2), RADIUS + 2, RADIUS + 2)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(option.palette.color(QPalette.ColorRole.PlaceholderText), 1.5))
            painter.drawRoundedRect(area, RADIUS, RADIUS)
        is_by_keyboard = existing(option.widget).property("ring")
        if is_by_keyboard and option.state & QStyle.StateFlag.State_HasFocus:
            colour = option.palette.color(QPalette.ColorRole.Text)
            painter.setPen(QPen(colour, 1.5, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(area.adjusted(-4.5, -4.5, 4.5, 4.5), RADIUS + 4, RADIUS + 4)

    @staticmethod
    def _paint_name(
        painter: QPainter,
        tile: Tile,
        chosen: bool,
        option: QStyleOptionViewItem,
    ) -> None:
        role = QPalette.ColorRole.Text if chosen else QPalette.ColorRole.PlaceholderText
        if chosen and tile.kind == "none":
            role = QPalette.ColorRole.BrightText
        painter.setPen(option.palette.color(role))
        painter.setFont(option.font)
        # The name of a file may have line breaks.
        name = " ".join(tile.name.split())
        text = option.fontMetrics.elidedText(
            name,
            Qt.TextElideMode.ElideMiddle,
            THUMBNAIL.width() + MARGIN,
        )
        line = QRectF(option.rect).adjusted(0, THUMBNAIL.height() + 2 * MARGIN, 0, 0)
        painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)


@cache
def _room(*, blurred: bool) -> QImage:
    """Return the room of the tiles "None" (sharp) and "Blur"."""
    image = QImage(str(IMAGES / "room.svg"))
    if not blurred:
        return image
    smooth = Qt.TransformationMode.SmoothTransformation
    small = image.scaled(image.size() / BLUR, transformMode=smooth)
    return small.scaled(image.size(), transformMode=smooth)


class TileView(QListView):
    """Tiles that are chosen by a click, Enter, Space, or the key of their number."""

    # The Tile.
    chosen = pyqtSignal(object)

    def __init__(self, model: TileModel, object_name: str, *, wraps: bool) -> None:
        """wraps: whether there are several rows, or one that is scrolled sideways."""
        super().__init__()
        describe(self, tr("Backgrounds"), tr("Choose the background"), object_name)
        self.setToolTip("")
        self._tiles = model
        self.setModel(model)
        self._delegate = TileDelegate(model, self)
        self.setItemDelegate(self._delegate)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(wraps)
        if wraps:
            self.setResizeMode(QListView.ResizeMode.Adjust)
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Choose a tile. In the main window, shortcuts take the number keys before."""
        text = ""
        if event is not None and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            text = event.text()
        tile = None
        if text in NUMBER_KEYS:
            tile = self._tiles.numbered(int(text))
        if text == " ":
            self._choose(self.currentIndex())
        elif tile is not None:
            self.chosen.emit(tile)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Share the width out, so that no tile is cut at the end."""
        super().resizeEvent(event)
        if not self.isWrapping():
            room = existing(self.viewport()).width()
            whole_tiles = max(1, room // self.tile_size.width())
            self._delegate.width = room // whole_tiles
            self.scheduleDelayedItemsLayout()

    @property
    def tile_size(self) -> QSize:
        """Of one tile with its name, in device-independent pixels."""
        return tile_size(self.fontMetrics())

    def _choose(self, index: QModelIndex) -> None:
        tile = self._tiles.tile_at(index)
        if tile is not None:
            self.chosen.emit(tile)
