"""Plot, log, assistant, doctor, remote control."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.control import Command, ask
from app.core.messages.doctor_virtual_camera import LoopbackFinding
from app.doctor.finding import Finding, State
from app.gui.dialogs.assistant import Assistant
from app.gui.dialogs.doctor_dialog import DoctorDialog
from app.gui.dialogs.log_window import LogWindow
from app.gui.shell.application import Session
from app.gui.state import services
from app.gui.state.preferences import WindowPreferences
from app.gui.widgets.plot_panel import PlotPanel, round_up
from models.weights import DownloadError
from tests.gui.conftest import FINDINGS, QUIET, StartWindow
from tests.gui.widgets import box, button


def test_the_plot_comes_and_goes_and_shows_the_last_minute(session: Session, qtbot: QtBot) -> None:
    assert session.window.findChild(PlotPanel, "plotPanel") is None
    session.preferences.change(show_plot=True)
    plot = session.window.findChild(PlotPanel, "plotPanel")
    assert plot is not None
    qtbot.waitUntil(lambda: plot.sample_count > 3)
    session.preferences.change(show_plot=False)
    assert not plot.isVisible()


@given(st.floats(1e-3, 1e9))
def test_the_scale_ends_at_a_round_number_a_little_above(value: float) -> None:
    top = round_up(value)
    assert value <= top < 2.6 * value
    assert f"{top:.0e}"[0] in "125"


def test_the_log_is_shown_and_diagnostics_are_copied(session: Session, qtbot: QtBot) -> None:
    session.window.windows.open_log()
    window = session.window.findChild(LogWindow)
    assert window is not None
    assert window.isVisible()
    button(session, "copyDiagnostics").click()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    text = clipboard.text()
    assert text.startswith("Mattecam ")
    assert '"blur_strength": 50.0' in text
    assert "frames_out" in text
    assert str(Path.home()) + "/" not in text
    window.close()


def test_the_first_start_leads_through_three_steps(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        services, "virtual_camera_findings", lambda: (Finding("v", State.OK, LoopbackFinding.LOADED()),)
    )
    session = start_window(preferences=WindowPreferences())
    assistant = session.window.findChild(Assistant)
    assert assistant is not None
    assert not assistant.isModal()
    cameras = box(session, "assistantCamera")
    qtbot.waitUntil(lambda: cameras.findText("Front camera") > 0)
    cameras.setCurrentIndex(cameras.findText("Front camera"))
    cameras.activated.emit(cameras.currentIndex())
    assert session.pipeline.settings.capture.source == "camera:usb-1"
    forward = button(session, "assistantNext")
    forward.click()
    summary = assistant.findChild(QLabel, "findingsSummary")
    assert summary is not None
    qtbot.waitUntil(lambda: "ready" in summary.text())
    forward.click()
    assert assistant.step == 2
    assert not session.preferences.current.first_run_done
    forward.click()
    assert session.preferences.current.first_run_done


def test_the_assistant_can_be_skipped_and_opened_again(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window(preferences=WindowPreferences())
    button(session, "assistantSkip").click()
    assert session.preferences.current.first_run_done
    qtbot.waitUntil(lambda: session.window.findChild(Assistant) is None)
    session.window.open_assistant()
    session.window.open_assistant()
    assert len(session.window.findChildren(Assistant)) == 1


def test_a_download_that_fails_in_the_assistant_says_why_there(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str, progress: Callable[[int, int | None], None]) -> Path:
        raise DownloadError("The server does not answer; try again later.")

    monkeypatch.setattr(services, "download", broken)
    session = start_window(preferences=WindowPreferences())
    session.store.edit("matting", model="rvm-mobilenetv3")
    assistant = session.window.findChild(Assistant)
    assert assistant is not None
    for _ in range(2):
        button(session, "assistantNext").click()
    get, failure = assistant.findChild(QPushButton, "downloadButton"), assistant.findChild(QLabel, "assistantFailure")
    assert get is not None and failure is not None
    qtbot.waitUntil(get.isVisible)
    get.click()
    qtbot.waitUntil(lambda: failure.text() == "The server does not answer; try again later.")
    session.preferences.change(first_run_done=True)


def test_ctl_steers_the_window(session: Session, qtbot: QtBot) -> None:
    answers: list[object] = []
    caller = threading.Thread(target=lambda: answers.append(ask(Command("pause"))))
    caller.start()
    qtbot.waitUntil(lambda: session.pipeline.settings.paused)
    caller.join(5)
    assert answers
    assert button(session, "pauseButton").isChecked()


COMMANDS = [
    "python3 run.py doctor --fix",
    "sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=Mattecam video_nr=10",
]


def test_the_doctor_lists_everything_with_commands_to_copy(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.window.windows.open_doctor()
    session.window.windows.open_doctor()
    (dialog,) = session.window.findChildren(DoctorDialog)
    summary = dialog.findChild(QLabel, "findingsSummary")
    assert summary is not None
    qtbot.waitUntil(lambda: summary.text() == "Problems: 1   ·   Warnings: 1")
    texts = [found.text() for found in dialog.findChildren(QLabel)]
    for finding in FINDINGS:
        assert finding.detail in texts
    copies = [found for found in dialog.findChildren(QPushButton) if found.text() == "Copy"]
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    copied = []
    for copy in copies:
        qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
        copied.append(clipboard.text())
    assert copied == COMMANDS, "the words around them are not to be run"
    monkeypatch.setattr(services, "findings", lambda *, proof=False: FINDINGS[:1])
    button(session, "checkAgain").click()
    qtbot.waitUntil(lambda: summary.text() == "No problems found.")
    dialog.close()


def test_the_test_picture_is_sent_while_the_pipeline_lets_go_of_the_virtual_camera(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="/dev/video10")))
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    held: list[tuple[bool, object]] = []

    def find(*, proof: bool = False) -> tuple[Finding, ...]:
        held.append((proof, session.bridge.status.virtual_camera))
        return FINDINGS[:1]

    monkeypatch.setattr(services, "findings", find)
    session.window.windows.open_doctor()
    (dialog,) = session.window.findChildren(DoctorDialog)
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    qtbot.mouseClick(dialog.prove_button, Qt.MouseButton.LeftButton)
    assert not dialog.prove_button.isEnabled()
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    assert held[1] == (True, None)
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    assert session.store.saved.output.virtual_camera == "/dev/video10"
    dialog.close()


def test_a_doctor_that_is_closed_early_gives_the_virtual_camera_back(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="/dev/video10")))
    monkeypatch.setattr(services, "findings", lambda *, proof=False: FINDINGS[: not proof or gate.wait(10)])
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    session.window.windows.open_doctor()
    (dialog,) = session.window.findChildren(DoctorDialog)
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    dialog.prove_button.click()
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is None)
    dialog.close()
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    gate.set()
