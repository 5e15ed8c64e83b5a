"""Matting on a server, and the status line; the window never waits for the network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QLocale
from PyQt6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.config import settings_file, webrtc_service
from app.core.messages.matting import ModelText
from app.core.types import SourceInfo
from app.gui.shell.application import Session
from app.gui.widgets.status_line import StatusLine, describe_details, summarize
from app.gui.widgets.value_slider import times
from app.runtime.status import Lowered, Phase, PipelineStatus, ServerState
from tests.fakes.server import SERVER, Network, Place
from tests.fakes.world import FakeWorld
from tests.fresh_python import printed_by
from tests.gui.conftest import StartWindow
from tests.gui.widgets import Seen, button, existing, find, translate


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
    return "" if shown.isHidden() else shown.text().replace("\u200b", "")  # where long paths may wrap


def connect(session: Session, address: str) -> None:
    find(session.window, QLineEdit, "serverAddress").setText(address)
    button(session, "serverConnect").click()


def test_a_server_is_connected_shown_saved_and_left(start_window: StartWindow, network: Network, qtbot: QtBot) -> None:
    session = start_window()
    assert button(session, "serverDisconnect").isHidden() and state(session) == ""
    network.answers.clear()  # a window that waited for the answer would never say that it connects
    connect(session, f"{SERVER}/")
    qtbot.waitUntil(lambda: state(session) == "Connecting…")
    qtbot.waitUntil(lambda: "connecting to the server…" in session.window.status_line.details)
    frames = session.bridge.status.frames_out
    qtbot.waitUntil(lambda: session.bridge.status.frames_out > frames + 2)  # this computer mattes meanwhile
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
    assert session.store.current.matting.server == SERVER, "the address stays for the next time"


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
    assert session.store.current.matting.server_token_file is None
    monkeypatch.setattr(webrtc_service, "PACKAGES", ("no_such_package",))
    connect(session, SERVER)
    qtbot.waitUntil(lambda: "service/requirements.txt" in problem(session))
    assert session.store.current.matting.location == "local" and network.offers == 0
    choose_file(session, "serverCertificate", token, qtbot)
    assert session.store.current.matting.server_ca_file == token


def choose_file(session: Session, name: str, path: Path, qtbot: QtBot) -> None:
    button(session, name).click()
    dialog = find(session.window, QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: session.window.findChild(QFileDialog) is None)


def test_listing_devices_imports_torch_only_where_there_may_be_a_gpu() -> None:
    code = (
        "import platform, sys; from app.gui.state import services; from app.matting.selection import hardware;"
        "from app.matting.selection.hardware import CudaCards;"
        "hardware.cuda_cards = lambda: CudaCards(None); platform.system = lambda: 'Linux';"
        "print(services.devices(), 'torch' in sys.modules)"
    )
    assert printed_by(code) == "(('cpu', 'CPU'),) False\n"


CONNECTING = PipelineStatus(Phase.RUNNING, server=ServerState.CONNECTING, busy="the model", fps_out=30.0)


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (PipelineStatus(busy=ModelText.PREPARING(step=2, count=4)), "step 2 of 4"),
        (CONNECTING, "connecting to the server…"),
        (replace(CONNECTING, server=ServerState.CONNECTED, busy=""), "30 pictures per second"),
        (PipelineStatus(lowered=Lowered(30.0, None, False, 20.0)), "This computer is busy – 20 pictures per second"),
    ],
)
def test_the_status_line_says_what_is_prepared_or_the_rate(status: PipelineStatus, end: str) -> None:
    assert end in summarize(status).split("   ·   ")[1]


def test_names_and_numbers_are_written_as_in_the_chosen_language(qapp: QApplication) -> None:
    """The demonstration is called as in the list of cameras."""
    source = SourceInfo("demo", "Demo", "demo", 1280, 720, 29.97, "")
    status = PipelineStatus(source=source, size=(1280, 720), fps_in=29.97, fps_out=14.5)
    status = replace(status, lowered=Lowered(30.0, None, False, 14.5))
    before = summarize(status)
    with translate(qapp, QLocale("de")):
        german, details = summarize(status), describe_details(status)
        assert times(150) == "1,50 ×"
    assert "30,0 Bilder/s ein, 14,5 aus" in details
    assert "– 14,5 " in german
    assert summarize(status) == before
    with translate(qapp, QLocale("es")):
        assert describe_details(status)[1] == "Demostración 1280 × 720"


RUNNING, CAMERA, NODE = Phase.RUNNING, {"virtual_camera": "/dev/video9"}, {"pipewire": "Mattecam"}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (PipelineStatus(RUNNING, outputs=CAMERA, readers=2), "Others see you: yes, 2 programs"),
        (PipelineStatus(RUNNING, outputs=CAMERA, readers=1), "Others see you: yes, 1 program"),
        (PipelineStatus(RUNNING, outputs=CAMERA, readers=0), "Others see you: no"),
        (PipelineStatus(RUNNING, outputs=CAMERA), "Others can see you"),
        (PipelineStatus(RUNNING, outputs=NODE, readers=1), "Others see you: yes"),
        (PipelineStatus(RUNNING, outputs=CAMERA | NODE, readers=2), "Others see you: yes, at least 2 programs"),
        (PipelineStatus(RUNNING), "Others see you: no"),
        (PipelineStatus(RUNNING, outputs=CAMERA, readers=1, hides_person=True), "Others see you: no"),
        (PipelineStatus(Phase.PAUSED, outputs=CAMERA, readers=1), "Others see you: no, paused"),
        (PipelineStatus(Phase.WAITING, outputs=CAMERA, readers=1), "Others see you: no"),
    ],
)
def test_the_status_line_says_who_sees_the_user(status: PipelineStatus, text: str) -> None:
    assert summarize(status).split("   ·   ")[0] == text


def test_a_frozen_output_is_named_where_anybody_may_see_it() -> None:
    status = PipelineStatus(RUNNING, outputs=CAMERA)
    assert summarize(status, frozen=True).startswith("Others see you: frozen")
    assert summarize(replace(status, readers=0), frozen=True).startswith("Others see you: no")
    details = [describe_details(each, frozen=frozen)[0] for each, frozen in (
        (status, False), (status, True), (PipelineStatus(Phase.PAUSED), True),
    )]  # fmt: skip
    assert details == ["Running", "Frozen", "Paused"]


def test_the_status_line_lists_the_rest_on_click_and_is_laid_out_only_for_a_new_text(qtbot: QtBot) -> None:
    window, line, requests = QWidget(), StatusLine(), Seen(QEvent.Type.LayoutRequest)
    QVBoxLayout(window).addWidget(line)
    qtbot.addWidget(window)
    source = SourceInfo("camera", "R&D camera", "id", 640, 480, 30.0, "")
    status = PipelineStatus(RUNNING, source, outputs=CAMERA, size=(640, 480), fps_in=29.8, fps_out=29.9)
    line.show_status(status, frozen=False, rate=True)
    window.show()
    QApplication.processEvents()
    window.installEventFilter(requests)
    line.show_status(replace(status, fps_in=29.6), frozen=False, rate=True)
    QApplication.processEvents()
    assert line.text() == line.accessibleName() == "Others can see you   ·   30 pictures per second"
    assert requests.events == []
    menu = existing(line.menu())
    menu.popup(window.pos())
    listed = [action.text() for action in menu.actions()]
    menu.close()
    assert listed == ["Running", "R&&D camera 640 × 480", "29.6 fps in, 29.9 out", "/dev/video9"]
    line.show_status(status, frozen=True, rate=True)
    QApplication.processEvents()
    assert requests.events
