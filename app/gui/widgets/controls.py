"""Small building blocks of the panels: rows, sliders with their value, headings."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.gui.widgets.icons import icon

ICON_SIZE = QSize(24, 18)
"""Wider than high: the drawing lies in the middle, and the text beside it gets some air."""


def describe(widget: QWidget, name: str, description: str, object_name: str = "") -> None:
    """Name and describe a control for screen readers; the description is its tool tip as well."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(description)
    widget.setToolTip(description)
    if object_name:
        widget.setObjectName(object_name)


def label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """A label in a role of the style sheet: heading, title, faint, warning."""
    made = QLabel(text)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where there is not room for all of it; `text` and the tool tip have it all."""

    def __init__(self, role: str, object_name: str) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setObjectName(object_name)
        self.setMinimumWidth(60)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, super().minimumSizeHint().height())

    def show_text(self, text: str) -> None:
        """Show this text."""
        if text != self.text():
            self.setText(text)
            self.setToolTip(text)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


def button(text: str, icon_name: str = "", *, checkable: bool = False) -> QPushButton:
    """A push button, perhaps with an icon."""
    made = QPushButton(text)
    if icon_name:
        made.setIcon(icon(icon_name))
        made.setIconSize(ICON_SIZE)
    made.setCheckable(checkable)
    return made


def link_button(text: str) -> QPushButton:
    """A button that looks like a link."""
    made = QPushButton(text)
    made.setProperty("link", True)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    return made


def check(text: str, description: str, object_name: str) -> QCheckBox:
    """A check box."""
    made = QCheckBox(text)
    describe(made, text, description, object_name)
    return made


def combo(name: str, description: str, object_name: str) -> QComboBox:
    """A combo box that may become narrower than its longest entry."""
    made = QComboBox()
    describe(made, name, description, object_name)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(10)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made


def fill_combo(box: QComboBox, entries: list[tuple[str, object]], chosen: object) -> None:
    """Show (text, data) entries with `chosen` selected, without telling anybody; rebuilds only what changed."""
    with QSignalBlocker(box):
        if [(box.itemText(index), box.itemData(index)) for index in range(box.count())] != entries:
            box.clear()
            for text, data in entries:
                box.addItem(text, data)
        box.setCurrentIndex(next((index for index, (_text, data) in enumerate(entries) if data == chosen), -1))


class ValueSlider(QWidget):
    """A slider over whole numbers with its value in words: under its caption, or on one line where it has none."""

    value_changed = pyqtSignal(int)
    """The user moved it; not sent by `show_value`."""

    def __init__(
        self,
        low: int,
        high: int,
        words: Callable[[int], str],
        name: str,
        description: str,
        object_name: str = "",
        *,
        caption: bool = True,
    ) -> None:
        super().__init__()
        self._words = words
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(low, high)
        self.slider.setPageStep(max(1, (high - low) // 10))
        self.slider.setMinimumSize(80, 24)
        describe(self.slider, name, description, object_name)
        self.value = label("", "faint")
        self.value.setMinimumWidth(max(self.value.fontMetrics().horizontalAdvance(words(end)) for end in (low, high)))
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        if caption:
            above = label(name, wrap=True)
            above.setBuddy(self.slider)
            grid.addWidget(above, 0, 0)
            grid.addWidget(self.slider, 1, 0, 1, 2)
        else:
            grid.addWidget(self.slider, 0, 0)
        grid.addWidget(self.value, 0, 1)
        grid.setColumnStretch(0, 1)
        self.setFocusProxy(self.slider)
        self.slider.valueChanged.connect(self._moved)
        self.value.setText(words(self.slider.value()))

    def show_value(self, value: int) -> None:
        """Show a value that came from elsewhere; a slider in the user's hand is left alone."""
        if self.slider.isSliderDown():
            return
        with QSignalBlocker(self.slider):
            self.slider.setValue(value)
        self.value.setText(self._words(value))

    def _moved(self, value: int) -> None:
        self.value.setText(self._words(value))
        self.value_changed.emit(value)


class Page(QScrollArea):
    """A scrollable page of the side panel: headings, and controls under their captions."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        content.setObjectName("panelPage")
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(18, 16, 18, 18)
        self._column.setSpacing(12)
        self._column.addStretch(1)
        self.setWidget(content)

    def add(self, item: QWidget) -> None:
        """Add a widget below what is there."""
        self._column.insertWidget(self._column.count() - 1, item)

    def add_heading(self, title: str) -> None:
        """Begin a group."""
        if self._column.count() > 1:
            line = QFrame()
            line.setProperty("role", "line")
            line.setFixedHeight(1)
            self.add(line)
        self.add(label(title, "heading"))

    def add_field(self, caption: str, control: QWidget, *more: QWidget) -> QWidget:
        """Add a control under its caption, with smaller ones beside it; returns the whole."""
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        above = label(caption, wrap=True)
        above.setBuddy(control)
        column.addWidget(above)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(control, 1)
        for item in more:
            row.addWidget(item)
        column.addLayout(row)
        self.add(whole)
        return whole
