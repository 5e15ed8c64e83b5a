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
from app.gui.widgets.qt import column, keep_focus, row
from app.gui.widgets.theme import icon

MARGINS = (12, 4, 6, 4)
READABLE_PX = 180
"""A message keeps at least this width, or its own if that is less; buttons are left out for it."""


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
            sign.setPixmap(icon("warning").pixmap(QSize(20, 20)))
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
            describe(close, self.tr("Dismiss"), self.tr("Hide this message"), f"{name}Dismiss")
            close.clicked.connect(partial(dismiss, notice))
            line.addWidget(close)

    def fit(self, room: int, narrow: int) -> bool:
        """Leave out the heading, then the buttons, where they do not fit; return whether something is hidden.

        room, narrow: the width of the line in pixels, alone and beside the counter.
        """
        extras: tuple[Sequence[QWidget], ...] = self._heading, self._actions
        for widget in itertools.chain(*extras):
            widget.show()
        least, whole = self._text.minimumSizeHint().width(), self._text.sizeHint().width()
        for group in extras:
            if self._least_width() - least + max(least, min(whole, READABLE_PX)) <= narrow:
                break
            for widget in group:
                with keep_focus(widget):
                    widget.hide()
        free = room - self._least_width() + least
        return whole > free or any(widget.isHidden() for widget in itertools.chain(*extras))

    def _least_width(self) -> int:
        self._row.activate()
        return self._row.minimumSize().width()
