"""Building blocks of the panels: labels, buttons whose text wraps, lists, sliders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QLocale, QMargins, QPointF, QRect, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QPaintEvent, QWheelEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStyleOptionSlider,
    QStyleOptionToolButton,
    QToolButton,
    QWidget,
)

from app.core.declaration import Unit
from app.gui.translation import decimal, tr
from app.gui.widgets.qt import Margins, broken, existing, longest_word, row, scale_icon, scaled, tip_of, width_of
from app.gui.widgets.theme import ICON_PX, icon

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


ICON_SIZE = QSize(24, ICON_PX)
"""Wider than high, which leaves a gap between icon and text."""


def describe(widget: QWidget, name: str, description: str, object_name: str = "") -> None:
    """Set name and description for screen readers; the description is also the tool tip."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(description)
    widget.setToolTip(tip_of(description))
    if object_name:
        widget.setObjectName(object_name)


def label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """Return a label with a role of the style sheet: heading, title, faint, warning. Names may look like HTML."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


def selectable(text: str, role: str = "") -> QLabel:
    """Return a label whose text wraps and can be copied, such as a command or an address."""
    made = label(text, role, wrap=True)
    made.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return made


class WrappingButton(Wrapping, QPushButton):
    """A push button whose text wraps."""


LONGEST_NAME = 20
"""Characters of the name of a file on a button."""


def on_button(name: str) -> str:
    """Return the name of a file as a button shows it: without the middle of a long one, and without a key."""
    half = LONGEST_NAME // 2
    return (name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half:]}").replace("&", "&&")


def button(
    text: str, description: str = "", object_name: str = "", act: Callable[[], object] | None = None, *,
    name: str = "", icon_name: str = "", checkable: bool = False, link: bool = False, primary: bool = False,
) -> WrappingButton:  # fmt: skip
    """Return a push button. name: for screen readers, if it is not the text. link, primary: how it looks."""
    made = WrappingButton(text)
    describe(made, name or text, description, object_name)
    if act is not None:
        made.clicked.connect(lambda _on: act())
    if link:
        made.setProperty("link", True)
        made.setCursor(Qt.CursorShape.PointingHandCursor)
    if primary:
        made.setProperty("primary", True)
    if icon_name:
        made.setIcon(icon(icon_name))
        scale_icon(made, ICON_SIZE)
    made.setCheckable(checkable)
    return made


def check(text: str, description: str, object_name: str) -> QCheckBox:
    """Return a check box whose text wraps."""
    made = WrappingCheckBox(text)
    made.wrap()
    describe(made, text, description, object_name)
    return made


class Segments(QWidget):
    """Adjacent buttons of which one at most is pressed."""

    chosen = pyqtSignal(int)
    """The user pressed the button of this number."""

    def __init__(self, entries: Sequence[tuple[str, str, str]], *, margins: Margins = 0) -> None:
        """entries: (text, description, object name) of each button."""
        super().__init__()
        self._group = QButtonGroup(self)
        layout = row(self, spacing=0, margins=margins)
        for number, (text, description, object_name) in enumerate(entries):
            made = button(text, description, object_name, checkable=True)
            made.setProperty("segment", "first" if number == 0 else "last" if number == len(entries) - 1 else "true")
            self._group.addButton(made, number)
            layout.addWidget(made, 1)
        self._group.idClicked.connect(self.chosen)

    def click(self, number: int) -> None:
        """Press a button as the user does."""
        self._group.buttons()[number].click()

    def show_chosen(self, number: int | None) -> None:
        """Show the button of a number as pressed; None: no button."""
        self._group.setExclusive(False)  # an exclusive group cannot be cleared
        for each in self._group.buttons():
            each.setChecked(self._group.id(each) == number)
        self._group.setExclusive(True)


TEXT_MARGIN = 4
"""Space that the style leaves around the text of a combo box, on both sides together."""


class ElidedComboBox(QComboBox):
    """A combo box whose current text ends in an ellipsis where it does not fit. The wheel scrolls the page."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is not None:
            event.ignore()

    def sizeHint(self) -> QSize:
        """The style's size, which has no room for the text's margin."""
        return super().sizeHint().grownBy(QMargins(0, 0, TEXT_MARGIN, 0))

    def initStyleOption(self, option: QStyleOptionComboBox | None) -> None:
        super().initStyleOption(option)
        if option is not None:
            kind, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
            room = existing(self.style()).subControlRect(kind, option, field, self).width() - TEXT_MARGIN
            option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)


