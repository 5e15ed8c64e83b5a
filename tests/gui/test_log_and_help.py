"""The log, and the manual in a window."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QLocale, QUrl
from PyQt6.QtGui import QAction, QDesktopServices, QGuiApplication, QTextCursor
from PyQt6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.core.files import paths
from app.gui.dialogs.help_window import HelpWindow, ManualBrowser, anchor_of, open_help
from app.gui.dialogs.plain_dialogs import LogWindow
from app.gui.shell.application import Session
from app.gui.state.diagnostics import MAX_LINES, LogBuffer
from tests.gui.widgets import button, existing, find, translate
from tools.make_translations import LANGUAGES


def test_the_log_is_shown_and_diagnostics_are_copied(session: Session, qtbot: QtBot) -> None:
    session.window.windows.open_log()
    window = find(session.window, LogWindow)
    assert window.isVisible()
    button(session, "copyDiagnostics").click()
    text = existing(QGuiApplication.clipboard()).text()
    assert text.startswith("Mattecam ")
    assert '"blur_strength": 85.0' in text
    assert "frames_out" in text
    assert str(Path.home()) + "/" not in text
    window.close()
    existing(QGuiApplication.clipboard()).clear()
    next(each for each in session.window.findChildren(QAction) if each.text() == "Copy diagnostics").trigger()
    assert "copied" in session.window.notices.text_of("diagnosticsNotice")
    assert existing(QGuiApplication.clipboard()).text().startswith("Mattecam ")


def write(buffer: LogBuffer, *lines: str) -> None:
    for line in lines:
        buffer.handle(logging.LogRecord("app", logging.INFO, "", 0, line, None, None))


def test_new_lines_move_neither_the_selection_nor_the_page_of_somebody_who_reads(qtbot: QtBot, parent: QWidget) -> None:
    """Each new line cleared the selection, so that nothing could be copied, and jumped to the end."""
    buffer = LogBuffer()
    write(buffer, *(f"line {number}" for number in range(200)))
    window = LogWindow(buffer, str, parent)
    window.show()
    text = find(window, QPlainTextEdit, "logText")
    bar = existing(text.verticalScrollBar())
    assert bar.value() == bar.maximum() > 0
    write(buffer, "one more")
    qtbot.waitUntil(lambda: text.toPlainText().endswith("one more"))
    assert bar.value() == bar.maximum()
    text.moveCursor(QTextCursor.MoveOperation.Start)
    text.moveCursor(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
    selected = text.textCursor().selectedText()
    assert selected.endswith("line 0") and bar.value() == 0
    write(buffer, "another")
    qtbot.waitUntil(lambda: text.toPlainText().endswith("another"))
    assert text.textCursor().selectedText() == selected and bar.value() == 0
    write(buffer, *map(str, range(2 * MAX_LINES)))
    qtbot.waitUntil(lambda: text.toPlainText().endswith(str(2 * MAX_LINES - 1)))
    assert text.blockCount() == MAX_LINES
    window.close()


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
    assert window.pages.count() == 9
    for row in range(window.pages.count()):
        window.pages.setCurrentRow(row)
        assert window.text.page.is_file()


def test_links_to_pages_stay_in_the_window_and_others_open_the_browser(
    parent: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list marked the page that a link had left, so that a click on it did nothing."""
    addresses: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: addresses.append(url.toString()))
    window = opened(parent, "features.md")
    window.text.follow(QUrl("troubleshooting.md#keys-in-every-program"))
    assert window.text.page == paths.manual_page("troubleshooting.md").resolve()
    assert existing(window.pages.currentItem()).text() == "Troubleshooting"
    assert anchor_of(window.text.textCursor().block().text()) == "keys-in-every-program"
    assert not addresses
    window.text.follow(QUrl("https://obsproject.com"))
    window.text.follow(QUrl("../pyproject.toml"))
    assert window.text.page.name == "troubleshooting.md", "nothing else opens in an editor"
    assert addresses == ["https://obsproject.com"]
    window.text.follow(QUrl("../README.md"))
    assert window.pages.currentItem() is None, "a page that is not in the list"
    window.pages.setCurrentRow(0)
    assert window.text.page.name == "features.md"


def test_the_search_shows_the_pages_with_the_text_and_marks_it(parent: QWidget) -> None:
    window = opened(parent)
    window.search.setText("v4l2loopback")
    shown = [row for row in range(window.pages.count()) if not window.pages.isRowHidden(row)]
    assert 0 < len(shown) < window.pages.count()
    assert window.text.textCursor().selectedText().lower() == "v4l2loopback"
    first = window.text.textCursor().position()
    window.search.returnPressed.emit()
    assert window.text.textCursor().position() != first
    window.search.setText("v4l2loopbackx")
    (hint,) = (each for each in window.findChildren(QLabel) if each.isVisible())
    assert hint.text().startswith("No page contains this text")
    assert not window.text.textCursor().hasSelection(), "the beginning of the text is marked"
    window.search.setText("")
    assert not any(window.pages.isRowHidden(row) for row in range(window.pages.count()))
    assert not hint.isVisible()


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_titles_of_the_pages_are_whole(parent: QWidget, qapp: QApplication, language: str) -> None:
    """At a width of 800 pixels one read "Privacy leaks and strict …", over an empty line."""
    with translate(qapp, QLocale(language)):
        window = opened(parent)
    window.resize(window.minimumSizeHint().width(), 460)
    QApplication.processEvents()
    room = existing(window.pages.viewport()).width()
    for row in range(window.pages.count()):
        item = existing(window.pages.item(row))
        shown, lines = window.pages.visualItemRect(item), window.pages.fontMetrics().size(0, item.text())
        assert lines.width() < shown.width() and lines.height() <= shown.height()
        assert window.pages.visualItemRect(item).right() < room, item.text()


def test_pages_load_nothing_from_the_network_and_no_missing_image(qtbot: QtBot, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n![absent](images/absent.webp) ![web](https://example.org/a.png)\n", "utf-8")
    browser = ManualBrowser()
    qtbot.addWidget(browser)
    browser.show_page(page)
    browser.show()
    browser.grab()
    assert browser.toPlainText().startswith("Page")
