"""The side panel: what everybody needs, and behind "All settings" the rest in groups."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QWidget

from app.core.settings import Settings
from app.gui.panels.camera import CameraControls, CameraFormatControls
from app.gui.panels.matting import ExpertControls, QualityControls
from app.gui.panels.output import OutputControls, StandbyControls, VirtualCameraControls
from app.gui.panels.picture import (
    BackgroundViewControls,
    FramingControls,
    LightSliders,
    ZoneControls,
)
from app.gui.panels.recordings import RecordingControls
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import DeviceWatcher, Tasks
from app.gui.widgets.controls import Segments
from app.gui.widgets.page import Collapsible, Page
from app.gui.widgets.qt import column, scaled
from app.runtime.status import PipelineStatus

WIDTH_PX = 330


class SidePanel(QWidget):
    """Camera, framing, light and virtual camera; with "All settings" also the closed groups below them."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("sidePanel")
        self._store = store
        self.page = Page()
        self.groups: list[Collapsible] = []
        self.camera = CameraControls(store)
        self.virtual_camera = VirtualCameraControls(store)
        self.zones = ZoneControls(store)
        self.quality = QualityControls(store, tasks)
        self.output = OutputControls(store)
        self.recordings = RecordingControls(store)
        self.expert = ExpertControls(store, tasks)
        self._choice = Segments(
            (
                (self.tr("Simple"), self.tr("Show only what most people need"), "simpleSettings"),
                (self.tr("All settings"), self.tr("Show every setting, in groups"), "allSettings"),
            ),
            margins=(18, 10, 18, 6),
        )
        self._choice.chosen.connect(self._choose)
        column(self, self._choice, self.page, grows=self.page, spacing=0)
        self.page.add_heading(self.tr("Camera")).setBuddy(self.camera.list)
        self.page.add(self.camera)
        self.page.add_heading(self.tr("Framing"))
        self.page.add(FramingControls(store))
        self.page.add_heading(self.tr("Light"))
        self.page.add(LightSliders(store))
        self.page.add_heading(self.tr("Virtual camera"))
        self.page.add(self.virtual_camera)
        self.page.add_separator()
        self._add_groups(store)
        store.changed.connect(self._show)
        self._show(store.current)

    def sizeHint(self) -> QSize:
        return QSize(scaled(WIDTH_PX, self), super().sizeHint().height())

    def _choose(self, number: int) -> None:
        """Show everything, scrolled to the groups, or what is simple."""
        self._store.set("window.all_settings", number == 1)
        if number == 1:
            self.page.scroll_to(self.groups[-1])

    def _add_groups(self, store: SettingsStore) -> None:
        rows: tuple[tuple[str, str, str, QWidget], ...] = (
            (self.tr("Always hide"), self.tr("Hide other people, or parts of the picture"), "zonesGroup",
             self.zones),
            (self.tr("Adjust the background"), self.tr("Zoom, position, kind of blur"), "backgroundGroup",
             BackgroundViewControls(store)),
            (self.tr("Size and frame rate"), self.tr("What the camera delivers"), "cameraGroup",
             CameraFormatControls(store, self.camera)),
            (self.tr("Quality"), self.tr("Model and edge"), "qualityGroup", self.quality),
            (self.tr("Send to OBS"), self.tr("How other programs receive your video"), "outputGroup", self.output),
            (self.tr("Record"), self.tr("Folder and microphone of recordings"), "recordGroup", self.recordings),
            (self.tr("Pause"), self.tr("What others see while you are paused"), "pauseGroup", StandbyControls(store)),
            (self.tr("Expert"), self.tr("Edge sliders, detail, device"), "expertGroup", self.expert),
        )  # fmt: skip
        for title, description, name, content in rows:
            group = Collapsible(title, description, name, content)
            group.toggle.toggled.connect(partial(self._scroll_to_opened, group))
            self.page.add(group)
            self.groups.append(group)

    def follow_devices(self, devices: DeviceWatcher) -> None:
        """List the devices that are connected."""
        devices.cameras_found.connect(self.camera.show_cameras)
        for part in (self.virtual_camera, self.output):
            devices.virtual_cameras_found.connect(part.show_virtual_cameras)
        self.recordings.list_requested.connect(devices.check_microphones)
        devices.microphones_found.connect(self.recordings.show_microphones)

    def show_status(self, status: PipelineStatus) -> None:
        """Show what is in use."""
        for part in (
            self.camera, self.zones, self.quality.network, self.virtual_camera, self.recordings,
            self.expert.ratio, self.expert.precision,
        ):  # fmt: skip
            part.show_status(status)

    def reveal(self, control: QWidget) -> None:
        """Show the panel with this control, whichever group holds it, and give it the focus."""
        self._store.set("window.show_panel", True)
        for group in self.groups:
            if group.isAncestorOf(control):
                self._store.set("window.all_settings", True)
                group.toggle.setChecked(True)
        control.setFocus()
        self.page.scroll_to(control)

    def _scroll_to_opened(self, group: Collapsible, is_open: bool) -> None:
        self.page.scroll_to(group if is_open else None)

    def _show(self, settings: Settings) -> None:
        self._choice.show_chosen(int(settings.window.all_settings))
        for group in self.groups:
            group.setVisible(settings.window.all_settings)
