"""Light and dark colours, and the style sheet, which refers to them by palette role."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PyQt6 import sip
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QColor, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication, QWidget

from app.gui.state.preferences import Theme

IMAGES = Path(__file__).resolve().parents[1] / "images"
ALARM = "#d63b40"
"""Red behind white text: the real background is visible, or a recording runs."""


@dataclass(frozen=True, slots=True)
class Colours:
    """One colour scheme."""

    window: str
    panel: str
    field: str
    raised: str
    hover: str
    border: str
    text: str
    faint: str
    warning: str
    """Of text."""
    accent: str
    on_accent: str
    stage: str
    """Around the preview."""


_BATCH_SIZE = 50
"""Widgets restyled per event-loop iteration, which takes a few milliseconds."""

DARK = Colours(
    window="#17191d", panel="#1e2126", field="#14161a", raised="#2a2e35", hover="#353a43", border="#343942",
    text="#e9ebee", faint="#9aa2ad", warning="#f2676c", accent="#4a90f7", on_accent="#0b1320", stage="#17191d",
)  # fmt: skip
LIGHT = Colours(
    window="#f3f4f6", panel="#ffffff", field="#ffffff", raised="#e9ebef", hover="#dfe2e8", border="#cfd4db",
    text="#1b1e23", faint="#5d6672", warning="#c62a2f", accent="#1f66d6", on_accent="#ffffff", stage="#f3f4f6",
)  # fmt: skip


def is_dark(theme: Theme) -> bool:
    """Whether to use the dark colours; `system` follows the system."""
    hints = QGuiApplication.styleHints()
    if theme != "system" or hints is None:
        return theme == "dark"
    return hints.colorScheme() is Qt.ColorScheme.Dark


def apply(app: QApplication, dark: bool) -> None:
    """Apply palette and style sheet to the whole program, at its start."""
    app.setStyleSheet("")  # `style()` would return the style sheet's proxy
    style = app.style()
    if style is None or style.name() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(_palette(dark))
    app.setStyleSheet(_style_sheet())


class ThemeSwitcher:
    """Changes the theme of an open window, in small batches that do not block the event loop."""

    def __init__(self, app: QApplication, window: QWidget) -> None:
        self._app, self._window = app, window
        self._remaining: list[Callable[[], object]] = []
        self._timer = QTimer(window)
        self._timer.timeout.connect(self._restyle_batch)

    def switch(self, dark: bool) -> None:
        """Start the change; a change in progress is abandoned."""
        self._window.setUpdatesEnabled(False)  # hide intermediate states
        self._app.setPalette(_palette(dark))
        widgets = self._app.allWidgets()  # widgets created later use the new palette
        groups = [widgets[first : first + _BATCH_SIZE] for first in range(0, len(widgets), _BATCH_SIZE)]
        self._remaining = [*(partial(_polish, group) for group in groups), lambda: self._window.setUpdatesEnabled(True)]
        self._timer.start(0)

    def _restyle_batch(self) -> None:
        step = self._remaining.pop(0)
        if not self._remaining:
            self._timer.stop()
        step()


def _polish(widgets: Sequence[QWidget]) -> None:
    """Make the style sheet read the palette again; it caches the resolved rules per widget."""
    for widget in widgets:
        style = None if sip.isdeleted(widget) else widget.style()
        if style is not None:
            style.unpolish(widget)
            style.polish(widget)


def _palette(dark: bool) -> QPalette:
    colours = DARK if dark else LIGHT
    roles = QPalette.ColorRole
    palette = QPalette(QColor(colours.raised), QColor(colours.window))
    for role, colour in {
        roles.Window: colours.window,
        roles.WindowText: colours.text,
        roles.Base: colours.field,
        roles.AlternateBase: colours.panel,
        roles.Text: colours.text,
        roles.Button: colours.raised,
        roles.ButtonText: colours.text,
        roles.BrightText: colours.warning,
        roles.Highlight: colours.accent,
        roles.HighlightedText: colours.on_accent,
        roles.Accent: colours.accent,
        roles.Link: colours.accent,
        roles.PlaceholderText: colours.faint,
        roles.ToolTipBase: colours.raised,
        roles.ToolTipText: colours.text,
        roles.Mid: colours.border,
        roles.Midlight: colours.hover,
        roles.Shadow: colours.stage,
    }.items():
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.faint))
    return palette


def _style_sheet() -> str:
    sheet = _TEMPLATE.replace("@alarm", ALARM).replace("@folder", IMAGES.as_posix())
    for name, role in _ROLES.items():
        sheet = sheet.replace(f"@{name}", f"palette({role})")
    return sheet


_ROLES = {
    "window": "window",
    "panel": "alternate-base",
    "field": "base",
    "raised": "button",
    "hover": "midlight",
    "border": "mid",
    "text": "text",
    "faint": "placeholder-text",
    "warning": "bright-text",
    "accent": "accent",
    "on_accent": "highlighted-text",
}
"""Style sheet names of the palette roles set by `_palette`."""

_TEMPLATE = """
QToolTip { background: @raised; color: @text; border: 1px solid @border; padding: 4px 6px; }
QMenuBar { background: @window; padding: 2px 6px; }
QMenuBar::item { padding: 5px 9px; border-radius: 5px; background: transparent; }
QMenuBar::item:selected { background: @hover; }
QMenu { background: @panel; border: 1px solid @border; padding: 5px; }
QMenu::item { padding: 6px 26px 6px 26px; border-radius: 5px; }
QMenu::item:selected { background: @hover; }
QMenu::item:disabled { color: @faint; }
QMenu::separator { height: 1px; background: @border; margin: 5px 8px; }

