"""Zones and people on the preview: marks, painting with the mouse, and the click that selects a person."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QPointF, Qt
from PyQt6.QtGui import QMouseEvent

from app.core.framing import to_camera
from app.gui.preview.mirroring import Sides
from app.gui.preview.view import Preview
from app.gui.preview.zone_marks import ZoneMarks
from app.gui.preview.zone_tool import ZoneTool
from app.gui.state.bridge import Bridge
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.signals import follow

CLICK_PX = 6
"""A click moves by less."""


class ZoneLayer(QObject):
    """Lays the marks over the preview, takes its mouse events while a brush is selected, and selects a person."""

    def __init__(
        self, preview: Preview, tool: ZoneTool, store: SettingsStore, preferences: PreferencesStore, bridge: Bridge
    ) -> None:
        super().__init__(preview)
        self._preview, self._tool = preview, tool
        self._store, self._preferences, self._bridge = store, preferences, bridge
        self._pressed_at: QPointF | None = None
        self._painted = ""
        """The camera whose picture the stroke is painted on."""
        self.marks = ZoneMarks(tool)
        preview.add_overlay(self.marks)
        preview.installEventFilter(self)
        follow(bridge.status_changed, self, lambda status: self.marks.show_status(status, store.current))
        follow(preferences.changed, self, lambda _new: self.marks.set_sides(self._sides))
        follow(store.changed, self, lambda _settings: self.marks.set_sides(self._sides))
        self.marks.set_sides(self._sides)

    @property
    def _sides(self) -> Sides:
        return Sides.of(self._store.current, self._preferences.current.mirror_preview)

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if not isinstance(event, QMouseEvent):
            return False
        if self._tool.kind is None:
            self._pick(event)
            return False
        if event.type() is QEvent.Type.MouseButtonPress:
            picture = self._bridge.picture
            self._painted = "" if picture is None or picture.frame is None else picture.frame.camera
        if event.type() is QEvent.Type.MouseButtonRelease and event.button() is Qt.MouseButton.LeftButton:
            self._finish()
        elif event.buttons() & Qt.MouseButton.LeftButton and self._painted:  # a zone without a camera is one of all
            self._tool.add(*self._in_camera(event.position()))
        return True

    def _pick(self, event: QMouseEvent) -> None:
        """Select the person under a click, which a drag is not."""
        if event.button() is not Qt.MouseButton.LeftButton or not self._store.current.people.only_me:
            return
        if event.type() is QEvent.Type.MouseButtonPress:
            self._pressed_at = event.position()
        elif event.type() is QEvent.Type.MouseButtonRelease and self._pressed_at is not None:
            moved = (event.position() - self._pressed_at).manhattanLength()
            point = self._in_camera(event.position())
            if moved < CLICK_PX and all(0 <= value <= 1 for value in point):
                self._store.change(lambda settings: settings.replace(selected=point))
            self._pressed_at = None

    def _finish(self) -> None:
        zone = self._tool.finish(self._painted)
        if zone is not None:
            self._store.change(lambda settings: settings.replace(people=settings.people.with_zone(zone)))

    def _in_camera(self, position: QPointF) -> tuple[float, float]:
        rect = self._preview.picture_rect()
        x = (position.x() - rect.left()) / max(1.0, rect.width())
        y = (position.y() - rect.top()) / max(1.0, rect.height())
        return to_camera(self._store.current.framing, self._bridge.status.view, self._sides.to_output(x), y)
