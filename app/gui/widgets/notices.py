"""The banner above the preview: one line with the most important notice, and a counter for the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial

from PyQt6.QtCore import QEvent, QPoint, QSize, Qt, QTimer
from PyQt6.QtGui import QEnterEvent, QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget
from PyQt6.sip import isdeleted

from app.gui.widgets.controls import ElidedLabel, button, describe, label
from app.gui.widgets.focus import keep_focus
from app.gui.widgets.icons import icon

BRIEF_MS = 12_000
"""How long a notice about something that was done stays."""
GUARD_MS = 800
"""How long the buttons of a notice that appears under the pointer do nothing, unless the pointer leaves before."""


class Rank(IntEnum):
    """Importance of a notice."""

    CONVENIENCE = 0
    """Something that is not needed does not work."""
    STATE = 1
    EVENT = 2
    ERROR = 3
    OUTAGE = 4
    """Others do not see what they should, or an action of the user failed."""
    QUESTION = 5
    """The program waits for an answer."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user."""

    key: str
    """Identifies the notice: a new one replaces an old one with the same key. Also its object name."""
    text: str
    actions: tuple[tuple[str, Callable[[], object]], ...] = ()
    """(button text, what it does)"""
    rank: Rank = Rank.STATE
    duration_ms: int = 0
    """Hide it after this time; 0: keep it."""
    dismissible: bool = True
    heading: str = ""
    """What it is about, before the text."""
    stays: bool = False
    """Keep it after an action: it is hidden by whoever shows it."""
    at_s: float = field(default_factory=time.time)
    """time.time(); among notices of the same rank the newest comes first."""
    dismissed: Callable[[], object] = lambda: None
    """Called when the user dismisses it."""

    @property
    def is_alarm(self) -> bool:
        """Whether it is drawn with the border of an error."""
        return self.rank in (Rank.ERROR, Rank.OUTAGE, Rank.QUESTION)


