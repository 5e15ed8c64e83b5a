"""Zones on the preview: their marks, and painting with the mouse."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QPointF, Qt
from PyQt6.QtGui import QMouseEvent

from app.core.framing import to_camera
from app.gui.preview.view import Preview
from app.gui.preview.zone_marks import ZoneMarks
from app.gui.preview.zone_tool import ZoneTool
from app.gui.state.bridge import Bridge
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore


class ZoneLayer(QObject):
    """Lays the marks over the preview, and takes its mouse events while a brush is selected."""

    def __init__(
        self, preview: Preview, tool: ZoneTool, store: SettingsStore, preferences: PreferencesStore, bridge: Bridge
    ) -> None:
        super().__init__(preview)
        self._preview, self._tool = preview, tool
        self._store, self._preferences, self._bridge = store, preferences, bridge
        self.marks = ZoneMarks(tool)
        preview.add_overlay(self.marks)
        preview.installEventFilter(self)
        bridge.status_changed.connect(lambda status: self.marks.show_status(status, store.current))
        preferences.changed.connect(lambda new: self.marks.set_mirror(new.mirror_preview))
        self.marks.set_mirror(preferences.current.mirror_preview)

    def eventFilter(self, _preview: QObject | None, event: QEvent | None) -> bool:
        if self._tool.kind is None or not isinstance(event, QMouseEvent):
            return False
        if event.type() is QEvent.Type.MouseButtonRelease and event.button() is Qt.MouseButton.LeftButton:
            self._finish()
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self._tool.add(*self._in_camera(event.position()))
        return True

    def _finish(self) -> None:
        source = self._bridge.status.source
        zone = self._tool.finish(source.id if source is not None else "")
        if zone is not None:
            self._store.change(lambda settings: settings.replace(people=settings.people.with_zone(zone)))

    def _in_camera(self, position: QPointF) -> tuple[float, float]:
        rect = self._preview.picture_rect()
        x = (position.x() - rect.left()) / max(1.0, rect.width())
        y = (position.y() - rect.top()) / max(1.0, rect.height())
        if self._preferences.current.mirror_preview:
            x = 1 - x
        return to_camera(self._store.current.framing, self._bridge.status.view, x, y)
