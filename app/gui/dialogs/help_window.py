"""The manual in a window: pages, search, and links between pages."""

from __future__ import annotations

import re
from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, Qt, QUrl, pyqtSignal
from PyQt6.QtGui import QDesktopServices, QImage, QTextCursor, QTextDocument
from PyQt6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QWidget,
)

from app.core.files import paths
from app.gui.widgets.controls import button, describe, label
from app.gui.widgets.qt import broken, column, existing, open_once, prepare, row

FIRST_PAGE, APPS_PAGE = "features.md", "apps.md"
IMAGE_WIDTH, SPACING = 560, 3
LIST_SHARE = 0.3
"""Largest share of the window's width that the titles of pages take."""


class ManualBrowser(QTextBrowser):
    """Shows local Markdown pages. Links to pages stay in it, links to the web open the browser."""

    page_changed = pyqtSignal(object)
    """Path of the page that is shown now."""

    def __init__(self) -> None:
        super().__init__()
        describe(self, self.tr("Page"), self.tr("Text of the manual"), "helpText")
        self.setToolTip("")
        self.setOpenLinks(False)
        self.anchorClicked.connect(self.follow)
        self.page = Path()
        """The page that is shown."""

    def show_page(self, page: Path, heading: str = "") -> None:
        """Show a page, scrolled to a heading by its anchor such as `limits`."""
        if page != self.page:
            self.page = page
            existing(self.document()).setBaseUrl(QUrl.fromLocalFile(str(page)))
            self.setMarkdown(page.read_text("utf-8"))
            self.page_changed.emit(page)
        self.moveCursor(QTextCursor.MoveOperation.Start)
        if heading:
            self._scroll_to(heading)

    def follow(self, link: QUrl) -> None:
        """Open the target of a link."""
        if link.scheme() in ("http", "https", "mailto"):
            QDesktopServices.openUrl(link)
            return
        page = (self.page.parent / link.path()).resolve() if link.path() else self.page
        if page.suffix == ".md" and page.is_file():
            self.show_page(page, link.fragment())

    def loadResource(self, kind: int, name: QUrl) -> object:
        """Return an image of the manual that fits the page; nothing comes from the network."""
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return None
        image = QImage(str(self.page.parent / name.path()))
        if image.isNull():  # an installed copy has no images
            image = QImage(1, 1, QImage.Format.Format_ARGB32)
            image.fill(Qt.GlobalColor.transparent)
        wide = image.width() > IMAGE_WIDTH
        return image.scaledToWidth(IMAGE_WIDTH, Qt.TransformationMode.SmoothTransformation) if wide else image

    def _scroll_to(self, heading: str) -> None:
        block = existing(self.document()).begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and anchor_of(block.text()) == heading:
                self.moveCursor(QTextCursor.MoveOperation.End)  # so that the heading comes to the top
                self.setTextCursor(QTextCursor(block))
                self.ensureCursorVisible()
                return
            block = block.next()


def anchor_of(heading: str) -> str:
    """Return the anchor of a heading as it is written in links, such as `people-far-away`."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


class HelpWindow(QDialog):
    """Pages on the left, text on the right; the search hides the pages without the text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        prepare(self, "helpWindow", self.tr("Help"), 900, 640)
        self.text = ManualBrowser()
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        describe(
            self.search, self.tr("Search"), self.tr("Search all pages; Enter goes to the next place"), "helpSearch"
        )
        self._nothing = label(self.tr("No page contains this text; the pages are in English."), "faint", wrap=True)
        self._nothing.hide()
        self.pages = QListWidget()
        self.pages.setSpacing(SPACING)
        self.pages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        describe(self.pages, self.tr("Pages"), self.tr("Choose a page of the manual"), "helpPages")
        for name, title in self._titles():
            path = paths.manual_page(name)
            if path.is_file():
                # Qt would wrap a title at some widths, and draw its first line with an ellipsis.
                lines = broken(title, self.pages.fontMetrics(), round(LIST_SHARE * self.width()))
                item = QListWidgetItem(lines, self.pages)
                item.setData(Qt.ItemDataRole.UserRole, path)
        self.pages.setMinimumWidth(self.pages.sizeHintForColumn(0) + 4 * SPACING)
        close = button(self.tr("Close"), self.tr("Close the help"), "helpClose", self.close)
        close.setAutoDefault(False)
        left = column(None, self.search, self._nothing, self.pages, grows=self.pages)
        right = column(None, self.text, close, grows=self.text)
        right.setAlignment(close, Qt.AlignmentFlag.AlignRight)
        row(self, left, right, grows=left, spacing=12, margins=18).setStretch(1, 3)
        self.text.page_changed.connect(self._mark)
        self.pages.currentItemChanged.connect(self._show_chosen)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._find_next)

    def _titles(self) -> tuple[tuple[str, str], ...]:
        return (
            (FIRST_PAGE, self.tr("What Mattecam can do")),
            (APPS_PAGE, self.tr("Choose the camera in other programs")),
            ("troubleshooting.md", self.tr("Troubleshooting")),
            ("privacy-leaks.md", self.tr("Privacy leaks and strict mode")),
            ("security.md", self.tr("Security")),
            ("films.md", self.tr("Many clips")),
            ("command-line.md", self.tr("The command line")),
            ("performance.md", self.tr("Performance")),
            ("cuda.md", self.tr("NVIDIA graphics cards")),
        )

    def open_page(self, name: str) -> None:
        """Show a page such as `apps.md`."""
        for item in self._items():
            if _path(item).name == name:
                self.pages.setCurrentItem(item)
                self.text.show_page(_path(item))

    def take_over(self, other: QDialog) -> None:
        """Show what another help window shows."""
        assert isinstance(other, HelpWindow)
        self.search.setText(other.search.text())
        self.text.show_page(other.text.page)
        before, cursor = other.text.textCursor(), self.text.textCursor()
        cursor.setPosition(before.anchor())
        cursor.setPosition(before.position(), QTextCursor.MoveMode.KeepAnchor)
        self.text.setTextCursor(cursor)

    def _items(self) -> list[QListWidgetItem]:
        return [item for row in range(self.pages.count()) if (item := self.pages.item(row)) is not None]

    def _show_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.text.show_page(_path(item))
            self._find_next()

    def _mark(self, page: Path) -> None:
        """Mark the page in the list, also one that a link has opened: only another page can be chosen there."""
        with QSignalBlocker(self.pages):
            self.pages.setCurrentItem(next((item for item in self._items() if _path(item).samefile(page)), None))

    def _filter(self, wanted: str) -> None:
        for item in self._items():
            item.setHidden(wanted.lower() not in _path(item).read_text("utf-8").lower())
        shown = [item for item in self._items() if not item.isHidden()]
        self._nothing.setHidden(bool(shown))
        if shown and self.pages.currentItem() not in shown:
            self.pages.setCurrentItem(shown[0])
        else:
            self.text.moveCursor(QTextCursor.MoveOperation.Start)  # which marks nothing any more
            self._find_next()

    def _find_next(self) -> None:
        wanted = self.search.text()
        if wanted and not self.text.find(wanted):
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            self.text.find(wanted)


def _path(item: QListWidgetItem) -> Path:
    return Path(item.data(Qt.ItemDataRole.UserRole))


def open_help(window: QWidget, page: str = FIRST_PAGE) -> None:
    """Open a page of the manual beside the window."""
    open_once(window, HelpWindow, lambda: HelpWindow(window)).open_page(page)
