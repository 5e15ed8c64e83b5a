"""What the mouse and the keys do on the preview: zoom, pan, select a person, paint zones."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPen,
    QPolygonF,
    QWheelEvent,
)

from app.core.geometry import WHOLE_VIEW, from_camera, pan_by, to_camera, zoom_at
from app.core.settings import FramingSettings
from app.core.types import UNTURNED
from app.effects.zones import MAX_ZONES, Zone
from app.gui.bridge import Bridge
from app.gui.preview.view import Preview
from app.gui.state import SettingsStore
from app.runtime.status import PipelineStatus

ZOOM_PER_NOTCH = 1.1
NOTCH = 120
"""Qt's angle delta for one notch of a mouse wheel; touch pads send smaller deltas."""
KEY_STEP = 0.05
ZOOM_KEYS = {Qt.Key.Key_Plus: ZOOM_PER_NOTCH, Qt.Key.Key_Equal: ZOOM_PER_NOTCH, Qt.Key.Key_Minus: 1 / ZOOM_PER_NOTCH}
PAN_KEYS = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
"""Directions (right, down) in which the camera's image moves under the view."""
MAX_POINTS = 1000
STEP = 0.2
"""Least distance between two points of a stroke, relative to the radius of the brush."""
COLOUR = "#3d8bfd"
LINE_PX = 2
CLICK_PX = 6
"""A click moves by less."""
PRESSES = QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick
"""The second press of a double click is of a type of its own."""


