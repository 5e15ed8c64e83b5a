"""Recordings, snapshots, and the microphone with its level meter."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QObject, Qt
from PyQt6.QtWidgets import QComboBox, QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from app.core.errors import SinkError, t
from app.core.settings import OutputSettings, Settings
from app.gui.panels.recordings import RecordingControls
from app.gui.shell.application import Session, WindowOptions
from app.gui.state import recording
from app.gui.state.bridge import Bridge
from app.gui.state.tasks import Tasks
from app.output.recorder import Recorder
from app.output.sound.devices import MicrophoneName
from app.runtime.status import PipelineStatus
from app.testing.parts import shows_room
from tests.fakes.world import FakeWorld
from tests.gui.conftest import StartWindow
from tests.gui.widgets import button, existing, find, made_store, settle
from tests.output.sound.sources import FakeDevice


def test_a_recording_starts_counts_and_says_where_it_was_saved(
    start_window: StartWindow, world: FakeWorld, qtbot: QtBot, tmp_path: Path
) -> None:
    session = start_window(options=WindowOptions(parts=world.parts().with_sinks(recording=Recorder)))
    session.window.resize(1270, 830)  # wide enough for texts on the buttons
    session.store.edit("window", recordings_dir=tmp_path)
    record = button(session, "recordButton")
    record.click()
    record.click()
    settle(session.window.tasks, qtbot)
    qtbot.wait(100)
    assert (session.pipeline.settings.output.record, record.isChecked()) == (None, False), "it was stopped at once"
    qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.bridge.status.recording is not None)
    assert existing(session.pipeline.settings.output.record).parent == tmp_path
    qtbot.waitUntil(lambda: record.text() not in ("Record", "0:00"))
    assert session.window.overlay.recording.isVisible()
    with qtbot.waitSignal(session.window.recording.saved):
        qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: record.text() == "Record" and not record.isChecked())
    (file,) = tmp_path.glob("*.mp4")
    assert session.window.notices.text_of("savedNotice") == f"Saved {file.name} in {tmp_path}"


def test_each_recording_is_reported_and_counts_from_its_own_start(qtbot: QtBot, tasks: Tasks, tmp_path: Path) -> None:
    """One that ended between two looks at the status was never seen; one that followed it at once went on counting."""
    files = [tmp_path / f"{number}.mp4" for number in range(3)]
    for file in files:
        file.touch()
    store, parent = made_store(Settings(output=OutputSettings(record=files[0]))), QObject()
    made = recording.Recording(store, cast("Bridge", None), tasks, parent)
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


def test_the_button_of_a_recording_that_failed_starts_a_new_one(
    session: Session, qtbot: QtBot, world: FakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stayed pressed, as if it recorded: the next click did nothing. In the same second, the name was the same."""
    monkeypatch.setattr(recording, "local_time", lambda: datetime(2026, 1, 2, 3, 4, 5))
    session.store.edit("window", recordings_dir=tmp_path)
    record = button(session, "recordButton")
    qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.bridge.status.recording is not None and record.isChecked())
    first = session.pipeline.settings.output.record

    world.faults.put(
        "recorder", SinkError(t("The recording stopped: {reason} ({kept}).", reason="the disk is full", kept="nothing"))
    )
    qtbot.waitUntil(lambda: not record.isChecked())
    assert "the disk is full" in session.window.notices.error

    world.faults.heal()
    qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.bridge.status.recording is not None and record.isChecked())
    assert session.pipeline.settings.output.record not in (None, first)


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
    saved = existing(cv2.imread(str(file)))
    assert saved.shape == picture.image.shape
    assert not shows_room(np.asarray(saved, np.uint8))
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
    (tmp_path / "file").touch()
    session.store.edit("window", recordings_dir=tmp_path / "file")
    with qtbot.waitSignal(session.window.recording.failed):
        button(session, "snapshotButton").click()
    assert session.store.current.output.record is not None


def test_a_file_in_place_of_the_folder_is_named(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    qtbot.waitUntil(lambda: session.bridge.picture is not None)
    for control in ("recordButton", "snapshotButton"):
        blocker = tmp_path / control
        blocker.touch()
        session.store.edit("window", recordings_dir=blocker)
        button(session, control).click()
        said = f"The folder {blocker} cannot be created: a file is where the folder should be; choose another folder."
        qtbot.waitUntil(lambda said=said: session.window.notices.error == said)  # type: ignore[misc]
        assert not button(session, "recordButton").isChecked()


def test_the_meter_opens_the_device_only_while_it_is_visible_and_not_paused(qtbot: QtBot) -> None:
    device, store = FakeDevice(), made_store()
    controls = RecordingControls(store, device.open)
    qtbot.addWidget(controls)
    meter = find(controls, QProgressBar)
    controls.show_microphones((MicrophoneName("usb", "USB"),))
    controls.show()
    assert meter.isHidden() and device.opened == []
    assert find(controls, QComboBox, "output.microphone").findText("USB") == 2
    store.edit("output", microphone="usb")
    qtbot.waitUntil(lambda: meter.value() > 30)
    assert device.opened == ["usb"]
    store.set("paused", True)
    qtbot.waitUntil(lambda: device.open_now == 0)
    assert meter.value() == 0
    store.set("paused", False)
    qtbot.waitUntil(lambda: meter.value() > 30)
    controls.hide()
    qtbot.waitUntil(lambda: device.open_now == 0)
    assert meter.value() == 0
    device.fails_to_open = True
    controls.show()
    qtbot.waitUntil(lambda: any("usb cannot be opened" in shown.text() for shown in controls.findChildren(QLabel)))
    controls.hide()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no tzset")
def test_a_clock_follows_the_machine_to_another_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It went on in the zone in which the program was started."""
    with monkeypatch.context() as journey:
        for zone, hours in (("UTC0", 0), ("JST-9", 9), ("HST10", -10)):
            journey.setenv("TZ", zone)
            shown, now = recording.local_time(), datetime.now(timezone(timedelta(hours=hours)))
            assert abs((now - shown.replace(tzinfo=now.tzinfo)).total_seconds()) < 60
    time.tzset()
