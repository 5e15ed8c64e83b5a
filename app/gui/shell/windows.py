"""Dialogs beside the main window, and actions of the error bar's button."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QMainWindow, QMessageBox

from app import __version__
from app.core.files import program
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.dialogs.assistant import Assistant
from app.gui.dialogs.doctor import DoctorDialog, FindingsDialog, VirtualCameraView
from app.gui.dialogs.plain_dialogs import HelpWindow, LogWindow, PreferencesDialog, ShortcutsDialog, menu_shortcuts
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.dialogs.questions import change_or_ask
from app.gui.panels.side_panel import SidePanel
from app.gui.shell.notices import Remedy
from app.gui.state.bridge import Bridge
from app.gui.state.diagnostics import LogBuffer, diagnostics
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.qt import copy_text, existing, open_once, prepare
from app.gui.widgets.theme import icon
from app.system.licences import licences


class SecondaryWindows(QObject):
    """Opens dialogs that do not block the window; one that is already open comes to the front."""

    diagnostics_copied = pyqtSignal()

    def __init__(
        self,
        window: QMainWindow,
        store: SettingsStore,
        bridge: Bridge,
        tasks: Tasks,
        log: LogBuffer,
        panel: SidePanel,
        strip: BackgroundStrip,
    ) -> None:
        super().__init__(window)
        self._window, self._log = window, log
        self._panel, self._strip = panel, strip
        self._store, self._bridge, self._tasks = store, bridge, tasks

    def open_assistant(self) -> None:
        """Open the setup assistant, which may install a model."""

        def make() -> Assistant:
            assistant = Assistant(
                self._store, self._bridge, self._panel.camera, self._panel.virtual_camera, self._strip, self._tasks,
                self._window,
            )  # fmt: skip
            assistant.finished.connect(self._panel.quality.network.reload)
            assistant.finished.connect(self._panel.quality_choice.reload)
            assistant.finished.connect(self._bridge.pipeline.retry)
            return assistant

        open_once(self._window, Assistant, make)

    def open_plate_dialog(self) -> None:
        """Open the capture of an empty-background plate."""

        def make() -> PlateDialog:
            pipeline = self._bridge.pipeline
            hold = partial(setattr, pipeline.demand, "takes_plate")
            dialog = PlateDialog(self._store, self._tasks, lambda: pipeline.newest_frame, hold, self._window)
            dialog.taken.connect(pipeline.retry)
            dialog.taken.connect(self._panel.quality.network.plate.reload)
            return dialog

        open_once(self._window, PlateDialog, make)

    def open_virtual_camera_help(self) -> None:
        """Open the findings about the virtual camera, with what to do."""
        name = "virtualCameraDialog"

        def make() -> FindingsDialog:
            view = VirtualCameraView(self._tasks)
            view.repaired.connect(self._bridge.pipeline.retry)
            return FindingsDialog(view, self.tr("Virtual camera"), name, self._window)

        open_once(self._window, FindingsDialog, make, name)

    def open_doctor(self) -> None:
        """Open the findings about the whole machine."""
        open_once(
            self._window, DoctorDialog, lambda: DoctorDialog(self._store, self._bridge, self._tasks, self._window)
        )

    def open_preferences(self) -> PreferencesDialog:
        """Open the preferences."""

        def make() -> PreferencesDialog:
            return PreferencesDialog(self._store, self._bridge, self._tasks, self._window)

        return open_once(self._window, PreferencesDialog, make)

    def open_shortcuts(self) -> None:
        """Open the list of keyboard shortcuts."""
        shortcuts = menu_shortcuts(existing(self._window.menuBar()))
        open_once(self._window, ShortcutsDialog, lambda: ShortcutsDialog(shortcuts, self._window))

    def open_help(self) -> None:
        """Open the page of help."""
        open_once(self._window, HelpWindow, lambda: HelpWindow(self._window))

    def open_log(self) -> None:
        """Open the log window."""
        open_once(self._window, LogWindow, lambda: LogWindow(self._log, self.diagnostics, self._window))

    def open_about(self) -> None:
        """Show name, version, commit and licences."""
        box = QMessageBox(self._window)
        prepare(box, "aboutBox", self.tr("About Mattecam"))
        box.setIconPixmap(icon("app").pixmap(64, 64))
        box.setText(" · ".join(filter(None, (f"Mattecam {__version__}", program.commit()))))
        box.setDetailedText("\n".join(f"{package}: {licence}" for package, licence in licences().items()))
        box.setInformativeText(
            "\n\n".join(
                (
                    self.tr("Replaces your background live."),
                    self.tr("All processing stays on this computer."),
                    self.tr("Free software under the GNU General Public License, version 3 or later."),
                )
            )
        )
        box.open()

    def copy_diagnostics(self) -> None:
        """Copy the diagnostics to the clipboard."""
        copy_text(self.diagnostics())
        self.diagnostics_copied.emit()

    def diagnostics(self) -> str:
        """Text for a bug report."""
        return diagnostics(self._store.current, self._bridge.status, self._log.lines())

    def help_with(self, remedy: Remedy) -> None:
        """Do what the button of an error offers, and try again what failed."""
        panel = self._panel
        match remedy:
            case Remedy.CAMERA | Remedy.SOURCE:
                panel.reveal(panel.camera)
                panel.camera.open_list()
            case Remedy.MODEL:
                panel.reveal(panel.quality)
                panel.quality.network.open_model_list()
            case Remedy.MATTING_SETTINGS:
                self.open_preferences().show_advanced()
            case Remedy.PLATE:
                self.open_plate_dialog()
            case Remedy.BLUR:
                change_or_ask(self._window, self._store, lambda now: now.replaced_at(["background"], kind="blur"))
            case Remedy.VIRTUAL_CAMERA:
                self.open_virtual_camera_help()
            case Remedy.RECORDINGS_FOLDER:
                self._store.edit("output", record=None)
                panel.reveal(panel.recordings.folder)
                panel.recordings.ask_for_folder()
        self._bridge.pipeline.retry()