class NoticeArea(QWidget):
    """Shows one notice on one line: that of the highest rank, among these the newest. A counter lists the others.

    Nothing changes under the pointer: a notice that ends there is disabled and stays until the pointer leaves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._notices: dict[str, Notice] = {}
        """By key."""
        self._dismissed: dict[str, str] = {}
        """Text of each dismissed notice, by key."""
        self._line: tuple[Notice, QFrame] | None = None
        self._list: QFrame | None = None
        self._counter = QToolButton()
        describe(self._counter, self.tr("All messages"), self.tr("Show all messages in full"), "noticeCounter")
        self._counter.clicked.connect(self._open_list)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addWidget(self._counter)
        self._counter.hide()
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """Sentences of all notices, the most important first."""
        return tuple(notice.text for notice in self._in_order())

    @property
    def shown(self) -> str:
        """The key of the notice on the line; empty if there is none."""
        return "" if self._line is None else self._line[0].key

    def show_notice(self, notice: Notice) -> None:
        """Show a notice about an event; a dismissed one comes back."""
        self._dismissed.pop(notice.key, None)
        self._add(notice)
        if notice.duration_ms:
            QTimer.singleShot(notice.duration_ms, partial(self._expire, notice))

    def show_while(self, key: str, notice: Notice | None) -> None:
        """Show a notice about a state, or hide it with None. Once dismissed, it stays hidden while the state lasts."""
        if notice is None:
            self._dismissed.pop(key, None)
            self.hide_notice(key)
        elif self._dismissed.get(key) != notice.text and self.text_of(key) != notice.text:
            self._add(notice)

    def text_of(self, key: str) -> str:
        """The sentence of a notice; empty where there is none."""
        return self._notices[key].text if key in self._notices else ""

    def hide_notice(self, key: str) -> None:
        """Hide a notice. Keyboard focus inside it returns to the widget that had it before."""
        if self._notices.pop(key, None) is not None:
            self._arrange()

    def leaveEvent(self, event: QEvent | None) -> None:
        super().leaveEvent(event)
        self._arrange(held=False)
        if self._line is not None:
            self._line[1].setEnabled(self._is_current(self._line[0]))

    def enterEvent(self, event: QEnterEvent | None) -> None:
        super().enterEvent(event)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._show_counter()

    def _add(self, notice: Notice) -> None:
        self._notices[notice.key] = notice
        self._arrange()

    def _in_order(self) -> list[Notice]:
        return sorted(self._notices.values(), key=lambda notice: (notice.rank, notice.at_s), reverse=True)

    def _is_current(self, notice: Notice) -> bool:
        return self._notices.get(notice.key) is notice

    def _arrange(self, *, held: bool | None = None) -> None:
        """Show the most important notice on the line, unless the present one is held there."""
        if held is None:
            held = self.underMouse() or self._list is not None
        order = self._in_order()
        wanted = order[0] if order else None
        if self._line is not None and self._line[0] is not wanted:
            if held:
                self._line[1].setEnabled(self._is_current(self._line[0]))
                self._show_counter()
                return
            self._drop_line()
        if self._line is None and wanted is not None:
            self._line = wanted, self._make(wanted)
            self._row.insertWidget(0, self._line[1], 1)
            self._line[1].show()
        self._show_counter()
        self.setVisible(self._line is not None)

    def _drop_line(self) -> None:
        assert self._line is not None
        frame, self._line = self._line[1], None
        with keep_focus(frame):
            frame.hide()
        self._row.removeWidget(frame)
        frame.deleteLater()

    def _show_counter(self) -> None:
        others = len(self._notices) - (self._line is not None and self._is_current(self._line[0]))
        text = None if self._line is None else self._line[1].findChild(ElidedLabel)
        cut = text is not None and text.sizeHint().width() > text.width() > 0
        self._counter.setText(self.tr("{0} more").format(others) if others else "…")
        with keep_focus(self._counter):
            self._counter.setVisible(others > 0 or cut)

    def _open_list(self) -> None:
        """Show all notices in full over the preview; it closes with a click beside it."""
        listed = QFrame(self, Qt.WindowType.Popup)
        listed.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        listed.setObjectName("noticeList")
        listed.setAccessibleName(self.tr("All messages"))
        column = QVBoxLayout(listed)
        column.setSpacing(8)
        for notice in self._in_order():
            column.addWidget(self._make(notice, whole=True))
        listed.destroyed.connect(self._list_closed)
        self._list = listed
        listed.setFixedSize(self.width(), column.totalHeightForWidth(self.width()))
        listed.move(self.mapToGlobal(QPoint(0, self.height())))
        listed.show()

    def _close_list(self) -> None:
        if self._list is not None:
            self._list.close()

    def _list_closed(self) -> None:
        if not isdeleted(self):
            self._list = None
            self._arrange()

    def _expire(self, notice: Notice) -> None:
        if not isdeleted(self) and self._is_current(notice):
            self.hide_notice(notice.key)

    def _dismiss(self, notice: Notice) -> None:
        self._dismissed[notice.key] = notice.text
        self._answer(notice)
        notice.dismissed()

    def _act(self, notice: Notice, run: Callable[[], object]) -> None:
        if notice.stays:
            self._close_list()
        else:
            self._answer(notice)
        run()

    def _answer(self, notice: Notice) -> None:
        """Remove a notice that the user has answered. The next one waits a little before it can be answered."""
        self._close_list()
        if self._is_current(notice):
            del self._notices[notice.key]
        if self._line is not None and self._line[0] is notice:
            self._arrange(held=False)
        if self._line is not None and self.underMouse():
            self._line[1].setEnabled(False)
            QTimer.singleShot(GUARD_MS, partial(self._enable, self._line[1]))

    def _enable(self, frame: QFrame) -> None:
        if not isdeleted(self) and self._line is not None and self._line[1] is frame:
            frame.setEnabled(self._is_current(self._line[0]))

    def _make(self, notice: Notice, *, whole: bool = False) -> QFrame:
        """Return the frame of a notice on one line, or with all of its text."""
        name = f"{notice.key}InList" if whole else notice.key
        frame = QFrame()
        frame.setObjectName(name)
        frame.setProperty("role", "alarm" if notice.is_alarm else "notice")
        frame.setAccessibleName(notice.text)
        row = QHBoxLayout(frame)
        row.setContentsMargins(12, 4, 6, 4)
        row.setSpacing(10)
        if notice.is_alarm:
            sign = QLabel()
            sign.setPixmap(icon("warning").pixmap(QSize(20, 20)))
            row.addWidget(sign)
        if notice.heading:
            row.addWidget(label(notice.heading, "heading"))
        row.addWidget(_wrapped(notice.text) if whole else _elided(notice.text), 1)
        for number, (caption, run) in enumerate(notice.actions):
            pressable = button(caption)
            describe(pressable, caption, notice.text, f"{name}Action{number}")
            pressable.clicked.connect(partial(self._act, notice, run))
            row.addWidget(pressable)
        if notice.dismissible:
            close = QToolButton()
            close.setIcon(icon("close"))
            describe(close, self.tr("Dismiss"), self.tr("Hide this message"), f"{name}Dismiss")
            close.clicked.connect(partial(self._dismiss, notice))
            row.addWidget(close)
        return frame


def _elided(text: str) -> ElidedLabel:
    made = ElidedLabel("", "noticeText")
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.show_text(text)
    return made


def _wrapped(text: str) -> QLabel:
    made = label(text, wrap=True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made
