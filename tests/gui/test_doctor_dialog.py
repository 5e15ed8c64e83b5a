"""The doctor's window: findings, commands to copy, the test picture for the virtual camera."""

from __future__ import annotations

import threading

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.doctor.finding import Finding
from app.gui.dialogs.doctor_dialog import DoctorDialog
from app.gui.shell.application import Session
from app.gui.state import services
from tests.gui.conftest import FINDINGS, QUIET, StartWindow
from tests.gui.widgets import button, existing, find


def test_commands_stand_out_from_the_page(session: Session, qtbot: QtBot) -> None:
    session.window.windows.open_doctor()
    dialog = find(session.window, DoctorDialog)
    qtbot.waitUntil(dialog.prove_button.isEnabled)

    def contrast() -> int:
        """Of the border above a command with the page above it."""
        command = next(found for found in dialog.findChildren(QLabel) if found.property("role") == "command")
        image = dialog.grab().toImage()
        top = command.mapTo(dialog, QPoint(command.width() // 2, 0))
        border, page = image.pixelColor(top), image.pixelColor(top - QPoint(0, 2))
        return abs(border.lightness() - page.lightness()) if (page.lightness() > 128) is light else 0

    for light in (True, False):
        session.preferences.change(theme="light" if light else "dark")
        qtbot.waitUntil(lambda: session.window.updatesEnabled() and contrast() >= 20)
    dialog.close()


COMMANDS = [
    "python3 run.py doctor --fix",
    "sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=Mattecam video_nr=10",
]


def test_doctor_lists_findings_with_commands_to_copy(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.window.windows.open_doctor()
    session.window.windows.open_doctor()
    (dialog,) = session.window.findChildren(DoctorDialog)
    summary = find(dialog, QLabel, "findingsSummary")
    qtbot.waitUntil(lambda: summary.text() == "Problems: 1   ·   Warnings: 1")
    texts = [found.text() for found in dialog.findChildren(QLabel)]
    for finding in FINDINGS:
        assert finding.detail in texts
    copies = [found for found in dialog.findChildren(QPushButton) if found.text() == "Copy"]
    clipboard = existing(QGuiApplication.clipboard())
    copied = []
    for copy in copies:
        qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
        copied.append(clipboard.text())
    assert copied == COMMANDS, "only commands are copied"
    monkeypatch.setattr(services, "run_checks", lambda *, proof=False: FINDINGS[:1])
    button(session, "checkAgain").click()
    qtbot.waitUntil(lambda: summary.text() == "No problems found.")
    dialog.close()


def test_pipeline_releases_the_virtual_camera_for_the_test_picture(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="/dev/video10")))
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    held: list[tuple[bool, object]] = []

    def check(*, proof: bool = False) -> tuple[Finding, ...]:
        held.append((proof, session.bridge.status.virtual_camera))
        return FINDINGS[:1]

    monkeypatch.setattr(services, "run_checks", check)
    session.window.windows.open_doctor()
    (dialog,) = session.window.findChildren(DoctorDialog)
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    qtbot.mouseClick(dialog.prove_button, Qt.MouseButton.LeftButton)
    assert not dialog.prove_button.isEnabled()
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    assert held[1] == (True, None)
    assert "not sent" in find(dialog, QLabel, "findingsSummary").text(), "the result is shown"
    assert dialog.prove_button.hasFocus() or not dialog.isActiveWindow()
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    assert session.store.saved.output.virtual_camera == "/dev/video10"
    dialog.close()


def test_closing_the_doctor_early_restores_the_virtual_camera(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="/dev/video10")))
    monkeypatch.setattr(services, "run_checks", lambda *, proof=False: FINDINGS[: not proof or gate.wait(10)])
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    session.window.windows.open_doctor()
    (dialog,) = session.window.findChildren(DoctorDialog)
    qtbot.waitUntil(dialog.prove_button.isEnabled)
    dialog.prove_button.click()
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is None)
    dialog.close()
    qtbot.waitUntil(lambda: session.bridge.status.virtual_camera is not None)
    gate.set()
