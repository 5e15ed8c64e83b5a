"""Dialogs beside the main window: preferences, help, log, diagnostics, and what opens all of them."""

from __future__ import annotations

import json
import platform
from functools import partial
from html import escape
from importlib import metadata
from pathlib import Path

from PyQt6.QtCore import QObject, QSignalBlocker, pyqtSignal
from PyQt6.QtGui import QDesktopServices, QKeySequence, QTextCursor
from PyQt6.QtWidgets import QDialog, QMainWindow, QMessageBox, QStackedWidget, QTextBrowser, QWidget

from app import __version__
from app.config import autostart, logs
from app.core import paths
from app.core.errors import MattecamError
from app.core.paths import advice
from app.core.settings import Settings
from app.gui.assistant import Assistant, add_languages
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.bridge import Bridge
from app.gui.doctor import DoctorDialog
from app.gui.notices import Remedy
from app.gui.panels.form import Form, say
from app.gui.panels.models import AdvancedControls
from app.gui.panels.plate import PlateDialog
from app.gui.panels.side_panel import SidePanel
from app.gui.questions import change_or_ask
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr, translated
from app.gui.widgets.controls import Segments, check, describe
from app.gui.widgets.page import Page, close_below
from app.gui.widgets.qt import column, copy_text, open_once, prepare
from app.gui.widgets.theme import icon
from app.runtime.status import PipelineStatus


class PreferencesDialog(QDialog):
    """Each control takes effect at once, but for the language. What experts ask for has a page of its own."""

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, "preferencesDialog", tr("Preferences"), 460, 560)
        self.advanced = AdvancedControls(store, tasks)
        bridge.status_changed.connect(self.advanced.show_status)
        self._pages, self._choice = QStackedWidget(), Segments((
            (tr("General"), tr("Language, colours and start"), "generalPreferences"),
            (tr("Advanced"), tr("Edge sliders, detail, device"), "advancedPreferences"),
        ))  # fmt: skip
        self._pages.setObjectName("preferencesPages")
        for content in (self._general(store), self.advanced):
            page = Page()
            page.add(content)
            self._pages.addWidget(page)
        self._choice.chosen.connect(self._pages.setCurrentIndex)
        self._choice.show_chosen(0)
        close_below(self, column(None, self._choice, self._pages, grows=self._pages, spacing=12))

    def show_advanced(self) -> None:
        """Show what experts ask for, with the focus on the device."""
        self._choice.click(1)
        self.advanced.device.setFocus()

    def _general(self, store: SettingsStore) -> Form:
        form = Form(store)
        add_languages(form)
        form.rows("window.theme", "window.close_to_tray")
        self._autostart = check(
            tr("Start when you log in"),
            tr("Starts Mattecam minimised with your desktop"),
            "autostartCheck",
        )
        self._autostart.setChecked(autostart.enabled())
        self._autostart.setVisible(autostart.supported())
        self._autostart.toggled.connect(self._set_autostart)
        form.add(self._autostart)
        self._problem = form.add_hint(role="warning")
        return form

    def _set_autostart(self, on: bool) -> None:
        try:
            autostart.switch(on)
        except MattecamError as error:
            say(self._problem, translated(error.text))
        else:
            self._problem.hide()
        with QSignalBlocker(self._autostart):
            self._autostart.setChecked(autostart.enabled())


class TextDialog(QDialog):
    """A page of text that scrolls; the system opens what its links name."""

    def __init__(self, name: str, title: str, page: str, parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, name, title, 640, 520)
        self.text = QTextBrowser()
        describe(self.text, title, "", f"{name}Text")
        self.text.setOpenLinks(False)  # it would show a document in place of this page
        self.text.anchorClicked.connect(lambda link: QDesktopServices.openUrl(link))
        self.text.setHtml(page)
        close_below(self, self.text)


def _part(heading: str, text: str) -> str:
    return f"<h3>{heading}</h3><p>{text}</p>"


def help_page() -> str:
    """Return what Mattecam does, how it gets into a call, and where its documents are."""
    folder = paths.documents_dir()
    links = (
        (tr("What Mattecam can do"), "features.md"),
        (tr("Choosing the camera in other programs"), "apps.md"),
        (tr("Troubleshooting"), "troubleshooting.md"),
        (tr("The command line"), "command-line.md"),
        (tr("All documents"), ""),
    )
    listed = "".join(f'<li><a href="{escape((folder / page).as_uri())}">{title}</a></li>' for title, page in links)
    return "".join((
        _part(tr("What Mattecam does"), tr("Mattecam puts another background behind the people in the "
              "picture of your camera, and sends the result to a virtual camera. All of that happens on this "
              "computer. Choose the background below the preview; the panel beside it has everything else. "
              "While you pause, others see a stand-by card.")),
        _part(tr("Choosing the camera in other programs"), tr("Start Mattecam first. Then choose the "
              "camera “Mattecam” in the settings for video of Zoom, Meet, Teams or OBS; on Windows and macOS it is "
              "named “OBS Virtual Camera”. Turn the background effects of that program off. Quit a program that "
              "does not list the camera, and start it again. “Check this computer” in the menu says what is "
              "missing.")),
        _part(tr("Keys"), tr("The menus name most of them. 1 to 9 choose a background, {0} the real one. Over the "
              "preview, + and − zoom, and the arrow keys move the zoomed image. For a key that works in every program, "
              "give it the command {1} in the settings of your desktop.").format(
                  QKeySequence("Ctrl+0").toString(QKeySequence.SequenceFormat.NativeText),
                  f"<code>{escape(advice('python3 run.py ctl pause'))}</code>")),
        _part(tr("Documents"), tr("They are in English, in the folder {0}.").format(escape(str(folder)))),
        f"<ul>{listed}</ul>",
    ))  # fmt: skip


