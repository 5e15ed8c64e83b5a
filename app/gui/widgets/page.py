"""Pages of the side panel: headings, captioned controls, collapsible groups."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.gui.widgets.controls import describe, label


class Page(QScrollArea):
    """A scrollable page of the side panel, with headings and captioned controls."""

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
        """Add a widget at the bottom."""
        self._column.insertWidget(self._column.count() - 1, item)

    def add_heading(self, title: str) -> None:
        """Start a group of controls."""
        self.add_separator()
        self.add(label(title, "heading"))

    def add_separator(self) -> None:
        """Add a line, except at the top."""
        if self._column.count() > 1:
            line = QFrame()
            line.setProperty("role", "line")
            line.setFixedHeight(1)
            self.add(line)

    def add_field(self, caption: str, control: QWidget) -> None:
        """Add a control below its caption."""
        self.add(field_row(caption, control))


def field_row(caption: str, control: QWidget) -> QWidget:
    """Return a control below its caption."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    above = label(caption, wrap=True)
    above.setBuddy(control)
    column.addWidget(above)
    column.addWidget(control)
    return whole


class Collapsible(QWidget):
    """A group of controls that is hidden until its title is pressed."""

    def __init__(self, title: str, description: str, object_name: str) -> None:
        super().__init__()
        self.toggle = QToolButton()
        self.toggle.setText(title)
        self.toggle.setCheckable(True)
        self.toggle.setProperty("collapsible", True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setArrowType(Qt.ArrowType.RightArrow)
        describe(self.toggle, title, description, object_name)
        self._content = QWidget()
        self._inner = QVBoxLayout(self._content)
        self._inner.setContentsMargins(0, 4, 0, 0)
        self._inner.setSpacing(12)
        self._content.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.toggle)
        column.addWidget(self._content)
        self.toggle.toggled.connect(self._set_open)

    def add(self, item: QWidget) -> None:
        """Add a widget at the bottom."""
        self._inner.addWidget(item)

    def _set_open(self, is_open: bool) -> None:
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self._content.setVisible(is_open)
