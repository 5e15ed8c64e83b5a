"""The window, put together. What its parts do is theirs."""

from __future__ import annotations

from PyQt6.QtCore import QByteArray, Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QHBoxLayout, QMainWindow, QMessageBox, QSplitter, QTabWidget, QVBoxLayout, QWidget

from app.config.scenes import SceneStore
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.dialogs.assistant import Assistant
from app.gui.dialogs.doctor_dialog import DoctorDialog, FindingsDialog
from app.gui.dialogs.findings_view import FindingsView
from app.gui.dialogs.log_window import LogWindow
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.panels.camera import CameraPage
from app.gui.panels.matting import MattingPage
from app.gui.panels.output import OutputPage
from app.gui.preview.interaction import PreviewHand
from app.gui.preview.overlay import Readout
from app.gui.preview.view import Preview
from app.gui.shell.error_help import help_with
from app.gui.shell.menus import Menus
from app.gui.shell.scenes_menu import ScenesMenu
from app.gui.state.bridge import Bridge
from app.gui.state.devices import DeviceWatcher
from app.gui.state.diagnostics import diagnostics
from app.gui.state.log_buffer import LogBuffer
from app.gui.state.preferences import WindowPreferences
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.recording import Recording
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.action_bar import ActionBar
from app.gui.widgets.controls import ElidedLabel, Page
from app.gui.widgets.error_bar import ErrorBar
from app.gui.widgets.icons import app_icon, icon
from app.gui.widgets.status_line import describe_status
from app.runtime.status import PipelineStatus


