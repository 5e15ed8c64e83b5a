"""The page of help, the documents that it shows, and the box about the program."""

from __future__ import annotations

import re
from pathlib import Path

import PyQt6.QtWidgets as qt  # noqa: N813
import pytest
from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from app.core import paths
from app.gui.application import Session
from app.gui.dialogs import TextDialog
from tests.gui.widgets import button, existing, find, texts

ROOT = Path(__file__).resolve().parents[2]


def open_page(session: Session) -> qt.QTextBrowser:
    """Open the page of help."""
    session.window.open_help()
    return find(find(session.window, TextDialog, "helpWindow"), qt.QTextBrowser)


def test_help_shows_documents_of_this_copy_and_returns(session: Session, qtbot: QtBot) -> None:
    """The system has no program for Markdown files: nothing happened on a click."""
    page = open_page(session)
    assert open_page(session) is page
    links = [QUrl(address) for address in re.findall(r'href="([^"]*)"', page.toHtml())]
    documents = {file.name for file in paths.documents_dir().glob("*.md")}
    assert {Path(link.toLocalFile()).name for link in links} == documents

    page.setFocus()
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Tab, Qt.Key.Key_Return):
        qtbot.keyClick(page, key)
    assert page.toPlainText().startswith("Calls, streams and other programs")

    button(session, "helpWindowBack").click()
    assert page.toPlainText().startswith("What Mattecam does")
    assert not button(session, "helpWindowBack").isVisible()


def test_a_document_links_to_headings_of_others(session: Session, qtbot: QtBot) -> None:
    page = open_page(session)
    bar = existing(open_page(session).verticalScrollBar())

    page.anchorClicked.emit(QUrl.fromLocalFile(str(paths.documents_dir() / "features.md")))
    page.anchorClicked.emit(QUrl("performance.md#frames-that-cost-less"))

    qtbot.waitUntil(lambda: bar.value() > 0)
    assert page.textCursor().block().text() == "Frames that cost less"


def test_a_link_to_a_file_that_was_not_installed_says_so(session: Session) -> None:
    page = open_page(session)
    page.anchorClicked.emit(QUrl.fromLocalFile(str(paths.documents_dir() / "apps.md")))

    page.anchorClicked.emit(QUrl("../gone/README.md"))

    assert "README.md is not a part of this copy of Mattecam." in texts(
        find(session.window, TextDialog)
    )


def test_addresses_are_opened_by_the_system(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)

    open_page(session).anchorClicked.emit(QUrl("https://example.org/"))

    assert opened == [QUrl("https://example.org/")]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_about_shows_the_commit_of_a_checkout(session: Session) -> None:
    """It was shown by packages only."""
    session.window.open_about()

    box = find(session.window, qt.QMessageBox, "aboutBox")

    assert re.search(r" · [0-9a-f]{12}$", box.text())
    box.close()
