"""Pages that scroll, groups that open, rows that become columns, and a panel beside the content."""

from __future__ import annotations

import re

from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QSize, Qt
from PyQt6.QtGui import QIcon, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PyQt6.QtWidgets import (
    QBoxLayout,
    QDialog,
    QFrame,
    QLabel,
    QLayout,
    QLayoutItem,
    QScrollArea,
    QSplitter,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QWidget,
)

from app.gui.translation import tr
from app.gui.widgets.controls import WrappingToolButton, button, describe, label
from app.gui.widgets.qt import AfterLayout, application, column, existing, row, scale_icon, scaled

# Largest share of the window that a panel takes of its own accord.
PANEL_SHARE = 0.37


class FoldingRow(QBoxLayout):
    """Items beside each other, or below each other where they do not fit beside each other."""

    def __init__(
        self,
        *items: QWidget | QLayout,
        grows: QWidget | QLayout | None = None,
        spacing: int = 8,
    ) -> None:
        """grows: takes the width that is left; None: all share it."""
        super().__init__(QBoxLayout.Direction.LeftToRight)
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)
        for item in items:
            if isinstance(item, QWidget):
                self.addWidget(item, int(item is grows))
                # The focus of a link is a line below its text.
                if item.property("link"):
                    self.setAlignment(item, Qt.AlignmentFlag.AlignLeft)
            else:
                self.addLayout(item, int(item is grows))

    def sizeHint(self) -> QSize:
        """The size of a row."""
        return self._row_size([item.sizeHint() for item in self._shown()])

    def minimumSize(self) -> QSize:
        """Return the width of a column, and the height of a row."""
        # That of a column depends on the width: `heightForWidth` tells it.
        least = [item.minimumSize() for item in self._shown()]
        widths = [size.width() for size in least]
        return QSize(max(widths, default=0), self._row_size(least).height())

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of what fits, and turn nothing: Qt asks for widths that never come."""
        items = self._shown()
        if not self._fits(width):
            return sum(_height(item, width) for item in items) + self._gaps()
        fixed = [item for item in items if item is not self._growing()]
        heights = [_height(item, item.sizeHint().width()) for item in fixed]
        if len(fixed) < len(items):
            taken = sum(item.sizeHint().width() for item in fixed) + self._gaps()
            heights.append(_height(existing(self._growing()), width - taken))
        return max(heights, default=0)

    def minimumHeightForWidth(self, width: int) -> int:
        return self.heightForWidth(width)

    def setGeometry(self, rect: QRect) -> None:
        if self._fits(rect.width()):
            self.setDirection(QBoxLayout.Direction.LeftToRight)
        else:
            self.setDirection(QBoxLayout.Direction.TopToBottom)
        super().setGeometry(rect)

    def _fits(self, width: int) -> bool:
        """Whether the items fit into a row.

        What grows may be as short as it can, the rest is not cut for it.
        """
        sizes = []
        for item in self._shown():
            is_growing = item is self._growing()
            sizes.append(item.minimumSize() if is_growing else item.sizeHint())
        return self._row_size(sizes).width() <= width

    def _row_size(self, sizes: list[QSize]) -> QSize:
        width = sum(size.width() for size in sizes) + self._gaps()
        height = max((size.height() for size in sizes), default=0)
        return QSize(width, height)

    def _gaps(self) -> int:
        return self.spacing() * max(0, len(self._shown()) - 1)

    def _growing(self) -> QLayoutItem | None:
        for index in range(self.count()):
            if self.stretch(index):
                return self.itemAt(index)
        return None

    def _shown(self) -> list[QLayoutItem]:
        items = (existing(self.itemAt(index)) for index in range(self.count()))
        return [item for item in items if not item.isEmpty()]


def _height(item: QLayoutItem, width: int) -> int:
    if item.hasHeightForWidth():
        return item.heightForWidth(width)
    return item.sizeHint().height()


class PanelSplitter(QSplitter):
    """Content and a panel beside it, as wide as its size hint until the user moves the handle.

    Where there is no room for both, there is the content, or the panel after it was asked for.
    """

    def __init__(self, content: QWidget, panel: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._content = content
        self._panel = panel
        self._was_moved = False
        self._is_panel_wanted = True
        # Whether it was asked for, so that it is shown alone where there is no room for both.
        self._is_panel_preferred = False
        AfterLayout(self, self._fit)
        self.setChildrenCollapsible(False)
        self.addWidget(content)
        self.addWidget(panel)
        self.setStretchFactor(0, 1)
        self.splitterMoved.connect(self._on_move)

    def minimumSizeHint(self) -> QSize:
        """The size of the content or the panel alone."""
        return self._content.minimumSizeHint().expandedTo(self._panel.minimumSizeHint())

    def show_panel(self, wanted: bool) -> None:
        """Show the panel, or hide it."""
        is_asked_for = wanted and not self._is_panel_wanted
        stays_preferred = wanted and self._is_panel_preferred
        self._is_panel_preferred = is_asked_for or stays_preferred
        self._is_panel_wanted = wanted
        self._share()

    def _share(self) -> None:
        """Show both, or one of them where there is no room for both."""
        content_width = self._content.minimumSizeHint().width()
        panel_width = self._panel.minimumSizeHint().width()
        fits_both = self.width() >= content_width + self.handleWidth() + panel_width
        is_panel_alone = not fits_both and self._is_panel_wanted and self._is_panel_preferred
        self._panel.setVisible(is_panel_alone or (fits_both and self._is_panel_wanted))
        self._content.setVisible(not is_panel_alone)

    def _on_move(self) -> None:
        self._was_moved = True

    def _fit(self) -> None:
        self._share()
        if not self._was_moved:
            width = min(self._panel.sizeHint().width(), round(PANEL_SHARE * self.width()))
            self.setSizes([self.width() - width, width])


ARROW_SIZE = QSize(16, 16)
# Largest width that the controls of a page claim of the window, in the usual font.
MOST_PX = 300
# Beside and below the controls of a page.
PAGE_MARGIN = 18
LONG_WORD = re.compile(r"\S{25,}")
SEPARATOR = re.compile(r"[/\\_.:-](?=\w)")


class Page(QScrollArea):
    """A scrollable page with headings."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        # Its controls take the focus, and it scrolls to them.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content = QWidget()
        content.setObjectName("panelPage")
        self._column = column(
            content,
            None,
            spacing=12,
            margins=(PAGE_MARGIN, 16, PAGE_MARGIN, PAGE_MARGIN),
        )
        self.setWidget(content)
        self._bar = existing(self.verticalScrollBar())
        self._bar.rangeChanged.connect(self._make_room_for_bar)
        # It is scrolled to once more whenever the page has another height.
        self._followed: QWidget | None = None
        self._following = AfterLayout(content, self._scroll)
        self._bar.rangeChanged.connect(self._following.start)
        self._bar.actionTriggered.connect(self._leave)
        application().focusChanged.connect(self._follow_focus)

    def minimumSizeHint(self) -> QSize:
        """As wide as the controls and the scroll bar; what is even wider can be scrolled."""
        content = existing(self.widget())
        bar_width = self._bar.sizeHint().width()
        width = min(content.minimumSizeHint().width(), scaled(MOST_PX, self)) + bar_width
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
        """Scroll as little as shows the widget whole, or its top where it is higher than the page.

        Texts wrap and others come later, so that it is done again until the user scrolls or the
        focus moves. None: stay.
        """
        self._followed = widget
        self._following.start()

    def _make_room_for_bar(self, _least: int, most: int) -> None:
        """Let the scroll bar take its room from the margin."""
        # Controls end where those above the page do, with the bar and without it.
        bar_width = self._bar.sizeHint().width() if most > 0 else 0
        self._column.setContentsMargins(PAGE_MARGIN, 16, PAGE_MARGIN - bar_width, PAGE_MARGIN)

    def _follow_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None and now is not None and before.window() is now.window():
            self._leave()

    def _leave(self) -> None:
        self._followed = None

    def _scroll(self) -> None:
        if self._followed is None:
            return
        top = self._followed.mapTo(self.widget(), QPoint(0, 0)).y()
        height = existing(self.viewport()).height()
        least = top + self._followed.height() - height
        self._bar.setValue(min(top, max(least, self._bar.value())))


