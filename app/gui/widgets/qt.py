"""What Qt lacks: rows and columns in one call, lengths that follow the font, dialogs, scrolling."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TypeVar

from PyQt6.QtCore import QEvent, QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QFontMetrics, QGuiApplication, QHideEvent, QKeySequence
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QBoxLayout,
    QDialog,
    QHBoxLayout,
    QLayout,
    QMenu,
    QMessageBox,
    QScrollArea,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

# What stands in a row or column; None: space that takes what is left.
Item = QWidget | QLayout | None
Margins = int | tuple[int, int, int, int]
BoxLayout = TypeVar("BoxLayout", bound=QBoxLayout)
T = TypeVar("T")
Dialog = TypeVar("Dialog", bound=QDialog)
# What the frame of a window may take of the screen, which is not known before it is
# shown: borders and title bar.
FRAME = QSize(8, 40)
# Pixels around a control that is scrolled to.
SCROLL_MARGIN = 50
# Height of a line in the font that lengths in pixels are written for.
USUAL_LINE_PX = 16


def existing(value: T | None) -> T:
    """Return a value that Qt declares as optional, but always has."""
    assert value is not None
    return value


def application() -> QApplication:
    """Return the QApplication of the process."""
    running = QApplication.instance()
    assert isinstance(running, QApplication)
    return running


def row(
    whole: QWidget | None,
    *items: Item,
    grows: Item = None,
    spacing: int | None = None,
    margins: Margins | None = 0,
) -> QHBoxLayout:
    """Lay items beside each other.

    whole: the widget that they fill; None for a part of another layout.

    grows: takes the width that is left. spacing, margins: None for those of the style.
    """
    return _fill(QHBoxLayout(whole), items, grows, spacing, margins)


def column(
    whole: QWidget | None,
    *items: Item,
    grows: Item = None,
    spacing: int | None = None,
    margins: Margins | None = 0,
) -> QVBoxLayout:
    """Lay items below each other, as in `row`."""
    return _fill(QVBoxLayout(whole), items, grows, spacing, margins)


def _fill(
    made: BoxLayout,
    items: tuple[Item, ...],
    grows: Item,
    spacing: int | None,
    margins: Margins | None,
) -> BoxLayout:
    if isinstance(margins, int):
        made.setContentsMargins(margins, margins, margins, margins)
    elif margins is not None:
        made.setContentsMargins(*margins)
    if spacing is not None:
        made.setSpacing(spacing)
    for item in items:
        if item is None:
            made.addStretch(1)
        elif isinstance(item, QWidget):
            made.addWidget(item, int(item is grows))
        else:
            made.addLayout(item, int(item is grows))
    return made


def add_action(
    place: QMenu | QToolBar,
    text: str,
    key: str,
    run: Callable[[], object] | None = None,
) -> QAction:
    """Add an entry to a menu or a tool bar. key: a keyboard shortcut, or nothing."""
    action = QAction(text, place)
    action.setAutoRepeat(False)  # a key that is held must not pause and resume
    if key:
        action.setShortcut(QKeySequence(key))
    if run is not None:
        action.triggered.connect(lambda _on: run())
    place.addAction(action)
    return action


def scaled(pixels: int, widget: QWidget) -> int:
    """Return a length in the font of a widget from that in the usual one, which is the least."""
    factor = widget.fontMetrics().height() / USUAL_LINE_PX
    return max(pixels, round(factor * pixels))


def scale_icon(made: QAbstractButton, usual: QSize) -> None:
    """Set the size of the icon of a button from that in the usual font."""
    made.setIconSize(QSize(scaled(usual.width(), made), scaled(usual.height(), made)))


def broken(text: str, metrics: QFontMetrics, room: int) -> str:
    """Return a text with line breaks between words, so that each line fits into this width.

    A word that is wider than that has a line of its own.
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or width_of(longer, metrics) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def width_of(text: str, metrics: QFontMetrics) -> int:
    """Return the width of a text as the size hints of buttons compute it."""
    return metrics.size(Qt.TextFlag.TextShowMnemonic, text).width()


def tip_of(text: str) -> str:
    """Return a text so that a tool tip shows it as it is."""
    # Qt takes a text for HTML by its looks, and names of files may look like HTML.
    if "<" not in text:
        return text
    escaped = html.escape(text).replace("\n", "<br>")
    return f"<span>{escaped}</span>"


