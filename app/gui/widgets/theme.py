"""Light and dark colours, the style sheet that refers to them, and icons in the colour of text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PyQt6.QtCore import QByteArray, QEvent, QObject, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import (
    QColor,
    QFontInfo,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
    QWindow,
)
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QApplication, QWidget
from PyQt6.sip import isdeleted

from app.core.settings import Theme
from app.gui.widgets.qt import USUAL_LINE_PX, application, existing

IMAGES = Path(__file__).resolve().parents[1] / "images"
# Red behind white text: the real background is visible, or a recording runs.
ALARM = "#d63b40"
# Least height of a text in a list or a field, in the usual font: they are as high as
# the buttons beside them.
FIELD_PX = 20
# Height of the icons of buttons, in the usual font, and least height of texts in
# their place.
ICON_PX = 18
# Size of the letters of titles, as a multiple of the others.
TITLE_SCALE = 1.5
Roles = QPalette.ColorRole
# (roles, as the style sheet uses them, dark colour, light colour)
COLOURS: tuple[tuple[tuple[QPalette.ColorRole, ...], str, str], ...] = (
    ((Roles.Window, Roles.Shadow), "#17191d", "#f3f4f6"),
    ((Roles.AlternateBase,), "#1e2126", "#ffffff"),
    ((Roles.Base,), "#14161a", "#ffffff"),
    ((Roles.Button, Roles.ToolTipBase), "#2a2e35", "#e9ebef"),
    ((Roles.Midlight,), "#353a43", "#dfe2e8"),
    ((Roles.Mid,), "#343942", "#cfd4db"),
    ((Roles.Dark,), "#4d545f", "#c3c9d2"),
    ((Roles.WindowText, Roles.Text, Roles.ButtonText, Roles.ToolTipText), "#e9ebee", "#1b1e23"),
    ((Roles.PlaceholderText,), "#9aa2ad", "#5d6672"),
    ((Roles.BrightText,), "#f2676c", "#c62a2f"),
    ((Roles.Accent, Roles.Highlight, Roles.Link), "#4a90f7", "#1f66d6"),
    ((Roles.HighlightedText,), "#0b1320", "#ffffff"),
)


def is_dark(theme: Theme) -> bool:
    """Whether to use the dark colours; `system` follows the system."""
    if theme != "system":
        return theme == "dark"
    return existing(QGuiApplication.styleHints()).colorScheme() is Qt.ColorScheme.Dark


def apply(app: QApplication, dark: bool) -> None:
    """Apply palette and style sheet to the whole program.

    Takes a tenth of a second for an open window.
    """
    # With a style sheet, `style()` returns its proxy.
    app.setStyleSheet("")
    if existing(app.style()).name() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette_of(dark))
    sheet = Path(__file__).with_name("style.css").read_text("utf-8")
    scale = max(1.0, QFontMetrics(app.font()).height() / USUAL_LINE_PX)
    title_pt = TITLE_SCALE * QFontInfo(app.font()).pointSizeF()
    field_px = max(FIELD_PX, round(FIELD_PX * scale) - 1)
    values = {
        "@alarm": ALARM,
        "@folder": IMAGES.as_posix(),
        "@title": f"{title_pt:.1f}pt",
        "@field": f"{field_px}px",
        "@icon": f"{round(ICON_PX * scale)}px",
    }
    for name, value in values.items():
        sheet = sheet.replace(name, value)
    app.setStyleSheet(sheet)


def restyle(widget: QWidget) -> None:
    """Let the style sheet read palette and properties again."""
    # It keeps the rules that it has found for a widget.
    style = existing(widget.style())
    style.unpolish(widget)
    style.polish(widget)


class FocusRings(QObject):
    """Shows by a ring which control has the focus, from the first key on until the mouse is used.

    After a click the ring would say nothing new. The style sheet shows it by the property `ring`.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._by_keyboard = False
        self._ringed: QWidget | None = None
        app = application()
        app.focusWindowChanged.connect(self._watch)
        app.focusChanged.connect(self._move)
        self._watch(QGuiApplication.focusWindow())

    def _watch(self, focused: QWindow | None) -> None:
        # An event filter of the program would see every event, and call Python for each.
        if focused is not None:
            focused.installEventFilter(self)

    def eventFilter(self, _window: QObject | None, event: QEvent | None) -> bool:
        """Follow what the user uses; take nothing."""
        if event is None:
            return False
        is_key = event.type() is QEvent.Type.KeyPress
        if is_key or event.type() is QEvent.Type.MouseButtonPress:
            self._by_keyboard = is_key
            self._show(QApplication.focusWidget())
        return False

    def _move(self, _before: QWidget | None, now: QWidget | None) -> None:
        self._show(now)

    def _show(self, focused: QWidget | None) -> None:
        ringed = focused if self._by_keyboard else None
        before = self._ringed
        if ringed is before:
            return
        self._ringed = ringed
        if before is not None and not isdeleted(before):
            _set_ring(before, is_shown=False)
        if ringed is not None:
            _set_ring(ringed, is_shown=True)


def _set_ring(widget: QWidget, *, is_shown: bool) -> None:
    widget.setProperty("ring", is_shown)
    restyle(widget)
    widget.update()


def palette_of(dark: bool) -> QPalette:
    """Return the dark or the light colours."""
    colours = {}
    for roles, dark_colour, light_colour in COLOURS:
        for role in roles:
            colours[role] = QColor(dark_colour if dark else light_colour)
    palette = QPalette(colours[Roles.Button])
    for role, colour in colours.items():
        palette.setColor(role, colour)
    for role in (Roles.WindowText, Roles.Text, Roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, colours[Roles.PlaceholderText])
    return palette


class _Engine(QIconEngine):
    """Draws with the current palette, so that icons follow a theme change."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def paint(
        self,
        painter: QPainter | None,
        rect: QRect,
        mode: QIcon.Mode,
        state: QIcon.State,
    ) -> None:
        if painter is None:
            return
        is_disabled = mode is QIcon.Mode.Disabled
        is_pressed = state is QIcon.State.On
        group = QPalette.ColorGroup.Disabled if is_disabled else QPalette.ColorGroup.Active
        role = Roles.HighlightedText if is_pressed else Roles.ButtonText
        colour = QApplication.palette().color(group, role).name()
        if is_pressed and self._name == "record":
            # While it records, the button is red in every theme.
            colour = "white"
        side = min(rect.width(), rect.height())
        left = rect.x() + (rect.width() - side) / 2
        top = rect.y() + (rect.height() - side) / 2
        square = QRectF(left, top, side, side)
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
    """Return an icon in a colour."""
    # What is red for an alarm is white on a button of that red.
    is_white = QColor(colour) == QColor("white")
    alarm = colour if is_white else ALARM
    drawing = (IMAGES / f"{name}.svg").read_text("utf-8")
    drawing = drawing.replace("currentColor", colour)
    drawing = drawing.replace("alarmColor", alarm)
    return QSvgRenderer(QByteArray(drawing.encode()))


def icon(name: str) -> QIcon:
    """Return the icon of a name; `app` is that of the program, in colour."""
    return QIcon(_Engine(name))
