"""Who and what is always hidden or always shown: one person only, and zones painted on the preview."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.core.settings import Settings, Zone
from app.gui.preview.zone_tool import ZoneKind, ZoneTool
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, check, describe, label, link_button
from app.gui.widgets.value_slider import ValueSlider
from app.runtime.status import PipelineStatus


class ZoneControls(QWidget):
    """Shows one person alone, chooses a brush, and removes zones of the camera in use."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self.tool = ZoneTool()
        self._store = store
        self._camera = ""
        self._only_me = check(
            self.tr("Only me"),
            self.tr("Hides everybody but one person; click the person in the preview"),
            "onlyMeCheck",
        )
        self._drop = button(self.tr("Always hide"), checkable=True)
        self._keep = button(self.tr("Always show"), checkable=True)
        describe(
            self._drop, self.tr("Always hide"), self.tr("What you paint is never shown, not even people"),
            "dropBrush",
        )  # fmt: skip
        describe(
            self._keep, self.tr("Always show"), self.tr("What you paint is always shown, with your real room"),
            "keepBrush",
        )  # fmt: skip
        self._size = ValueSlider(
            1, 20, lambda value: f"{value} %", self.tr("Brush size"), self.tr("Size of the brush on the preview"),
            "brushSlider",
        )  # fmt: skip
        self._undo = link_button(self.tr("Remove the last zone"))
        self._clear = link_button(self.tr("Remove all zones"))
        describe(self._undo, self.tr("Remove the last zone"), self.tr("Undo the last brush stroke"), "zoneUndo")
        describe(self._clear, self.tr("Remove all zones"), self.tr("Remove all zones of this camera"), "zonesClear")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._drop)
        row.addWidget(self._keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._only_me)
        column.addLayout(row)
        column.addWidget(label(self.tr("Choose one and paint on the picture."), "faint", wrap=True))
        for widget in (self._size, self._undo, self._clear):
            column.addWidget(widget)
        self._connect()

    def _connect(self) -> None:
        self._only_me.toggled.connect(self._set_only_me)
        self._drop.toggled.connect(lambda on: self._choose("drop" if on else None, self._keep))
        self._keep.toggled.connect(lambda on: self._choose("keep" if on else None, self._drop))
        self._size.value_changed.connect(lambda value: setattr(self.tool, "radius", value / 100))
        self._size.show_value(round(self.tool.radius * 100))
        self._undo.clicked.connect(lambda: self._remove(self._own()[-1:]))
        self._clear.clicked.connect(lambda: self._remove(self._own()))
        self._store.changed.connect(self._show)
        self._show(self._store.current)

    def show_status(self, status: PipelineStatus) -> None:
        """Follow the camera in use."""
        camera = status.source.id if status.source is not None else ""
        if camera != self._camera:
            self._camera = camera
            self._show(self._store.current)

    def _set_only_me(self, on: bool) -> None:
        self._store.change(lambda now: now.replace(people=now.people.replace(only_me=on), selected=None))

    def _choose(self, kind: ZoneKind | None, other: QPushButton) -> None:
        with QSignalBlocker(other):
            other.setChecked(False)
        self.tool.choose(kind)

    def _own(self) -> tuple[Zone, ...]:
        return self._store.current.people.zones_of(self._camera)

    def _remove(self, zones: tuple[Zone, ...]) -> None:
        def update(settings: Settings) -> Settings:
            left = tuple(zone for zone in settings.people.zones if not any(zone is other for other in zones))
            return settings.replace(people=settings.people.replace(zones=left))

        self._store.change(update)

    def _show(self, settings: Settings) -> None:
        with QSignalBlocker(self._only_me):
            self._only_me.setChecked(settings.people.only_me)
        for each in (self._undo, self._clear):
            each.set_useful(bool(self._own()))