def longest_word(text: str, metrics: QFontMetrics) -> int:
    """Return the width of the longest word of a text."""
    widths = [width_of(word, metrics) for word in text.split()]
    return max(widths, default=0)


def timer(
    parent: QObject,
    interval_ms: int,
    run: Callable[[], object],
    *,
    once: bool = False,
) -> QTimer:
    """Return a timer that calls `run` at this interval from its start on.

    once: a single time for each start.
    """
    made = QTimer(parent)
    made.setInterval(interval_ms)
    made.setSingleShot(once)
    made.timeout.connect(run)
    return made


class AfterLayout(QObject):
    """Does something after a widget has got another size, and before it is painted.

    It waits until the layout that is at work is done: a size hint that changes within a layout
    may not be laid out.
    """

    _due = pyqtSignal()

    def __init__(self, resized: QWidget, run: Callable[[], object]) -> None:
        super().__init__(resized)
        self._due.connect(run, type=Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]
        resized.installEventFilter(self)

    def eventFilter(self, _resized: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() is QEvent.Type.Resize:
            self.start()
        return False

    def start(self) -> None:
        """Let it be done now too."""
        self._due.emit()


def was_hidden(event: QHideEvent | None) -> bool:
    """Return whether the program hid a widget."""
    # The system sends the same event for a window that is minimised.
    return event is not None and not event.spontaneous()


def set_up_dialog(dialog: QDialog, name: str, title: str, *size: int) -> None:
    """Name a dialog that is deleted when it is closed.

    size: width and height in the usual font, if it needs them.
    """
    dialog.setObjectName(name)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if isinstance(dialog, QMessageBox):
        dialog.setTextFormat(Qt.TextFormat.PlainText)  # a name may look like HTML
    if size:
        resize(dialog, *size)


def open_once(
    window: QWidget,
    kind: type[Dialog],
    make: Callable[[], Dialog],
    name: str | None = None,
) -> Dialog:
    """Show a dialog of a window; one of this kind and name that is already open comes to the front.

    Return it.
    """
    found = window.findChild(kind, name)
    if found is None or not found.isVisible():
        found = make()
        has_size = found.testAttribute(Qt.WidgetAttribute.WA_Resized)
        found.show()
        if not has_size:
            lengthen(found)
    found.raise_()
    found.activateWindow()
    return found


def lengthen(dialog: QDialog) -> None:
    """Make a dialog as high as its wrapped texts need."""
    # Qt computes the height for the width that a dialog would like, not for its own.
    layout = existing(dialog.layout())
    layout.activate()
    dialog.resize(dialog.size().expandedTo(QSize(0, layout.totalHeightForWidth(dialog.width()))))


def resize(window: QWidget, width: int, height: int) -> None:
    """Give a window this size in the usual font, but none beyond its screen."""
    # Beyond the screen its buttons could not be reached.
    room = existing(window.screen()).availableGeometry().size() - FRAME
    size = QSize(scaled(width, window), scaled(height, window))
    window.resize(size.boundedTo(room))


def copy_text(text: str) -> None:
    """Copy a text to the clipboard."""
    existing(QGuiApplication.clipboard()).setText(text)


def scroll_to_focus(before: QWidget | None, now: QWidget | None) -> None:
    """Scroll to a control that got the focus from the keyboard: for `QApplication.focusChanged`."""
    if before is None or now is None:
        return
    is_within_window = before.window() is now.window()
    is_by_mouse = bool(QApplication.mouseButtons())
    if is_within_window and not is_by_mouse:
        reveal(now)


def reveal(control: QWidget) -> None:
    """Scroll the pages that hold a control.

    Qt does that only where the focus moves within a page, not into it.

    Of a line of text Qt shows the cursor alone.
    """
    around = control.parentWidget()
    while around is not None:
        if isinstance(around, QScrollArea):
            middle = control.mapTo(existing(around.widget()), control.rect().center())
            around.ensureVisible(
                middle.x(),
                middle.y(),
                control.width() // 2,
                control.height() // 2 + SCROLL_MARGIN,
            )
        around = around.parentWidget()
