"""A slider with its value as text: 100 steps are one unit of most settings."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QLocale, QPointF, QRect, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PyQt6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QWidget

from app.gui.i18n.messages import decimal
from app.gui.widgets.controls import describe, label
from app.gui.widgets.qt import existing, row, scaled

STEPS = 100
"""Slider steps per unit of the setting."""


def times(value: int) -> str:
    """Return a factor, such as `1.50 ×`."""
    return f"{decimal(value / STEPS, 2)} ×"


def percent(value: int) -> str:
    """Return a share, such as `35 %`."""
    return f"{QLocale().toString(value)} %"


def pixels(value: int) -> str:
    """Return a width, such as `4 px`."""
    return f"{QLocale().toString(value)} px"


def offset(value: int) -> str:
    """Return a shift with its sign, such as `+20 %`."""
    return f"{value:+d} %" if value else "0 %"


class StillSlider(QSlider):
    """A horizontal slider that goes where it is pressed, at any height; the wheel scrolls the page instead."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.mark: int | None = None
        """A value that is marked on the scale."""

    def set_mark(self, value: int | None) -> None:
        """Mark a value on the scale; None: no value."""
        if value != self.mark:
            self.mark = value
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if self.mark is not None:
            self._paint_mark(self.mark)
        super().paintEvent(event)  # the handle lies over the mark

    def _paint_mark(self, value: int) -> None:
        handle = self._handle()
        span = self.width() - handle.width()
        x = handle.width() // 2 + QStyle.sliderPositionFromValue(self.minimum(), self.maximum(), value, span)
        painter = QPainter(self)
        painter.fillRect(x - 1, 1, 2, self.height() - 2, self.palette().windowText())

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Move the handle to the pointer, which then drags it: the style takes presses on the thin track only."""
        if event is None or event.button() is not Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        handle, x = self._handle(), event.position().x()
        if not handle.left() <= x <= handle.right() + 1:
            span = self.width() - handle.width()
            place = round(x - handle.width() / 2)
            self.setSliderPosition(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), place, span))
            handle = self._handle()
            x = min(max(x, handle.left()), handle.right())  # beside the ends of the track
        held = QPointF(x, handle.center().y())
        super().mousePressEvent(
            QMouseEvent(event.type(), held, self.mapToGlobal(held), event.button(), event.buttons(), event.modifiers())
        )

    def _handle(self) -> QRect:
        style, option = existing(self.style()), QStyleOptionSlider()
        self.initStyleOption(option)
        return style.subControlRect(QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is not None:
            event.ignore()


class ValueSlider(QWidget):
    """An integer slider with its value as text beside it."""

    value_changed = pyqtSignal(int)
    """The user moved the slider; not emitted by `show_value`."""

    def __init__(
        self, low: int, high: int, text: Callable[[int], str], name: str, description: str, object_name: str = ""
    ) -> None:
        super().__init__()
        self._text = text
        self.slider = StillSlider()
        self.slider.setRange(low, high)
        self.slider.setProperty("signed", low < 0)  # the style sheet fills only scales that begin at nothing
        self.slider.setPageStep(max(1, (high - low) // 10))
        self.slider.setMinimumSize(60, scaled(24, self))
        describe(self.slider, name, description, object_name)
        self.value = label("", "faint")
        advance = self.value.fontMetrics().horizontalAdvance
        longest = text(low), text(high), percent(-STEPS)  # also of others: sliders below each other are equally long
        self.value.setMinimumWidth(max(map(advance, longest)))
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row(self, self.slider, self.value, grows=self.slider, spacing=10)
        self.setFocusProxy(self.slider)
        self._newest = self.slider.value()
        """The value to show when the user lets the slider go."""
        self.slider.valueChanged.connect(self._moved)
        self.slider.sliderReleased.connect(lambda: self.show_value(self._newest))
        self.value.setText(text(self.slider.value()))

    def set_least(self, low: int) -> None:
        """Let the scale begin at another value, without a signal."""
        with QSignalBlocker(self.slider):
            self.slider.setMinimum(low)
        self.slider.setPageStep(max(1, (self.slider.maximum() - low) // 10))

    def show_value(self, value: int) -> None:
        """Set the value without a signal; while the user drags the slider, it is shown when that ends."""
        self._newest = value
        if self.slider.isSliderDown():
            return
        with QSignalBlocker(self.slider):
            self.slider.setValue(value)
        self.value.setText(self._text(value))

    def _moved(self, value: int) -> None:
        self._newest = value
        self.value.setText(self._text(value))
        self.value_changed.emit(value)
