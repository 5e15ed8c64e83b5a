"""The manual in the window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.files import paths
from app.gui.dialogs.help_window import HelpWindow, ManualBrowser, anchor_of, open_help
from tests.gui.widgets import existing


@pytest.fixture
def parent(qtbot: QtBot) -> Iterator[QWidget]:
    made = QWidget()
    qtbot.addWidget(made)
    yield made
    for window in made.findChildren(HelpWindow):
        window.close()


def opened(parent: QWidget, page: str = "apps.md") -> HelpWindow:
    open_help(parent, page)
    (window,) = parent.findChildren(HelpWindow)
    return window


def test_pages_are_rendered_and_open_in_one_window(parent: QWidget) -> None:
    window = opened(parent)
    assert window.text.toPlainText().startswith("Choose the camera in other programs")
    assert existing(window.pages.currentItem()).text() == "Choose the camera in other programs"
    assert opened(parent, "troubleshooting.md") is window
    assert window.text.toPlainText().startswith("Troubleshooting")


def test_every_page_of_the_list_exists(parent: QWidget) -> None:
    window = opened(parent)
    assert window.pages.count() == 10
    for row in range(window.pages.count()):
        window.pages.setCurrentRow(row)
        assert window.text.page.is_file()


def test_links_to_pages_stay_in_the_window_and_others_open_the_browser(
    parent: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: addresses.append(url.toString()))
    window = opened(parent)
    window.text.follow(QUrl("privacy-leaks.md#limits"))
    assert window.text.page == paths.manual_page("privacy-leaks.md").resolve()
    assert anchor_of(window.text.textCursor().block().text()) == "limits"
    assert not addresses
    window.text.follow(QUrl("https://obsproject.com"))
    assert addresses == ["https://obsproject.com"]
    window.text.follow(QUrl("../pyproject.toml"))
    assert window.text.page.name == "privacy-leaks.md", "nothing else opens in an editor"
    assert len(addresses) == 1


def test_the_search_shows_the_pages_with_the_text_and_marks_it(parent: QWidget) -> None:
    window = opened(parent)
    window.search.setText("v4l2loopback")
    shown = [row for row in range(window.pages.count()) if not window.pages.isRowHidden(row)]
    assert 0 < len(shown) < window.pages.count()
    assert window.text.textCursor().selectedText().lower() == "v4l2loopback"
    first = window.text.textCursor().position()
    window.search.returnPressed.emit()
    assert window.text.textCursor().position() != first
    window.search.setText("")
    assert not any(window.pages.isRowHidden(row) for row in range(window.pages.count()))


def test_pages_load_nothing_from_the_network_and_no_missing_image(qtbot: QtBot, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n![absent](images/absent.webp) ![web](https://example.org/a.png)\n", "utf-8")
    browser = ManualBrowser()
    qtbot.addWidget(browser)
    browser.show_page(page)
    browser.show()
    browser.grab()
    assert browser.toPlainText().startswith("Page")
