"""The controls for matting on a server: connect, state, failure, files; the window never waits for the network."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QFileDialog, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.config import settings_file, webrtc_service
from app.gui.shell.application import Session
from app.runtime.status import ServerState
from tests.fakes.server import SERVER, Network, Place
from tests.fakes.world import FakeWorld
from tests.gui.conftest import StartWindow
from tests.gui.widgets import button, current, find

LONGEST_PAUSE_S = 20.0
"""Of the GUI thread, on a busy machine; a window that waited would wait for the offer, which takes 30 s here."""


@pytest.fixture
def network(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> Network:
    monkeypatch.setattr(webrtc_service, "PACKAGES", ())  # the link is simulated
    world.engine = Place
    Place.network = Network()
    return Place.network


def state(session: Session) -> str:
    shown = find(session.window, QLabel, "serverState")
    return "" if shown.isHidden() else shown.text()


def problem(session: Session) -> str:
    shown = find(session.window, QLabel, "serverProblem")
    return "" if shown.isHidden() else shown.text()


def connect(session: Session, address: str) -> None:
    find(session.window, QLineEdit, "serverAddress").setText(address)
    button(session, "serverConnect").click()


def test_a_server_is_connected_shown_saved_and_left(start_window: StartWindow, network: Network, qtbot: QtBot) -> None:
    session = start_window()
    assert button(session, "serverDisconnect").isHidden() and state(session) == ""
    network.answers.clear()
    connect(session, f"{SERVER}/")
    qtbot.waitUntil(lambda: state(session) == "Connecting…")
    qtbot.waitUntil(lambda: "connecting to the server…" in session.window.status_line.details)
    network.answers.set()
    qtbot.waitUntil(lambda: state(session) == "Connected, round trip 27 ms.")
    qtbot.waitUntil(lambda: "round trip 27 ms" in session.window.status_line.details)
    offers = network.offers
    button(session, "serverConnect").click()
    qtbot.wait(300)
    assert network.offers == offers, "a connection that works is kept"
    saved = session.store.saved.matting
    assert (saved.location, saved.server) == ("remote", SERVER)
    assert settings_file.parse(session.store.saved.model_dump(mode="json")).matting == saved
    button(session, "serverDisconnect").click()
    qtbot.waitUntil(lambda: session.bridge.status.server is None)
    assert state(session) == "" and button(session, "serverDisconnect").isHidden()
    assert current(session).matting.server == SERVER, "the address stays for the next time"


def test_a_server_that_fails_is_named_and_this_computer_goes_on(
    start_window: StartWindow, network: Network, qtbot: QtBot
) -> None:
    session = start_window()
    network.up = False
    connect(session, SERVER)
    qtbot.waitUntil(lambda: state(session).startswith("Not connected: this computer computes the matte."))
    qtbot.waitUntil(lambda: problem(session) == "The server does not answer.")
    assert session.bridge.status.server is ServerState.LOCAL
    qtbot.waitUntil(lambda: session.bridge.status.engine is not None and not session.bridge.status.busy)
    network.up = True
    button(session, "serverConnect").click()
    qtbot.waitUntil(lambda: state(session).startswith("Connected"))
    qtbot.waitUntil(lambda: problem(session) == "")


def test_the_window_does_not_wait_for_a_server(start_window: StartWindow, network: Network, qtbot: QtBot) -> None:
    session = start_window()
    qtbot.waitUntil(lambda: session.bridge.status.frames_out > 0)
    beats: list[float] = []
    heart = QTimer()
    heart.timeout.connect(lambda: beats.append(time.monotonic()))
    heart.start(20)
    network.answers.clear()
    connect(session, SERVER)
    qtbot.waitUntil(lambda: network.offers == 1)
    frames = session.bridge.status.frames_out
    qtbot.waitUntil(lambda: session.bridge.status.frames_out > frames + 2)  # this computer mattes meanwhile
    network.answers.set()
    qtbot.waitUntil(lambda: state(session).startswith("Connected"))
    assert max(b - a for a, b in pairwise(beats)) < LONGEST_PAUSE_S


def test_what_cannot_be_a_server_is_refused(
    start_window: StartWindow, network: Network, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = start_window()
    connect(session, "http://matting.example")
    qtbot.waitUntil(lambda: "is not the address of a server" in problem(session))
    token = tmp_path / "token"
    token.write_text("short")
    token.chmod(0o600)
    choose_file(session, "serverToken", token, qtbot)
    assert button(session, "serverToken").text() == "token"
    connect(session, SERVER)
    qtbot.waitUntil(lambda: "holds fewer than" in problem(session))
    button(session, "serverTokenRemove").click()
    assert current(session).matting.server_token_file is None
    monkeypatch.setattr(webrtc_service, "PACKAGES", ("no_such_package",))
    connect(session, SERVER)
    qtbot.waitUntil(lambda: "service/requirements.txt" in problem(session))
    assert current(session).matting.location == "local" and network.offers == 0
    choose_file(session, "serverCertificate", token, qtbot)
    assert current(session).matting.server_ca_file == token


def choose_file(session: Session, name: str, path: Path, qtbot: QtBot) -> None:
    button(session, name).click()
    dialog = find(session.window, QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: session.window.findChild(QFileDialog) is None)
