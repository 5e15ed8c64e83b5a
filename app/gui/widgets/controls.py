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
from app.gui.widgets.qt import (
    Margins,
    broken,
    existing,
    longest_word,
    row,
    scale_icon,
    scaled,
    tip_of,
    width_of,
)
from app.gui.widgets.theme import ICON_PX, icon

if TYPE_CHECKING:

    class _Button(QAbstractButton):
        def initStyleOption(
            self,
            option: QStyleOptionButton | QStyleOptionToolButton | None,
        ) -> None: ...

else:
    _Button = object


class Wrapping(_Button):
    """Mixed into a kind of button: draws its text on more lines, after `wrap`.

    It does so where the text does not fit on one line. The text itself, and with it the size hint,
    stays that of one line.
    """

    # Drawn in place of the text, with its line breaks; empty before the first painting.
    _lines = ""

    def wrap(self) -> None:
        """Let the text take more lines, and the button the width that there is."""
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def minimumSizeHint(self) -> QSize:
        if not self.hasHeightForWidth():
            return super().minimumSizeHint()
        # Before it, the font of the style sheet is not in force.
        self.ensurePolished()
        width = self._decoration + longest_word(self.text(), self.fontMetrics())
        return QSize(width, self.sizeHint().height())

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


# Wider than high, which leaves a gap between icon and text.
ICON_SIZE = QSize(24, ICON_PX)


def describe(widget: QWidget, name: str, description: str, object_name: str = "") -> None:
    """Set name and description for screen readers; the description is also the tool tip."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(description)
    widget.setToolTip(tip_of(description))
    if object_name:
        widget.setObjectName(object_name)


def label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """Return a label with a role of the style sheet: heading, title, faint, warning.

    Names may look like HTML.
    """
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


def selectable(text: str, role: str = "") -> QLabel:
    """Return a label whose text wraps and can be copied, such as a command or an address."""
    made = label(text, role, wrap=True)
    flags = Qt.TextInteractionFlag
    made.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
    return made


class WrappingButton(Wrapping, QPushButton):
    """A push button whose text wraps."""


# Characters of the name of a file on a button.
LONGEST_NAME = 20


def on_button(name: str) -> str:
    """Return the name of a file as a button shows it: without the middle of a long one."""
    if len(name) > LONGEST_NAME:
        half = LONGEST_NAME // 2
        name = f"{name[:half]}…{name[-half:]}"
    # Qt would make a key of the letter after a single one.
    return name.replace("&", "&&")


def button(
    text: str,
    description: str = "",
    object_name: str = "",
    act: Callable[[], object] | None = None,
    *,
    name: str = "",
    icon_name: str = "",
    checkable: bool = False,
    link: bool = False,
    primary: bool = False,
) -> WrappingButton:
    """Return a push button.

    name: for screen readers, if it is not the text.
    link, primary: how it looks.
    """
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

    # The user pressed the button of this number.
    chosen = pyqtSignal(int)

    def __init__(self, entries: Sequence[tuple[str, str, str]], *, margins: Margins = 0) -> None:
        """entries: (text, description, object name) of each button."""
        super().__init__()
        self._group = QButtonGroup(self)
        layout = row(self, spacing=0, margins=margins)
        for number, (text, description, object_name) in enumerate(entries):
            made = button(text, description, object_name, checkable=True)
            # The style sheet rounds the outer corners of the first and the last one.
            place = "true"
            if number == 0:
                place = "first"
            elif number == len(entries) - 1:
                place = "last"
            made.setProperty("segment", place)
            self._group.addButton(made, number)
            layout.addWidget(made, 1)
        self._group.idClicked.connect(self.chosen)

    def click(self, number: int) -> None:
        """Press a button as the user does."""
        self._group.buttons()[number].click()

    def show_chosen(self, number: int | None) -> None:
        """Show the button of a number as pressed; None: no button."""
        # An exclusive group cannot be cleared.
        self._group.setExclusive(False)
        for each in self._group.buttons():
            each.setChecked(self._group.id(each) == number)
        self._group.setExclusive(True)


# Space that the style leaves around the text of a combo box, on both sides together.
TEXT_MARGIN = 4


class ElidedComboBox(QComboBox):
    """A combo box whose current text ends in an ellipsis where it does not fit.

    The wheel scrolls the page.
    """

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is not None:
            event.ignore()

    def sizeHint(self) -> QSize:
        """The style's size, which has no room for the text's margin."""
        return super().sizeHint().grownBy(QMargins(0, 0, TEXT_MARGIN, 0))

    def initStyleOption(self, option: QStyleOptionComboBox | None) -> None:
        super().initStyleOption(option)
        if option is None:
            return
        field = existing(self.style()).subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            self,
        )
        option.currentText = self.fontMetrics().elidedText(
            option.currentText,
            Qt.TextElideMode.ElideRight,
            field.width() - TEXT_MARGIN,
        )


def combo(name: str, description: str, object_name: str) -> QComboBox:
    """Return a combo box that may be narrower than its longest entry."""
    made = ElidedComboBox()
    describe(made, name, description, object_name)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    # By default the wheel gives it the focus, though it only scrolls.
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    made.setMinimumContentsLength(10)
    made.setMaxVisibleItems(20)
    # The default delegate ignores the style sheet.
    made.setItemDelegate(QStyledItemDelegate(made))
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made


def fill_combo(box: QComboBox, entries: list[tuple[str, object]], chosen: object) -> None:
    """Show (text, data) entries with `chosen` selected, without signals.

    What is no entry becomes the last one. Unchanged entries are not rebuilt.
    """
    values = [data for _text, data in entries]
    if chosen not in values:
        values.append(chosen)
        entries = [*entries, (str(chosen), chosen)]
    before = [(box.itemText(index), box.itemData(index)) for index in range(box.count())]
    with QSignalBlocker(box):
        if entries != before:
            box.clear()
            for text, data in entries:
                box.addItem(text, data)
        box.setCurrentIndex(values.index(chosen))


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
    if position == 0:
        return "0 %"
    return f"{position:+d} %"


def _rate(position: int) -> str:
    """Return a frame rate, such as `5 fps`."""
    return tr("{0} fps").format(QLocale().toString(position))


@dataclass(frozen=True, slots=True)
class Scale:
    """How a slider counts a setting of a unit."""

    # Writes the value at a position.
    text: Callable[[int], str]
    # Positions per 1 of the value.
    steps: int = 1


SCALES: Mapping[Unit, Scale] = {
    "percent": Scale(percent),
    "share": Scale(percent, 100),
    "shift": Scale(_shift, 100),
    "factor": Scale(_factor, 100),
    "px": Scale(_pixels),
    "fps": Scale(_rate),
}


class StillSlider(QSlider):
    """A horizontal slider that goes where it is pressed; the wheel scrolls the page instead."""

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Move the handle to the pointer, which then drags it."""
        # The style takes presses on the thin track only.
        if event is not None and event.button() is Qt.MouseButton.LeftButton:
            handle = self._handle()
            x = event.position().x()
            if not handle.left() <= x <= handle.right() + 1:
                place = round(x - handle.width() / 2)
                span = self.width() - handle.width()
                self.setSliderPosition(
                    QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), place, span),
                )
                handle = self._handle()
            held = QPointF(min(max(x, handle.left()), handle.right()), handle.center().y())
            event = QMouseEvent(
                event.type(),
                held,
                self.mapToGlobal(held),
                event.button(),
                event.buttons(),
                event.modifiers(),
            )
        super().mousePressEvent(event)

    def _handle(self) -> QRect:
        style = existing(self.style())
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        return style.subControlRect(
            QStyle.ComplexControl.CC_Slider,
            option,
            QStyle.SubControl.SC_SliderHandle,
            self,
        )

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is not None:
            event.ignore()


