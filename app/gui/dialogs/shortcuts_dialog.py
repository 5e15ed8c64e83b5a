"""The list of keyboard shortcuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QDialog, QMenuBar, QScrollArea, QVBoxLayout, QWidget

from app.core.files.program import advice
from app.gui.widgets.controls import button, label
from app.gui.widgets.layout import column, row

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
        self.setObjectName("shortcutsDialog")
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(460, 560)
        content = QWidget()
        content.setObjectName("panelPage")
        lines = QVBoxLayout(content)
        for heading, shortcuts in [*from_menus, (self.tr("More"), self._others())]:
            lines.addWidget(label(heading, "heading"))
            for text, keys in shortcuts:
                does, pressed = label(text, wrap=True), label(keys, "command")
                line = row(None, does, pressed, grows=does, spacing=24)  # long keys do not narrow the other lines
                line.setAlignment(pressed, Qt.AlignmentFlag.AlignVCenter)
                lines.addLayout(line)
        lines.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        close = button(self.tr("Close"), self.tr("Back to the window"), "shortcutsClose", self.close)
        column(self, scroll, row(None, None, close), grows=scroll, spacing=12, margins=16)

    def _others(self) -> list[Shortcut]:
        """Keys that are in no menu."""
        return [
            (self.tr("Choose a background; press again to return to the previous one"), "1 … 9"),
            (self.tr("Show the real background"), _native("Ctrl+0")),
            (self.tr("Zoom (over the preview)"), "+  −"),
            (
                self.tr("In every program, if global shortcuts are on: pause, freeze, choose a background"),
                f"{_native('Ctrl+Alt+Shift+P')}, F, 1 … 9",
            ),
            (
                self.tr("Without global shortcuts: give this command a key in the settings of your desktop"),
                advice("python3 run.py ctl pause"),
            ),
            (self.tr("Move the zoomed image (over the preview)"), "←  →  ↑  ↓"),
        ]
