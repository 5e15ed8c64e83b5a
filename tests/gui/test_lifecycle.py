"""The window starts, records, hides, goes to the tray and ends, also while something is going on."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import numpy as np
import pytest
from PyQt6.QtCore import QObject, QSize, Qt, QTimer
from PyQt6.QtWidgets import QApplication, QComboBox, QLabel, QProgressBar, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.backgrounds.standby import draw_card
from app.config import settings_file
from app.core.errors import SinkError
from app.core.settings import BackgroundSettings, OutputSettings, Settings, WindowSettings
from app.core.types import PictureKind
from app.gui import bridge
from app.gui.application import Session, SingleInstance, WindowOptions, run_window
from app.gui.assistant import Assistant
from app.gui.bridge import Bridge
from app.gui.panels.devices import RecordingControls
from app.gui.panels.plate import PlateDialog
from app.gui.state import Tasks
from app.media.image_file import read_image
from app.output.recording import Recorder
from app.runtime.status import Phase, PipelineStatus
from mattecam.testing import FakeEngine, shows_room
from tests.fakes.world import FakeWorld, ignore
from tests.gui.conftest import ON_DEVICE, QUIET, Downloads, StartWindow
from tests.gui.widgets import bring_up, button, existing, find, full, made_store, ready, settle, texts
from tests.output.recordings import FakeDevice


def test_a_status_leaves_the_actions_alone(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    with qtbot.assertNotEmitted(session.window.action_bar.pause.changed):  # the tray would send its menu again
        session.bridge.poll()


def test_window_stops_after_the_given_frames(qtbot: QtBot, world: FakeWorld, machine: object) -> None:
    last: list[PipelineStatus] = []
    assert run_window(QUIET, WindowOptions(frames=5, parts=world.parts(), on_finished=last.append)) == 0
    assert last[0].frames_out == 5, "frames that were ready before the end was noticed went out too"


def test_the_seconds_of_a_run_count_from_its_first_frame(qtbot: QtBot, world: FakeWorld, machine: object) -> None:
    """They counted from the start of the window, so that a run on a slow machine ended before its first frame."""
    ready, last = threading.Event(), list[PipelineStatus]()
    world.faults.put("build_engine", lambda: ignore(ready.wait(60)))
    QTimer.singleShot(600, ready.set)  # long after the seconds
    options = WindowOptions(seconds=0.1, parts=world.parts(), on_finished=last.append, persist=False)
    assert run_window(QUIET, options) == 0
    assert last[0].phase is Phase.STOPPED and last[0].frames_out > 0 and FakeEngine.live == 0
    assert not settings_file.default_path().exists(), "nothing is written without persistence"


@pytest.mark.error_logs
@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals of this kind")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 130), ("SIGHUP", 130), ("SIGTERM", 1)])
def test_signals_end_the_window_cleanly_and_hide_no_loss(
    qtbot: QtBot, world: FakeWorld, machine: object, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    """The exit code of a signal tells nobody to look at the log."""
    if code == 1:
        monkeypatch.setattr(settings_file, "save", full)
    number = getattr(signal, name)
    inherited = signal.signal(number, signal.SIG_DFL)  # under nohup SIGHUP is ignored, and does not end the window
    try:
        QTimer.singleShot(100, lambda: os.kill(os.getpid(), number))
        assert run_window(QUIET, WindowOptions(frames=10**9, parts=world.parts())) == code
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, inherited)
    assert FakeEngine.live == 0


def test_settings_are_saved_shortly_after_a_change_and_at_the_end(session: Session, qtbot: QtBot) -> None:
    path = settings_file.default_path()
    for strength in range(70, 90):
        session.store.edit("background", blur_strength=strength)
    assert not path.exists(), "changes in quick succession are one write"
    qtbot.waitUntil(path.exists)
    saved = settings_file.load(path)[0]
    assert (saved.background.blur_strength, saved.output) == (89, session.pipeline.settings.output)
    session.store.edit("window", mirror_preview=False)
    assert session.close() == 0
    assert not settings_file.load(path)[0].window.mirror_preview


def test_a_second_start(session: Session, qtbot: QtBot, world: FakeWorld, caplog: pytest.LogCaptureFixture) -> None:
    first, second = SingleInstance(), SingleInstance()
    assert first.claim()
    with qtbot.waitSignal(first.raised):
        assert run_window(QUIET, WindowOptions(parts=world.parts())) == 0
    assert "already running" in caplog.text
    first.release()
    assert second.claim(), "released by the first instance"
    second.release()


def test_the_card_and_a_warning_of_the_start_have_the_language_of_the_window(
    start_window: StartWindow, qtbot: QtBot
) -> None:
    settings_file.default_path().parent.mkdir(parents=True, exist_ok=True)
    settings_file.default_path().write_text("{")
    _, warning = settings_file.load(settings_file.default_path())
    german = WindowSettings(first_run_done=True, language="de")
    session = start_window(QUIET.replace(paused=True), german, warning=warning)
    assert "ist nicht verwendbar" in session.window.notices.error
    card = draw_card("Einen Moment, bitte", None, 64, 48)  # in the size of the source
    qtbot.waitUntil(lambda: session.bridge.picture is not None and np.array_equal(session.bridge.picture.image, card))


def test_the_size_of_the_window_is_restored(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window()
    room = existing(session.window.screen()).availableSize() - QSize(40, 40)  # Qt keeps restored windows inside
    session.window.resize(QSize(1000, 640).boundedTo(room))
    wanted = session.window.size()
    session.close()
    assert start_window(window=session.store.current.window).window.size() == wanted


UNMATTED = ON_DEVICE.replace(background=BackgroundSettings(kind="none"))


@pytest.mark.parametrize(("pressed", "kind"), [(0, "blur"), (1, "none")])
def test_a_saved_background_none_pauses_and_asks(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, pressed: int, kind: str
) -> None:
    session = start_window(UNMATTED)
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.PAUSED)
    notices = session.window.notices
    assert "Paused: the saved background is “None”" in notices.text_of("unmattedStartNotice")
    qtbot.waitUntil(lambda: bool(world.pictures()))
    assert not any(picture.kind is PictureKind.UNMATTED for picture in world.pictures())
    button(session, f"unmattedStartNoticeAction{pressed}").click()
    now = session.pipeline.settings
    assert (now.background.kind, now.paused, notices.texts) == (kind, False, ())
    qtbot.waitUntil(lambda: session.bridge.status.unmatted is session.window.badges.unmatted.isVisible() is not pressed)
    session.store.set("paused", True)
    assert not notices.text_of("unmattedStartNotice"), "what is settled does not come back with a pause of the user"


def test_none_that_was_asked_for_is_used_at_once(start_window: StartWindow, qtbot: QtBot) -> None:
    session = start_window(UNMATTED, unmatted_confirmed=True)
    qtbot.waitUntil(lambda: session.window.badges.unmatted.isVisible())
    assert not session.window.notices.texts


def test_the_window_hides_while_an_engine_is_built(start_window: StartWindow, qtbot: QtBot, world: FakeWorld) -> None:
    making, made = threading.Event(), threading.Event()

    def slow() -> None:
        making.set()
        made.wait(100)

    world.faults.put("build_engine", slow)
    session = start_window()
    session.window.open_log()
    assert making.wait(60)
    session.window.quit_requested.emit()
    assert not made.is_set() and not any(widget.isVisible() for widget in QApplication.topLevelWidgets())
    timer = threading.Timer(0.5, made.set)
    timer.start()
    assert session.close() == 0
    assert made.is_set(), "close joined every thread"
    timer.join()
    assert FakeEngine.live == 0


@pytest.mark.parametrize("has_tray", [True, False])
def test_what_starts_minimised_is_opened_and_ends_without_a_tray_to_stay_in(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, has_tray: bool
) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: has_tray)
    stays = WindowSettings(first_run_done=True, close_to_tray=not has_tray)
    session = start_window(window=stays, start_minimised=True)
    assert (session.window.isVisible(), session.window.isMinimized()) == (not has_tray, not has_tray)
    (session.lifecycle.menu.actions()[0].trigger if has_tray else session.lifecycle.show_in_front)()
    assert session.window.isVisible() and not session.window.isMinimized()
    with qtbot.waitSignal(session.lifecycle.ended):
        session.window.close()


def test_in_the_tray_the_output_continues_without_a_dialog(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stayed on the screen, with a preview that stood still."""
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    session = start_window(window=WindowSettings(first_run_done=True, close_to_tray=True))
    for _ in range(2):
        session.window.open_assistant()
        session.window.open_preferences()
        session.window.close()
        assert not any(widget.isVisible() for widget in QApplication.topLevelWidgets())
        frames = session.bridge.status.frames_out
        qtbot.waitUntil(lambda frames=frames: session.bridge.status.frames_out > frames)  # type: ignore[misc]
        session.lifecycle.show_in_front()
    assert session.window.isVisible()
    qtbot.waitUntil(lambda: session.window.findChild(Assistant) is None)
    session.window.open_assistant()
    assert find(session.window, Assistant).isVisible()


