"""The log, and the page of help."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QAction, QDesktopServices, QGuiApplication, QTextCursor
from PyQt6.QtWidgets import QPlainTextEdit, QTextBrowser, QWidget
from pytestqt.qtbot import QtBot

from app.core.files import paths
from app.gui.dialogs.help_window import HelpWindow
from app.gui.dialogs.plain_dialogs import LogWindow
from app.gui.shell.application import Session
from app.gui.state.diagnostics import MAX_LINES, LogBuffer
from tests.gui.widgets import button, existing, find


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


def test_new_lines_move_neither_the_selection_nor_the_page_of_somebody_who_reads(qtbot: QtBot) -> None:
    """Each new line cleared the selection, so that nothing could be copied, and jumped to the end."""
    buffer = LogBuffer()
    write(buffer, *(f"line {number}" for number in range(200)))
    parent = QWidget()
    qtbot.addWidget(parent)
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


def test_the_help_is_one_page_whose_links_open_documents_of_this_copy(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    entry = next(each for each in session.window.findChildren(QAction) if each.text() == "Help…")
    entry.trigger()
    entry.trigger()
    (window,) = session.window.findChildren(HelpWindow)
    page = find(window, QTextBrowser)
    text = page.toPlainText()
    assert "choose the camera “Mattecam”" in text and str(paths.documents_dir()) in text
    links = [QUrl(address) for address in re.findall(r'href="([^"]*)"', page.toHtml())]
    assert len(links) == 5 and all(Path(link.toLocalFile()).exists() for link in links)
    page.setFocus()
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Tab, Qt.Key.Key_Return):
        qtbot.keyClick(page, key)
    assert [Path(link.toLocalFile()) for link in opened] == [paths.documents_dir() / "apps.md"]
    assert page.toPlainText() == text, "a document is not shown in the window"
    window.close()