class ValueSlider(QWidget):
    """An integer slider with its value as text beside it."""

    # The user moved the slider; not emitted by `show_value`.
    value_changed = pyqtSignal(int)

    def __init__(
        self,
        low: int,
        high: int,
        text: Callable[[int], str],
        name: str,
        description: str,
        object_name: str = "",
    ) -> None:
        super().__init__()
        self._text = text
        self.slider = StillSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(low, high)
        # The style sheet fills only scales that begin at nothing.
        self.slider.setProperty("signed", low < 0)
        self.slider.setPageStep(max(1, (high - low) // 10))
        self.slider.setMinimumSize(60, scaled(24, self))
        describe(self.slider, name, description, object_name)
        self.value = label("", "faint")
        advance = self.value.fontMetrics().horizontalAdvance
        # Also of others: sliders below each other are equally long.
        longest = text(low), text(high), _shift(100)
        self.value.setMinimumWidth(max(map(advance, longest)))
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row(self, self.slider, self.value, grows=self.slider, spacing=10)
        self.setFocusProxy(self.slider)
        # The value to show when the user lets the slider go.
        self._newest = self.slider.value()
        self.slider.valueChanged.connect(self._moved)
        self.slider.sliderReleased.connect(lambda: self.show_value(self._newest))
        self.value.setText(text(self.slider.value()))

    def set_least(self, low: int) -> None:
        """Let the scale begin at another value, without a signal."""
        with QSignalBlocker(self.slider):
            self.slider.setMinimum(low)
        self.slider.setPageStep(max(1, (self.slider.maximum() - low) // 10))

    def show_value(self, value: int) -> None:
        """Set the value without a signal.

        While the user drags the slider, it is shown when that ends.
        """
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
