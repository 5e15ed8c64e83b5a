"""The side panel: what everybody needs, and behind "All settings" the rest in groups."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QLineEdit, QWidget

from app.core.settings import Settings
from app.gui.i18n.messages import standby_text
from app.gui.panels.camera import CameraControls
from app.gui.panels.form import Form
from app.gui.panels.matting import QualityControls
from app.gui.panels.output import VirtualCameraControls
from app.gui.panels.picture import BackgroundViewControls, FramingControls, LightSliders, ZoneControls
from app.gui.panels.quality import QualityChoice
from app.gui.panels.recordings import RecordingControls
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import DeviceWatcher, Tasks
from app.gui.widgets.controls import Segments
from app.gui.widgets.page import Collapsible, Page
from app.gui.widgets.qt import column, scaled
from app.runtime.status import PipelineStatus

WIDTH_PX = 330


class SidePanel(QWidget):
    """What most people need; with "All settings" more of it, and the closed groups below."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("sidePanel")
        self._store = store
        self.page = Page()
        self.groups: list[Collapsible] = []
        self.camera = CameraControls(store)
        self.virtual_camera = VirtualCameraControls(store)
        self.zones = ZoneControls(store)
        self.quality_choice = QualityChoice(store, tasks)
        self.quality = QualityControls(store, tasks)
        self.recordings = RecordingControls(store)
        self._choice = Segments(
            (
                (self.tr("Simple"), self.tr("Show only what most people need"), "simpleSettings"),
                (self.tr("All settings", "the panel"), self.tr("Show every setting, in groups"), "allSettings"),
            ),
            margins=(18, 10, 18, 6),
        )
        self._choice.chosen.connect(lambda number: store.set("window.all_settings", number == 1))
        column(self, self._choice, self.page, grows=self.page, spacing=0)
        self.page.add_heading(self.tr("Camera")).setBuddy(self.camera.list)
        self.page.add(self.camera)
        self.page.add_heading(self.tr("Framing"))
        self.page.add(FramingControls(store))
        self.page.add_heading(self.tr("Light"))
        self.page.add(LightSliders(store))
        self.page.add_heading(self.tr("Virtual camera"))
        self.page.add(self.virtual_camera)
        self.page.add_heading(self.tr("Quality"))
        self.page.add(self.quality_choice)
        self.page.add_separator()
        self._add_groups(store)
        store.changed.connect(self._show)
        self._show(store.current)

    def sizeHint(self) -> QSize:
        return QSize(scaled(WIDTH_PX, self), super().sizeHint().height())

    def _add_groups(self, store: SettingsStore) -> None:
        card = Form(store)
        shown = self.tr("Shown on the card while you are paused")
        text = card.row("output.standby_text", self.tr("Stand-by text"), shown)
        assert isinstance(text, QLineEdit)
        text.setPlaceholderText(standby_text())
        card.row("output.standby_image", self.tr("Stand-by image"), shown)
        rows: tuple[tuple[str, str, str, QWidget], ...] = (
            (self.tr("Always hide"), self.tr("Hide parts of the picture"), "zonesGroup", self.zones),
            (self.tr("Adjust the background"), self.tr("Zoom, position, kind of blur"), "backgroundGroup",
             BackgroundViewControls(store)),
            (self.tr("Model and edge"), self.tr("Any model, and the kind of edge"), "qualityGroup", self.quality),
            (self.tr("Record"), self.tr("Folder and microphone of recordings"), "recordGroup", self.recordings),
            (self.tr("Pause"), self.tr("What others see while you are paused"), "pauseGroup", card),
        )  # fmt: skip
        for title, description, name, content in rows:
            group = Collapsible(title, description, name, content)
            group.toggle.toggled.connect(partial(self._scroll_to_opened, group))
            self.page.add(group)
            self.groups.append(group)

    def follow_devices(self, devices: DeviceWatcher) -> None:
        """List the devices that are connected."""
        devices.cameras_found.connect(self.camera.show_cameras)
        devices.virtual_cameras_found.connect(self.virtual_camera.show_virtual_cameras)
        self.recordings.list_requested.connect(devices.check_microphones)
        devices.microphones_found.connect(self.recordings.show_microphones)

    def show_status(self, status: PipelineStatus) -> None:
        """Show what is in use."""
        parts = self.camera, self.quality_choice, self.zones, self.quality.network, self.virtual_camera, self.recordings
        for part in parts:
            part.show_status(status)

    def reveal(self, control: QWidget) -> None:
        """Show the panel with this control, whichever group holds it, and give it the focus."""
        self._store.set("window.show_panel", True)
        around = next((group for group in self.groups if group.isAncestorOf(control)), None)
        if around is not None:
            around.toggle.setChecked(True)
        if around is not None or control.isHidden():
            self._store.set("window.all_settings", True)
        control.setFocus()
        self.page.scroll_to(control)

    def _scroll_to_opened(self, group: Collapsible, is_open: bool) -> None:
        self.page.scroll_to(group if is_open else None)

    def _show(self, settings: Settings) -> None:
        self._choice.show_chosen(int(settings.window.all_settings))
        for group in self.groups:
            group.setVisible(settings.window.all_settings)
