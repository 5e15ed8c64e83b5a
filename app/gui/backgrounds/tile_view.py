"""The list of background tiles: one row in the strip, all of them in a grid on demand."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from app.gui.backgrounds.delegate import MARGIN, THUMBNAIL, TileDelegate
from app.gui.backgrounds.item import Tile
from app.gui.backgrounds.model import TILE_ROLE, TileModel
from app.gui.widgets.controls import describe
from app.gui.widgets.layout import column

GRID_SHARE = 0.75
"""Largest height of the grid, as a fraction of the window's."""


class TileView(QListView):
    """Tiles that are chosen by a click, Enter or Space."""

    chosen = pyqtSignal(object)
    """The Tile."""

    def __init__(self, model: TileModel, object_name: str) -> None:
        super().__init__()
        describe(self, self.tr("Backgrounds"), self.tr("Choose the background"), object_name)
        self.setToolTip("")
        self.setModel(model)
        self.setItemDelegate(TileDelegate(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.clicked.connect(self.choose)
        self.activated.connect(self.choose)

    @property
    def tile_size(self) -> QSize:
        """Of one tile with its name, in device-independent pixels."""
        height = THUMBNAIL.height() + 2 * MARGIN + self.fontMetrics().height() + 4
        return QSize(THUMBNAIL.width() + 2 * MARGIN, height)

    def choose(self, index: QModelIndex) -> None:
        """Choose the tile of an index; without one, do nothing."""
        tile = index.data(TILE_ROLE)
        if isinstance(tile, Tile):
            self.chosen.emit(tile)


class TileGrid(QFrame):
    """All tiles in rows, over the window; it closes when one is chosen, with Escape or a click beside it."""

    def __init__(self, model: TileModel, beside: QWidget) -> None:
        """beside: the widget above which the grid opens, in its width."""
        super().__init__(beside, Qt.WindowType.Popup)
        self.setObjectName("backgroundGrid")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("All backgrounds"))
        self.view = TileView(model, "backgroundGridList")
        self.view.setWrapping(True)
        self.view.setResizeMode(QListView.ResizeMode.Adjust)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.chosen.connect(self.close)
        column(self, self.view, margins=8)
        self._place(beside)
        if model.chosen_row >= 0:
            self.view.setCurrentIndex(model.index(model.chosen_row))

    def _place(self, beside: QWidget) -> None:
        window, tile = beside.window(), self.view.tile_size
        across = max(1, (beside.width() - 40) // tile.width())
        rows = -(-self.view.model().rowCount() // across)  # type: ignore[union-attr]  # it was given one
        most = round(window.height() * GRID_SHARE) if window is not None else beside.height()
        height = min(rows * tile.height() + 28, most)
        self.setFixedSize(beside.width(), height)
        self.move(beside.mapToGlobal(QPoint(0, beside.height() - height)))
