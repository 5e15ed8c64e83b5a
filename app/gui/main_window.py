"""The main window: its parts, its menus, and the dialogs beside it."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QByteArray, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QTextCursor
from PyQt6.QtWidgets import QMainWindow, QMenu, QWidget

from app.config.scenes import SceneStore
from app.core.errors import Remedy
from app.gui.assistant import Assistant
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.bars import ActionBar, StatusLine
from app.gui.bridge import Bridge, RecordingSwitch
from app.gui.dialogs import (
    PreferencesDialog,
    TextDialog,
    about_box,
    diagnostics,
    help_page,
    log_page,
)
from app.gui.doctor import DoctorDialog
from app.gui.notices import NoticeArea, ProgramNotices
from app.gui.panels.models import Models
from app.gui.panels.plate import PlateDialog
from app.gui.panels.side_panel import SidePanel
from app.gui.preview.interaction import PreviewInteraction
from app.gui.preview.view import Badges, Preview, ViewNote
from app.gui.questions import change_or_ask, open_folder
from app.gui.scenes import ScenesMenu
from app.gui.state import DeviceWatcher, SettingsStore, Tasks
from app.gui.translation import tr
from app.gui.widgets.page import PanelSplitter
from app.gui.widgets.physical_keys import PhysicalKeys
from app.gui.widgets.qt import (
    add_action,
    application,
    column,
    copy_text,
    existing,
    open_once,
    resize,
    row,
    scroll_to_focus,
)
from app.gui.widgets.theme import FocusRings, icon
from app.runtime.status import PipelineStatus
from app.settings import Settings

# (width, height) in the usual font, before the user has resized the window, where the
# screen is large enough.
FIRST_SIZE = (1270, 830)


class MainWindow(QMainWindow):
    """Preview and backgrounds on the left, the side panel on the right."""

    # The user closed the window; the handler may ignore the QCloseEvent.
    close_requested = pyqtSignal(object)
    quit_requested = pyqtSignal()
    show_requested = pyqtSignal()

    def __init__(
        self,
        store: SettingsStore,
        bridge: Bridge,
        tasks: Tasks,
        scenes: SceneStore,
    ) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Mattecam")
        self.setWindowIcon(icon("app"))
        self.store = store
        self.bridge = bridge
        self.tasks = tasks
        self.preview = Preview(store)
        self.badges = Badges()
        self.action_bar = ActionBar(store)
        self.strip = BackgroundStrip(store, tasks)
        self.models = Models(store, tasks)
        self.panel = SidePanel(self.models, tasks)
        self.notices = NoticeArea()
        self.status_line = StatusLine()
        self.recording = RecordingSwitch(store, bridge, tasks, self)
        self.devices = DeviceWatcher(tasks, self)
        self.program_notices = ProgramNotices(self.notices, self.models, tasks)
        self.scenes = ScenesMenu(scenes, store, tasks, self)
        self._lay_out()
        # By the fields of `WindowSettings` that they show.
        self._switches: dict[str, QAction] = {}
        self._fill_menu_bar()
        # They are children of the window, and live as long.
        PhysicalKeys(self)
        FocusRings(self)
        self._connect()
        self._show_settings(store.current)
        resize(self, *FIRST_SIZE)
        self.restoreGeometry(QByteArray.fromBase64(store.current.window.geometry.encode()))

    def _lay_out(self) -> None:
        self._lay_over_preview()
        left = QWidget()
        column(
            left,
            self.notices,
            self.preview,
            self.action_bar,
            self.strip,
            grows=self.preview,
            spacing=12,
            margins=(12, 8, 12, 10),
        )
        self._splitter = PanelSplitter(left, self.panel)
        status_line = QWidget()
        status_line.setObjectName("statusLine")
        row(status_line, self.status_line, grows=self.status_line, margins=(12, 3, 12, 4))
        central = QWidget()
        column(central, self._splitter, status_line, grows=self._splitter, spacing=0)
        self.setCentralWidget(central)
        self.preview.setFocus(Qt.FocusReason.OtherFocusReason)

    def _lay_over_preview(self) -> None:
        brush = self.panel.zones.brush
        percent = self.panel.zones.brush_size.slider
        self.interaction = PreviewInteraction(
            self.preview,
            self.store,
            self.bridge,
            lambda: percent.value() / 100,
        )
        brush.toggled.connect(self.interaction.use_brush)
        brush.toggled.connect(self.badges.show_brush)
        self.interaction.full.connect(self.program_notices.report_full_zones)
        note = ViewNote(self.preview, self.store, self.bridge)
        flags = Qt.AlignmentFlag
        over = self.preview.over
        over.addLayout(self.badges, 0, 0, 1, 2)
        over.setRowStretch(1, 1)
        over.addWidget(note.figures, 2, 0, flags.AlignBottom | flags.AlignLeft)
        over.addWidget(note, 2, 1, flags.AlignBottom | flags.AlignRight)

    def _fill_menu_bar(self) -> None:
        bar = existing(self.menuBar())
        store = self.store

        menu = existing(bar.addMenu(tr("&Program")))
        hide = add_action(menu, tr("Hide me now"), "H", partial(store.set, "paused", True))
        # Also while a dialog is in front.
        hide.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        menu.addActions(self.action_bar.of_output)
        add_action(
            menu,
            tr("Open the recordings folder"),
            "",
            lambda: open_folder(self.tasks, store.recordings_dir),
        )
        menu.addSeparator()
        add_action(menu, tr("Setup assistant…"), "", self.open_assistant)
        add_action(menu, tr("Preferences…"), "Ctrl+,", self.open_preferences)
        menu.addSeparator()
        add_action(menu, tr("Quit"), "Ctrl+Q", self.quit_requested.emit)

        menu = existing(bar.addMenu(tr("&View")))
        menu.addActions(self.action_bar.modes.actions())
        menu.addSeparator()
        self._add_switch(menu, tr("Mirror the preview"), "M", "mirror_preview")
        self._add_switch(menu, tr("Show frame rate and delay"), "I", "show_readout")
        self._add_switch(menu, tr("Side panel"), "F9", "show_panel")

        menu = existing(bar.addMenu(tr("&Background")))
        add_action(menu, tr("Add…"), "Ctrl+O", self.strip.ask_for_files)
        add_action(menu, tr("Paste"), "Ctrl+V", self.strip.library.paste)

        bar.addMenu(self.scenes.menu)

        menu = existing(bar.addMenu(tr("&Help")))
        add_action(menu, tr("Help…"), "F1", self.open_help)
        add_action(menu, tr("Check this computer…"), "", self.open_doctor)
        add_action(menu, tr("Log"), "Ctrl+L", self.open_log)
        add_action(menu, tr("Copy diagnostics"), "", self.copy_diagnostics)
        add_action(menu, tr("About Mattecam"), "", self.open_about)

    def _add_switch(self, menu: QMenu, text: str, key: str, field: str) -> None:
        """Add an entry that switches a field of `WindowSettings`."""
        switch = add_action(menu, text, key)
        switch.setCheckable(True)
        switch.triggered.connect(partial(self.store.set, f"window.{field}"))
        self._switches[field] = switch

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
        self.panel.virtual_camera.help_requested.connect(
            partial(self.open_doctor, "virtual camera"),
        )
        plate.capture_requested.connect(self.open_plate_dialog)
        plate.chosen_again.connect(self.bridge.read_files_again)
        self.models.installed.connect(self.bridge.retry)
        self.program_notices.download_requested.connect(
            partial(self.panel.reveal, self.panel.quality),
        )
        self.program_notices.download_requested.connect(self.models.download)
        self.program_notices.remedy_chosen.connect(self.help_with)
        for source in (self.recording.failed, self.strip.library.failed, self.scenes.failed):
            source.connect(self.program_notices.show_error)
        self.strip.renamed.connect(self.scenes.follow_rename)
        self.strip.chosen_again.connect(self.bridge.read_files_again)
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
        self.action_bar.show_recording(elapsed)
        self.status_line.show_status(status, frozen=self.store.current.frozen)
        self.program_notices.show_status(status)
        self.panel.show_status(status)

    def _show_settings(self, settings: Settings) -> None:
        self._splitter.show_panel(settings.window.show_panel)
        for field, switch in self._switches.items():
            switch.setChecked(getattr(settings.window, field))

    def _follow_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        scroll_to_focus(before, now)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.close_requested.emit(event)

    # Dialogs do not block the window; one that is already open comes to the front.

    def open_assistant(self) -> None:
        """Open the setup assistant."""
        make = partial(Assistant, self.bridge, self.panel, self.strip, self.tasks, self)
        open_once(self, Assistant, make)

    def open_plate_dialog(self) -> None:
        """Open the capture of an empty-background plate."""

        def make() -> PlateDialog:
            pipeline = self.bridge.pipeline
            dialog = PlateDialog(
                self.store,
                self.tasks,
                lambda: pipeline.newest_frame,
                pipeline.demand,
                self,
            )
            dialog.taken.connect(self.bridge.retry)
            dialog.taken.connect(self.panel.quality.plate.reload)
            return dialog

        open_once(self, PlateDialog, make)

    def open_doctor(self, only: str = "") -> None:
        """Open the findings about the machine. only: how the names of the checks begin."""
        name = "virtualCameraDialog" if only else "doctorDialog"
        make = partial(DoctorDialog, self.store, self.bridge, self.tasks, self, name, only)
        open_once(self, DoctorDialog, make, name)

    def open_preferences(self) -> PreferencesDialog:
        """Open the preferences."""
        make = partial(PreferencesDialog, self.store, self.bridge, self.tasks, self)
        return open_once(self, PreferencesDialog, make)

    def open_help(self) -> None:
        """Open the page of help."""
        self._open_text("helpWindow", tr("Help"), help_page())

    def open_log(self) -> None:
        """Show the log up to now, at its end."""
        text = self._open_text("logWindow", tr("Log"), log_page()).text
        text.moveCursor(QTextCursor.MoveOperation.End)
        # The page scrolls to the cursor: at the end of a long line it would show nothing
        # but the ends of lines.
        text.moveCursor(QTextCursor.MoveOperation.StartOfBlock)

    def _open_text(self, name: str, title: str, page: str) -> TextDialog:
        dialog = open_once(self, TextDialog, lambda: TextDialog(name, title, self), name)
        dialog.show_page(page)
        return dialog

    def open_about(self) -> None:
        """Show name, version, commit and licences."""
        about_box(self).open()

    def copy_diagnostics(self) -> None:
        """Copy the diagnostics to the clipboard."""
        copy_text(diagnostics(self.store.current, self.bridge.status))
        self.program_notices.diagnostics_copied()

    def help_with(self, remedy: Remedy) -> None:
        """Do what the button of an error offers, and try again what failed."""
        panel = self.panel
        match remedy:
            case Remedy.CAMERA | Remedy.SOURCE:
                panel.reveal(panel.camera.list)
                panel.camera.list.showPopup()
            case Remedy.MODEL:
                panel.reveal(panel.quality.list)
                panel.quality.list.showPopup()
            case Remedy.MATTING_SETTINGS:
                self.open_preferences().show_advanced()
            case Remedy.PLATE:
                self.open_plate_dialog()
            case Remedy.BLUR:
                change_or_ask(
                    self,
                    self.store,
                    lambda now: now.replaced_at(["background"], kind="blur"),
                )
            case Remedy.VIRTUAL_CAMERA:
                self.open_doctor("virtual camera")
            case Remedy.RECORDINGS_FOLDER:
                panel.reveal(panel.recordings.folder)
                panel.recordings.ask_for_folder()
        self.bridge.retry()