def close_below(dialog: QDialog, content: QWidget | QLayout) -> None:
    """Fill a dialog with its content, and a button below that closes it."""
    close = button(
        tr("Close"),
        tr("Back to the window"),
        f"{dialog.objectName()}Close",
        dialog.close,
    )
    column(dialog, content, row(None, None, close), grows=content, spacing=12, margins=18)


def breakable(text: str) -> str:
    """Return a text whose long names, paths and addresses can wrap, so that they widen no panel."""
    # A space without width after each separator is where Qt may begin a line.
    return LONG_WORD.sub(lambda word: SEPARATOR.sub("\\g<0>\u200b", word[0]), text)


class GroupTitle(WrappingToolButton):
    """A title flush with the controls below it, and an arrow that says whether they are shown."""

    def paintEvent(self, event: QPaintEvent | None) -> None:
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        option.icon = QIcon()
        option.features &= ~QStyleOptionToolButton.ToolButtonFeature.Arrow
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(flags), self._broken(self.width()))
        self._paint_arrow(painter)

    def _paint_arrow(self, painter: QPainter) -> None:
        half = self.iconSize().width() / 4
        direction = -1 if self.isChecked() else 1
        middle = QPointF(self.width() - 2 * half, self.height() / 2)
        tip = QPointF(0, direction * half / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 1.6))
        left = middle + QPointF(-half, 0) - tip
        right = middle + QPointF(half, 0) - tip
        painter.drawPolyline(QPolygonF([left, middle + tip, right]))


class Collapsible(QWidget):
    """A group of controls that is hidden until its title is pressed."""

    def __init__(self, title: str, description: str, object_name: str, content: QWidget) -> None:
        super().__init__()
        self.toggle = GroupTitle()
        self.toggle.setText(title)
        # As wide as the page: all of its line can be clicked.
        self.toggle.wrap()
        scale_icon(self.toggle, ARROW_SIZE)
        self.toggle.setCheckable(True)
        # A click on it leaves what was in use.
        self.toggle.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.toggle.setProperty("collapsible", True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        # Reserves the room of the arrow that `GroupTitle` paints.
        self.toggle.setArrowType(Qt.ArrowType.DownArrow)
        describe(self.toggle, title, description, object_name)
        self._content = QWidget()
        column(self._content, content, margins=(0, 4, 0, 0))
        self._content.hide()
        column(self, self.toggle, self._content, spacing=4)
        self.toggle.toggled.connect(self._content.setVisible)
