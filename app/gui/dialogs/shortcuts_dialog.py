"""The list of keyboard shortcuts."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QDialog, QMenuBar, QScrollArea, QVBoxLayout, QWidget

from app.core.files.program import advice
from app.gui.widgets.controls import button, label
from app.gui.widgets.layout import column, row

Shortcut = tuple[str, str]
"""(what it does, keys in the notation of the system)"""


def menu_shortcuts(bar: QMenuBar) -> list[Shortcut]:
    """The shortcuts of all menus of a menu bar, in their order."""
    found: list[Shortcut] = []

    def collect(actions: Sequence[QAction]) -> None:
        for action in actions:
            menu = action.menu()
            if menu is not None:
                collect(menu.actions())
            elif not action.shortcut().isEmpty():
                found.append((action.text().replace("&", ""), _native(action.shortcut())))

    collect(bar.actions())
    return found


def _native(keys: str | QKeySequence) -> str:
    """Return keys as the language and the system name them, such as Strg+S."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class ShortcutsDialog(QDialog):
    """Shows what each key does."""

    def __init__(self, from_menus: Sequence[Shortcut], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("shortcutsDialog")
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(460, 560)
        content = QWidget()
        content.setObjectName("panelPage")
        lines = QVBoxLayout(content)
        for text, keys in [*from_menus, *self._others()]:
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