def test_the_tray_pauses_and_quits(session: Session, qtbot: QtBot) -> None:
    _opens, pauses, quits = session.lifecycle.menu.actions()
    for paused in (True, False):
        pauses.trigger()
        assert session.pipeline.settings.paused is pauses.isChecked() is paused
    with qtbot.waitSignal(session.lifecycle.ended):
        quits.trigger()


def test_the_end_does_not_wait_for_a_download(session: Session, qtbot: QtBot, downloads: Downloads) -> None:
    """The window was gone, and the program ran on until the model was there."""
    bring_up(session, session.window.panel.quality_choice)
    qtbot.waitUntil(lambda: find(session.window, QLabel, "qualityAbout").text() != "")
    button(session, "qualityFine").click()
    button(session, "fineDownloadButton").click()
    qtbot.waitUntil(downloads.began.is_set)
    session.window.quit_requested.emit()
    assert session.close() == 0


def test_the_end_leaves_no_exposure_locked(session: Session, qtbot: QtBot) -> None:
    """Whoever quit while the picture of the empty room was taken had a camera with a fixed exposure from then on."""
    ready(session, qtbot)
    session.window.open_plate_dialog()
    find(session.window, PlateDialog).begin()
    held = session.pipeline.demand.takes_plate
    session.window.quit_requested.emit()
    assert session.close() == 0
    assert not settings_file.load(settings_file.default_path())[0].capture.lock_exposure
    assert held and not session.pipeline.demand.takes_plate


