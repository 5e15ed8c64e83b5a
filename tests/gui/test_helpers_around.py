"""Scenes, errors, recordings, downloads, devices, plot, log, assistant, remote control."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QComboBox, QInputDialog, QLabel, QProgressBar, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.control import Command, ask
from app.doctor.finding import Finding, State
from app.errors import SinkOpenError, SourceLostError
from app.gui import services
from app.gui.application import Session
from app.gui.assistant import Assistant
from app.gui.findings_view import FindingsDialog
from app.gui.log_window import LogWindow
from app.gui.panels.camera import FILE
from app.gui.plot_panel import PlotPanel
from app.gui.preferences import WindowPreferences
from app.runtime.status import Phase
from app.settings import CaptureSettings
from models.weights import DownloadError
from tests.fakes import FakeWorld
from tests.gui.conftest import CAMERAS, MODELS, QUIET, StartWindow, activate


def button(session: Session, name: str) -> QPushButton:
    found = session.window.findChild(QPushButton, name)
    assert found is not None, name
    return found


def box(session: Session, name: str) -> QComboBox:
    found = session.window.findChild(QComboBox, name)
    assert found is not None, name
    return found


def fail(error: Exception) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault


# scenes


def test_scenes_are_saved_switched_renamed_and_removed(session: Session, qtbot: QtBot) -> None:
    scenes = session.window.scenes
    session.store.edit("background", kind="colour", colour="#112233")
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    dialog = session.window.findChild(QInputDialog)
    assert dialog is not None
    dialog.setTextValue("Work")
    dialog.accept()
    qtbot.waitUntil(lambda: scenes.names == ("Work",))
    session.store.edit("background", kind="blur")
    session.store.edit("matting", downsample_ratio=0.5)
    session.store.set_paused(True)
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: session.pipeline.settings.background.kind == "colour")
    assert session.pipeline.settings.matting.downsample_ratio is None
    assert session.pipeline.settings.paused, "a scene does not end a pause"
    scenes.ask_for_new_name("Work")
    dialog = session.window.findChildren(QInputDialog)[-1]
    dialog.setTextValue("Office")
    dialog.accept()
    qtbot.waitUntil(lambda: scenes.names == ("Office",))
    scenes.remove("Office")
    qtbot.waitUntil(lambda: scenes.names == ())
    scenes.use("Office")
    qtbot.waitUntil(lambda: "There is no scene 'Office'" in session.window.error_bar.text)


# errors


def test_a_lost_camera_is_told_with_a_button_that_leads_to_another(
    session: Session, qtbot: QtBot, world: FakeWorld
) -> None:
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING)
    world.faults.put("read", fail(SourceLostError("The camera went away; plug it in.")))
    bar = session.window.error_bar
    qtbot.waitUntil(lambda: bar.isVisible())
    assert bar.text == "The camera went away; plug it in."
    action = button(session, "errorAction")
    assert action.text() == "Choose another camera"
    session.window.tabs.setCurrentWidget(session.window.output_page)
    qtbot.mouseClick(action, Qt.MouseButton.LeftButton)
    assert session.window.tabs.currentWidget() is session.window.camera_page
    box(session, "cameraCombo").hidePopup()
    world.faults.heal()
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_a_dismissed_problem_stays_away_and_a_new_one_comes(session: Session, qtbot: QtBot, world: FakeWorld) -> None:
    world.faults.put("read", fail(SourceLostError("First trouble.")))
    bar = session.window.error_bar
    qtbot.waitUntil(lambda: bar.text == "First trouble.")
    dismiss = session.window.findChild(QWidget, "errorDismiss")
    assert dismiss is not None
    qtbot.mouseClick(dismiss, Qt.MouseButton.LeftButton)
    session.bridge.poll()
    assert not bar.isVisible()
    world.faults.put("read", fail(SourceLostError("Second trouble.")))
    qtbot.waitUntil(lambda: bar.text == "Second trouble.")
    world.faults.heal()


def test_a_missing_virtual_camera_offers_the_set_up(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding("virtual camera: module", State.PROBLEM, "It is not loaded.", "Nobody sees you.", "sudo x")
    monkeypatch.setattr(services, "virtual_camera_findings", lambda: (finding,))
    world.faults.put("open_virtual_camera", fail(SinkOpenError("There is no such camera.")))
    session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="/dev/video99")))
    qtbot.waitUntil(lambda: session.window.error_bar.text == "There is no such camera.")
    button(session, "errorAction").click()
    dialog = session.window.findChild(FindingsDialog)
    assert dialog is not None
    summary = dialog.findChild(QLabel, "findingsSummary")
    assert summary is not None
    qtbot.waitUntil(lambda: "cannot see" in summary.text())
    copy = next(found for found in dialog.findChildren(QPushButton) if found.text() == "Copy")
    copy.click()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == "sudo x"
    dialog.close()


# recordings and snapshots


def test_recording_starts_counts_and_ends(session: Session, qtbot: QtBot, world: FakeWorld, tmp_path: Path) -> None:
    session.preferences.change(recordings_dir=tmp_path)
    record = button(session, "recordButton")
    qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.bridge.status.recording is not None)
    wanted = session.pipeline.settings.output.record
    assert wanted is not None
    assert wanted.parent == tmp_path
    qtbot.waitUntil(lambda: record.text() == "0:01")
    assert session.window.readout.recording.isVisible()
    qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.bridge.status.recording is None)
    qtbot.waitUntil(lambda: record.text() == "Record")
    assert not record.isChecked()
    assert world.pictures()


def test_a_recording_given_up_at_once_does_not_start(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    session.preferences.change(recordings_dir=tmp_path)
    record = button(session, "recordButton")
    record.click()
    record.click()
    done: list[object] = []
    session.window.tasks.run(lambda: 1, done.append)
    qtbot.waitUntil(lambda: bool(done))
    qtbot.wait(100)
    assert session.pipeline.settings.output.record is None
    assert not record.isChecked()


def test_a_snapshot_shows_what_goes_out(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    session.preferences.change(recordings_dir=tmp_path / "shots")
    qtbot.waitUntil(lambda: session.bridge.picture is not None)
    with qtbot.waitSignal(session.window.recording.saved):
        qtbot.mouseClick(button(session, "snapshotButton"), Qt.MouseButton.LeftButton)
    files = list((tmp_path / "shots").glob("*.png"))
    assert len(files) == 1
    assert files[0].name in session.window.readout.notice.text()


def test_a_folder_that_cannot_be_made_is_told(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    session.preferences.change(recordings_dir=blocker / "deeper")
    button(session, "recordButton").click()
    qtbot.waitUntil(lambda: "cannot be made" in session.window.error_bar.text)
    assert not button(session, "recordButton").isChecked()


# devices


def test_cameras_that_come_and_go_show_up_by_themselves(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras = box(session, "cameraCombo")
    qtbot.waitUntil(lambda: cameras.findText("Desk camera") > 0)
    cameras.setCurrentIndex(cameras.findText("Desk camera"))
    cameras.activated.emit(cameras.currentIndex())
    assert session.pipeline.settings.capture.source == "camera:usb-2"
    monkeypatch.setattr(services, "cameras", lambda: CAMERAS[:1])
    session.window.devices.look()
    qtbot.waitUntil(lambda: cameras.findText("Desk camera") < 0)
    assert cameras.currentText() == "A camera that is not plugged in", "the choice is kept until it comes back"
    assert session.pipeline.settings.capture.source == "camera:usb-2"


def test_what_was_set_for_a_camera_comes_back_with_it(session: Session, qtbot: QtBot) -> None:
    page = session.window.camera_page
    page.choose_source("camera:usb-1")
    session.window.camera_page.findChild(QComboBox, "sizeCombo")
    sizes = box(session, "sizeCombo")
    sizes.setCurrentIndex(sizes.findText("640 × 480"))
    sizes.activated.emit(sizes.currentIndex())
    page.choose_source("camera:usb-2")
    session.store.edit("capture", width=1920, height=1080)
    page.choose_source("camera:usb-1")
    assert session.pipeline.settings.capture == CaptureSettings(source="camera:usb-1", width=640, height=480)


def test_a_video_file_can_take_the_cameras_place(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    session.window.camera_page.choose_source(FILE)
    dialogs = [child for child in session.window.findChildren(QWidget) if child.inherits("QFileDialog")]
    dialogs[-1].fileSelected.emit(str(tmp_path / "film.mp4"))  # type: ignore[attr-defined]
    dialogs[-1].close()
    assert session.pipeline.settings.capture.source == str(tmp_path / "film.mp4")
    assert box(session, "cameraCombo").currentText() == "film.mp4"


# models


def test_a_missing_model_is_downloaded_with_progress(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def download(name: str, progress: Callable[[int, int | None], None]) -> Path:
        progress(5_000_000, 10_000_000)
        go_on.wait(5)
        monkeypatch.setattr(services, "models", lambda: (services.ModelChoice(name, True, None, "", True),))
        return Path(name)

    monkeypatch.setattr(services, "download", download)
    session.window.tabs.setCurrentWidget(session.window.matting_page)
    qtbot.waitUntil(lambda: box(session, "modelCombo").count() > 2)
    session.store.edit("matting", model="rvm-mobilenetv3")
    get = button(session, "downloadButton")
    assert get.isVisible()
    qtbot.mouseClick(get, Qt.MouseButton.LeftButton)
    bar = session.window.findChild(QProgressBar, "downloadProgress")
    assert bar is not None
    qtbot.waitUntil(lambda: bar.value() == 5000)
    assert not get.isVisible()
    go_on.set()
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert not get.isVisible(), "it is on hand now"


def test_a_download_can_be_cancelled_and_may_fail(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.window.tabs.setCurrentWidget(session.window.matting_page)
    qtbot.waitUntil(lambda: box(session, "modelCombo").count() > 2)
    session.store.edit("matting", model="rvm-mobilenetv3")

    def endless(name: str, progress: Callable[[int, int | None], None]) -> Path:
        while True:
            progress(1, 100)

    monkeypatch.setattr(services, "download", endless)
    get = button(session, "downloadButton")
    get.click()
    qtbot.mouseClick(button(session, "downloadCancel"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(get.isVisible)
    assert not session.window.error_bar.isVisible(), "what the user wanted is no error"

    def broken(name: str, progress: Callable[[int, int | None], None]) -> Path:
        raise DownloadError("The server does not answer; try again later.")

    monkeypatch.setattr(services, "download", broken)
    get.click()
    qtbot.waitUntil(lambda: session.window.error_bar.text == "The server does not answer; try again later.")


def test_only_plate_models_offer_a_plate(session: Session, qtbot: QtBot) -> None:
    session.window.tabs.setCurrentWidget(session.window.matting_page)
    plate = button(session, "plateButton")
    assert not plate.isVisible()
    session.store.edit("matting", model="bgmv2-resnet50")
    assert plate.isVisible()
    assert MODELS[0].name not in plate.text()


# plot, log, assistant, remote


def test_the_plot_comes_and_goes_and_shows_the_last_minute(session: Session, qtbot: QtBot) -> None:
    assert session.window.findChild(PlotPanel, "plotPanel") is None
    session.preferences.change(show_plot=True)
    plot = session.window.findChild(PlotPanel, "plotPanel")
    assert plot is not None
    qtbot.waitUntil(lambda: plot.moments > 3)
    session.preferences.change(show_plot=False)
    assert not plot.isVisible()


def test_the_log_is_shown_and_diagnostics_are_copied(session: Session, qtbot: QtBot) -> None:
    session.window.show_log()
    window = session.window.findChild(LogWindow)
    assert window is not None
    assert window.isVisible()
    button(session, "copyDiagnostics").click()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    text = clipboard.text()
    assert "Mattecam on" in text
    assert '"blur_strength": 50.0' in text
    assert "frames_out" in text
    assert str(Path.home()) + "/" not in text
    window.close()


def test_the_first_start_leads_through_three_steps(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "virtual_camera_findings", lambda: (Finding("v", State.OK, "All is well."),))
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
    session.window.show_assistant()
    session.window.show_assistant()
    assert len(session.window.findChildren(Assistant)) == 1


def test_ctl_steers_the_window(session: Session, qtbot: QtBot) -> None:
    answers: list[object] = []
    caller = threading.Thread(target=lambda: answers.append(ask(Command("pause"))))
    caller.start()
    qtbot.waitUntil(lambda: session.pipeline.settings.paused)
    caller.join(5)
    assert answers
    assert button(session, "pauseButton").isChecked()
