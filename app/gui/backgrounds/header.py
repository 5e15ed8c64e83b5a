"""The line above the tiles: options of the background, and buttons that show and add backgrounds."""

from __future__ import annotations

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QPushButton, QWidget

from app.gui.backgrounds.options import BackgroundOptions
from app.gui.widgets.qt import AfterLayout, row, width_of

GAP = 10


class StripHeader(QWidget):
    """Leaves out the text of "Add…" where the options of the background need the room."""

    def __init__(self, options: BackgroundOptions, show_all: QPushButton, add: QPushButton) -> None:
        super().__init__()
        self._options, self._all, self._add = options, show_all, add
        self._text = add.text()
        self._fitting = AfterLayout(self, self.fit)
        row(self, options, show_all, add, grows=options, spacing=GAP)

    @property
    def _icons_width(self) -> int:
        """Width of both buttons without a text, and the gaps before them."""
        return 2 * (self._all.sizeHint().width() + GAP)

    def minimumSizeHint(self) -> QSize:
        """The size without the text of "Add…", whether it is shown or not."""
        return QSize(self._options.minimumSizeHint().width() + self._icons_width, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fitting.start()

    def fit(self) -> None:
        """Show or leave out the text."""
        needed = self._options.needed_width + self._icons_width + width_of(self._text, self._add.fontMetrics())
        text = self._text if needed <= self.width() else ""
        if text != self._add.text():
            self._add.setText(text)
