"""Notices above the preview: a sentence and buttons that act on it. They never block the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget
from PyQt6.sip import isdeleted

from app.gui.widgets.controls import button, describe, label
from app.gui.widgets.focus import keep_focus
from app.gui.widgets.icons import icon

BRIEF_MS = 12_000
"""How long a notice about something that was done stays."""

MOST_VISIBLE = 2
"""More would make the window taller than a small screen; older ones come back when newer ones go."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user."""

    key: str
    """Identifies the notice: a new one replaces an old one with the same key. Also its object name."""
    text: str
    actions: tuple[tuple[str, Callable[[], object]], ...] = ()
    """(button text, what it does)"""
    alarm: bool = False
    """Draw it with the border of an error."""
    duration_ms: int = 0
    """Hide it after this time; 0: keep it."""
    dismissible: bool = True


class NoticeArea(QWidget):
    """Shows the newest notices one below the other, the newest last. While there is an alarm, others are hidden."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[str, tuple[Notice, QFrame]] = {}
        self._dismissed: dict[str, str] = {}
        """Text of each dismissed notice, by key."""
        self._most_visible = MOST_VISIBLE
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """Sentences of the notices shown."""
        return tuple(notice.text for notice, _frame in self._shown.values())

    def show_notice(self, notice: Notice) -> None:
        """Show a notice about an event; a dismissed one comes back."""
        self._dismissed.pop(notice.key, None)
        self._show(notice)
        if notice.duration_ms:
            frame = self._shown[notice.key][1]
            QTimer.singleShot(notice.duration_ms, partial(self._expire, notice.key, frame))

    def show_while(self, key: str, notice: Notice | None) -> None:
        """Show a notice about a state, or hide it with None. Once dismissed, it stays hidden while the state lasts."""
        if notice is None:
            self._dismissed.pop(key, None)
            self.hide_notice(key)
        elif self._dismissed.get(key) != notice.text and self.text_of(key) != notice.text:
            self._show(notice)

    def text_of(self, key: str) -> str:
        """The sentence shown under a key; empty where there is none."""
        return self._shown[key][0].text if key in self._shown else ""

    def set_crowded(self, crowded: bool) -> None:
        """Show only the newest notice while the error bar takes room too."""
        most = 1 if crowded else MOST_VISIBLE
        if most != self._most_visible:
            self._most_visible = most
            self._arrange()

    def hide_notice(self, key: str) -> None:
        """Hide a notice. Keyboard focus inside it returns to the widget that had it before."""
        entry = self._shown.pop(key, None)
        if entry is not None:
            with keep_focus(entry[1]):
                entry[1].hide()
                self._arrange()
            self._column.removeWidget(entry[1])
            entry[1].deleteLater()

    def _show(self, notice: Notice) -> None:
        old = self._shown.get(notice.key)
        frame = self._make(notice)
        place = self._column.count() if old is None else self._column.indexOf(old[1])
        self.hide_notice(notice.key)
        self._column.insertWidget(place, frame)
        self._shown[notice.key] = notice, frame
        self._arrange()

    def _arrange(self) -> None:
        alarm = any(notice.alarm for notice, _frame in self._shown.values())
        entries = [self._shown[key] for key in self._keys_in_order()]
        candidates = [frame for notice, frame in entries if notice.alarm or not alarm]
        for _notice, frame in entries:
            frame.setVisible(frame in candidates[-self._most_visible :])
        self.setVisible(bool(self._shown))

    def _keys_in_order(self) -> list[str]:
        return sorted(self._shown, key=lambda key: self._column.indexOf(self._shown[key][1]))

    def _expire(self, key: str, frame: QFrame) -> None:
        if not isdeleted(self) and key in self._shown and self._shown[key][1] is frame:
            self.hide_notice(key)

    def _dismiss(self, notice: Notice) -> None:
        self._dismissed[notice.key] = notice.text
        self.hide_notice(notice.key)

    def _act(self, notice: Notice, run: Callable[[], object]) -> None:
        self.hide_notice(notice.key)
        run()

    def _make(self, notice: Notice) -> QFrame:
        frame = QFrame()
        frame.setObjectName(notice.key)
        frame.setProperty("role", "alarm" if notice.alarm else "notice")
        frame.setAccessibleName(notice.text)
        row = QHBoxLayout(frame)
        row.setContentsMargins(12, 4, 6, 4)
        row.setSpacing(10)
        if notice.alarm:
            sign = QLabel()
            sign.setPixmap(icon("warning").pixmap(QSize(20, 20)))
            row.addWidget(sign)
        text = label(notice.text, wrap=True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        row.addWidget(text, 1)
        for number, (caption, run) in enumerate(notice.actions):
            pressable = button(caption)
            describe(pressable, caption, notice.text, f"{notice.key}Action{number}")
            pressable.clicked.connect(partial(self._act, notice, run))
            row.addWidget(pressable)
        if notice.dismissible:
            close = QToolButton()
            close.setIcon(icon("close"))
            describe(close, self.tr("Dismiss"), self.tr("Hide this message"), f"{notice.key}Dismiss")
            close.clicked.connect(partial(self._dismiss, notice))
            row.addWidget(close)
        return frame
