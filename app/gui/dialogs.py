"""Dialogs beside the main window: preferences, pages of help and of the log, the box about it.

Diagnostics for the clipboard are here too.
"""

from __future__ import annotations

import json
import platform
import re
from html import escape
from importlib import metadata
from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, QUrl
from PyQt6.QtGui import QDesktopServices, QKeySequence, QTextCursor
from PyQt6.QtWidgets import QDialog, QMessageBox, QStackedWidget, QTextBrowser, QWidget

from app import __version__
from app.config import autostart, logs
from app.core import paths
from app.core.errors import MattecamError
from app.core.paths import program_command
from app.core.process import LINUX
from app.gui.assistant import add_languages
from app.gui.bridge import Bridge
from app.gui.panels.experts import AdvancedControls
from app.gui.panels.form import Form, say
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr, translated
from app.gui.widgets.controls import Segments, button, check, describe, label
from app.gui.widgets.page import Page, close_below
from app.gui.widgets.qt import column, existing, row, set_up_dialog
from app.gui.widgets.theme import icon
from app.runtime.status import PipelineStatus
from app.settings import Settings


class PreferencesDialog(QDialog):
    """Each control takes effect at once, but for the language.

    What experts ask for has a page of its own.
    """

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        set_up_dialog(self, "preferencesDialog", tr("Preferences"), 460, 560)
        self.advanced = AdvancedControls(store, tasks)
        bridge.status_changed.connect(self.advanced.show_status)
        self._choice = Segments(
            (
                (tr("General"), tr("Language, colours and start"), "generalPreferences"),
                (tr("Advanced"), tr("Edge sliders, device, precision"), "advancedPreferences"),
            ),
        )
        self._pages = QStackedWidget()
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
        self._autostart.setVisible(LINUX)
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
    """A page of text that scrolls.

    Documents that it names are shown in its place, other addresses by the system.
    """

    def __init__(self, name: str, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        set_up_dialog(self, name, title, 760, 600)
        self.text = QTextBrowser()
        describe(self.text, title, "", f"{name}Text")
        # It would show files of any kind as text.
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(self._follow)
        self._page = ""
        self._back = button(
            tr("Back"),
            tr("Show the first page again"),
            f"{name}Back",
            self._show_first,
        )
        self._back.hide()
        self._problem = label("", "warning", wrap=True)
        self._problem.hide()
        close = button(tr("Close"), tr("Back to the window"), f"{name}Close", self.close)
        below = row(None, self._back, self._problem, close, grows=self._problem, spacing=12)
        column(self, self.text, below, grows=self.text, spacing=12, margins=18)

    def show_page(self, page: str) -> None:
        """Show a page of HTML, the first one."""
        self._page = page
        self._show_first()

    def _show_first(self) -> None:
        self._back.hide()
        self._problem.hide()
        self.text.setHtml(self._page)

    def _follow(self, link: QUrl) -> None:
        self._problem.hide()
        target = self.text.source().resolved(link)
        if not target.isLocalFile():
            QDesktopServices.openUrl(target)
            return
        file = Path(target.toLocalFile())
        if file.suffix != ".md" or not file.is_file():
            say(self._problem, tr("{0} is not a part of this copy of Mattecam.").format(file.name))
            return
        # As a source, so that links and images of a document are relative to it.
        self.text.setSource(target.adjusted(QUrl.UrlFormattingOption.RemoveFragment))
        self._back.show()
        _scroll_to_heading(self.text, target.fragment())


def _scroll_to_heading(text: QTextBrowser, name: str) -> None:
    """Scroll a document to the heading that a link names."""
    # Qt gives the headings of Markdown no names that it could find itself.
    block = existing(text.document()).begin()
    while block.isValid():
        if block.blockFormat().headingLevel() > 0 and _name_of_heading(block.text()) == name:
            text.setTextCursor(QTextCursor(block))
            bar = existing(text.verticalScrollBar())
            bar.setValue(bar.value() + text.cursorRect().top())
            return
        block = block.next()


def _name_of_heading(heading: str) -> str:
    """Return the name of a heading in links, such as `only-me` of "Only me"."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _part(heading: str, text: str) -> str:
    return f"<h3>{heading}</h3><p>{text}</p>"


def _title_of(document: Path) -> str:
    """Return the first heading of a document."""
    return document.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def help_page() -> str:
    """Return what Mattecam does, how it gets into a call, and where its documents are."""
    folder = paths.documents_dir()
    translated_titles = {
        "features.md": tr("What Mattecam can do"),
        "apps.md": tr("Choosing the camera in other programs"),
        "troubleshooting.md": tr("Troubleshooting"),
        "command-line.md": tr("The command line"),
    }
    titles = dict(translated_titles)
    for file in sorted(folder.glob("*.md")):
        if file.name not in translated_titles:
            titles[file.name] = _title_of(file)
    entries = []
    for name, title in titles.items():
        address = escape((folder / name).as_uri())
        entries.append(f'<li><a href="{address}">{escape(title)}</a></li>')
    real_one = QKeySequence("Ctrl+0").toString(QKeySequence.SequenceFormat.NativeText)
    pause = f"<code>{escape(f'{program_command()} ctl pause')}</code>"
    return "".join(
        (
            _part(
                tr("What Mattecam does"),
                tr(
                    "Mattecam puts another background behind the people in the picture of your "
                    "camera, and sends the result to a virtual camera. All of that happens on this "
                    "computer. Choose the background below the preview; the panel beside it has "
                    "everything else. While you pause, others see a stand-by card."
                ),
            ),
            _part(
                tr("Choosing the camera in other programs"),
                tr(
                    "Start Mattecam first. Then choose the camera “Mattecam” in the settings for "
                    "video of Zoom, Meet, Teams or OBS; on Windows and macOS it is named “OBS "
                    "Virtual Camera”. Turn the background effects of that program off. Quit a "
                    "program that does not list the camera, and start it again. “Check this "
                    "computer” in the menu says what is missing."
                ),
            ),
            _part(
                tr("Keys"),
                tr(
                    "The menus name most of them. 1 to 9 choose a background, {0} the real one. "
                    "Over the preview, + and − zoom, and the arrow keys move the zoomed image. For "
                    "a key that works in every program, give it the command {1} in the settings of "
                    "your desktop."
                ).format(real_one, pause),
            ),
            _part(
                tr("Documents"),
                tr("They are in English, and are in the folder {0} too.").format(
                    escape(str(folder)),
                ),
            ),
            "<ul>",
            *entries,
            "</ul>",
        ),
    )


PACKAGES = ("torch", "numpy", "opencv-python-headless", "av", "openvino", "PyQt6", "pyvirtualcam")
# The newest lines of the log, in diagnostics and in the window.
LOG_LINES = 200
SHOWN_LINES = 2000


def diagnostics(settings: Settings, status: PipelineStatus) -> str:
    """Return versions, settings, status and the end of the log; the home folder is written as ~."""
    program = f"Mattecam {__version__} {paths.commit()}"
    system = f"{platform.platform()}, Python {platform.python_version()}"
    versions = [f"{name} {_version(name)}" for name in PACKAGES]
    fields = [f"{name}: {getattr(status, name)}" for name in PipelineStatus.__dataclass_fields__]
    parts = [
        f"{program} on {system}",
        ", ".join(versions),
        json.dumps(settings.model_dump(mode="json"), indent=1),
        "\n".join(fields),
        logs.newest_lines(LOG_LINES),
    ]
    return "\n\n".join(parts).replace(str(Path.home()), "~")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def log_page() -> str:
    """Return the end of the log."""
    return f"<pre>{escape(logs.newest_lines(SHOWN_LINES))}</pre>"


def about_box(parent: QWidget) -> QMessageBox:
    """Return a box with name, version, commit and licences."""
    box = QMessageBox(parent)
    set_up_dialog(box, "aboutBox", tr("About Mattecam"))
    box.setIconPixmap(icon("app").pixmap(64, 64))
    name = f"Mattecam {__version__}"
    commit = paths.commit()
    box.setText(f"{name} · {commit}" if commit else name)
    licences = [f"{package}: {licence}" for package, licence in paths.licences().items()]
    box.setDetailedText("\n".join(licences))
    texts = (
        tr("Replaces your background live."),
        tr("All processing stays on this computer."),
        tr("Free software under the GNU General Public License, version 3 or later."),
    )
    box.setInformativeText("\n\n".join(texts))
    return box
