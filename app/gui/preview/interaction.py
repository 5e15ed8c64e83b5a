"""Zoom and pan in the preview with the mouse wheel, by dragging, and with keys."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QPointF, Qt
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from app.core.framing import pan_by, zoom_at
from app.core.settings import FramingSettings
from app.gui.preview.rendering import ViewMode
from app.gui.preview.view import Preview
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore

ZOOM_PER_NOTCH = 1.1
NOTCH = 120
"""Qt's angle delta for one notch of a mouse wheel; touch pads send smaller deltas."""
KEY_STEP = 0.05
ZOOM_KEYS = {Qt.Key.Key_Plus: ZOOM_PER_NOTCH, Qt.Key.Key_Equal: ZOOM_PER_NOTCH, Qt.Key.Key_Minus: 1 / ZOOM_PER_NOTCH}
PAN_KEYS = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}


class PreviewInteraction(QObject):
    """Filters the preview's events. In the comparison, dragging and the arrow keys move its divider instead."""

    def __init__(self, preview: Preview, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__(preview)
        self._preview, self._store, self._preferences = preview, store, preferences
        self._drag_position: QPointF | None = None
        """Last position of the drag; None while nothing is dragged."""
        store.changed.connect(lambda settings: preview.set_draggable(settings.framing.zoom > 1))
        preview.set_draggable(store.current.framing.zoom > 1)
        preview.installEventFilter(self)

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QWheelEvent):
            self._zoom(event)
            return True
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._press_key(event)
        if isinstance(event, QMouseEvent):
            self._move(event)
        return False

    def _zoom(self, event: QWheelEvent) -> None:
        x, y = self._normalized(event.position())
        if 0 <= x <= 1 and 0 <= y <= 1:
            factor = ZOOM_PER_NOTCH ** (event.angleDelta().y() / NOTCH)
            self._set(zoom_at(self._store.current.framing, factor, self._unmirrored(x), y))

    def _move(self, event: QMouseEvent) -> None:
        if self._preview.mode is ViewMode.COMPARE or not event.buttons() & Qt.MouseButton.LeftButton:
            self._drag_position = None
            return
        previous, self._drag_position = self._drag_position, event.position()
        if previous is not None and event.type() is QEvent.Type.MouseMove:
            (x, y), (was_x, was_y) = self._normalized(self._drag_position), self._normalized(previous)
            self._set(pan_by(self._store.current.framing, self._unmirrored(x) - self._unmirrored(was_x), y - was_y))

    def _press_key(self, event: QKeyEvent) -> bool:
        framing, key = self._store.current.framing, Qt.Key(event.key())
        if key in ZOOM_KEYS:
            self._set(zoom_at(framing, ZOOM_KEYS[key]))
        elif key in PAN_KEYS and framing.zoom > 1 and self._preview.mode is not ViewMode.COMPARE:
            right, down = PAN_KEYS[key]
            mirror = -1 if self._preferences.current.mirror_preview else 1
            self._set(pan_by(framing, mirror * right * KEY_STEP, down * KEY_STEP))
        else:
            return False
        return True

    def _set(self, framing: FramingSettings) -> None:
        self._store.edit("framing", **dict(framing))

    def _normalized(self, position: QPointF) -> tuple[float, float]:
        """Position as fractions of the view."""
        rect = self._preview.picture_rect()
        return (position.x() - rect.left()) / max(1.0, rect.width()), (position.y() - rect.top()) / max(
            1.0, rect.height()
        )

    def _unmirrored(self, x: float) -> float:
        """Horizontal fraction in the direction of the camera's frame."""
        return 1 - x if self._preferences.current.mirror_preview else x
