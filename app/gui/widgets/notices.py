"""The banner above the preview: one line with the most important notice, and a counter for the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QEvent, QPoint, QSize, Qt, QTimer
from PyQt6.QtWidgets import QFrame, QToolButton, QVBoxLayout, QWidget
from PyQt6.sip import isdeleted

from app.gui.widgets.controls import describe
from app.gui.widgets.notice import Notice, NoticeFrame
from app.gui.widgets.qt import AfterLayout, keep_focus, row, scaled

BRIEF_MS = 12_000
"""How long a notice about something that was done stays."""
MIN_WIDTH = 240
GUARD_MS = 800
"""How long the buttons of a notice that appears under the pointer do nothing, unless the pointer leaves before."""


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
        self._line: tuple[Notice, NoticeFrame] | None = None
        self._list: QFrame | None = None
        self._counter = QToolButton()
        describe(self._counter, self.tr("All messages"), self.tr("Show all messages in full"), "noticeCounter")
        self._counter.clicked.connect(self._open_list)
        self._row = row(self, self._counter, spacing=8)
        AfterLayout(self, self._fit_line)
        self._counter.hide()
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """Sentences of all notices, the most important first."""
        return tuple(notice.text for notice in self.in_order())

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
        """Show a notice about a state, or hide it with None.

        Once it is dismissed, or its time is over, it stays hidden while the state lasts.
        """
        if notice is None:
            self._dismissed.pop(key, None)
            self.hide_notice(key)
        elif self._dismissed.get(key) != notice.text and self.text_of(key) != notice.text:
            self._add(notice)
            if notice.duration_ms:
                QTimer.singleShot(notice.duration_ms, partial(self._expire, notice, is_state=True))

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

    def minimumSizeHint(self) -> QSize:
        """As little as the window needs: what does not fit on the line is in the list."""
        return QSize(scaled(MIN_WIDTH, self), super().minimumSizeHint().height())

    def _add(self, notice: Notice) -> None:
        self._notices[notice.key] = notice
        self._arrange()

    def in_order(self) -> list[Notice]:
        """Return all notices, the most important first."""
        return sorted(self._notices.values(), key=lambda notice: (notice.rank, notice.at_s), reverse=True)

    def _is_current(self, notice: Notice) -> bool:
        return self._notices.get(notice.key) is notice

    def _arrange(self, *, held: bool | None = None) -> None:
        """Show the most important notice on the line, unless the present one is held there."""
        if held is None:
            held = self.underMouse() or self._list is not None
        order = self.in_order()
        wanted = order[0] if order else None
        if self._line is not None and self._line[0] is not wanted:
            if held:
                self._line[1].setEnabled(self._is_current(self._line[0]))
                self._fit_line()
                return
            self._drop_line()
        if self._line is None and wanted is not None:
            self._line = wanted, NoticeFrame(wanted, self._act, self._dismiss)
            self._row.insertWidget(0, self._line[1], 1)
            self._line[1].show()
        self._fit_line()
        self.setVisible(self._line is not None)

    def _drop_line(self) -> None:
        assert self._line is not None
        frame, self._line = self._line[1], None
        with keep_focus(frame):
            frame.hide()
        self._row.removeWidget(frame)
        frame.setParent(None)
        frame.deleteLater()

    def _fit_line(self) -> None:
        """Fit the notice to the line; show the counter where there are others, or something of it is hidden."""
        others = len(self._notices) - (self._line is not None and self._is_current(self._line[0]))
        self._counter.setText(self.tr("{0} more").format(others) if others else "…")
        narrow = self.width() - self._counter.sizeHint().width() - self._row.spacing()
        cut = self._line is not None and self._line[1].fit(self.width(), narrow)
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
        for notice in self.in_order():
            column.addWidget(NoticeFrame(notice, self._act, self._dismiss, whole=True))
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

    def _expire(self, notice: Notice, *, is_state: bool = False) -> None:
        if not isdeleted(self) and self._is_current(notice):
            if is_state:
                self._dismissed[notice.key] = notice.text
            self.hide_notice(notice.key)

    def _dismiss(self, notice: Notice) -> None:
        self._dismissed[notice.key] = notice.text
        self._answer(notice)

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
