"""When a recording begins, what it contains and how it ends."""

from __future__ import annotations

from pathlib import Path

from app.core.types import PictureKind
from app.runtime.status import Stage
from tests.fakes import FakeWorld
from tests.runtime.test_pipeline import BASE, apply, composites, running
from tests.waiting import eventually


def test_recordings_start_and_end_with_the_settings(tmp_path: Path) -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        output = BASE.output.replace(record=tmp_path / "a.mp4")
        apply(pipeline, BASE.replace(output=output))
        eventually(lambda: pipeline.status().recording is not None)
        eventually(lambda: len(world.sinks[-1].pictures) > 3)
        apply(pipeline, BASE)
        eventually(lambda: pipeline.status().recording is None)
        assert len(world.sinks) == 2


def test_a_recording_begins_with_the_first_matte_and_keeps_later_stand_by_cards(tmp_path: Path) -> None:
    world = FakeWorld()
    world.faults.put("build_engine", world.faults.hang)
    output = BASE.output.replace(record=tmp_path / "a.mp4")
    with running(world, BASE.replace(output=output)) as pipeline:
        eventually(lambda: {"virtual_camera", "recorder"} == {sink.name for sink in world.sinks})
        camera, recorder = sorted(world.sinks, key=lambda sink: sink.name != "virtual_camera")
        eventually(lambda: len(camera.pictures) > 5)
        assert not recorder.pictures, "the program's start was recorded"
        world.faults.heal()
        eventually(lambda: len(recorder.pictures) > 2)
        assert recorder.pictures[0].kind is PictureKind.COMPOSITE
        apply(pipeline, BASE.replace(output=output, paused=True))
        eventually(lambda: recorder.pictures[-1].kind is PictureKind.STANDBY)


def test_a_full_disk_stops_the_recording_and_nothing_else(tmp_path: Path) -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        apply(pipeline, BASE.replace(output=BASE.output.replace(record=tmp_path / "full.mp4")))
        eventually(lambda: any(problem.stage is Stage.RECORDING for problem in pipeline.status().problems))
        composites(pipeline)
        assert "disk is full" in pipeline.status().problems[0].message