def test_a_recording_starts_and_ends_and_one_that_failed_makes_way_for_another(
    start_window: StartWindow, world: FakeWorld, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button stayed pressed: the next click did nothing. In the same second, the name was the same."""
    monkeypatch.setattr(bridge, "dated_name", lambda: "one second")
    session = start_window(parts=world.parts().with_sinks(recording=Recorder))
    session.window.resize(1270, 830)  # wide enough for texts on the buttons
    session.store.edit("window", recordings_dir=tmp_path)
    record, notices = button(session, "recordButton"), session.window.notices

    def begin() -> Path:
        qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: session.bridge.status.recording is not None and record.isChecked())
        return existing(session.pipeline.settings.output.record)

    record.click()
    record.click()
    settle(session.window.tasks, qtbot)
    qtbot.wait(100)
    assert (session.pipeline.settings.output.record, record.isChecked()) == (None, False), "it was stopped at once"
    file = begin()
    qtbot.waitUntil(lambda: record.text() not in ("Record", "0:00"))
    assert session.window.badges.recording.isVisible()
    with qtbot.waitSignal(session.window.recording.saved):
        qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: record.text() == "Record" and not record.isChecked())
    assert [*tmp_path.glob("*.mp4")] == [file]
    assert notices.text_of("savedNotice") == f"Saved {file.name} in {tmp_path}"
    failed = begin()
    with monkeypatch.context() as broken:
        broken.setattr(Recorder, "send", Mock(side_effect=SinkError("The recording stopped: the disk is full.")))
        qtbot.waitUntil(lambda: not record.isChecked())
    assert "the disk is full" in notices.error
    assert begin() not in (file, failed)


def test_each_recording_is_reported_and_counts_from_its_own_start(qtbot: QtBot, tasks: Tasks, tmp_path: Path) -> None:
    """One that ended between two looks at the status was never seen; one that followed it at once went on counting."""
    files = [tmp_path / f"{number}.mp4" for number in range(3)]
    for file in files:
        file.touch()
    store, parent = made_store(Settings(output=OutputSettings(record=files[0]))), QObject()
    made = bridge.Recording(store, cast("Bridge", None), tasks, parent)
    made.set_on(False)
    with qtbot.waitSignal(made.saved) as saved:
        assert made.follow(PipelineStatus()) == ""
    assert saved.args == [files[0]]
    assert store.current.output.record is None
    first, second = (PipelineStatus(outputs={"recording": str(file)}) for file in files[1:])
    assert made.follow(first) == "0:00"
    time.sleep(1.1)
    assert made.follow(first) != "0:00"
    with qtbot.waitSignal(made.saved) as saved:
        assert made.follow(second) == "0:00"
    assert saved.args == [files[1]]


def test_a_snapshot_is_the_card_while_paused(session: Session, world: FakeWorld, qtbot: QtBot, tmp_path: Path) -> None:
    session.store.edit("window", recordings_dir=tmp_path)
    session.store.edit("background", kind="none")
    qtbot.waitUntil(lambda: session.bridge.picture is not None and shows_room(session.bridge.picture.image))
    picture = existing(session.bridge.picture)
    world.faults.put("read", world.faults.hang)  # no newer frame arrives
    session.pipeline.change(lambda settings: settings.replace(paused=True))
    with qtbot.waitSignal(session.window.recording.saved):
        session.window.recording.snapshot()
    (file,) = tmp_path.glob("*.png")
    saved = read_image(file)
    assert saved.shape == picture.image.shape and not shows_room(saved)
    world.faults.heal()


def test_all_snapshots_are_saved_and_a_failure_stops_nothing(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    session.store.edit("window", recordings_dir=tmp_path / "shots")
    qtbot.waitUntil(lambda: session.bridge.picture is not None)
    saved: list[Path] = []
    session.window.recording.saved.connect(saved.append)
    for _press in range(9):
        button(session, "snapshotButton").click()
    qtbot.waitUntil(lambda: len(saved) == 9)
    assert set((tmp_path / "shots").iterdir()) == set(saved) and len(set(saved)) == 9
    assert saved[-1].name in session.window.notices.text_of("savedNotice")
    button(session, "recordButton").click()
    qtbot.waitUntil(lambda: session.bridge.status.recording is not None)
    blocker = tmp_path / "file"
    blocker.touch()
    session.store.edit("window", recordings_dir=blocker)
    said = f"The folder {blocker} cannot be created: a file is where the folder should be; choose another folder."
    button(session, "snapshotButton").click()
    qtbot.waitUntil(lambda: session.window.notices.error == said)
    assert session.store.current.output.record is not None
    button(session, "recordButton").click()
    with qtbot.waitSignal(session.window.recording.failed) as failed:
        button(session, "recordButton").click()
    assert str(failed.args[0]) == said
    assert not button(session, "recordButton").isChecked()


def test_the_meter_opens_the_device_only_while_it_is_visible_and_not_paused(qtbot: QtBot, tasks: Tasks) -> None:
    device, store = FakeDevice(), made_store()
    controls = RecordingControls(store, tasks, device.open)
    qtbot.addWidget(controls)
    meter = find(controls, QProgressBar)
    controls.show()
    assert meter.isHidden() and device.opened == []
    listed = find(controls, QComboBox, "output.microphone")
    qtbot.waitUntil(lambda: listed.findText("USB Microphone") == 2)
    store.edit("output", microphone="usb")
    qtbot.waitUntil(lambda: meter.value() > 30)
    assert device.opened == ["usb"]
    store.set("paused", True)
    qtbot.waitUntil(lambda: (device.open_now, meter.value()) == (0, 0))
    store.set("paused", False)
    qtbot.waitUntil(lambda: meter.value() > 30)
    controls.hide()
    qtbot.waitUntil(lambda: (device.open_now, meter.value()) == (0, 0))
    device.fails_to_open = True
    controls.show()
    qtbot.waitUntil(lambda: any("usb cannot be opened" in text for text in texts(controls)))
    controls.hide()
