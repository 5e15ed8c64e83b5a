"""The preview: what it renders, its views, badges and notes; recordings and snapshots."""

from __future__ import annotations

import gc
import time
import weakref
from functools import partial
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication, QComboBox, QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from app.core.errors import SinkError
from app.core.settings import OutputSettings
from app.core.types import BgrImage, Frame, Picture, PictureKind
from app.gui.application import Session
from app.gui.bars import summarize
from app.gui.bridge import (
    BESIDE_A_CALL_S,
    Bridge,
    RecordingSwitch,
    ViewMode,
    ViewRequest,
    from_qimage,
    pause_after_view_s,
    render,
    to_qimage,
)
from app.gui.panels.devices import RecordingControls
from app.gui.state import Tasks
from app.media.image_file import read_image
from app.output.recording import Recorder
from app.runtime.pipeline import Pipeline
from app.runtime.status import Building, Lowered, Phase, PipelineStatus
from app.settings import Settings
from mattecam.testing import PERSON, ROOM, shows_room
from tests.fakes.world import FakeWorld
from tests.gui import widgets as ui
from tests.gui.conftest import QUIET, StartWindow, activate
from tests.output.recordings import FakeDevice
from tests.stand_ins import always, replacing
from tests.waiting import eventually

LEFT = Qt.MouseButton.LeftButton


def near(image: QImage | None, x: float, y: float, bgr: tuple[int, int, int]) -> bool:
    if image is None:
        return False
    colour = image.pixelColor(int(x * image.width()), int(y * image.height()))
    return (
        max(
            abs(a - b)
            for a, b in zip((colour.blue(), colour.green(), colour.red()), bgr, strict=True)
        )
        < 6
    )


def test_the_preview_is_rendered_anew_on_a_screen_of_another_scale(
    session: Session, qtbot: QtBot
) -> None:
    """It stayed blurred until the window was resized."""
    preview = ui.ready(session, qtbot)
    requests = list[ViewRequest | None]()
    preview.view_requested.connect(requests.append)
    ratio = 2 * preview.devicePixelRatioF()
    preview.devicePixelRatioF = always(ratio)  # type: ignore[method-assign]
    QApplication.sendEvent(preview, QEvent(QEvent.Type.DevicePixelRatioChange))
    wanted = round(preview.width() * ratio), round(preview.height() * ratio)

    assert [(each.width, each.height) for each in requests if each] == [wanted]


