"""Light and dark colours, the style sheet, which refers to them by palette role, and icons in the colour of text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PyQt6.QtCore import QByteArray, QCoreApplication, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QApplication, QWidget

from app.core.window_settings import Theme
from app.gui.widgets.qt import existing

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
    if theme != "system":
        return theme == "dark"
    return existing(QGuiApplication.styleHints()).colorScheme() is Qt.ColorScheme.Dark


def theme_names() -> tuple[tuple[str, Theme], ...]:
    """Return the translated name of each theme, and the theme."""
    translate = QCoreApplication.translate
    return (
        (translate("Themes", "System"), "system"),
        (translate("Themes", "Light"), "light"),
        (translate("Themes", "Dark"), "dark"),
    )


def apply(app: QApplication, dark: bool) -> None:
    """Apply palette and style sheet to the whole program, at its start."""
    app.setStyleSheet("")  # `style()` would return the style sheet's proxy
    if existing(app.style()).name() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(_palette(dark))
    sheet = Path(__file__).with_name("style.css").read_text("utf-8")
    app.setStyleSheet(sheet.replace("@alarm", ALARM).replace("@folder", IMAGES.as_posix()))


def switch(app: QApplication, dark: bool) -> None:
    """Change the colours of all widgets. Takes a tenth of a second for an open window."""
    app.setPalette(_palette(dark))
    for widget in app.allWidgets():
        restyle(widget)


def restyle(widget: QWidget) -> None:
    """Let the style sheet read palette and properties again: it caches the resolved rules per widget."""
    style = existing(widget.style())
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


class _Engine(QIconEngine):
    """Draws with the current palette, so that icons follow a theme change."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def paint(self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        if painter is None:
            return
        group = QPalette.ColorGroup.Disabled if mode is QIcon.Mode.Disabled else QPalette.ColorGroup.Active
        inverted = state is QIcon.State.On
        role = QPalette.ColorRole.HighlightedText if inverted else QPalette.ColorRole.ButtonText
        colour = "white" if inverted and self._name == "record" else QApplication.palette().color(group, role).name()
        side = min(rect.width(), rect.height())
        square = QRectF(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2, side, side)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _renderer(self._name, colour).render(painter, square)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._name)


@cache
def _renderer(name: str, colour: str) -> QSvgRenderer:
    """Return an icon in a colour. What is red for an alarm is white on a button of that red."""
    alarm = colour if QColor(colour) == QColor("white") else ALARM
    drawing = (IMAGES / f"{name}.svg").read_text("utf-8").replace("currentColor", colour).replace("alarmColor", alarm)
    return QSvgRenderer(QByteArray(drawing.encode()))


def icon(name: str) -> QIcon:
    """Return the icon of a name; `app` is that of the program, in colour."""
    return QIcon(_Engine(name))