class MainWindow(QMainWindow):
    """Preview and backgrounds on the left, the panel on the right."""

    close_asked = pyqtSignal(object)
    """The user closed the window; the QCloseEvent can be ignored."""
    quit_asked = pyqtSignal()
    """The user wants the program to end."""

    def __init__(
        self,
        store: SettingsStore,
        preferences: PreferencesStore,
        bridge: Bridge,
        tasks: Tasks,
        scenes: SceneStore,
        log: LogBuffer,
    ) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Mattecam")
        self.setWindowIcon(app_icon())
        self.store, self.preferences, self.bridge, self.tasks, self._log = store, preferences, bridge, tasks, log
        self.preview = Preview()
        self.readout = Readout()
        self.actions_bar = ActionBar(store)
        self.strip = BackgroundStrip(store, preferences, tasks)
        self.camera_page = CameraPage(store, preferences)
        self.matting_page = MattingPage(store, tasks)
        self.output_page = OutputPage(store, preferences)
        self.error_bar = ErrorBar()
        self.status_label = ElidedLabel("faint", "statusLabel")
        self.recording = Recording(store, preferences, bridge, tasks, self)
        self.devices = DeviceWatcher(tasks, self)
        self.log_window = LogWindow(log, self.diagnostics, self)
        self._plot: QWidget | None = None
        self._lay_out()
        self.menus = Menus(self)
        self.scenes = ScenesMenu(self.menus.scenes, scenes, store, tasks, self)
        self._connect()
        self._show_preferences(preferences.current)
        self.restoreGeometry(QByteArray.fromBase64(preferences.current.geometry.encode()))

    def _lay_out(self) -> None:
        self.preview.set_overlay(self.readout)
        left = QWidget()
        self._column = QVBoxLayout(left)
        self._column.setContentsMargins(16, 8, 16, 10)
        self._column.setSpacing(12)
        self._column.addWidget(self.error_bar)
        self._column.addWidget(self.preview, 1)
        self._column.addWidget(self.actions_bar)
        self._column.addWidget(self.strip)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.camera_page, icon("camera", plain=True), self.tr("Camera"))
        self.tabs.addTab(self.matting_page, icon("person", plain=True), self.tr("Matting"))
        self.tabs.addTab(self.output_page, icon("output", plain=True), self.tr("Output"))
        self.tabs.setObjectName("sidePanel")
        self.tabs.setUsesScrollButtons(False)
        bar = self.tabs.tabBar()
        self.tabs.setMinimumWidth(max(300, bar.sizeHint().width() if bar is not None else 0))
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(self.tabs)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([940, 330])
        status_line = QWidget()
        status_line.setObjectName("statusLine")
        row = QHBoxLayout(status_line)
        row.setContentsMargins(16, 5, 16, 6)
        row.addWidget(self.status_label, 1)
        central = QWidget()
        whole = QVBoxLayout(central)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(splitter, 1)
        whole.addWidget(status_line)
        self.setCentralWidget(central)
        self.resize(1270, 830)
        self.preview.setFocus(Qt.FocusReason.OtherFocusReason)

    def _connect(self) -> None:
        self.bridge.frame_ready.connect(self._show_frame)
        self.bridge.status_changed.connect(self._show_status)
        self.store.changed.connect(self.bridge.apply)
        self.preview.wanted.connect(self.bridge.ask_view)
        self.preferences.changed.connect(self._show_preferences)
        self.actions_bar.mode_chosen.connect(self.preview.set_mode)
        self.actions_bar.record_wanted.connect(self.recording.set_on)
        self.actions_bar.snapshot.clicked.connect(self.recording.snapshot)
        self.recording.failed.connect(self.actions_bar.refresh)
        self.recording.saved.connect(lambda path: self.readout.say(self.tr("Saved {0}").format(path.name)))
        self.devices.cameras_found.connect(self.camera_page.show_cameras)
        self.devices.virtual_cameras_found.connect(self.output_page.show_virtual_cameras)
        self.output_page.help_wanted.connect(self.show_virtual_camera_help)
        self.matting_page.network.plate.take_wanted.connect(self.show_plate_dialog)
        self.error_bar.help_wanted.connect(lambda stage: help_with(self, stage))
        for source in (
            self.recording.failed,
            self.strip.library.failed,
            self.matting_page.network.download.failed,
            self.scenes.failed,
        ):
            source.connect(self.error_bar.show_message)
        self.strip.drops.watch(self)
        PreviewHand(self.preview, self.store, self.preferences)

    def start(self) -> None:
        """Begin to look for devices, files and models, and start the pipeline."""
        self.bridge.start()
        self.strip.library.reload()
        self.matting_page.reload()
        self.devices.start()

    def show_page(self, page: Page) -> None:
        """Bring a page of the side panel to the front."""
        self.preferences.change(show_panel=True)
        self.tabs.setCurrentWidget(page)

    def show_assistant(self) -> None:
        """Open the set-up assistant beside the window, or bring it to the front."""
        for running in self.findChildren(Assistant):
            running.raise_()
            return
        assistant = Assistant(self.store, self.preferences, self.camera_page, self.preview, self.tasks, self)
        assistant.finished.connect(self.matting_page.network.reload)
        assistant.show()

    def show_plate_dialog(self) -> None:
        """Take a picture of the empty room."""

        def camera() -> str:
            source = self.bridge.status.source
            return source.id if source is not None else ""

        dialog = PlateDialog(self.store, self.tasks, lambda: self.bridge.picture, camera, self)
        dialog.taken.connect(self.bridge.retry)
        dialog.taken.connect(self.matting_page.network.plate.reload)
        dialog.show()

    def show_virtual_camera_help(self) -> None:
        """Open what the doctor says about the virtual camera."""
        FindingsDialog(FindingsView(self.tasks), self.tr("Virtual camera"), "virtualCameraDialog", self).show()

    def show_doctor(self) -> None:
        """Open what the doctor says about the whole machine, or bring it to the front."""
        for open_one in self.findChildren(DoctorDialog):
            open_one.raise_()
            return
        DoctorDialog(self.store, self.bridge, self.tasks, self).show()

    def show_log(self) -> None:
        """Open the log window."""
        self.log_window.open_beside()

    def show_about(self) -> None:
        """Say what this is and under which licence."""
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(self.tr("About Mattecam"))
        box.setIconPixmap(app_icon().pixmap(64, 64))
        box.setText(self.tr("Mattecam cuts you out of your room, live, on this computer alone."))
        box.setInformativeText(self.tr("Free software under the GNU General Public License, version 3 or later."))
        box.open()

    def copy_diagnostics(self) -> None:
        """Put the diagnostics on the clipboard."""
        self.log_window.copy_diagnostics()

    def diagnostics(self) -> str:
        """What a report of a problem needs."""
        return diagnostics(self.store.current, self.bridge.status, self._log.lines())

    def quit(self) -> None:
        """End the program."""
        self.quit_asked.emit()

    def encoded_geometry(self) -> str:
        """Size and place, for the preferences."""
        return self.saveGeometry().toBase64().data().decode()

    def _show_frame(self) -> None:
        image = self.bridge.take_image()
        if image is not None:
            self.preview.show_image(image)

    def _show_status(self, status: PipelineStatus) -> None:
        time = self.recording.time(status)
        self.readout.show_status(status, time)
        self.actions_bar.show_recording(time)
        self.status_label.show_text(describe_status(status))
        self.error_bar.show_status(status)
        for page in (self.camera_page, self.matting_page, self.output_page):
            page.show_status(status)

    def _show_preferences(self, preferences: WindowPreferences) -> None:
        self.preview.set_mirror(preferences.mirror_preview)
        self.readout.show_figures(preferences.show_readout)
        self.tabs.setVisible(preferences.show_panel)
        if preferences.show_plot and self._plot is None:
            from app.gui.widgets.plot_panel import PlotPanel  # loads the plot library, half a second

            plot = PlotPanel()
            self.bridge.status_changed.connect(plot.show_status)
            self._column.addWidget(plot)
            self._plot = plot
        if self._plot is not None:
            self._plot.setVisible(preferences.show_plot)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.close_asked.emit(event)