class PreviewInteraction(QObject):
    """Filters the preview's events. Nothing is moved, selected or painted on the stand-by card, where nobody sees it.

    While the brush is in use, the mouse paints zones, which are outlined: a stroke takes effect at its end.
    """

    full = pyqtSignal()
    """There are as many zones as possible, and a stroke was not kept."""

    def __init__(self, preview: Preview, store: SettingsStore, bridge: Bridge, radius: Callable[[], float]) -> None:
        """radius: returns that of the brush, as a fraction of the height of the camera's frame."""
        super().__init__(preview)
        self._preview, self._store, self._bridge = preview, store, bridge
        self._radius = radius
        self._drag_position: QPointF | None = None
        """Last position of the drag; None while nothing is dragged."""
        self._pressed_at: QPointF | None = None
        self.brush_in_use = False
        self._stroke: tuple[tuple[float, float], ...] = ()
        """Points of the stroke that is being painted, in fractions of the camera's frame."""
        self._painted = ""
        """The camera whose picture the stroke is painted on."""
        self._camera, self._orientation, self._view = "", UNTURNED, WHOLE_VIEW
        """The camera in use, how it is turned, and the part of its upright frame that the output shows."""
        preview.installEventFilter(self)
        bridge.status_changed.connect(self._show_status)

    @property
    def shown_zones(self) -> tuple[Zone, ...]:
        """The zones that are outlined now."""
        return self._store.current.people.zones_of(self._camera) if self.brush_in_use else ()

    def use_brush(self, on: bool) -> None:
        """Take the brush, or put it away with the stroke that is being painted."""
        self.brush_in_use, self._stroke = on, ()
        self._preview.set_marks(self._paint if on else None)

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QWheelEvent):
            x, y = self._preview.fraction_of(event.position())
            if 0 <= x <= 1 and 0 <= y <= 1:
                self._zoom(ZOOM_PER_NOTCH ** (event.angleDelta().y() / NOTCH), self._preview.mirrored(x), y)
            return True
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._press_key(Qt.Key(event.key()))
        if isinstance(event, QMouseEvent):
            if self.brush_in_use:
                self._use_brush_at(event)
                return True
            self._select(event)
            self._drag(event)
        return False

    def _press_key(self, key: Qt.Key) -> bool:
        """Return whether a key was one of the preview's."""
        if key in ZOOM_KEYS:
            self._zoom(ZOOM_KEYS[key])
        elif key in PAN_KEYS and self._store.current.framing.zoom > 1:
            right, down = PAN_KEYS[key]
            self._pan(right * KEY_STEP, down * KEY_STEP)
        else:
            return False
        return True

    def _drag(self, event: QMouseEvent) -> None:
        if not event.buttons() & Qt.MouseButton.LeftButton:
            self._drag_position = None
            return
        previous, self._drag_position = self._drag_position, event.position()
        if previous is not None and event.type() is QEvent.Type.MouseMove:
            x, y = self._preview.fraction_of(event.position())
            was_x, was_y = self._preview.fraction_of(previous)
            self._pan(x - was_x, y - was_y)

    def _zoom(self, factor: float, x: float = 0.5, y: float = 0.5) -> None:
        """Zoom the camera at a position in fractions of the output."""
        self._show(zoom_at(self._store.current.framing, factor, x, y))

    def _pan(self, right: float, down: float) -> None:
        """Pan the camera by fractions of the preview."""
        right = self._preview.mirrored(right) - self._preview.mirrored(0)
        self._show(pan_by(self._store.current.framing, right, down))

    def _show(self, framing: FramingSettings) -> None:
        picture = self._bridge.picture
        if picture is None or picture.frame is not None:
            self._store.change(lambda settings: settings.replace(framing=framing))

    def _select(self, event: QMouseEvent) -> None:
        """Select the person under a click, which a drag is not."""
        if event.button() is not Qt.MouseButton.LeftButton or not self._store.current.follows_person:
            return
        if event.type() is QEvent.Type.MouseButtonPress:
            self._pressed_at = event.position() if self._camera_at(event.position()) else None
        elif event.type() is QEvent.Type.MouseButtonRelease and self._pressed_at is not None:
            moved = (event.position() - self._pressed_at).manhattanLength()
            point = self._in_frame(event.position())
            inside = all(0 <= value <= 1 for value in point)
            if moved < CLICK_PX and inside and self._camera_at(event.position()):
                self._store.change(lambda settings: settings.with_person(point))
            self._pressed_at = None

    def _use_brush_at(self, event: QMouseEvent) -> None:
        """Begin, continue or end a stroke."""
        is_left = event.button() is Qt.MouseButton.LeftButton
        if event.type() in PRESSES and is_left:
            self._painted = self._camera_at(event.position())
        if event.type() is QEvent.Type.MouseButtonRelease and is_left:
            self._end_stroke()
        elif event.buttons() & Qt.MouseButton.LeftButton and self._painted:  # a zone without a camera is one of all
            upright = self._in_frame(event.position())  # which follows the camera, also how it is turned
            x, y = (min(max(value, 0.0), 1.0) for value in self._orientation.from_upright(*upright))
            before = self._stroke[-1:]
            far = all(max(abs(x - last_x), abs(y - last_y)) >= STEP * self._radius() for last_x, last_y in before)
            if far and len(self._stroke) < MAX_POINTS:
                self._stroke = (*self._stroke, (x, y))
                self._preview.update()

    def _end_stroke(self) -> None:
        """Keep the zone of the stroke, if there was one."""
        stroke, camera, self._stroke, self._painted = self._stroke, self._painted, (), ""
        if not stroke:
            return
        if len(self._store.current.people.zones) >= MAX_ZONES:
            self.full.emit()
        zone = Zone(points=stroke, radius=self._radius(), camera=camera)
        self._store.change(lambda settings: settings.replace(people=settings.people.with_zone(zone)))

    def _camera_at(self, position: QPointF) -> str:
        """Return the camera whose frame is shown here; empty on the stand-by card and beside the picture."""
        picture = self._bridge.picture
        inside = all(0 <= value <= 1 for value in self._preview.fraction_of(position))
        return picture.frame.source.id if inside and picture is not None and picture.frame is not None else ""

    def _in_frame(self, position: QPointF) -> tuple[float, float]:
        """Return the position in the upright frame."""
        self._show_status(self._bridge.status)  # now: auto-framing moves the view
        x, y = self._preview.fraction_of(position)
        return to_camera(self._store.current.framing, self._view, self._preview.mirrored(x), y)

    def _show_status(self, status: PipelineStatus) -> None:
        """Follow camera and view."""
        source = status.source
        shown = ("", UNTURNED) if source is None else (source.id, source.orientation)
        if (*shown, status.view) != (self._camera, self._orientation, self._view):
            self._camera, self._orientation, self._view = *shown, status.view
            self._preview.update()

    def _paint(self, painter: QPainter, picture: QRectF) -> None:
        """Outline the zones and the stroke. picture: its place."""
        fill = QColor(COLOUR)
        fill.setAlpha(45)
        painter.setClipRect(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(COLOUR), LINE_PX))
        painter.setBrush(fill)
        stroke = [Zone(points=self._stroke, radius=self._radius())] if self._stroke else []
        for zones in (self.shown_zones, stroke):
            union = QPainterPath()
            for zone in zones:
                union = union.united(self._path(zone, picture))
            painter.drawPath(union)

    def _path(self, zone: Zone, picture: QRectF) -> QPainterPath:
        points = []
        for point in zone.points:
            upright = self._orientation.to_upright(*point)
            x, y = from_camera(self._store.current.framing, self._view, *upright)
            right, down = self._preview.mirrored(x) * picture.width(), y * picture.height()
            points.append(picture.topLeft() + QPointF(right, down))
        line = QPainterPath(points[0])
        for place in points[1:] or [points[0] + QPointF(0.01, 0)]:
            line.lineTo(place)
        scale = self._store.current.framing.zoom / self._view.size
        height = picture.width() if self._orientation.is_sideways else picture.height()  # of the camera's frame
        stroker = QPainterPathStroker(QPen(Qt.GlobalColor.black, max(1.0, 2 * zone.radius * height * scale)))
        stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
        stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        area = stroker.createStroke(line)
        if zone.filled:
            inside = QPainterPath()
            inside.addPolygon(QPolygonF(points))
            area = area.united(inside)
        return area.simplified()
