"""Layouts for large letters: a row that becomes a column where it is too narrow, and a panel as wide as its texts."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtWidgets import QBoxLayout, QLayout, QLayoutItem, QSplitter, QWidget

from app.gui.widgets.qt import AfterLayout, existing

PANEL_SHARE = 0.37
"""Largest share of the window that a panel takes of its own accord."""


class FoldingRow(QBoxLayout):
    """Items beside each other, or below each other where they do not fit beside each other."""

    def __init__(self, *items: QWidget | QLayout, grows: QWidget | QLayout | None = None, spacing: int = 8) -> None:
        """grows: takes the width that is left; None: all share it."""
        super().__init__(QBoxLayout.Direction.LeftToRight)
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)
        for item in items:
            if isinstance(item, QWidget):
                self.addWidget(item, int(item is grows))
                if item.property("link"):  # whose focus is a line
                    self.setAlignment(item, Qt.AlignmentFlag.AlignLeft)
            else:
                self.addLayout(item, int(item is grows))

    def sizeHint(self) -> QSize:
        """The size of a row."""
        return self._row_size([item.sizeHint() for item in self._shown()])

    def minimumSize(self) -> QSize:
        """Return the width of a column, and the height of a row: `heightForWidth` tells that of a column."""
        least = [item.minimumSize() for item in self._shown()]
        return QSize(max((size.width() for size in least), default=0), self._row_size(least).height())

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of what fits, and turn nothing: Qt asks for widths that never come."""
        items, gaps = self._shown(), self._gaps()
        if not self._fits(width):
            return sum(_height(item, width) for item in items) + gaps
        left = width - gaps - sum(item.sizeHint().width() for item in items if item is not self._growing())
        widths = (left if item is self._growing() else item.sizeHint().width() for item in items)
        return max(map(_height, items, widths), default=0)

    def minimumHeightForWidth(self, width: int) -> int:
        return self.heightForWidth(width)

    def setGeometry(self, rect: QRect) -> None:
        fits = self._fits(rect.width())
        self.setDirection(QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom)
        super().setGeometry(rect)

    def _fits(self, width: int) -> bool:
        """Whether the items fit into a row. What grows may be as short as it can, the rest is not cut for it."""
        sizes = [item.minimumSize() if item is self._growing() else item.sizeHint() for item in self._shown()]
        return self._row_size(sizes).width() <= width

    def _row_size(self, sizes: list[QSize]) -> QSize:
        widths, heights = (size.width() for size in sizes), (size.height() for size in sizes)
        return QSize(sum(widths) + self._gaps(), max(heights, default=0))

    def _gaps(self) -> int:
        return self.spacing() * max(0, len(self._shown()) - 1)

    def _growing(self) -> QLayoutItem | None:
        return next((self.itemAt(index) for index in range(self.count()) if self.stretch(index)), None)

    def _shown(self) -> list[QLayoutItem]:
        items = (existing(self.itemAt(index)) for index in range(self.count()))
        return [item for item in items if not item.isEmpty()]


def _height(item: QLayoutItem, width: int) -> int:
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()


class PanelSplitter(QSplitter):
    """Content and a panel beside it, which is as wide as its size hint until the user moves the handle.

    Where there is no room for both, there is the content, or the panel after it was asked for.
    """

    def __init__(self, content: QWidget, panel: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._content, self._panel = content, panel
        self._moved = False
        self._wanted, self._asked = True, False
        AfterLayout(self, self._fit)
        self.setChildrenCollapsible(False)
        self.addWidget(content)
        self.addWidget(panel)
        self.setStretchFactor(0, 1)
        self.splitterMoved.connect(self._on_move)

    def minimumSizeHint(self) -> QSize:
        """The size of the content or the panel alone."""
        return self._content.minimumSizeHint().expandedTo(self._panel.minimumSizeHint())

    def show_panel(self, wanted: bool) -> None:
        """Show the panel, or hide it."""
        self._asked = wanted and (self._asked or not self._wanted)
        self._wanted = wanted
        self._share()

    def _share(self) -> None:
        """Show both, or one of them where there is no room for both."""
        least = (each.minimumSizeHint().width() for each in (self._content, self._panel))
        both = self.width() >= sum(least) + self.handleWidth()
        self._panel.setVisible(self._wanted and (both or self._asked))
        self._content.setVisible(both or not (self._wanted and self._asked))

    def _on_move(self) -> None:
        self._moved = True

    def _fit(self) -> None:
        self._share()
        if not self._moved:
            width = min(self._panel.sizeHint().width(), round(PANEL_SHARE * self.width()))
            self.setSizes([self.width() - width, width])
