"""Marks of the zones over the preview: where the room can be seen, and while painting also what is dropped."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPainterPathStroker, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from app.core.framing import from_camera
from app.core.matte_edit import WHOLE_VIEW
from app.core.settings import FramingSettings, Settings, Zone
from app.gui.preview.mirroring import Sides
from app.gui.preview.zone_tool import ZoneTool
from app.gui.widgets.theme import ALARM
from app.runtime.status import PipelineStatus

DROP = "#3d8bfd"
LINE_PX = 2


class ZoneMarks(QWidget):
    """Outlines keep zones always, and drop zones while a brush is selected; passes all mouse events through."""

    def __init__(self, tool: ZoneTool) -> None:
        super().__init__()
        self.setObjectName("zoneMarks")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._tool = tool
        self._zones: tuple[Zone, ...] = ()
        self._framing, self._view = FramingSettings(), WHOLE_VIEW
        self._sides = Sides()
        tool.changed.connect(self._follow)
        self._follow()

    @property
    def shown(self) -> tuple[Zone, ...]:
        """The zones that are outlined now."""
        return tuple(zone for zone in self._zones if zone.kind == "keep" or self._tool.kind is not None)

    def set_sides(self, sides: Sides) -> None:
        """Mirror the marks as the preview is."""
        if sides != self._sides:
            self._sides = sides
            self._follow()

    def show_status(self, status: PipelineStatus, settings: Settings) -> None:
        """Follow zones, framing and view."""
        zones = settings.people.zones_of(status.source.id if status.source is not None else "")
        if (zones, settings.framing, status.view) != (self._zones, self._framing, self._view):
            self._zones, self._framing, self._view = zones, settings.framing, status.view
            self._follow()

    def _follow(self) -> None:
        """Paint again; hidden while there is nothing to paint, since every frame of the preview paints it too."""
        self.setVisible(bool(self.shown or self._tool.stroke))
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        kept = [zone for zone in self.shown if zone.kind == "keep"]
        self._outline(painter, kept, ALARM)
        self._outline(painter, [zone for zone in self.shown if zone.kind == "drop"], DROP)
        if kept:
            self._label(painter, kept)
        if self._tool.kind is not None and self._tool.stroke:
            stroke = Zone(kind=self._tool.kind, points=self._tool.stroke, radius=self._tool.radius)
            self._outline(painter, [stroke], ALARM if stroke.kind == "keep" else DROP)

    def _outline(self, painter: QPainter, zones: Sequence[Zone], name: str) -> None:
        if not zones:
            return
        fill = QColor(name)
        fill.setAlpha(45)
        painter.setPen(QPen(QColor(name), LINE_PX))
        painter.setBrush(fill)
        painter.drawPath(self._union(zones))

    def _label(self, painter: QPainter, zones: Sequence[Zone]) -> None:
        text = self.tr("Your room can be seen here")
        box = self._union(zones).boundingRect().intersected(self.rect().toRectF())
        size = painter.fontMetrics().boundingRect(text).adjusted(-8, -4, 8, 4)
        left = min(max(box.center().x() - size.width() / 2, 0.0), max(0.0, self.width() - size.width()))
        top = min(max(box.center().y() - size.height() / 2, 0.0), max(0.0, self.height() - size.height()))
        size.moveTo(round(left), round(top))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ALARM))
        painter.drawRoundedRect(size, 6, 6)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(size, Qt.AlignmentFlag.AlignCenter, text)

    def _union(self, zones: Sequence[Zone]) -> QPainterPath:
        path = QPainterPath()
        for zone in zones:
            path = path.united(self._path(zone))
        return path

    def _path(self, zone: Zone) -> QPainterPath:
        points = [self._on_screen(x, y) for x, y in zone.points]
        line = QPainterPath(points[0])
        for point in points[1:] or [points[0] + QPointF(0.01, 0)]:
            line.lineTo(point)
        scale = self._framing.zoom / self._view.size
        stroker = QPainterPathStroker(QPen(Qt.GlobalColor.black, max(1.0, 2 * zone.radius * self.height() * scale)))
        stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
        stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        area = stroker.createStroke(line)
        if zone.filled:
            inside = QPainterPath()
            inside.addPolygon(QPolygonF(points))
            area = area.united(inside)
        return area.simplified()

    def _on_screen(self, x: float, y: float) -> QPointF:
        x, y = from_camera(self._framing, self._view, x, y)
        return QPointF(self._sides.from_output(x) * self.width(), y * self.height())
