"""Vector icons in the colour of the text: the SVG files of `app/gui/images`."""

from __future__ import annotations

from functools import cache

from PyQt6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QApplication

from app.gui.widgets.theme import ALARM, IMAGES


class _Engine(QIconEngine):
    """Draws with the current palette, so that icons follow a theme change."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def paint(self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        if painter is None:
            return
        group = QPalette.ColorGroup.Disabled if mode is QIcon.Mode.Disabled else QPalette.ColorGroup.Active
        inverted = state is QIcon.State.On
        role = QPalette.ColorRole.HighlightedText if inverted else QPalette.ColorRole.ButtonText
        side = min(rect.width(), rect.height())
        square = QRectF(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2, side, side)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _renderer(self._name, QApplication.palette().color(group, role).name()).render(painter, square)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._name)


@cache
def _renderer(name: str, colour: str) -> QSvgRenderer:
    """Return an icon in a colour. What is red for an alarm is white on a button of that red."""
    alarm = colour if QColor(colour) == QColor("white") else ALARM
    drawing = (IMAGES / f"{name}.svg").read_text("utf-8").replace("currentColor", colour).replace("alarmColor", alarm)
    return QSvgRenderer(QByteArray(drawing.encode()))


def icon(name: str) -> QIcon:
    """Return the icon of a name."""
    return QIcon(_Engine(name))


def app_icon() -> QIcon:
    """Return the program icon, in colour."""
    return icon("app")
