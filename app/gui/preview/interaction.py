"""What the mouse and the keys do on the preview: zoom, pan, select a person, paint zones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

from app.core.geometry import from_camera, pan_by, to_camera, zoom_at
from app.core.settings import FramingSettings
from app.core.types import UNTURNED, WHOLE_VIEW, Orientation, View
from app.effects.zones import MAX_ZONES, Zone
from app.gui.bridge import Bridge
from app.gui.preview.view import Preview
from app.gui.state import SettingsStore
from app.runtime.status import PipelineStatus

ZOOM_PER_NOTCH = 1.1
# Qt's angle delta for one notch of a mouse wheel; touch pads send smaller deltas.
NOTCH = 120
KEY_STEP = 0.05
ZOOM_KEYS = {
    Qt.Key.Key_Plus: ZOOM_PER_NOTCH,
    Qt.Key.Key_Equal: ZOOM_PER_NOTCH,
    Qt.Key.Key_Minus: 1 / ZOOM_PER_NOTCH,
}
# Directions (right, down) in which the camera's image moves under the view.
PAN_KEYS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
MAX_POINTS = 1000
# Least distance between two points of a stroke, relative to the radius of the brush.
STEP = 0.2
COLOUR = "#3d8bfd"
LINE_PX = 2
# A click moves by less.
CLICK_PX = 6
# The second press of a double click is of a type of its own.
PRESSES = QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick


@dataclass(frozen=True, slots=True)
class ShownCamera:
    """The camera in use, how it is turned, and the part of its upright frame that is shown."""

    # Empty while there is none.
    id: str = ""
    orientation: Orientation = UNTURNED
    view: View = WHOLE_VIEW


def _is_on_picture(x: float, y: float) -> bool:
    """Return whether a position in fractions of the picture is within it."""
    return 0 <= x <= 1 and 0 <= y <= 1


class PreviewInteraction(QObject):
    """Filters the preview's events.

    Nothing is moved, selected or painted on the stand-by card, where nobody sees it.

    While the brush is in use, the mouse paints zones, which are outlined: a stroke takes effect at
    its end.
    """

    # There are as many zones as possible, and a stroke was not kept.
    full = pyqtSignal()

    def __init__(
        self,
        preview: Preview,
        store: SettingsStore,
        bridge: Bridge,
        radius: Callable[[], float],
    ) -> None:
        """radius: returns that of the brush, as a fraction of the height of the camera's frame."""
        super().__init__(preview)
        self._preview = preview
        self._store = store
        self._bridge = bridge
        self._radius = radius
        # None while nothing is dragged.
        self._last_drag_position: QPointF | None = None
        self._pressed_at: QPointF | None = None
        self.brush_in_use = False
        # Points in fractions of the camera's frame; none while nothing is painted.
        self._stroke: tuple[tuple[float, float], ...] = ()
        # The id of the camera whose picture the stroke is painted on.
        self._painted_camera = ""
        self._shown = ShownCamera()
        preview.installEventFilter(self)
        bridge.status_changed.connect(self._show_status)

    @property
    def shown_zones(self) -> tuple[Zone, ...]:
        """The zones that are outlined now."""
        if not self.brush_in_use:
            return ()
        return self._store.current.people.zones_of(self._shown.id)

    def use_brush(self, on: bool) -> None:
        """Take the brush, or put it away with the stroke that is being painted."""
        self.brush_in_use = on
        self._stroke = ()
        self._preview.set_marks(self._paint if on else None)

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QWheelEvent):
            x, y = self._preview.fraction_of(event.position())
            if _is_on_picture(x, y):
                notches = event.angleDelta().y() / NOTCH
                self._zoom(ZOOM_PER_NOTCH**notches, self._preview.mirrored(x), y)
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
            self._last_drag_position = None
            return
        previous = self._last_drag_position
        self._last_drag_position = event.position()
        if previous is not None and event.type() is QEvent.Type.MouseMove:
            x, y = self._preview.fraction_of(event.position())
            was_x, was_y = self._preview.fraction_of(previous)
            self._pan(x - was_x, y - was_y)

    def _zoom(self, factor: float, x: float = 0.5, y: float = 0.5) -> None:
        """Zoom the camera at a position in fractions of the output."""
        self._show(zoom_at(self._store.current.framing, factor, x, y))

    def _pan(self, right: float, down: float) -> None:
        """Pan the camera by fractions of the preview."""
        # A distance changes its sign where a position changes its side.
        right = self._preview.mirrored(right) - self._preview.mirrored(0)
        self._show(pan_by(self._store.current.framing, right, down))

    def _show(self, framing: FramingSettings) -> None:
        picture = self._bridge.picture
        if picture is None or picture.frame is not None:
            self._store.change(lambda settings: settings.replace(framing=framing))

    def _select(self, event: QMouseEvent) -> None:
        """Select the person under a click, which a drag is not."""
        is_left = event.button() is Qt.MouseButton.LeftButton
        if not is_left or not self._store.current.follows_person:
            return
        is_on_camera = bool(self._camera_at(event.position()))
        if event.type() is QEvent.Type.MouseButtonPress:
            self._pressed_at = event.position() if is_on_camera else None
        elif event.type() is QEvent.Type.MouseButtonRelease and self._pressed_at is not None:
            moved_px = (event.position() - self._pressed_at).manhattanLength()
            point = self._in_frame(event.position())
            if moved_px < CLICK_PX and _is_on_picture(*point) and is_on_camera:
                self._store.change(lambda settings: settings.with_person(point))
            self._pressed_at = None

    def _use_brush_at(self, event: QMouseEvent) -> None:
        """Begin, continue or end a stroke."""
        is_left = event.button() is Qt.MouseButton.LeftButton
        if event.type() in PRESSES and is_left:
            self._painted_camera = self._camera_at(event.position())
        if event.type() is QEvent.Type.MouseButtonRelease and is_left:
            self._end_stroke()
        elif event.buttons() & Qt.MouseButton.LeftButton and self._painted_camera:
            # Without a camera there is no stroke: a zone without one is a zone of all cameras.
            self._continue_stroke(event.position())

    def _continue_stroke(self, position: QPointF) -> None:
        # First: it follows the camera, also how it is turned.
        upright = self._in_frame(position)
        x, y = self._shown.orientation.from_upright(*upright)
        x = min(max(x, 0.0), 1.0)
        y = min(max(y, 0.0), 1.0)
        if self._stroke and self._is_near(self._stroke[-1], x, y):
            return
        if len(self._stroke) < MAX_POINTS:
            self._stroke = (*self._stroke, (x, y))
            self._preview.update()

    def _is_near(self, point: tuple[float, float], x: float, y: float) -> bool:
        """Return whether a position is too near to a point of the stroke to be another one."""
        last_x, last_y = point
        distance = max(abs(x - last_x), abs(y - last_y))
        return distance < STEP * self._radius()

    def _end_stroke(self) -> None:
        """Keep the zone of the stroke, if there was one."""
        stroke = self._stroke
        camera = self._painted_camera
        self._stroke = ()
        self._painted_camera = ""
        if not stroke:
            return
        if len(self._store.current.people.zones) >= MAX_ZONES:
            self.full.emit()
        zone = Zone(points=stroke, radius=self._radius(), camera=camera)
        self._store.change(
            lambda settings: settings.replace(people=settings.people.with_zone(zone)),
        )

    def _camera_at(self, position: QPointF) -> str:
        """Return the id of the camera whose frame is shown here.

        Empty on the stand-by card and beside the picture.
        """
        picture = self._bridge.picture
        if picture is None or picture.frame is None:
            return ""
        if not _is_on_picture(*self._preview.fraction_of(position)):
            return ""
        return picture.frame.source.id

    def _in_frame(self, position: QPointF) -> tuple[float, float]:
        """Return the position in the upright frame."""
        # Of this moment: auto-framing moves the view.
        self._show_status(self._bridge.status)
        x, y = self._preview.fraction_of(position)
        framing = self._store.current.framing
        return to_camera(framing, self._shown.view, self._preview.mirrored(x), y)

    def _show_status(self, status: PipelineStatus) -> None:
        """Follow camera and view."""
        source = status.source
        if source is None:
            shown = ShownCamera(view=status.view)
        else:
            shown = ShownCamera(source.id, source.orientation, status.view)
        if shown != self._shown:
            self._shown = shown
            self._preview.update()

    def _paint(self, painter: QPainter, picture: QRectF) -> None:
        """Outline the zones and the stroke. picture: its place."""
        fill = QColor(COLOUR)
        fill.setAlpha(45)
        painter.setClipRect(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(COLOUR), LINE_PX))
        painter.setBrush(fill)
        stroke: tuple[Zone, ...] = ()
        if self._stroke:
            stroke = (Zone(points=self._stroke, radius=self._radius()),)
        for zones in (self.shown_zones, stroke):
            union = QPainterPath()
            for zone in zones:
                union = union.united(self._path(zone, picture))
            painter.drawPath(union)

    def _path(self, zone: Zone, picture: QRectF) -> QPainterPath:
        """Return the outline of what a zone covers."""
        framing = self._store.current.framing
        points = []
        for point in zone.points:
            upright = self._shown.orientation.to_upright(*point)
            x, y = from_camera(framing, self._shown.view, *upright)
            right = self._preview.mirrored(x) * picture.width()
            down = y * picture.height()
            points.append(picture.topLeft() + QPointF(right, down))
        line = QPainterPath(points[0])
        # Qt draws nothing of a line without length.
        for place in points[1:] or [points[0] + QPointF(0.01, 0)]:
            line.lineTo(place)
        scale = framing.zoom / self._shown.view.size
        # The radius is a fraction of the height of the camera's frame.
        is_sideways = self._shown.orientation.is_sideways
        height = picture.width() if is_sideways else picture.height()
        line_width = max(1.0, 2 * zone.radius * height * scale)
        stroker = QPainterPathStroker(QPen(Qt.GlobalColor.black, line_width))
        stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
        stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        area = stroker.createStroke(line)
        if zone.filled:
            inside = QPainterPath()
            inside.addPolygon(QPolygonF(points))
            area = area.united(inside)
        return area.simplified()