def combo(name: str, description: str, object_name: str) -> QComboBox:
    """Return a combo box that may be narrower than its longest entry."""
    made = ElidedComboBox()
    describe(made, name, description, object_name)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # by default the wheel gives it the focus, though it only scrolls
    made.setMinimumContentsLength(10)
    made.setMaxVisibleItems(20)
    made.setItemDelegate(QStyledItemDelegate(made))  # the default delegate ignores the style sheet
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made


def fill_combo(box: QComboBox, entries: list[tuple[str, object]], chosen: object) -> None:
    """Show (text, data) entries with `chosen` selected, without signals; what is no entry becomes the last one.

    Unchanged entries are not rebuilt.
    """
    if all(data != chosen for _text, data in entries):
        entries = [*entries, (str(chosen), chosen)]
    with QSignalBlocker(box):
        if [(box.itemText(index), box.itemData(index)) for index in range(box.count())] != entries:
            box.clear()
            for text, data in entries:
                box.addItem(text, data)
        box.setCurrentIndex(next((index for index, (_text, data) in enumerate(entries) if data == chosen), -1))


def _factor(position: int) -> str:
    """Return a factor, such as `1.50 ×`."""
    return f"{decimal(position / 100, 2)} ×"


def percent(position: int) -> str:
    """Return a share, such as `35 %`."""
    return f"{QLocale().toString(position)} %"


def _pixels(position: int) -> str:
    """Return a width, such as `4 px`."""
    return f"{QLocale().toString(position)} px"


def _shift(position: int) -> str:
    """Return a shift with its sign, such as `+20 %`."""
    return f"{position:+d} %" if position else "0 %"


def _rate(position: int) -> str:
    """Return a frame rate, such as `5 fps`."""
    return tr("{0} fps").format(QLocale().toString(position))


@dataclass(frozen=True, slots=True)
class Scale:
    """How a slider counts a setting of a unit."""

    text: Callable[[int], str]
    """Writes the value at a position."""
    steps: int = 1
    """Positions per 1 of the value."""


SCALES: Mapping[Unit, Scale] = {
    "percent": Scale(percent),
    "share": Scale(percent, 100),
    "shift": Scale(_shift, 100),
    "factor": Scale(_factor, 100),
    "px": Scale(_pixels),
    "fps": Scale(_rate),
}


class StillSlider(QSlider):
    """A horizontal slider that goes where it is pressed, at any height; the wheel scrolls the page instead."""

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Move the handle to the pointer, which then drags it: the style takes presses on the thin track only."""
        if event is not None and event.button() is Qt.MouseButton.LeftButton:
            handle, x = self._handle(), event.position().x()
            if not handle.left() <= x <= handle.right() + 1:
                place, span = round(x - handle.width() / 2), self.width() - handle.width()
                self.setSliderPosition(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), place, span))
                handle = self._handle()
            held = QPointF(min(max(x, handle.left()), handle.right()), handle.center().y())
            event = QMouseEvent(
                event.type(), held, self.mapToGlobal(held), event.button(), event.buttons(), event.modifiers()
            )
        super().mousePressEvent(event)

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
        self.slider = StillSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(low, high)
        self.slider.setProperty("signed", low < 0)  # the style sheet fills only scales that begin at nothing
        self.slider.setPageStep(max(1, (high - low) // 10))
        self.slider.setMinimumSize(60, scaled(24, self))
        describe(self.slider, name, description, object_name)
        self.value = label("", "faint")
        advance = self.value.fontMetrics().horizontalAdvance
        longest = text(low), text(high), _shift(100)  # also of others: sliders below each other are equally long
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
