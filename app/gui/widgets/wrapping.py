"""Buttons whose text wraps where it does not fit on one line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QEvent, QObject, QSize
from PyQt6.QtWidgets import QAbstractButton, QCheckBox, QSizePolicy, QToolButton

from app.gui.widgets.controls import describe
from app.gui.widgets.qt import AfterLayout, broken, longest_word, scale_icon, width_of

ARROW_SIZE = QSize(16, 16)


class _WrappedText(QObject):
    """Sets the lines of a button's text after each change of its width."""

    def __init__(self, button: QAbstractButton, hint: Callable[[], QSize]) -> None:
        """hint: returns the size of the button with the present lines."""
        super().__init__(button)
        self._button, self._hint = button, hint
        self._text = button.text()
        self._wrapping = AfterLayout(self, self._wrap)
        button.installEventFilter(self)

    def least_width(self) -> int:
        """Return the width of the button with its longest word."""
        self._button.ensurePolished()
        return self._decoration() + longest_word(self._text, self._button.fontMetrics())

    def whole_width(self) -> int:
        """Return the width of the button with its text on one line."""
        return self._decoration() + width_of(self._text, self._button.fontMetrics())

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Resize:
            self._wrapping.start()
        return False

    def _decoration(self) -> int:
        """Width of the button without its text: indicator, spacing, padding, borders."""
        return self._hint().width() - width_of(self._button.text(), self._button.fontMetrics())

    def _wrap(self) -> None:
        text = broken(self._text, self._button.fontMetrics(), self._button.width() - self._decoration())
        if text != self._button.text():
            self._button.setText(text)


class WrappingCheckBox(QCheckBox):
    """A check box whose text wraps."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._wrapped = _WrappedText(self, super().sizeHint)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._wrapped.least_width(), super().minimumSizeHint().height())


class WrappingToolButton(QToolButton):
    """A tool button whose text wraps; no wider than it is on one line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setText(text)
        scale_icon(self, ARROW_SIZE)
        self._wrapped = _WrappedText(self, partial(QToolButton.sizeHint, self))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self._wrapped.whole_width(), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._wrapped.least_width(), super().sizeHint().height())


def check(text: str, description: str, object_name: str) -> QCheckBox:
    """Return a check box."""
    made = WrappingCheckBox(text)
    describe(made, text, description, object_name)
    return made
