"""The window, put together. What its parts do is theirs."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QSplitter, QTabWidget, QVBoxLayout, QWidget

from app.gui.action_bar import ActionBar
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.bridge import Bridge
from app.gui.controls import label
from app.gui.devices import DeviceWatcher
from app.gui.error_bar import ErrorBar
from app.gui.icons import app_icon, icon
from app.gui.panels.camera import CameraPage
from app.gui.panels.matting import MattingPage
from app.gui.panels.output import OutputPage
from app.gui.preferences_store import PreferencesStore
from app.gui.preview import Preview
from app.gui.readout import Readout
from app.gui.recording import Recording
from app.gui.status_line import describe_status
from app.gui.store import SettingsStore
from app.gui.tasks import Tasks
from app.runtime.status import PipelineStatus


class MainWindow(QMainWindow):
    """Preview and backgrounds on the left, the panel on the right."""

    closing = pyqtSignal()
    """The user closed the window."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Mattecam")
        self.setWindowIcon(app_icon())
        self.store, self.preferences, self.bridge, self.tasks = store, preferences, bridge, tasks
        self.preview = Preview()
        self.readout = Readout(self.preview)
        self.actions_bar = ActionBar(store)
        self.strip = BackgroundStrip(store, preferences, tasks)
        self.camera_page = CameraPage(store, preferences)
        self.matting_page = MattingPage(store, tasks)
        self.output_page = OutputPage(store, preferences)
        self.error_bar = ErrorBar()
        self.status_label = label("", "faint")
        self.status_label.setObjectName("statusLabel")
        self.recording = Recording(store, preferences, bridge, tasks, self)
        self.devices = DeviceWatcher(tasks, self)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        stage = QVBoxLayout()
        stage.setContentsMargins(0, 0, 0, 0)
        overlay = QVBoxLayout(self.preview)
        overlay.setContentsMargins(0, 0, 0, 0)
        overlay.addWidget(self.readout)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(16, 12, 16, 10)
        column.setSpacing(12)
        column.addWidget(self.error_bar)
        column.addWidget(self.preview, 1)
        column.addWidget(self.actions_bar)
        column.addWidget(self.strip)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.camera_page, icon("camera"), self.tr("Camera"))
        self.tabs.addTab(self.matting_page, icon("person"), self.tr("Matting"))
        self.tabs.addTab(self.output_page, icon("output"), self.tr("Output"))
        self.tabs.setObjectName("sidePanel")
        self.tabs.setMinimumWidth(300)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.tabs)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([940, 330])
        status_line = QWidget()
        status_line.setObjectName("statusLine")
        row = QHBoxLayout(status_line)
        row.setContentsMargins(16, 5, 16, 6)
        row.addWidget(self.status_label, 1)
        central = QWidget()
        whole = QVBoxLayout(central)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.splitter, 1)
        whole.addWidget(status_line)
        self.setCentralWidget(central)
        self.resize(1270, 800)

    def _connect(self) -> None:
        self.bridge.frame_ready.connect(self._show_frame)
        self.bridge.status_changed.connect(self._show_status)
        self.store.changed.connect(self.bridge.apply)
        self.preview.wanted.connect(self.bridge.ask_view)
        self.preferences.changed.connect(lambda new: self.preview.set_mirror(new.mirror_preview))
        self.preview.set_mirror(self.preferences.current.mirror_preview)
        self.actions_bar.mode_chosen.connect(self.preview.set_mode)
        self.actions_bar.record_wanted.connect(self.recording.set_on)
        self.actions_bar.snapshot.clicked.connect(self.recording.snapshot)
        self.devices.cameras_found.connect(self.camera_page.show_cameras)
        self.devices.virtual_cameras_found.connect(self.output_page.show_virtual_cameras)
        for source in (self.recording.failed, self.strip.library.failed, self.matting_page.network.failed):
            source.connect(self.error_bar.show_message)
        self.strip.drops.watch(self)

    def start(self) -> None:
        """Begin to look for devices, files and models, and start the pipeline."""
        self.bridge.start()
        self.strip.library.reload()
        self.matting_page.network.reload()
        self.devices.start()

    def _show_frame(self) -> None:
        image = self.bridge.take_image()
        if image is not None:
            self.preview.show_image(image)

    def _show_status(self, status: PipelineStatus) -> None:
        time = self.recording.time(status)
        self.readout.show_status(status, time)
        self.actions_bar.show_recording(time)
        self.status_label.setText(describe_status(status))
        self.error_bar.show_status(status)
        for page in (self.camera_page, self.matting_page, self.output_page):
            page.show_status(status)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        super().closeEvent(event)
        self.closing.emit()
