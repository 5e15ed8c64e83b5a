"""When a recording begins, what it contains and how it ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from app.core.errors import ModelError, SinkLostError
from app.core.stage import Stage
from app.core.types import Matte, PictureKind
from app.output.base import FrameSink, SinkContext
from app.output.recorder import Recorder
from app.output.recording import FEEDER_NICENESS
from app.runtime.board import StatusBoard
from app.runtime.pipeline import Pipeline
from app.runtime.status import PipelineStatus
from app.testing.parts import FakeEngine, FakeSink, StepInput
from tests.fakes.world import BASE, FakeWorld, apply, composites, ignore, running
from tests.output.sound.sources import FakeDevice
from tests.waiting import eventually


def test_a_recording_begins_with_the_first_matte_and_keeps_later_stand_by_cards(
    tmp_path: Path, world: FakeWorld
) -> None:
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


def test_a_card_on_its_way_while_the_first_matte_comes_is_not_recorded(tmp_path: Path) -> None:
    world, opening, matted = FakeWorld(), threading.Event(), threading.Event()
    pipeline = Pipeline(BASE.replace(output=BASE.output.replace(record=tmp_path / "a.mp4")), parts=world.parts())

    def hold_the_recorder() -> None:
        """It has a card to send by now."""
        opening.set()
        matted.wait(60)

    def hold_the_output() -> None:
        """The composite is not handed over before the recorder, which holds the card, has had time to send it."""
        picture = pipeline.preview.get(0)
        if picture is not None and picture.kind is PictureKind.COMPOSITE and not matted.is_set():
            matted.set()
            eventually(lambda: pipeline.status().recording is not None)
            time.sleep(0.05)

    world.faults.put("open_recorder", hold_the_recorder)
    world.faults.put("step", lambda: ignore(opening.wait(60)))
    pipeline.listen(hold_the_output)
    pipeline.start()
    try:
        eventually(lambda: any(sink.name == "recorder" and len(sink.pictures) > 2 for sink in world.sinks))
    finally:
        assert pipeline.stop()
    (recorder,) = (sink for sink in world.sinks if sink.name == "recorder")
    assert recorder.pictures[0].kind is PictureKind.COMPOSITE


def test_a_full_disk_stops_one_recording_and_nothing_else_and_stays_reported(tmp_path: Path, world: FakeWorld) -> None:
    """A run without a window ended with 0 although its recording had failed."""
    output = BASE.output.replace(record=tmp_path / "full.mp4", record_alpha=tmp_path / "alpha.mp4")
    with running(world, BASE.replace(output=output)) as pipeline:
        world.faults.put("open_recorder", lambda: eventually(lambda: bool(pipeline.status().problems)))
        eventually(lambda: pipeline.status().outputs.get("recording_alpha") is not None)
        composites(pipeline)
        assert [problem.stage for problem in pipeline.status().problems] == [Stage.RECORDING]


def test_no_status_lacks_a_recording_that_failed_without_its_problem(
    tmp_path: Path, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problems were read first: a recording that failed meanwhile looked like one that had been stopped."""
    read = StatusBoard.read

    def read_before_it_fails(board: StatusBoard) -> PipelineStatus:
        monkeypatch.setattr(StatusBoard, "read", read)
        before = read(board)
        world.faults.put("recorder", SinkLostError("The disk is full."))
        eventually(lambda: pipeline.status().recording is None)
        return before

    with running(world, BASE.replace(output=BASE.output.replace(record=tmp_path / "a.mp4"))) as pipeline:
        eventually(lambda: pipeline.status().recording is not None)
        monkeypatch.setattr(StatusBoard, "read", read_before_it_fails)
        status = pipeline.status()
        assert status.recording is not None or status.problems


def test_every_encoded_frame_is_counted_and_the_frame_path_has_priority_over_the_encoder(tmp_path: Path) -> None:
    output = BASE.output.replace(record=tmp_path / "a.mp4")
    world, own = FakeWorld(), os.getpriority(os.PRIO_PROCESS, 0)
    with running(world, BASE.replace(output=output), parts=world.parts().with_sinks(recording=Recorder)) as live:
        eventually(lambda: live.status().encoded_frames >= 5)
        if sys.platform == "linux":  # only there a thread has a niceness of its own
            niceness = {
                (task / "comm").read_text().strip(): os.getpriority(os.PRIO_PROCESS, int(task.name))
                for task in Path("/proc/self/task").iterdir()
            }
            assert {niceness[name] for name in ("capture", "matting", "output-clock", "virtual-camera")} == {own}
            assert niceness["encoder"] == min(19, own + FEEDER_NICENESS)
    with av.open(str(tmp_path / "a.mp4")) as container:
        images = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert live.status().encoded_frames == len(images)
    assert images[0][4:12, 4:12, 0].mean() > 200, "blue behind the person"


