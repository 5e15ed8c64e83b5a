"""Vector icons in the colour of the text."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import (
    QColor,
    QIcon,
    QIconEngine,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QPixmap,
    QPolygonF,
)
from PyQt6.QtWidgets import QApplication

from app.gui.widgets.theme import ALARM

GRID = 24.0
"""Drawings use coordinates from 0 to 24."""

Drawing = Callable[[QPainter], None]


class _Engine(QIconEngine):
    """Draws with the current palette, so that icons follow a theme change."""

    def __init__(self, draw: Drawing) -> None:
        super().__init__()
        self._draw = draw

    def paint(self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        if painter is None:
            return
        palette = QApplication.palette()
        group = QPalette.ColorGroup.Disabled if mode is QIcon.Mode.Disabled else QPalette.ColorGroup.Active
        inverted = state is QIcon.State.On
        role = QPalette.ColorRole.HighlightedText if inverted else QPalette.ColorRole.ButtonText
        side = min(rect.width(), rect.height())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2)
        painter.scale(side / GRID, side / GRID)
        painter.setPen(_pen(palette.color(group, role)))
        self._draw(painter)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._draw)


def icon(name: str) -> QIcon:
    """Return the icon of a name. Raises KeyError."""
    return QIcon(_Engine(_DRAWINGS[name]))


def app_icon() -> QIcon:
    """Return the program icon, in colour."""
    return QIcon(_Engine(_draw_app))


def draw_person(painter: QPainter, rect: QRectF, colour: QColor) -> None:
    """Draw filled head and shoulders on the lower edge of `rect`."""
    side = min(rect.width(), rect.height())
    x, bottom = rect.center().x(), rect.bottom()
    body = QPainterPath()
    body.moveTo(x - 0.36 * side, bottom)
    body.cubicTo(x - 0.36 * side, bottom - 0.38 * side, x + 0.36 * side, bottom - 0.38 * side, x + 0.36 * side, bottom)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPath(body)
    painter.drawEllipse(QPointF(x, bottom - 0.47 * side), 0.18 * side, 0.21 * side)


def _pen(colour: QColor, width: float = 1.8) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def _fill(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    painter.setPen(Qt.PenStyle.NoPen)


def _lines(painter: QPainter, *lines: tuple[float, float, float, float]) -> None:
    for x1, y1, x2, y2 in lines:
        painter.drawLine(QPointF(x1, y1), QPointF(x2, y2))


def _draw_pause(painter: QPainter) -> None:
    _fill(painter)
    painter.drawRoundedRect(QRectF(6, 5, 4, 14), 1.2, 1.2)
    painter.drawRoundedRect(QRectF(14, 5, 4, 14), 1.2, 1.2)


def _draw_play(painter: QPainter) -> None:
    _fill(painter)
    painter.drawPolygon(QPolygonF([QPointF(7, 4.5), QPointF(19.5, 12), QPointF(7, 19.5)]))


def _draw_freeze(painter: QPainter) -> None:
    for turn in range(6):
        painter.save()
        painter.translate(12, 12)
        painter.rotate(60 * turn)
        _lines(painter, (0, 0, 0, -9), (0, -6, -2.5, -8), (0, -6, 2.5, -8))
        painter.restore()


def _draw_snapshot(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(3, 7, 18, 13), 2.5, 2.5)
    painter.drawEllipse(QPointF(12, 13.5), 3.8, 3.8)
    painter.drawPolyline(QPolygonF([QPointF(8, 7), QPointF(9.5, 4), QPointF(14.5, 4), QPointF(16, 7)]))


def _draw_record(painter: QPainter) -> None:
    painter.drawEllipse(QPointF(12, 12), 9, 9)
    painter.setBrush(QColor(ALARM) if painter.pen().color() != QColor("white") else QColor("white"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(QPointF(12, 12), 5, 5)


def _draw_mirror(painter: QPainter) -> None:
    _lines(painter, (12, 3, 12, 21))
    painter.drawPolygon(QPolygonF([QPointF(9, 7), QPointF(9, 17), QPointF(2.5, 17)]))
    painter.save()
    _fill(painter)
    painter.drawPolygon(QPolygonF([QPointF(15, 7), QPointF(15, 17), QPointF(21.5, 17)]))
    painter.restore()


def _draw_plus(painter: QPainter) -> None:
    _lines(painter, (12, 5, 12, 19), (5, 12, 19, 12))


def _draw_grid(painter: QPainter) -> None:
    for x in (4, 13):
        for y in (5, 14):
            painter.drawRect(QRectF(x, y, 7, 6))


def _draw_warning(painter: QPainter) -> None:
    painter.setPen(_pen(QColor(ALARM), 2))
    painter.drawPolygon(QPolygonF([QPointF(12, 3.5), QPointF(21.5, 20), QPointF(2.5, 20)]))
    _lines(painter, (12, 10, 12, 14.5), (12, 17.2, 12, 17.3))


def _draw_close(painter: QPainter) -> None:
    _lines(painter, (6, 6, 18, 18), (18, 6, 6, 18))


def _draw_app(painter: QPainter) -> None:
    gradient = QLinearGradient(0, 0, GRID, GRID)
    gradient.setColorAt(0, QColor("#5b9dff"))
    gradient.setColorAt(1, QColor("#7a5cf0"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRoundedRect(QRectF(1, 1, 22, 22), 6, 6)
    clip = QPainterPath()
    clip.addRoundedRect(QRectF(1, 1, 22, 22), 6, 6)
    painter.setClipPath(clip)
    draw_person(painter, QRectF(2, 2, 20, 21), QColor("white"))


_DRAWINGS: dict[str, Drawing] = {
    "pause": _draw_pause,
    "play": _draw_play,
    "freeze": _draw_freeze,
    "snapshot": _draw_snapshot,
    "record": _draw_record,
    "mirror": _draw_mirror,
    "plus": _draw_plus,
    "grid": _draw_grid,
    "warning": _draw_warning,
    "close": _draw_close,
}
