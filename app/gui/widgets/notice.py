"""A notice: a sentence for the user with buttons that act on it, and the frame that shows it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QFrame, QLabel, QToolButton, QWidget

from app.gui.widgets.controls import ElidedLabel, button, describe, label, selectable
from app.gui.widgets.qt import column, keep_focus, row, scale_icon, scaled
from app.gui.widgets.theme import icon

MARGINS = (12, 4, 6, 4)
CLOSE_SIZE, SIGN_SIZE = QSize(16, 16), 20
READABLE_PX = 180
"""A message keeps at least this width in the usual font, or its own if that is less; buttons are left out for it."""


class Rank(IntEnum):
    """Importance of a notice."""

    STATE = 1
    EVENT = 2
    ERROR = 3
    OUTAGE = 4
    """Others do not see what they should, or an action of the user failed."""
    UNDO = 5
    """What the user has just done can be undone, for a moment."""
    QUESTION = 6
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
    at_s: float = field(default_factory=time.monotonic)
    """time.monotonic(); among notices of the same rank the newest comes first."""

    @property
    def is_alarm(self) -> bool:
        """Whether it is drawn with the border of an error."""
        return self.rank in (Rank.ERROR, Rank.OUTAGE, Rank.QUESTION)


class NoticeFrame(QFrame):
    """Shows a notice on one line, or with all of its text: below its heading and buttons, or beside these alone."""

    def __init__(
        self,
        notice: Notice,
        act: Callable[[Notice, Callable[[], object]], object],
        dismiss: Callable[[Notice], object],
        *,
        whole: bool = False,
    ) -> None:
        """act: called with the notice and what a pressed button does. dismiss: called with the notice."""
        super().__init__()
        name = f"{notice.key}InList" if whole else notice.key
        self.setObjectName(name)
        self.setProperty("role", "alarm" if notice.is_alarm else "notice")
        self.setAccessibleName(notice.text)
        self._row = line = row(None if whole else self, spacing=10, margins=0 if whole else MARGINS)
        if notice.is_alarm:
            sign = QLabel()
            side = scaled(SIGN_SIZE, self)
            sign.setPixmap(icon("warning").pixmap(QSize(side, side)))
            line.addWidget(sign)
        self._heading = [label(notice.heading, "heading")] if notice.heading else []
        self._text = selectable(notice.text) if whole else ElidedLabel(notice.text, "noticeText")
        self._actions = [
            button(caption, notice.text, f"{name}Action{number}", partial(act, notice, run))
            for number, (caption, run) in enumerate(notice.actions)
        ]
        for widget in self._heading:
            line.addWidget(widget)
        below = [self._text] if whole and notice.heading else []
        if below:
            line.addStretch(1)
        else:
            line.addWidget(self._text, 1)
        if whole:
            column(self, line, *below, spacing=4, margins=MARGINS)
        for action in self._actions:
            line.addWidget(action)
        if notice.dismissible:
            close = QToolButton()
            close.setIcon(icon("close"))
            scale_icon(close, CLOSE_SIZE)
            describe(close, self.tr("Dismiss"), self.tr("Hide this message"), f"{name}Dismiss")
            close.clicked.connect(partial(dismiss, notice))
            line.addWidget(close)

    def fit(self, room: int, narrow: int) -> bool:
        """Leave out the heading, then the buttons, where they do not fit; return whether something is hidden.

        room, narrow: the width of the line in pixels, alone and beside the counter.
        """
        extras: tuple[Sequence[QWidget], ...] = self._heading, self._actions
        least, whole = self._text.minimumSizeHint().width(), self._text.sizeHint().width()
        readable = max(least, min(whole, scaled(READABLE_PX, self)))
        left_out: list[QWidget] = []
        for group in extras:
            if self._width_without(left_out) - least + readable <= narrow:
                break
            left_out += group
        for widget in itertools.chain(*extras):
            if widget.isHidden() is not (widget in left_out):
                with keep_focus(widget):
                    widget.setVisible(widget not in left_out)
        free = room - self._width_without(left_out) + least
        return whole > free or bool(left_out)

    def _width_without(self, left_out: Sequence[QWidget]) -> int:
        """Return the least width of the line without these widgets. Hiding them for it would resize the line."""
        items = (self._row.itemAt(index) for index in range(self._row.count()))
        widths = []
        for widget in (item.widget() for item in items if item is not None):
            if widget is not None and widget not in left_out:
                widget.ensurePolished()
                widths.append(widget.minimumSizeHint().width())
        margins = self._row.contentsMargins()
        return sum(widths) + self._row.spacing() * (len(widths) - 1) + margins.left() + margins.right()