def test_buttons_and_keys_choose_the_view_also_of_a_frozen_picture(
    session: Session, qtbot: QtBot
) -> None:
    preview = session.window.preview

    def has_corner(colour: tuple[int, int, int]) -> bool:
        return near(preview.image, 0.1, 0.1, colour)

    activate(session, qtbot)
    for frozen in (False, True):
        session.store.set("frozen", frozen)
        for mode, corner in (
            (ViewMode.ORIGINAL, ROOM), (ViewMode.MATTE, (0, 0, 0)), (ViewMode.COMPOSITE, (40, 40, 40)),
        ):  # fmt: skip
            qtbot.mouseClick(ui.button(session, f"{mode.value}Button"), LEFT)
            ui.until(qtbot, has_corner, corner)
        qtbot.keyClick(session.window, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
        qtbot.waitUntil(
            lambda: (
                near(preview.image, 0.5, 0.8, PERSON) and not near(preview.image, 0.1, 0.1, ROOM)
            )
        )


def test_a_note_says_how_the_preview_differs_and_its_button_changes_that(
    session: Session, qtbot: QtBot
) -> None:
    """It lies over the user's body: it is shown while the pointer is over the preview."""
    preview = ui.ready(session, qtbot)
    switch = ui.button(session, "othersSeeButton")
    for mirrors, others_see_it, caption, text in (
        (True, False, "Others see", "You see a mirror, others do not"),
        (False, False, "Mirror", "You see what others see"),
        (True, True, "Mirror", "You see what others see"),
        (False, True, "Others see", "Others see a mirror, you do not"),
    ):
        session.store.edit("output", mirror=others_see_it)
        session.store.edit("window", mirror_preview=mirrors)
        assert ui.said(session, "viewNote") == ""
        ui.enter(preview)
        ui.until_is(qtbot, text, ui.said, session, "viewNote")
        assert switch.text() == caption
        qtbot.mouseClick(switch, LEFT)
        assert session.store.current.window.mirror_preview is not mirrors
        QApplication.sendEvent(preview, QEvent(QEvent.Type.Leave))
    for mode in (ViewMode.ORIGINAL, ViewMode.MATTE, ViewMode.FOREGROUND):
        session.window.action_bar.set_mode(mode)
        ui.until_is(qtbot, "Only you see this", ui.said, session, "viewNote")
    session.store.set("paused", True)
    assert ui.said(session, "viewNote") == ""


WIDTH = 40
HEIGHT = 20


def picture(kind: PictureKind = PictureKind.COMPOSITE, *, foreground: bool = True) -> Picture:
    """A picture with a dark left and a bright right half; each of its images has its own blue value."""

    def image(blue: int) -> BgrImage:
        made = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        made[:, WIDTH // 2 :] = 200
        made[..., 0] = blue
        return made

    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, WIDTH // 2 :] = 255
    frame = Frame(image(20), 0, 0.0)
    return Picture(image(10), kind, alpha, image(30) if foreground else None, frame)


def shown(mode: ViewMode, *, mirror: bool, of: Picture) -> BgrImage:
    return render(of, ViewRequest(WIDTH, HEIGHT, mode, mirror))


@pytest.mark.parametrize("mirror", [False, True])
def test_each_mode_shows_its_own_image_in_screen_direction_and_leaves_it_as_it_is(
    mirror: bool,
) -> None:
    given = picture()
    dark = (5, 35 if mirror else 5)
    bright = (5, 5 if mirror else 35)
    views = {mode: shown(mode, mirror=mirror, of=given) for mode in ViewMode}
    assert tuple(views[ViewMode.COMPOSITE][dark][:3]) == (10, 0, 0)
    assert tuple(views[ViewMode.ORIGINAL][bright][:3]) == (20, 200, 200)
    matte = views[ViewMode.MATTE]
    person = views[ViewMode.FOREGROUND]
    assert (*matte[dark][:3], *matte[bright][:3]) == (0, 0, 0, 255, 255, 255)
    assert tuple(person[bright][:3]) == (30, 200, 200)
    assert person[dark][0] == person[dark][2] != 0, "checkerboard outside the person"
    without = shown(ViewMode.FOREGROUND, mirror=mirror, of=picture(foreground=False))
    assert without[bright][0] == 20, "the frame in its place"
    card = Picture(given.image, PictureKind.STANDBY)
    assert all(
        tuple(shown(mode, mirror=mirror, of=card)[5, 5, :3]) == (10, 0, 0) for mode in ViewMode
    ), "not mirrored"
    assert np.array_equal(given.image, picture().image)
    assert np.array_equal(ui.existing(given.frame).image, ui.existing(picture().frame).image)


@pytest.mark.parametrize("factor", [2, 2.4, 3, 4, 5.5])
def test_fine_stripes_do_not_alias_in_a_small_view(factor: float) -> None:
    stripes = np.zeros((241, 321, 3), np.uint8)
    stripes[::2] = 200
    view = render(
        Picture(stripes, PictureKind.COMPOSITE),
        ViewRequest(round(321 / factor), round(241 / factor)),
    )

    assert np.abs(view[..., :3].astype(int) - 100).max() <= 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_round_trip_keeps_pixels_at_every_width(width: int, height: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert np.array_equal(from_qimage(to_qimage(image)), image)


def test_a_contiguous_array_is_not_copied_and_lives_as_long_as_the_image() -> None:
    array = np.full((4, 6, 4), 9, np.uint8)
    alive = weakref.ref(array)
    image = to_qimage(array)
    assert int(ui.existing(image.constBits())) == array.ctypes.data
    del array
    copied = QImage(image)
    del image
    gc.collect()
    assert copied.pixelColor(5, 3).red() == 9
    del copied
    gc.collect()
    assert alive() is None


LOW = Lowered(30.0, 0.5, True, 15.0)


@pytest.mark.parametrize(("status", "frozen", "said"), [
    (PipelineStatus(phase=Phase.PAUSED, readers=1), False, "Others see you: no, paused"),
    (PipelineStatus(phase=Phase.NO_CAMERA, readers=1), False, "Others see you: no"),
    (PipelineStatus(phase=Phase.RUNNING, readers=1, hides_person=True), False, "Others see you: no"),
    (PipelineStatus(phase=Phase.RUNNING, readers=0), False, "Others see you: no"),
    (PipelineStatus(phase=Phase.RUNNING), False, "Others see you: no"),
    (PipelineStatus(phase=Phase.RUNNING, outputs={"virtual_camera": "cam"}), False, "Others can see you"),
    (PipelineStatus(phase=Phase.RUNNING, readers=2), False, "Others see you: yes"),
    (PipelineStatus(phase=Phase.RUNNING, readers=2), True, "Others see you: frozen"),
    (PipelineStatus(building=Building.MODEL, lowered=LOW), False, "Others see you: no   ·   preparing the model…"),
    (PipelineStatus(lowered=LOW), False, "Others see you: no   ·   This computer is busy: the quality is lower"),
])  # fmt: skip
def test_the_status_says_whether_others_see_the_user(
    status: PipelineStatus, frozen: bool, said: str
) -> None:
    assert summarize(status, frozen=frozen) == said


def test_a_recording_starts_and_ends_and_one_that_failed_makes_way_for_another(
    start_window: StartWindow,
    world: FakeWorld,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The button stayed pressed: the next click did nothing. In the same second, the name was the same."""
    monkeypatch.setattr("app.gui.bridge.dated_name", always("one second"))
    session = start_window(parts=world.parts().with_sinks(recording=Recorder))
    session.window.resize(1270, 830)  # wide enough for texts on the buttons
    session.store.edit("window", recordings_dir=tmp_path)
    record = ui.button(session, "recordButton")
    notices = session.window.notices

    def begin() -> Path:
        qtbot.mouseClick(record, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: session.bridge.status.recording is not None and record.isChecked())
        return ui.existing(session.pipeline.settings.output.record)

    record.click()
    record.click()
    ui.settle(session.window.tasks, qtbot)
    qtbot.wait(100)
    assert (session.pipeline.settings.output.record, record.isChecked()) == (None, False), (
        "it was stopped at once"
    )
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
        broken.setattr(
            Recorder,
            "send",
            Mock(side_effect=SinkError("The recording stopped: the disk is full.")),
        )
        ui.until_not(qtbot, record.isChecked)
    assert session.pipeline.settings.output.record is None
    qtbot.waitUntil(lambda: "the disk is full" in notices.error)
    failed.unlink(missing_ok=True)  # on a full disk it may be gone
    assert begin() != file


def test_the_button_ends_no_recording_that_a_command_began(
    qtbot: QtBot, tasks: Tasks, tmp_path: Path
) -> None:
    """It took the place of the one that had just begun, whose file got no frame."""
    store = ui.made_store(Settings())
    store.edit("window", recordings_dir=tmp_path)
    made = RecordingSwitch(store, cast("Bridge", None), tasks, QObject())
    made.set_on(True)
    store.edit("output", record=tmp_path / "of a command.mp4")

    ui.settle(tasks, qtbot)

    assert store.current.output.record == tmp_path / "of a command.mp4"


def test_each_recording_is_reported_and_counts_from_its_own_start(
    qtbot: QtBot, tasks: Tasks, tmp_path: Path
) -> None:
    """One that ended between two looks at the status was never seen; one that followed it at once went on counting."""
    files = [tmp_path / f"{number}.mp4" for number in range(3)]
    for file in files:
        file.touch()
    store = ui.made_store(Settings(output=OutputSettings(record=files[0])))
    parent = QObject()
    made = RecordingSwitch(store, cast("Bridge", None), tasks, parent)
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
    files[2].unlink()  # a recording that failed does not get its final name
    with qtbot.assertNotEmitted(made.saved):
        assert made.follow(PipelineStatus()) == ""
        ui.settle(tasks, qtbot)


def test_a_snapshot_is_the_card_while_paused(
    session: Session, world: FakeWorld, qtbot: QtBot, tmp_path: Path
) -> None:
    session.store.edit("window", recordings_dir=tmp_path)
    session.store.edit("background", kind="none")
    qtbot.waitUntil(
        lambda: session.bridge.picture is not None and shows_room(session.bridge.picture.image)
    )
    picture = ui.existing(session.bridge.picture)
    world.faults.put("read", world.faults.hang)  # no newer frame arrives
    session.pipeline.change(replacing(paused=True))
    with qtbot.waitSignal(session.window.recording.saved):
        session.window.recording.snapshot()
    (file,) = tmp_path.glob("*.png")
    saved = read_image(file)
    assert saved.shape == picture.image.shape and not shows_room(saved)
    world.faults.heal()


def test_all_snapshots_are_saved_and_a_failure_stops_nothing(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    session.store.edit("window", recordings_dir=tmp_path / "shots")
    qtbot.waitUntil(lambda: session.bridge.picture is not None)
    saved: list[Path] = []
    session.window.recording.saved.connect(saved.append)
    for _press in range(9):
        ui.button(session, "snapshotButton").click()
    ui.until_is(qtbot, 9, len, saved)
    assert set((tmp_path / "shots").iterdir()) == set(saved) and len(set(saved)) == 9
    assert saved[-1].name in session.window.notices.text_of("savedNotice")
    ui.button(session, "recordButton").click()
    ui.until(qtbot, ui.records, session)
    blocker = tmp_path / "file"
    blocker.touch()
    session.store.edit("window", recordings_dir=blocker)
    said = f"The folder {blocker} cannot be created: a file is where the folder should be; choose another folder."
    ui.button(session, "snapshotButton").click()
    qtbot.waitUntil(lambda: session.window.notices.error == said)
    assert session.store.current.output.record is not None
    ui.button(session, "recordButton").click()
    with qtbot.waitSignal(session.window.recording.failed) as failed:
        ui.button(session, "recordButton").click()
    assert str(failed.args[0]) == said
    assert not ui.button(session, "recordButton").isChecked()


def test_the_meter_opens_the_device_only_while_it_is_visible_and_not_paused(
    qtbot: QtBot, tasks: Tasks
) -> None:
    device = FakeDevice()
    store = ui.made_store()
    controls = RecordingControls(store, tasks, device.open)
    qtbot.addWidget(controls)
    meter = ui.find(controls, QProgressBar)
    controls.show()
    assert meter.isHidden() and device.opened == []
    listed = ui.find(controls, QComboBox, "output.microphone")
    ui.until_is(qtbot, 2, listed.findText, "USB Microphone")
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
    qtbot.waitUntil(lambda: any("usb cannot be opened" in text for text in ui.texts(controls)))
    controls.hide()


@pytest.mark.parametrize(
    ("readers", "in_active_window", "pause_s"),
    [
        pytest.param(1, False, BESIDE_A_CALL_S, id="beside a call"),
        pytest.param(1, True, 0, id="in the window"),
        pytest.param(0, False, 0, id="nobody watches"),
        pytest.param(None, False, 0, id="nobody knows who watches"),
    ],
)
def test_the_preview_is_drawn_more_rarely_beside_a_call(
    readers: int | None, in_active_window: bool, pause_s: float
) -> None:
    request = ViewRequest(32, 24, in_active_window=in_active_window)

    assert pause_after_view_s(request, readers) == pause_s


def test_the_preview_knows_whether_the_user_works_in_its_window(
    session: Session, qtbot: QtBot
) -> None:
    preview = ui.ready(session, qtbot)
    requests: list[ViewRequest] = []
    preview.view_requested.connect(requests.append)
    other = QLabel("another window")
    qtbot.addWidget(other)

    activate(session, qtbot)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: bool(requests) and not requests[-1].in_active_window)
    activate(session, qtbot)

    qtbot.waitUntil(lambda: requests[-1].in_active_window)


def test_views_are_rendered_on_request_and_signalled_one_at_a_time(
    qtbot: QtBot, world: FakeWorld
) -> None:
    bridge = Bridge(Pipeline(QUIET, parts=world.parts()))
    signals = list[int]()
    bridge.frame_ready.connect(partial(signals.append, 1))
    demand = bridge.pipeline.demand

    def has_sent(more_than: int) -> bool:
        return bridge.status.frames_out > more_than

    def has_picture() -> bool:
        return bridge.picture is not None

    bridge.request_view(None)
    bridge.start()
    eventually(has_sent, 10)
    assert (bridge.take_image(), demand.watched, demand.want_foreground) == (None, False, False)
    eventually(has_picture)  # snapshots do not need a view
    bridge.request_view(ViewRequest(32, 24, ViewMode.FOREGROUND))
    assert (demand.watched, demand.want_foreground) == (True, True)
    for beyond in range(2):
        frames = bridge.status.frames_out
        # While the event loop is blocked, as during a long paint:
        eventually(has_sent, frames + 10)
        ui.until_is(qtbot, beyond + 1, len, signals)
        ui.until(qtbot, has_sent, frames + 20)
        assert len(signals) == beyond + 1, "no second signal before the image is taken"
        image = ui.existing(bridge.take_image())
        assert (image.width(), image.height()) == (32, 24)
    assert bridge.stop()
