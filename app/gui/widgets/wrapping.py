"""Buttons whose text wraps where it does not fit on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QSizePolicy,
    QStyleOptionButton,
    QStyleOptionToolButton,
    QToolButton,
)

from app.gui.widgets.qt import broken, longest_word, width_of

if TYPE_CHECKING:

    class _Button(QAbstractButton):
        def initStyleOption(self, option: QStyleOptionButton | QStyleOptionToolButton | None) -> None: ...

else:
    _Button = object


class Wrapping(_Button):
    """Before a kind of button: draws its text on more lines where it does not fit on one, after `wrap`.

    The text itself, and with it the size hint, stays that of one line.
    """

    _lines = ""
    """What is drawn in place of the text."""

    def wrap(self) -> None:
        """Let the text take more lines, and the button the width that there is."""
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def minimumSizeHint(self) -> QSize:
        if not self.hasHeightForWidth():
            return super().minimumSizeHint()
        self.ensurePolished()
        return QSize(self._decoration + longest_word(self.text(), self.fontMetrics()), self.sizeHint().height())

    def heightForWidth(self, width: int) -> int:
        lines = self._broken(width).count("\n")
        return self.sizeHint().height() + lines * self.fontMetrics().lineSpacing()

    def _broken(self, width: int) -> str:
        return broken(self.text(), self.fontMetrics(), width - self._decoration)

    @property
    def _decoration(self) -> int:
        """Width of the button without its text: indicator, spacing, padding, borders."""
        return self.sizeHint().width() - width_of(self.text(), self.fontMetrics())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if self.hasHeightForWidth():
            self._lines = self._broken(self.width())
        super().paintEvent(event)

    def initStyleOption(self, option: QStyleOptionButton | QStyleOptionToolButton | None) -> None:
        super().initStyleOption(option)
        if option is not None and self._lines:
            option.text = self._lines


class WrappingCheckBox(Wrapping, QCheckBox):
    """A check box whose text wraps."""


class WrappingToolButton(Wrapping, QToolButton):
    """A tool button whose text wraps."""
