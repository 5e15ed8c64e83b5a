"""Who and what is always hidden or always shown: one person only, and zones painted on the preview."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QPushButton

from app.core.settings import Settings, Zone
from app.gui.panels.form import Form
from app.gui.preview.zones import ZoneKind, ZoneTool
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.gui.widgets.value_slider import ValueSlider, percent
from app.runtime.status import PipelineStatus


class ZoneControls(Form):
    """Shows one person alone, chooses a brush, and removes zones of the camera in use."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, spacing=8)
        self.tool = ZoneTool()
        self._camera = ""
        self.add_check(
            "people.only_me", self.tr("Only me"),
            self.tr("Hides everybody but one person; click the person in the preview"), "onlyMeCheck",
            change=self._set_only_me,
        )  # fmt: skip
        drop = button(self.tr("Always hide"), self.tr("What you paint is never shown, not even people"), "dropBrush",
                      checkable=True)  # fmt: skip
        keep = button(self.tr("Always show"), self.tr("What you paint is always shown, with your real room"),
                      "keepBrush", checkable=True)  # fmt: skip
        drop.toggled.connect(lambda on: self._choose("drop" if on else None, keep))
        keep.toggled.connect(lambda on: self._choose("keep" if on else None, drop))
        self.add_beside(drop, keep)
        self.add_hint(self.tr("Choose one and paint on the picture."))
        size = ValueSlider(
            1, 20, percent, self.tr("Brush size"), self.tr("Size of the brush on the preview"), "brushSlider"
        )
        size.value_changed.connect(lambda value: setattr(self.tool, "radius", value / 100))
        size.show_value(round(self.tool.radius * 100))
        self.add(size)
        self.add_link(self.tr("Remove the last zone"), self.tr("Undo the last brush stroke"), "zoneUndo",
                      lambda: self._remove(self._own()[-1:]), lambda _settings: bool(self._own()))  # fmt: skip
        self.add_link(self.tr("Remove all zones"), self.tr("Remove all zones of this camera"), "zonesClear",
                      lambda: self._remove(self._own()), lambda _settings: bool(self._own()))  # fmt: skip

    def show_status(self, status: PipelineStatus) -> None:
        """Follow the camera in use."""
        camera = status.source.id if status.source is not None else ""
        if camera != self._camera:
            self._camera = camera
            self.refresh()

    def _set_only_me(self, on: bool) -> None:
        self.store.change(lambda now: now.replace(people=now.people.replace(only_me=on), selected=None))

    def _choose(self, kind: ZoneKind | None, other: QPushButton) -> None:
        with QSignalBlocker(other):
            other.setChecked(False)
        self.tool.choose(kind)

    def _own(self) -> tuple[Zone, ...]:
        return self.store.current.people.zones_of(self._camera)

    def _remove(self, zones: tuple[Zone, ...]) -> None:
        def update(settings: Settings) -> Settings:
            left = tuple(zone for zone in settings.people.zones if not any(zone is other for other in zones))
            return settings.replace(people=settings.people.replace(zones=left))

        self.store.change(update)
