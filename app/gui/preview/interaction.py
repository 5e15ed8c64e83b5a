"""Zoom and pan of the camera, or place and scale of the person, in the preview with wheel, dragging and keys."""

from __future__ import annotations

from typing import Literal

from PyQt6.QtCore import QEvent, QObject, QPointF, Qt
from PyQt6.QtGui import QInputEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QAbstractButton

from app.core.framing import move_by, pan_by, scale_at, zoom_at
from app.core.settings import FramingSettings, PlacementSettings
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
"""Directions (right, down) in which the camera's image moves under the view; a person moves the other way."""
PERSON_MODIFIER = Qt.KeyboardModifier.ControlModifier
"""While it is pressed, the person is moved, whatever the target is."""
Target = Literal["camera", "person"]


class PreviewInteraction(QObject):
    """Filters the preview's events. In the comparison, dragging and the arrow keys move its divider instead.

    Before the stand-by card, nothing is moved that cannot be seen.
    """

    def __init__(self, preview: Preview, store: SettingsStore, bridge: Bridge, moves_person: QAbstractButton) -> None:
        """moves_person: checked while mouse and keys move the person in place of the camera's image."""
        super().__init__(preview)
        self._preview, self._store, self._bridge, self._moves_person = preview, store, bridge, moves_person
        self._drag_position: QPointF | None = None
        """Last position of the drag; None while nothing is dragged."""
        store.changed.connect(self._show_draggable)
        moves_person.toggled.connect(self._show_draggable)
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
        self._preview.set_draggable(self._moves_person.isChecked() or self._store.current.framing.zoom > 1)

    def _target_of(self, event: QInputEvent) -> Target:
        return "person" if event.modifiers() & PERSON_MODIFIER or self._moves_person.isChecked() else "camera"

    def _turn_wheel(self, event: QWheelEvent) -> None:
        x, y = self._preview.fraction_of(event.position())
        if 0 <= x <= 1 and 0 <= y <= 1:
            factor = ZOOM_PER_NOTCH ** (event.angleDelta().y() / NOTCH)
            target = self._target_of(event)
            self._scale(target, factor, self._in_output(target, x), y)

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
            target = self._target_of(event)
            self._pan(target, self._in_output(target, x) - self._in_output(target, was_x), y - was_y)

    def _press_key(self, event: QKeyEvent) -> bool:
        target, key = self._target_of(event), Qt.Key(event.key())
        movable = target == "person" or self._store.current.framing.zoom > 1
        if key in ZOOM_KEYS:
            self._scale(target, ZOOM_KEYS[key])
        elif key in PAN_KEYS and self._preview.mode is ViewMode.COMPARE:
            self._preview.set_divider(self._preview.divider - PAN_KEYS[key][0] * DIVIDER_STEP)
        elif key in PAN_KEYS and movable:
            right, down = PAN_KEYS[key]
            step = KEY_STEP if target == "camera" else -KEY_STEP
            self._pan(target, self._in_output(target, right * step) - self._in_output(target, 0), down * step)
        else:
            return False
        return True

    def _scale(self, target: Target, factor: float, x: float = 0.5, y: float = 0.5) -> None:
        """Zoom the camera or scale the person, at a position in fractions of the view."""
        if target == "person":
            self._change(placement=scale_at(self._store.current.placement, factor, x, y))
        else:
            self._change(framing=zoom_at(self._store.current.framing, factor, x, y))

    def _pan(self, target: Target, right: float, down: float) -> None:
        if target == "person":
            self._change(placement=move_by(self._store.current.placement, right, down))
        else:
            self._change(framing=pan_by(self._store.current.framing, right, down))

    def _change(self, **changes: FramingSettings | PlacementSettings) -> None:
        picture = self._bridge.picture
        if picture is None or picture.frame is not None:
            self._store.change(lambda settings: settings.replace(**changes))

    def _in_output(self, target: Target, x: float) -> float:
        """Horizontal fraction of the output, of what the target is seen on."""
        sides = self._store.sides
        return sides.over_backdrop(x) if target == "person" else sides.to_output(x)
