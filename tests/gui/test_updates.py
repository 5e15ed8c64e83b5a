"""Help › Check for updates, against a local server; nothing asks by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtGui import QAction, QDesktopServices
from PyQt6.QtNetwork import QNetworkAccessManager
from PyQt6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app import __version__
from app.core.files import program
from app.gui.dialogs import update_box
from app.gui.dialogs.update_box import UpdateBox, numbers
from app.gui.shell.application import Session
from tests.certificates import self_signed, server_context
from tests.gui.widgets import find, speak
from tests.serving import Handler, served


@dataclass
class Releases:
    """A local server in place of that of the releases."""

    answer: bytes = b""
    status: int = 200
    drips: bool = False
    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


class Answer(Handler):
    """Answers as told."""

    def __init__(self, told: Releases, *words: Any) -> None:
        self.told = told
        super().__init__(*words)

    def do_GET(self) -> None:
        self.told.asked.append(f"{self.path} {self.headers['User-Agent']}")
        self.send_response(self.told.status)
        if not self.told.drips:
            self.send_header("Content-Length", str(len(self.told.answer)))  # without it, Qt may ask twice
        self.end_headers()
        while self.told.drips and not self.told.released.wait(0.02):
            self.wfile.write(b" ")
            self.wfile.flush()
        self.wfile.write(self.told.answer)


PATH = "/repos/{0}/releases/latest"


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    """The server, asked by a copy that `owner/name` published."""
    told = Releases()
    monkeypatch.setattr(program, "PROJECT", tmp_path / "PROJECT")
    program.PROJECT.write_text("owner/name\n")
    with served(partial(Answer, told)) as address:
        monkeypatch.setattr(update_box, "NEWEST", address + PATH)
        yield told
        told.released.set()


def tagged(version: str) -> bytes:
    return json.dumps({"tag_name": version, "html_url": "https://elsewhere.invalid/", "body": "<b>bold</b>"}).encode()


def after(*steps: int) -> str:
    """A version beside this one; steps: added to its numbers."""
    return ".".join(str(number + step) for number, step in zip(numbers(__version__), steps, strict=True))


@pytest.fixture
def said(qtbot: QtBot) -> Callable[[], tuple[UpdateBox, str]]:
    """Asks as a click does, and returns the box with its last sentence."""
    window = QWidget()
    qtbot.addWidget(window)

    def ask() -> tuple[UpdateBox, str]:
        box = UpdateBox(window)
        box.open()
        qtbot.waitUntil(lambda: not box.text().startswith("Asking"))
        return box, box.text()

    return ask


Ask = Callable[[], tuple[UpdateBox, str]]


@pytest.mark.parametrize("version", [after(0, 0, 0), f"v{after(0, 0, 0)}", "0.0.1"])
def test_the_same_or_an_older_release_is_no_update(releases: Releases, said: Ask, version: str) -> None:
    releases.answer = tagged(version)
    box, text = said()
    assert text == f"Mattecam {__version__} is up to date."
    assert box.findChild(QPushButton, "openReleasePage") is None
    assert releases.asked == ["/repos/owner/name/releases/latest Mattecam"]


@pytest.mark.parametrize("version", [after(0, 0, 1), after(0, 8, 0), after(11, 0, 0)])
def test_a_newer_release_opens_the_projects_own_page(
    releases: Releases, said: Ask, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    releases.answer = tagged(f"v{version}")
    box, text = said()
    assert text == f"Mattecam {version} is available. This is {__version__}."
    find(box, QPushButton, "openReleasePage").click()
    assert opened == ["https://github.com/owner/name/releases/latest"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [*((each, 200) for each in (b"", b"\xff\xfe", b"[" * 100_000, b"[]", b"null", b"{}", b'{"tag_name": 3}')),
     *((tagged(each), 200) for each in ("<b>9</b>", "9.9", "1.2.3-rc1", "9.9.9\n", "9" * 5000 + ".0.0", "٩.٩.٩")),
     (tagged(after(1, 0, 0)), 404), (b" " * 30_000_000 + tagged(after(1, 0, 0)), 200)],
)  # fmt: skip
def test_an_answer_that_is_not_understood(
    releases: Releases, said: Ask, monkeypatch: pytest.MonkeyPatch, answer: bytes, status: int
) -> None:
    """The last one is too long to be read to its end."""
    monkeypatch.setattr(update_box, "MAX_BYTES", 200_000)
    releases.answer, releases.status = answer, status
    assert said()[1] == "The answer from 127.0.0.1 names no release. Try again later."


@pytest.mark.parametrize(("name", "value"), [("DEADLINE_MS", 300), ("NEWEST", "http://127.0.0.1:9/{0}")])
def test_silence_and_a_slow_answer_are_reported(
    releases: Releases, said: Ask, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(update_box, name, value)
    releases.drips, releases.answer = True, tagged(after(1, 0, 0))
    assert said()[1] == "No answer from 127.0.0.1. Check the internet connection."


def test_a_server_without_a_trusted_certificate_is_refused(
    releases: Releases, said: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    impostor = Releases(tagged(after(1, 0, 0)))
    with served(partial(Answer, impostor), server_context(*self_signed(tmp_path))) as address:
        monkeypatch.setattr(update_box, "NEWEST", address + PATH)
        assert said()[1].startswith("No answer from 127.0.0.1.")
    assert impostor.asked == []


def test_a_copy_of_no_release_asks_nobody(said: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(QNetworkAccessManager, "get")
    assert said()[1].startswith("This copy of Mattecam does not come from a release")


def test_closing_the_box_ends_the_question(releases: Releases, qtbot: QtBot) -> None:
    releases.drips = True
    window = QWidget()
    qtbot.addWidget(window)
    box = UpdateBox(window)
    box.open()
    qtbot.waitUntil(lambda: bool(releases.asked))
    with qtbot.waitSignal(box.destroyed):
        box.close()


def test_the_window_asks_only_at_a_click_and_keeps_the_answer_in_another_language(
    releases: Releases, session: Session, qtbot: QtBot
) -> None:
    """To ask again would be a request without a click."""
    releases.answer = tagged(after(1, 0, 0))
    qtbot.wait(200)
    assert releases.asked == []
    next(each for each in session.window.findChildren(QAction) if each.text() == "Check for updates…").trigger()
    qtbot.waitUntil(lambda: "is available" in find(session.window, UpdateBox).text())
    speak(session, qtbot)
    again = find(session.window, UpdateBox)
    assert "ist verfügbar" in again.text()
    assert find(again, QPushButton, "openReleasePage").isVisible()
    qtbot.wait(100)
    assert len(releases.asked) == 1
    again.close()


def test_addresses_are_encrypted_and_the_projects() -> None:
    assert update_box.NEWEST.format("a/b") == "https://api.github.com/repos/a/b/releases/latest"
    assert update_box.PAGE.startswith("https://github.com/{0}/")
