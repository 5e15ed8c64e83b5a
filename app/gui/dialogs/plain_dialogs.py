"""Preferences of the window, the list of keyboard shortcuts, the log, and one page of help."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape

from PyQt6.QtCore import QSignalBlocker, Qt
from PyQt6.QtGui import QAction, QDesktopServices, QKeySequence
from PyQt6.QtWidgets import QDialog, QMenuBar, QPlainTextEdit, QStackedWidget, QTextBrowser, QWidget

from app.core.errors import MattecamError
from app.core.files import paths
from app.core.files.program import advice
from app.gui.i18n.messages import tr, translated
from app.gui.panels.form import Form, say
from app.gui.panels.matting import AdvancedControls
from app.gui.state.bridge import Bridge
from app.gui.state.diagnostics import MAX_LINES, LogBuffer
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import Segments, button, check, describe, label
from app.gui.widgets.page import FoldingRow, Page, scrolling
from app.gui.widgets.qt import column, copy_text, existing, prepare, row, timer
from app.gui.widgets.theme import theme_names
from app.system import autostart

LANGUAGES = (("English", "en"), ("Deutsch", "de"), ("Español", "es"))
"""(name in the language itself, code)"""


def add_languages(form: Form, object_name: str) -> None:
    """Add a list of the languages, and say when a change applies: the window is built in one language."""
    form.add_list(
        "window.language", tr("Language"), tr("Language of the window"),
        [(tr("System"), "system"), *LANGUAGES], partial(form.store.set, "window.language"),
        name=object_name,
    )  # fmt: skip
    form.add_hint(tr("Another language is used from the next start on."))


class PreferencesDialog(QDialog):
    """Each control takes effect at once, but for the language. What experts ask for has a page of its own."""

    def __init__(self, store: SettingsStore, bridge: Bridge, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, "preferencesDialog", self.tr("Preferences"), 460, 560)
        self.advanced = AdvancedControls(store, tasks)
        bridge.status_changed.connect(self.advanced.show_status)
        self._pages, self._choice = QStackedWidget(), Segments((
            (self.tr("General"), self.tr("Language, colours and start"), "generalPreferences"),
            (self.tr("Advanced"), self.tr("Edge sliders, detail, device"), "advancedPreferences"),
        ))  # fmt: skip
        self._pages.setObjectName("preferencesPages")
        for content in (self._general(store), self.advanced):
            page = Page()
            page.add(content)
            self._pages.addWidget(page)
        self._choice.chosen.connect(self._pages.setCurrentIndex)
        self._choice.show_chosen(0)
        close = button(self.tr("Close"), self.tr("Close the preferences"), "preferencesClose", self.close)
        column(self, self._choice, self._pages, row(None, None, close), grows=self._pages, spacing=12, margins=18)

    def show_advanced(self) -> None:
        """Show what experts ask for, with the focus on the device."""
        self._choice.click(1)
        self.advanced.device.setFocus()

    def _general(self, store: SettingsStore) -> Form:
        form = Form(store)
        add_languages(form, "languageCombo")
        form.row("window.theme", self.tr("Theme"), self.tr("Light or dark colours"), [*theme_names()])
        form.row("window.close_to_tray", self.tr("Keep running in the tray when the window is closed"),
                 self.tr("Other programs keep receiving your video"))  # fmt: skip
        self._autostart = check(
            self.tr("Start when you log in"),
            self.tr("Starts Mattecam minimised with your desktop"),
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


Shortcut = tuple[str, str]
"""(what it does, keys in the notation of the system)"""


Group = tuple[str, Sequence[Shortcut]]
"""(heading, shortcuts)"""


def menu_shortcuts(bar: QMenuBar) -> list[Group]:
    """The shortcuts of a menu bar, grouped by menu: "Remove" says little without it."""
    groups = ((_plain(action.text()), list(_shortcuts(action))) for action in bar.actions())
    return [(title, found) for title, found in groups if found]


def _shortcuts(action: QAction) -> Iterator[Shortcut]:
    menu = action.menu()
    if menu is not None:
        for each in menu.actions():
            yield from _shortcuts(each)
    elif not action.shortcut().isEmpty():
        yield _plain(action.text()), _native(action.shortcut())


def _plain(text: str) -> str:
    return text.replace("&", "")


def _native(keys: str | QKeySequence) -> str:
    """Return keys as the language and the system name them, such as Strg+S."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class ShortcutsDialog(QDialog):
    """Shows what each key does."""

    def __init__(self, from_menus: Sequence[Group], parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, "shortcutsDialog", self.tr("Keyboard shortcuts"), 460, 560)
        content = QWidget()
        lines = column(content, margins=None)
        for heading, shortcuts in [*from_menus, (self.tr("More"), self._others())]:
            lines.addWidget(label(heading, "heading"))
            for text, keys in shortcuts:
                does, pressed = label(text, wrap=True), label(keys, "command", wrap=True)
                line = FoldingRow(does, pressed, grows=does, spacing=24)  # long keys do not narrow the other lines
                line.setAlignment(pressed, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
                lines.addLayout(line)
        lines.addStretch(1)
        scroll = scrolling(content, self.windowTitle())
        close = button(self.tr("Close"), self.tr("Back to the window"), "shortcutsClose", self.close)
        column(self, scroll, row(None, None, close), grows=scroll, spacing=12, margins=16)

    def _others(self) -> list[Shortcut]:
        """Keys that are in no menu."""
        return [
            (self.tr("Choose a background, in the order of the strip"), "1 … 9"),
            (self.tr("Show the real background"), _native("Ctrl+0")),
            (self.tr("Zoom (over the preview)"), "+  −"),
            (
                self.tr("In every program: give this command a key in the settings of your desktop"),
                advice("python3 run.py ctl pause"),
            ),
            (self.tr("Move the zoomed image (over the preview)"), "←  →  ↑  ↓"),
        ]


REFRESH_MS = 500


class LogWindow(QDialog):
    """Shows the newest log lines while it is open; copies the diagnostics."""

    def __init__(self, buffer: LogBuffer, make_diagnostics: Callable[[], str], parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, "logWindow", self.tr("Log"), 820, 460)
        self.setWindowFlag(Qt.WindowType.Window)
        self._buffer = buffer
        self._seen = 0
        self._make_diagnostics = make_diagnostics
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setMaximumBlockCount(MAX_LINES)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        describe(self._text, self.tr("Log"), self.tr("Log lines, newest last"), "logText")
        self._text.setToolTip("")
        copy = button(self.tr("Copy diagnostics"), self.tr("Copies versions, settings and the log for a bug report"),
                      "copyDiagnostics", self._copy)  # fmt: skip
        close = button(self.tr("Close"), self.tr("Close the log window"), "closeLog", self.close)
        self._note = label("", "faint")
        column(self, self._text, row(None, copy, self._note, None, close), grows=self._text, spacing=12, margins=16)
        timer(self, REFRESH_MS, self._refresh).start()
        self._refresh()

    def _copy(self) -> None:
        copy_text(self._make_diagnostics())
        self._note.setText(self.tr("Copied to the clipboard."))

    def _refresh(self) -> None:
        """Add the new lines; keep a selection, and the place where somebody reads who has scrolled up."""
        self._seen, lines = self._buffer.since(self._seen)
        bar = existing(self._text.verticalScrollBar())
        if not lines:
            return
        at_end = bar.value() == bar.maximum()
        self._text.appendPlainText("\n".join(lines))
        if at_end:
            bar.setValue(bar.maximum())


class HelpWindow(QDialog):
    """Says what Mattecam does, how it gets into a call, and where its documents are; the system opens these."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, "helpWindow", self.tr("Help"), 640, 440)
        text = QTextBrowser()
        describe(text, self.tr("Help"), "", "helpText")
        text.setOpenLinks(False)  # it would show a document in place of this page
        text.anchorClicked.connect(lambda link: QDesktopServices.openUrl(link))
        text.setHtml("".join((*self._parts(), *self._documents())))
        close = button(self.tr("Close"), self.tr("Close the help"), "helpClose", self.close)
        column(self, text, row(None, None, close), grows=text, spacing=12, margins=18)

    def _parts(self) -> tuple[str, ...]:
        return (
            _part(self.tr("What Mattecam does"), self.tr("Mattecam puts another background behind the people in the "
                  "picture of your camera, and sends the result to a virtual camera. All of that happens on this "
                  "computer. Choose the background below the preview; the panel beside it has everything else. "
                  "While you pause, others see a stand-by card.")),
            _part(self.tr("Choosing the camera in other programs"), self.tr("Start Mattecam first. Then choose the "
                  "camera “Mattecam” in the settings for video of Zoom, Meet, Teams or OBS; on Windows and macOS it is "
                  "named “OBS Virtual Camera”. Turn the background effects of that program off. Quit a program that "
                  "does not list the camera, and start it again. “Check this computer” in the menu says what is "
                  "missing.")),
        )  # fmt: skip

    def _documents(self) -> tuple[str, ...]:
        folder = paths.documents_dir()
        links = (
            (self.tr("What Mattecam can do"), "features.md"),
            (self.tr("Choosing the camera in other programs"), "apps.md"),
            (self.tr("Troubleshooting"), "troubleshooting.md"),
            (self.tr("The command line"), "command-line.md"),
            (self.tr("All documents"), ""),
        )
        listed = "".join(f'<li><a href="{escape((folder / page).as_uri())}">{title}</a></li>' for title, page in links)
        intro = self.tr("They are in English, in the folder {0}.").format(escape(str(folder)))
        return _part(self.tr("Documents"), intro), f"<ul>{listed}</ul>"


def _part(heading: str, text: str) -> str:
    return f"<h3>{heading}</h3><p>{text}</p>"
