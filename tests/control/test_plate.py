"""`ctl plate` against a running pipeline with replaceable parts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import pytest

from app.config.scenes import SceneStore
from app.control import SettingsController, Tiles, changes
from app.control.changes import CommandError
from app.control.commands import Command, parse_words
from app.core.errors import MattecamError, PlateError, UsageError
from app.core.types import BgrImage
from app.runtime.pipeline import Pipeline
from app.runtime.plate import live as live_plate
from app.runtime.plate.capture import plate_path, save_plate
from app.runtime.plate.live import take_live_plate
from app.runtime.status import Phase
from app.runtime.status_fields import status_fields
from app.runtime.timing import Timing
from app.testing.room import room_picture
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE
from tests.waiting import eventually

SIZE = 64, 48


class Room:
    """A running pipeline whose controller takes plates."""

    def __init__(self, folder: Path) -> None:
        self.world = FakeWorld()
        self.pipeline = Pipeline(BASE, parts=self.world.parts())
        self.kept: list[tuple[BgrImage, str]] = []
        self.someone = False
        self.controller = SettingsController(
            change=self.pipeline.change,
            settings=lambda: self.pipeline.settings,
            status_fields=lambda: status_fields(self.pipeline.status()),
            tiles=lambda: Tiles([]),
            scenes=SceneStore(folder / "scenes.json"),
            request_quit=lambda: None,
            take_plate=partial(take_live_plate, self.pipeline, keep=self.keep),
            retry=self.pipeline.retry,
            confirm_s=5,
        )

    def keep(self, plate: BgrImage, camera: str) -> Path:
        if self.someone:
            raise PlateError("Someone is still in view.")
        self.kept.append((plate, camera))
        path = plate_path(camera, *SIZE)
        save_plate(path, plate, camera)
        return path

    def run(self, text: str) -> str:
        return self.controller.run(parse_words(text.split()))

    @property
    def plate(self) -> Path | None:
        return self.pipeline.settings.matting.plate


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr(live_plate, "COLLECT_S", 0.3)
    room = Room(tmp_path)
    room.pipeline.start()
    eventually(lambda: room.pipeline.status().phase is Phase.RUNNING)
    yield room
    room.world.faults.heal()
    room.controller.close()
    assert room.pipeline.stop()


def started(room: Room, text: str) -> tuple[threading.Thread, list[str]]:
    """Run a command on a thread; return it, and the list of its answer or error."""
    answers: list[str] = []

    def run() -> None:
        try:
            answers.append(room.run(text))
        except MattecamError as error:
            answers.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answers


def test_a_plate_is_taken_stored_and_used(room: Room) -> None:
    path = plate_path("fake", *SIZE)
    assert room.run("plate take 0") == f"Picture of the empty room: {path}."
    ((plate, camera),) = room.kept
    assert camera == "fake"
    assert plate.shape == (48, 64, 3)
    assert room.plate == path
    assert path.is_file()
    assert not room.pipeline.demand.takes_plate


def test_nothing_is_taken_during_the_countdown(room: Room) -> None:
    thread, answers = started(room, "plate take 1")
    eventually(lambda: room.pipeline.demand.takes_plate)
    assert not room.kept
    assert thread.is_alive()
    thread.join(20)
    assert "Picture of the empty room" in answers[0]


@pytest.mark.parametrize("first", ["before", "meanwhile"])
def test_a_paused_program_takes_no_plate(room: Room, first: str) -> None:
    if first == "before":
        room.run("pause")
    thread, answers = started(room, "plate take 30")
    if first == "meanwhile":
        eventually(lambda: room.pipeline.demand.takes_plate)
        room.run("pause")
    thread.join(20)
    assert "While Mattecam is paused" in answers[0]
    assert not room.kept
    assert room.plate is None
    assert room.pipeline.newest_frame is None


def test_someone_in_view_leaves_the_plate_in_use(room: Room, tmp_path: Path) -> None:
    old = tmp_path / "old.png"
    cv2.imwrite(str(old), room_picture())
    assert room.run(f"plate {old}") == f"Picture of the empty room: {old}."
    room.someone = True
    with pytest.raises(PlateError, match="still in view"):
        room.run("plate take 0")
    assert room.plate == old
    assert not room.pipeline.demand.takes_plate


def test_a_second_command_is_refused_and_an_end_cancels_the_first(room: Room) -> None:
    thread, answers = started(room, "plate take 30")
    eventually(lambda: room.pipeline.demand.takes_plate)
    with pytest.raises(CommandError, match="already being taken"):
        room.run("plate take 0")
    room.controller.close()
    thread.join(20)
    assert "no picture of the empty room was taken" in answers[0]
    assert not room.kept


def test_it_is_taken_while_the_picture_is_frozen(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "STALLED_S", 0.1)  # no frame comes that confirms the plate
    room.run("freeze")
    room.run("plate take 0")
    assert len(room.kept) == 1


def test_the_same_plate_taken_again_builds_the_engine_again(room: Room) -> None:
    room.run("plate take 0")
    built: list[int] = []
    room.world.faults.put("build_engine", lambda: built.append(1))
    room.run("plate take 0")
    assert built


def test_a_plate_is_dropped_and_its_file_stays(room: Room) -> None:
    room.run("plate take 0")
    path = plate_path("fake", *SIZE)
    assert str(path) in room.run("plate drop")
    assert room.plate is None
    assert path.is_file()
    with pytest.raises(CommandError, match="No picture of the empty room"):
        room.run("plate drop")


def test_a_model_without_a_plate_is_named(room: Room) -> None:
    room.run("model rvm-mobilenetv3")
    assert "rvm-mobilenetv3 does not use it" in room.run("plate take 0")


@pytest.mark.parametrize("argument", ["take x", "take -1", "take 61", "take nan", "no-such-file.png"])
def test_impossible_arguments_are_refused(room: Room, argument: str) -> None:
    with pytest.raises(UsageError, match="write take"):
        room.run(f"plate {argument}")
    assert not room.kept


def test_a_client_waits_for_the_countdown() -> None:
    assert Command("plate", "take 20").extra_s > Command("plate", "take").extra_s > 8
    assert Command("plate", "drop").extra_s == Command("pause").extra_s == 0


def test_a_camera_that_rests_is_turned_on_and_holds_its_exposure(room: Room) -> None:
    room.world.source_kind = "camera"
    room.world.readers = 0
    timing = Timing(demand_poll_s=0.02, demand_linger_s=0.1, source_retry_s=0.1)
    pipeline = Pipeline(BASE, parts=room.world.parts(), timing=timing)
    pipeline.start()
    try:
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
        opened = len(room.world.sources)
        held: list[bool] = []

        def wait(seconds: float) -> bool:
            held.append(room.world.sources[-1].holds_exposure)
            return threading.Event().wait(seconds)

        take_live_plate(pipeline, 0.3, wait, keep=room.keep)
        assert len(room.world.sources) == opened + 1
        assert held[-1]
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
    finally:
        assert pipeline.stop()
