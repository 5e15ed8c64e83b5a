"""Zoom and pan of the camera in the preview with wheel, dragging and keys."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QPointF, Qt
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from app.core.framing import pan_by, zoom_at
from app.core.settings import FramingSettings
from app.gui.preview.rendering import ViewMode
from app.gui.preview.view import Preview
from app.gui.state.bridge import Bridge
from app.gui.state.store import SettingsStore

ZOOM_PER_NOTCH = 1.1
NOTCH = 120
"""Qt's angle delta for one notch of a mouse wheel; touch pads send smaller deltas."""
KEY_STEP, DIVIDER_STEP = 0.05, 0.02
ZOOM_KEYS = {Qt.Key.Key_Plus: ZOOM_PER_NOTCH, Qt.Key.Key_Equal: ZOOM_PER_NOTCH, Qt.Key.Key_Minus: 1 / ZOOM_PER_NOTCH}
PAN_KEYS = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
"""Directions (right, down) in which the camera's image moves under the view."""


class PreviewInteraction(QObject):
    """Filters the preview's events. In the comparison, dragging and the arrow keys move its divider instead.

    Before the stand-by card, nothing is moved that cannot be seen.
    """

    def __init__(self, preview: Preview, store: SettingsStore, bridge: Bridge) -> None:
        super().__init__(preview)
        self._preview, self._store, self._bridge = preview, store, bridge
        self._drag_position: QPointF | None = None
        """Last position of the drag; None while nothing is dragged."""
        store.changed.connect(self._show_draggable)
        self._show_draggable()
        preview.installEventFilter(self)

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QWheelEvent):
            self._turn_wheel(event)
            return True
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._press_key(event)
        if isinstance(event, QMouseEvent):
            self._move(event)
        return False

    def _show_draggable(self) -> None:
        self._preview.set_draggable(self._store.current.framing.zoom > 1)

    def _turn_wheel(self, event: QWheelEvent) -> None:
        x, y = self._preview.fraction_of(event.position())
        if 0 <= x <= 1 and 0 <= y <= 1:
            self._zoom(ZOOM_PER_NOTCH ** (event.angleDelta().y() / NOTCH), self._preview.mirrored(x), y)

    def _move(self, event: QMouseEvent) -> None:
        if not event.buttons() & Qt.MouseButton.LeftButton:
            self._drag_position = None
            return
        if self._preview.mode is ViewMode.COMPARE:
            self._preview.set_divider(self._preview.fraction_of(event.position())[0])
            return
        previous, self._drag_position = self._drag_position, event.position()
        if previous is not None and event.type() is QEvent.Type.MouseMove:
            (x, y), (was_x, was_y) = self._preview.fraction_of(self._drag_position), self._preview.fraction_of(previous)
            self._pan(x - was_x, y - was_y)

    def _press_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in ZOOM_KEYS:
            self._zoom(ZOOM_KEYS[key])
        elif key in PAN_KEYS and self._preview.mode is ViewMode.COMPARE:
            self._preview.set_divider(self._preview.divider - PAN_KEYS[key][0] * DIVIDER_STEP)
        elif key in PAN_KEYS and self._store.current.framing.zoom > 1:
            right, down = PAN_KEYS[key]
            self._pan(right * KEY_STEP, down * KEY_STEP)
        else:
            return False
        return True

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
