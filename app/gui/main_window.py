"""The main window: builds its parts and connects them."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QByteArray, Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QMainWindow, QWidget

from app.config.scenes import SceneStore
from app.core.settings import Settings
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.bars import ActionBar, StatusLine
from app.gui.bridge import Bridge, Recording
from app.gui.dialogs import SecondaryWindows
from app.gui.menus import Menus, ScenesMenu
from app.gui.notices import NoticeArea, ProgramNotices
from app.gui.panels.models import Models
from app.gui.panels.side_panel import SidePanel
from app.gui.preview.interaction import PreviewInteraction
from app.gui.preview.view import Badges, Preview, ViewNote
from app.gui.state import DeviceWatcher, SettingsStore, Tasks
from app.gui.widgets.page import PanelSplitter
from app.gui.widgets.qt import application, column, resize, row, scroll_to_focus
from app.gui.widgets.theme import icon
from app.runtime.status import PipelineStatus

FIRST_SIZE = 1270, 830
"""Size of the window in the usual font, before the user has resized it, where the screen is large enough."""


class MainWindow(QMainWindow):
    """Preview and backgrounds on the left, the side panel on the right."""

    close_requested = pyqtSignal(object)
    """The user closed the window; the handler may ignore the QCloseEvent."""
    quit_requested = pyqtSignal()

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, scenes: SceneStore) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Mattecam")
        self.setWindowIcon(icon("app"))
        self.store, self.bridge, self.tasks = store, bridge, tasks
        self.preview = Preview(store)
        self.badges = Badges()
        self.action_bar = ActionBar(store)
        self.strip = BackgroundStrip(store, tasks)
        self.models = Models(store, tasks)
        self.panel = SidePanel(self.models, tasks)
        self.notices = NoticeArea()
        self.status_line = StatusLine()
        self.recording = Recording(store, bridge, tasks, self)
        self.devices = DeviceWatcher(tasks, self)
        self.windows = SecondaryWindows(self, store, bridge, tasks, self.panel, self.strip)
        self.program_notices = ProgramNotices(self.notices, self.models)
        self._lay_out()
        self.menus = Menus(self, self.windows, self.action_bar, self.strip, store, self.quit_requested.emit)
        self.scenes = ScenesMenu(self.menus.scenes, scenes, store, tasks, self)
        self._connect()
        self._show_settings(store.current)
        resize(self, *FIRST_SIZE)
        self.restoreGeometry(QByteArray.fromBase64(store.current.window.geometry.encode()))

    def _lay_out(self) -> None:
        brush, size = self.panel.zones.brush, self.panel.zones.brush_size.slider
        self.interaction = PreviewInteraction(self.preview, self.store, self.bridge, lambda: size.value() / 100)
        brush.toggled.connect(self.interaction.use_brush)
        brush.toggled.connect(self.badges.show_brush)
        self.interaction.full.connect(self.program_notices.report_full_zones)
        note = ViewNote(self.preview, self.store, self.bridge)
        flags = Qt.AlignmentFlag
        over = self.preview.over
        over.addLayout(self.badges, 0, 0, 1, 2)
        over.setRowStretch(1, 1)
        over.addWidget(self.badges.figures, 2, 0, flags.AlignBottom | flags.AlignLeft)
        over.addWidget(note, 2, 1, flags.AlignBottom | flags.AlignRight)
        left = QWidget()
        column(left, self.notices, self.preview, self.action_bar, self.strip, grows=self.preview, spacing=12,
               margins=(12, 8, 12, 10))  # fmt: skip
        self._splitter = PanelSplitter(left, self.panel)
        status_line = QWidget()
        status_line.setObjectName("statusLine")
        row(status_line, self.status_line, grows=self.status_line, margins=(12, 3, 12, 4))
        central = QWidget()
        column(central, self._splitter, status_line, grows=self._splitter, spacing=0)
        self.setCentralWidget(central)
        self.preview.setFocus(Qt.FocusReason.OtherFocusReason)

    def _connect(self) -> None:
        self.bridge.frame_ready.connect(self._show_frame)
        self.bridge.status_changed.connect(self._show_status)
        self.preview.view_requested.connect(self.bridge.request_view)
        self.store.changed.connect(self._show_settings)
        self.action_bar.mode_chosen.connect(self.preview.set_mode)
        self.action_bar.record_requested.connect(self.recording.set_on)
        self.action_bar.snapshot.triggered.connect(self.recording.snapshot)
        self.recording.failed.connect(self.action_bar.refresh)
        self.recording.saved.connect(self.program_notices.saved)
        self.panel.follow_devices(self.devices)
        self.devices.virtual_cameras_found.connect(self.program_notices.show_virtual_cameras)
        plate = self.panel.quality.plate
        self.panel.virtual_camera.help_requested.connect(partial(self.windows.open_doctor, "virtual camera"))
        plate.capture_requested.connect(self.windows.open_plate_dialog)
        plate.chosen_again.connect(self.bridge.pipeline.read_files_again)
        self.models.installed.connect(self.bridge.pipeline.retry)
        self.program_notices.download_requested.connect(partial(self.panel.reveal, self.panel.quality))
        self.program_notices.download_requested.connect(self.models.download)
        self.windows.diagnostics_copied.connect(self.program_notices.diagnostics_copied)
        self.program_notices.remedy_chosen.connect(self.windows.help_with)
        for source in (self.recording.failed, self.strip.library.failed, self.scenes.failed):
            source.connect(self.program_notices.show_error)
        self.scenes.saved.connect(self.program_notices.scene_saved)
        self.strip.renamed.connect(self.scenes.follow_rename)
        self.strip.removed.connect(self.program_notices.background_removed)
        self.strip.chosen_again.connect(self.bridge.pipeline.read_files_again)
        self.strip.chosen_again.connect(self.strip.library.reload)
        self.strip.library.watch(self)
        application().focusChanged.connect(self._follow_focus)

    def start(self) -> None:
        """Look for devices, backgrounds and models."""
        self.strip.library.reload()
        self.models.reload()
        self.devices.check()

    def _show_frame(self) -> None:
        taken = self.bridge.take_image()
        if taken is not None:
            self.preview.show_image(taken)

    def _show_status(self, status: PipelineStatus) -> None:
        elapsed = self.recording.follow(status)
        self.badges.show_status(status, elapsed, self.store.current)
        self.action_bar.show_recording(elapsed, failed=self.recording.broken)
        self.status_line.show_status(status, frozen=self.store.current.frozen)
        self.program_notices.show_status(status)
        self.panel.show_status(status)

    def _show_settings(self, settings: Settings) -> None:
        self._splitter.show_panel(settings.window.show_panel)

    def _follow_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        scroll_to_focus(before, now)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.close_requested.emit(event)