def test_the_encoder_is_told_of_every_step(tmp_path: Path) -> None:
    world, gaps, waits_s = FakeWorld(), list[Callable[[float], object]](), list[float]()

    class Waiting(FakeEngine):
        """Waits within its steps for the gap between steps, as the encoder does."""

        def matte(self, step: StepInput) -> Matte:
            for wait_for_gap in gaps:
                started_s = time.perf_counter()
                wait_for_gap(0.05)
                waits_s.append(time.perf_counter() - started_s)
            return super().matte(step)

    def open_recorder(path: Path, width: int, height: int, context: SinkContext) -> FrameSink:
        gaps.append(context.wait_for_gap)
        return FakeSink("recorder")

    world.engine = Waiting
    output = BASE.output.replace(record=tmp_path / "a.mp4")
    parts = world.parts().with_sinks(recording=open_recorder)
    with running(world, BASE.replace(output=output), parts=parts) as pipeline:
        eventually(lambda: len(waits_s) >= 3)
        world.faults.put("step", ModelError("The network fails."))
        eventually(lambda: bool(pipeline.status().problems))
        assert gaps[0](60), "a step that fails is over"
        world.faults.heal()
    assert min(waits_s) > 0.04


def test_sound_is_recorded_but_not_while_paused(tmp_path: Path) -> None:
    world, device = FakeWorld(), FakeDevice()
    path = tmp_path / "a.mp4"
    parts = replace(world.parts().with_sinks(recording=Recorder), open_microphone=device.open)
    output = BASE.output.replace(record=path, microphone="default", encoder="x264")
    with running(world, BASE.replace(output=output), parts=parts) as pipeline:
        eventually(lambda: device.open_now == 1 and pipeline.status().encoded_frames > 0)  # from then on it has sound
        time.sleep(1)
        apply(pipeline, BASE.replace(output=output, paused=True))
        eventually(lambda: device.open_now == 0)
        time.sleep(1)
        assert device.open_now == 0, "a paused program holds no microphone"
        apply(pipeline, BASE.replace(output=output))
        eventually(lambda: device.open_now == 1)
        time.sleep(0.7)
        device.lost = True
        eventually(lambda: any(problem.stage is Stage.MICROPHONE for problem in pipeline.status().problems))
        assert pipeline.status().recording is not None
        apply(pipeline, BASE)
        eventually(lambda: pipeline.status().recording is None)
        eventually(lambda: not [p for p in pipeline.status().problems if p.stage is Stage.MICROPHONE])
    assert device.open_now == 0 and device.opened == ["default", "default"]
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    loud = np.abs(sound[: len(sound) // 960 * 960].reshape(-1, 960)).max(axis=1) > 0.05
    edges = np.flatnonzero(np.diff(loud.astype(int)))
    quiet_s = max(np.diff(edges)) * 0.02
    assert loud.sum() * 0.02 > 1.2 and quiet_s > 0.9


def test_the_matte_is_recorded_without_sound(tmp_path: Path) -> None:
    world, device = FakeWorld(), FakeDevice()
    path = tmp_path / "a.mp4"
    parts = replace(
        world.parts().with_sinks(recording_alpha=partial(Recorder, alpha=True)), open_microphone=device.open
    )
    output = BASE.output.replace(record_alpha=path, microphone="default", encoder="x264")
    with running(world, BASE.replace(output=output), parts=parts) as pipeline:
        eventually(lambda: pipeline.status().encoded_frames > 3)
    assert device.opened == []


def test_the_end_of_the_program_waits_for_a_recording_that_is_being_finished(tmp_path: Path) -> None:
    """Hours of packets take longer to copy than threads take to end."""
    finished: list[Path] = []

    class Long(FakeSink):
        def close(self) -> None:
            time.sleep(2)
            finished.append(tmp_path)

    world = FakeWorld()
    parts = world.parts().with_sinks(recording=lambda *_: Long("recorder"))
    pipeline = Pipeline(BASE.replace(output=BASE.output.replace(record=tmp_path / "a.mp4")), parts=parts)
    pipeline.start()
    eventually(lambda: pipeline.status().recording is not None)
    pipeline.stop(timeout_s=1)
    assert finished