QPushButton, QToolButton { background: @raised; border: 1px solid @border; border-radius: 7px; padding: 6px 12px; }
QToolButton { padding: 6px; }
QPushButton:hover, QToolButton:hover { background: @hover; }
QPushButton:pressed, QToolButton:pressed { background: @border; }
QPushButton:checked, QToolButton:checked { background: @accent; color: @on_accent; border-color: @accent; }
QPushButton:disabled, QToolButton:disabled { color: @faint; background: @window; }
QPushButton:focus, QToolButton:focus { border: 2px solid @accent; padding: 5px 11px; }
QToolButton:focus { padding: 5px; }
QPushButton:checked:focus, QToolButton:checked:focus { border-color: @text; }
QPushButton[primary="true"] { background: @accent; color: @on_accent; border-color: @accent; font-weight: 600; }
QPushButton[primary="true"]:focus { border-color: @text; }
QPushButton[link="true"] { background: transparent; border: none; color: @accent; padding: 2px 0; text-align: left; }
QPushButton[link="true"]:disabled { color: @faint; }
QPushButton[link="true"]:hover { text-decoration: underline; }
QPushButton[link="true"]:focus { border: 2px solid @accent; padding: 0; }
QPushButton#recordButton:checked { background: @alarm; border-color: @alarm; color: white; }
QPushButton[segment] { padding: 6px 11px; }
QPushButton[segment="true"] { border-radius: 0; border-right: none; }
QPushButton[segment="first"] { border-top-right-radius: 0; border-bottom-right-radius: 0; border-right: none; }
QPushButton[segment="last"] { border-top-left-radius: 0; border-bottom-left-radius: 0; }
QPushButton[segment]:focus { border: 2px solid @accent; padding: 5px 10px; }
QPushButton[segment]:checked:focus { border-color: @text; }

#mainWindow QSplitter::handle { width: 1px; background: transparent; }
QComboBox, QLineEdit { background: @field; border: 1px solid @border; border-radius: 7px; padding: 5px 10px;
    min-height: 20px; selection-background-color: @accent; selection-color: @on_accent; }
QComboBox:hover, QLineEdit:hover { border-color: @faint; }
QComboBox:focus, QLineEdit:focus { border: 2px solid @accent; padding: 4px 9px; }
QComboBox:disabled, QLineEdit:disabled { color: @faint; background: @panel; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: url(@folder/chevron.svg); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: @panel; border: 1px solid @border; outline: none;
    selection-background-color: @hover; selection-color: @text; }
QComboBox QAbstractItemView::item { min-height: 28px; padding: 2px 6px; }

QCheckBox, QRadioButton { spacing: 9px; padding: 3px 3px 3px 0; border: 2px solid transparent; border-radius: 5px; }
QCheckBox:focus, QRadioButton:focus { border-color: @accent; }
QCheckBox::indicator { width: 17px; height: 17px; border: 1px solid @faint; border-radius: 5px; background: @field; }
QCheckBox::indicator:hover { border-color: @accent; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent;
    image: url(@folder/check.svg); }

QScrollBar { background: transparent; border: none; margin: 0; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: @border; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 30px; }
QScrollBar::handle:horizontal { min-width: 30px; }
QScrollBar::handle:hover { background: @faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: transparent; }

QScrollArea, QScrollArea > QWidget > QWidget#panelPage { background: @panel; border: none; }
#sidePanel { background: @panel; border-left: 1px solid @border; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="title"] { font-weight: 600; font-size: 15pt; }
QLabel[role="faint"] { color: @faint; }
QLabel[role="command"] { font-family: monospace; background: @window; border: 1px solid @border; border-radius: 5px;
    padding: 4px 6px; }
QLabel[role="warning"] { color: @warning; }
QFrame[role="line"] { background: @border; border: none; }
#noticeList, #backgroundGrid { background: @panel; border: 1px solid @border; border-radius: 8px; }
#statusLine { border-top: 1px solid @border; }
#statusLabel { background: transparent; border: none; color: @faint; padding: 2px 4px; text-align: left; }
#statusLabel:hover { color: @text; }
#statusLabel:focus { border: 2px solid @accent; padding: 0 2px; }
#statusLabel::menu-indicator { image: none; width: 0; }

QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: @border; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 2px; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -6px 0; border-radius: 8px; background: @accent;
    border: 1px solid @panel; }
QSlider::handle:horizontal:hover { background: @text; }
QSlider:focus { border: 2px solid @accent; border-radius: 6px; }
QSlider::sub-page:horizontal:disabled { background: @border; }
QSlider::handle:horizontal:disabled { background: @faint; }

QListView#backgroundList, QListView#backgroundGridList { background: transparent; border: 2px solid transparent;
    border-radius: 8px; }
QListView#backgroundList[dropTarget="true"] { border: 2px dashed @accent; }
QPlainTextEdit { font-family: monospace; border: 1px solid @border; border-radius: 6px; }
QProgressBar { border: 1px solid @border; border-radius: 6px; background: @field; text-align: center; }
QProgressBar::chunk { background: @accent; border-radius: 5px; }

QFrame[role="notice"], QFrame[role="alarm"] { background: @raised; border-radius: 8px; }
QFrame[role="notice"] { border: 1px solid @border; }
QFrame[role="alarm"] { border: 1px solid @alarm; }
QFrame[role="notice"] QLabel, QFrame[role="alarm"] QLabel { background: transparent; border: none; }
QToolButton[collapsible="true"] { background: transparent; border: 2px solid transparent; padding: 3px 4px 3px 0;
    font-weight: 600; }
QToolButton[collapsible="true"]:checked { background: transparent; color: @text; }
QToolButton[collapsible="true"]:focus { border-color: @accent; }
"""
