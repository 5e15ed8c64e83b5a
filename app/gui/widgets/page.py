"""Parts of the side panel: headings, captioned controls, collapsible groups."""

from __future__ import annotations

import re

from PyQt6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PyQt6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from app.gui.widgets.controls import describe, label
from app.gui.widgets.qt import AfterLayout, application, column, existing, scale_icon, scaled
from app.gui.widgets.wrapping import WrappingToolButton

ARROW_SIZE = QSize(16, 16)
MOST_PX = 300
"""Largest width that the controls of a page claim of the window, in the usual font."""
LONG_WORD = re.compile(r"\S{25,}")
SEPARATOR = re.compile(r"[/\\_.:-](?=\w)")


class Page(QScrollArea):
    """A scrollable page with headings."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its controls take the focus, and it scrolls to them
        content = QWidget()
        content.setObjectName("panelPage")
        self._column = column(content, None, spacing=12, margins=(18, 16, 18, 18))
        self.setWidget(content)
        self._bar = existing(self.verticalScrollBar())
        self._wanted: QWidget | None = None
        """What the page is scrolled to once more whenever it has another height."""
        self._following = AfterLayout(content, self._scroll)
        self._bar.rangeChanged.connect(self._following.start)
        self._bar.actionTriggered.connect(self._leave)
        application().focusChanged.connect(self._follow_focus)

    def minimumSizeHint(self) -> QSize:
        """As wide as the controls need, and the scroll bar beside them; what is even wider can be scrolled."""
        content = existing(self.widget())
        width = min(content.minimumSizeHint().width(), scaled(MOST_PX, self)) + self._bar.sizeHint().width()
        return QSize(width, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Follow the controls that appear and disappear."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def add(self, item: QWidget) -> None:
        """Add a widget at the bottom."""
        self._column.insertWidget(self._column.count() - 1, item)

    def add_heading(self, title: str) -> QLabel:
        """Start a group of controls; return the label of the heading."""
        self.add_separator()
        heading = label(title, "heading")
        self.add(heading)
        return heading

    def add_separator(self) -> None:
        """Add a line, except at the top."""
        if self._column.count() > 1:
            line = QFrame()
            line.setProperty("role", "line")
            line.setFixedHeight(1)
            self.add(line)

    def scroll_to(self, widget: QWidget | None) -> None:
        """Scroll as little as shows the widget whole, or its top where it is higher than the page; None: stay.

        Texts wrap and others come later, so that it is done again until the user scrolls or the focus moves in
        the window.
        """
        self._wanted = widget
        self._following.start()

    def _place_of(self, widget: QWidget) -> int:
        top = widget.mapTo(self.widget(), QPoint(0, 0)).y()
        below = top + widget.height() - existing(self.viewport()).height()
        return min(top, max(below, self._bar.value()))

    def _follow_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None and now is not None and before.window() is now.window():
            self._leave()

    def _leave(self) -> None:
        self._wanted = None

    def _scroll(self) -> None:
        if self._wanted is not None:
            self._bar.setValue(self._place_of(self._wanted))


def breakable(text: str) -> str:
    """Return a text whose long names, paths and addresses can wrap at their separators: they widen no panel."""
    return LONG_WORD.sub(lambda word: SEPARATOR.sub("\\g<0>\u200b", word[0]), text)


class Collapsible(QWidget):
    """A group of controls that is hidden until its title is pressed."""

    def __init__(self, title: str, description: str, object_name: str, content: QWidget) -> None:
        super().__init__()
        self.toggle = WrappingToolButton()
        self.toggle.setText(title)
        self.toggle.wrap()  # as wide as the page: all of its line can be clicked
        scale_icon(self.toggle, ARROW_SIZE)
        self.toggle.setCheckable(True)
        self.toggle.setProperty("collapsible", True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setArrowType(Qt.ArrowType.RightArrow)
        describe(self.toggle, title, description, object_name)
        self._content = QWidget()
        column(self._content, content, margins=(0, 4, 0, 0))
        self._content.hide()
        column(self, self.toggle, self._content, spacing=4)
        self.toggle.toggled.connect(self._set_open)

    def _set_open(self, is_open: bool) -> None:
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self._content.setVisible(is_open)
