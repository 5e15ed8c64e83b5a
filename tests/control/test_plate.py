"""`ctl plate` against a running pipeline with replaceable parts."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import pytest

from app.control import plate as live_plate
from app.control.changes import Changes, CommandError
from app.control.commands import Command
from app.control.plate import PlateCommand
from app.core.errors import MattecamError, PlateError, UsageError
from app.core.plate_times import COUNTDOWN_S
from app.matting.plate.capture import plate_path
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.testing.parts import room_picture
from tests.control.conftest import Program
from tests.fakes.world import BASE, FakeWorld, running
from tests.waiting import beside, eventually

SIZE = 64, 48


@pytest.fixture(autouse=True)
def _collected_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_plate, "COLLECT_S", 0.3)


def test_a_plate_is_taken_stored_and_used(program: Program) -> None:
    path = plate_path("fake", *SIZE)
    assert program.run("plate take 0").startswith(f"Picture of the empty room: {path}.")
    ((plate, camera),) = program.plates
    assert camera == "fake"
    assert plate.shape == (48, 64, 3)
    assert program.settings.matting.plate == path
    assert path.is_file()
    assert not program.pipeline.demand.takes_plate


def test_nothing_is_taken_during_the_countdown(program: Program) -> None:
    started_s = time.monotonic()
    assert "Picture of the empty room" in program.run("plate take 1")
    assert time.monotonic() - started_s >= 1 and len(program.plates) == 1


@pytest.mark.parametrize("first", ["before", "meanwhile"])
def test_a_paused_program_takes_no_plate(program: Program, first: str) -> None:
    if first == "before":
        program.run("pause")
    answer = beside(lambda: program.run("plate take 30"))
    if first == "meanwhile":
        eventually(lambda: program.pipeline.demand.takes_plate)
        program.run("pause")
    with pytest.raises(MattecamError, match="While Mattecam is paused"):
        answer.result(60)
    assert not program.plates
    assert program.settings.matting.plate is None
    assert program.pipeline.newest_frame is None


def test_someone_in_view_leaves_the_plate_in_use(program: Program, tmp_path: Path) -> None:
    old = tmp_path / "old.png"
    cv2.imwrite(str(old), room_picture())
    answer = program.run(f"plate {old}")
    assert answer == f"Picture of the empty room: {old}. The model mattecam does not use it; `bgmv2-*` do."
    program.plate_error = PlateError("Someone is still in view.")
    with pytest.raises(PlateError, match="still in view"):
        program.run("plate take 0")
    assert program.settings.matting.plate == old
    assert not program.pipeline.demand.takes_plate


def test_a_second_command_is_refused_and_an_end_cancels_the_first(program: Program) -> None:
    answer = beside(lambda: program.run("plate take 30"))
    eventually(lambda: program.pipeline.demand.takes_plate)
    with pytest.raises(CommandError, match="already being taken"):
        program.run("plate take 0")
    program.controller.close()
    with pytest.raises(MattecamError, match="no picture of the empty room was taken"):
        answer.result(60)
    assert not program.plates


def test_it_is_taken_while_the_picture_is_frozen(program: Program) -> None:
    program.run("freeze")
    program.run("plate take 0")
    assert len(program.plates) == 1


def test_a_plate_taken_again_builds_the_engine_again_with_the_exposure_held(program: Program) -> None:
    """Automatic exposure came back while the engine was built; the plate was of another brightness then."""
    program.run("plate take 0")
    held: list[bool] = []
    program.world.faults.put("build_engine", lambda: held.append(program.pipeline.demand.takes_plate))
    program.run("plate take 0")
    assert held and all(held)
    assert not program.pipeline.demand.takes_plate


def test_a_plate_is_dropped_and_its_file_stays(program: Program) -> None:
    program.run("plate take 0")
    path = plate_path("fake", *SIZE)
    assert str(path) in program.run("plate drop")
    assert program.settings.matting.plate is None
    assert path.is_file()
    with pytest.raises(CommandError, match="No picture of the empty room"):
        program.run("plate drop")


def test_a_model_without_a_plate_is_named(program: Program) -> None:
    program.run("model rvm-mobilenetv3")
    assert "rvm-mobilenetv3 does not use it" in program.run("plate take 0")
    program.run("model bgmv2-mobilenetv2")
    assert "does not use it" not in program.run("plate take 0")


@pytest.mark.parametrize("argument", ["take x", "take -1", "take 61", "take nan", "no-such-file.png"])
def test_impossible_arguments_are_refused(program: Program, argument: str) -> None:
    with pytest.raises(UsageError, match="write take"):
        program.run(f"plate {argument}")
    assert not program.plates


def test_a_client_waits_for_the_countdown() -> None:
    assert Command("plate", "take 20").extra_s > Command("plate", "take").extra_s > 8
    assert Command("plate", "take").extra_s == Command("plate", f"take {COUNTDOWN_S:g}").extra_s
    assert Command("plate", "drop").extra_s == Command("pause").extra_s == 0


def test_a_camera_that_rests_is_turned_on_and_holds_its_exposure(tmp_path: Path) -> None:
    world, held = FakeWorld(), list[bool]()
    world.source_kind, world.readers = "camera", 0

    class Watched(Changes):
        def wait(self, seconds: float) -> bool:
            held.append(world.sources[-1].holds_exposure)
            return super().wait(seconds)

    timing = Timing(demand_poll_s=0.02, demand_linger_s=0.1, source_retry_s=0.1)
    with running(world, BASE, timing) as pipeline:
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
        opened = len(world.sources)
        PlateCommand(Watched(pipeline, 30.0), lambda plate, camera: tmp_path / "plate.png").run("take 0.3")
        assert len(world.sources) == opened + 1
        assert held[-1]
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