PACKAGES = ("torch", "numpy", "opencv-python-headless", "av", "openvino", "PyQt6", "pyvirtualcam")
LOG_LINES, SHOWN_LINES = 200, 2000
"""The newest of the log that diagnostics have, and that are shown."""


def diagnostics(settings: Settings, status: PipelineStatus) -> str:
    """Return versions, settings, status and the end of the log; the home folder is written as ~."""
    parts = [
        f"Mattecam {__version__} on {platform.platform()}, Python {platform.python_version()}",
        ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        json.dumps(settings.model_dump(mode="json"), indent=1),
        "\n".join(f"{name}: {getattr(status, name)}" for name in PipelineStatus.__dataclass_fields__),
        logs.newest_lines(LOG_LINES),
    ]
    return "\n\n".join(parts).replace(str(Path.home()), "~")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


class SecondaryWindows(QObject):
    """Opens dialogs that do not block the window; one that is already open comes to the front."""

    diagnostics_copied = pyqtSignal()

    def __init__(
        self,
        window: QMainWindow,
        store: SettingsStore,
        bridge: Bridge,
        tasks: Tasks,
        panel: SidePanel,
        strip: BackgroundStrip,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._panel, self._strip = panel, strip
        self._store, self._bridge, self._tasks = store, bridge, tasks

    def open_assistant(self) -> None:
        """Open the setup assistant."""
        make = partial(Assistant, self._bridge, self._panel, self._strip, self._tasks, self._window)
        open_once(self._window, Assistant, make)

    def open_plate_dialog(self) -> None:
        """Open the capture of an empty-background plate."""

        def make() -> PlateDialog:
            pipeline = self._bridge.pipeline
            hold = partial(setattr, pipeline.demand, "takes_plate")
            dialog = PlateDialog(self._store, self._tasks, lambda: pipeline.newest_frame, hold, self._window)
            dialog.taken.connect(pipeline.retry)
            dialog.taken.connect(self._panel.quality.plate.reload)
            return dialog

        open_once(self._window, PlateDialog, make)

    def open_doctor(self, only: str = "") -> None:
        """Open the findings about the machine. only: how the names of the checks begin."""
        make = partial(DoctorDialog, self._store, self._bridge, self._tasks, self._window, only)
        open_once(self._window, DoctorDialog, make)

    def open_preferences(self) -> PreferencesDialog:
        """Open the preferences."""
        make = partial(PreferencesDialog, self._store, self._bridge, self._tasks, self._window)
        return open_once(self._window, PreferencesDialog, make)

    def open_help(self) -> None:
        """Open the page of help."""
        self._open_text("helpWindow", tr("Help"), help_page())

    def open_log(self) -> None:
        """Show the log up to now, at its end."""
        page = f"<pre>{escape(logs.newest_lines(SHOWN_LINES))}</pre>"
        self._open_text("logWindow", tr("Log"), page).text.moveCursor(QTextCursor.MoveOperation.End)

    def _open_text(self, name: str, title: str, page: str) -> TextDialog:
        return open_once(self._window, TextDialog, lambda: TextDialog(name, title, page, self._window), name)

    def open_about(self) -> None:
        """Show name, version, commit and licences."""
        box = QMessageBox(self._window)
        prepare(box, "aboutBox", tr("About Mattecam"))
        box.setIconPixmap(icon("app").pixmap(64, 64))
        box.setText(" · ".join(filter(None, (f"Mattecam {__version__}", paths.commit()))))
        box.setDetailedText("\n".join(f"{package}: {licence}" for package, licence in paths.licences().items()))
        box.setInformativeText(
            "\n\n".join(
                (
                    tr("Replaces your background live."),
                    tr("All processing stays on this computer."),
                    tr("Free software under the GNU General Public License, version 3 or later."),
                )
            )
        )
        box.open()

    def copy_diagnostics(self) -> None:
        """Copy the diagnostics to the clipboard."""
        copy_text(diagnostics(self._store.current, self._bridge.status))
        self.diagnostics_copied.emit()

    def help_with(self, remedy: Remedy) -> None:
        """Do what the button of an error offers, and try again what failed."""
        panel = self._panel
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
                change_or_ask(self._window, self._store, lambda now: now.replaced_at(["background"], kind="blur"))
            case Remedy.VIRTUAL_CAMERA:
                self.open_doctor("virtual camera")
            case Remedy.RECORDINGS_FOLDER:
                self._store.edit("output", record=None)
                panel.reveal(panel.recordings.folder)
                panel.recordings.ask_for_folder()
        self._bridge.pipeline.retry()
