"""The pipeline with a real PipeWire camera beside the virtual camera."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from app.core.errors import ModelError, Stage
from app.output.base import FrameSink, OpenSink
from app.output.pipewire import open_camera as open_real
from app.output.pipewire import wanted_camera
from app.runtime.context import Timing
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.system.pipewire.stream import NodeReader
from mattecam.testing import ROOM
from tests.fakes.states import has_problems, in_phase
from tests.fakes.world import BASE, FakeWorld, apply, composites, live, running
from tests.output.pipewire.feeding import image_of, next_frame, reading
from tests.pipewire_session import PrivateSession, private_session
from tests.waiting import eventually, eventually_is, no_longer

FAST = Timing(demand_poll_s=0.02, demand_linger_s=0.1, sink_retry_s=0.2)
BLUE = (255, 0, 0)


def camera_running(world: FakeWorld, timing: Timing = FAST) -> AbstractContextManager[Pipeline]:
    """Run a pipeline with a real PipeWire camera."""
    return running(world, timing=timing, parts=world.parts().with_sinks(pipewire=open_real))


def shows(reader: NodeReader, colour: tuple[int, ...]) -> bool:
    corner = image_of(next_frame(reader))[4:8, 4:8].reshape(-1, 3).mean(0)
    return bool(np.abs(corner - colour).max() < 3)


def shows_room(reader: NodeReader) -> bool:
    return bool((np.abs(image_of(next_frame(reader)).astype(int) - ROOM).max(2) <= 8).any())


def readers(pipeline: Pipeline) -> int | None:
    return pipeline.status().readers


def has_node(pipeline: Pipeline) -> bool:
    return pipeline.status().pipewire is not None


def is_lost(reader: NodeReader) -> bool:
    return reader.lost


def is_called(step: Mock) -> bool:
    return bool(step.called)


def failed_stages(pipeline: Pipeline) -> list[Stage]:
    return [problem.stage for problem in pipeline.status().problems]


def sends_foreground(world: FakeWorld) -> bool:
    return world.newest().foreground is not None


@pytest.mark.parametrize("fault", ["raises", "hangs"])
def test_a_failing_step_shows_the_card_never_the_room(
    pipewire: PrivateSession,
    fault: str,
    world: FakeWorld,
) -> None:
    def shows_card() -> bool:
        assert not shows_room(reader)
        return not shows(reader, BLUE)

    with camera_running(world, replace(FAST, stale_s=0.3)), reading() as reader:
        eventually(shows, reader, BLUE)
        broken = ModelError("The network gave no picture; choose another.")
        hang = partial(world.faults.hang, 120.0)
        fail = Mock(side_effect=broken if fault == "raises" else hang)
        world.faults.put("step", fail)
        eventually(is_called, fail)  # the step before is over
        eventually(shows_card)
        for _ in range(20):
            assert shows_card()
        world.faults.heal()
        eventually(shows, reader, BLUE)
    assert pipewire.nodes() == []


def test_the_camera_is_on_exactly_while_a_program_reads_the_node(
    pipewire: PrivateSession,
    world: FakeWorld,
) -> None:
    world.source_kind = "camera"
    world.readers = 0
    with camera_running(world) as pipeline:
        for _ in range(3):
            eventually(in_phase, pipeline, Phase.RESTING)
            assert _closed(world) and pipeline.status().readers == 0
            opened = len(world.sources)
            with reading() as reader:
                eventually(shows, reader, BLUE)
                time.sleep(0.3)
                assert not _closed(world) and pipeline.status().readers == 1
            assert len(world.sources) == opened + 1


def _closed(world: FakeWorld) -> bool:
    return world.sources[-1].closed_on is not None


def test_readers_of_the_cameras_in_use_are_added(world: FakeWorld) -> None:
    with live(world, timing=FAST) as pipeline:
        for camera, v4l2, node, total in (
            ("fake", 2, 1, 3), ("fake", 2, None, 2), ("fake", 0, 0, 0), ("fake", None, 1, None), ("off", 7, 0, 0),
        ):  # fmt: skip
            world.readers = v4l2
            world.node = node
            apply(
                pipeline,
                BASE.replace(output=BASE.output.replace(virtual_camera=camera, pipewire="on")),
            )
            eventually_is(total, readers, pipeline)


@pytest.mark.linux("app.output.pipewire")
@pytest.mark.parametrize(
    ("virtual_camera", "choice", "offered"),
    [("fake", "auto", True), ("off", "auto", False), ("off", "on", True), ("fake", "off", False)],
)
def test_the_choice_of_the_user(virtual_camera: str, choice: str, offered: bool) -> None:
    output = BASE.output.replace(virtual_camera=virtual_camera, pipewire=choice)
    assert (wanted_camera(BASE.replace(output=output)) is not None) is offered


def test_a_missing_daemon_is_a_problem_only_if_the_camera_was_asked_for(world: FakeWorld) -> None:
    with camera_running(world) as pipeline:
        composites(pipeline)
        assert pipeline.status().problems == ()
        apply(pipeline, BASE.replace(output=BASE.output.replace(pipewire="on")))
        eventually_is([Stage.PIPEWIRE], failed_stages, pipeline)
        assert "pipewire and wireplumber" in pipeline.status().problems[0].message
        composites(pipeline)
        apply(pipeline, BASE)
        no_longer(has_problems, pipeline)


@pytest.mark.linux("app.output.pipewire")
def test_the_camera_returns_after_the_daemon_was_restarted(
    monkeypatch: pytest.MonkeyPatch,
    world: FakeWorld,
) -> None:
    with private_session() as session:
        monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(session.folder))
        with camera_running(world) as pipeline:
            with reading() as reader:
                eventually(shows, reader, BLUE)
                session.kill_pipewire()
                no_longer(has_node, pipeline)
                eventually(is_lost, reader)
            assert "PipeWire has stopped" in pipeline.status().errors[-1]
            composites(pipeline)
            session.start_pipewire()
            eventually(has_node, pipeline)
            no_longer(has_problems, pipeline)
            with reading() as reader:
                eventually(shows, reader, BLUE)


@pytest.mark.linux("app.output.pipewire")
def test_alpha_output_asks_for_the_foreground_and_reopens_the_cameras(world: FakeWorld) -> None:
    world.node = 1
    opened: dict[str, list[Any]] = {"virtual_camera": [], "pipewire": []}

    def noting(name: str, real: OpenSink, choice: Any, *arguments: Any) -> FrameSink:
        opened[name].append(choice)
        return real(choice, *arguments)

    def both_are_open() -> bool:
        return all(opened.values())

    def node_takes_alpha() -> bool:
        return bool(opened["pipewire"][-1].alpha)

    def camera_is_of_v4l2() -> bool:
        return bool(opened["virtual_camera"][-1].backend == "v4l2")

    real = {
        spec.name: partial(noting, spec.name, spec.open)
        for spec in world.parts().sinks
        if spec.name in opened
    }
    parts = world.parts().with_sinks(**real)
    with live(world, timing=FAST, parts=parts) as pipeline:
        eventually(both_are_open)
        assert all(picture.foreground is None for picture in world.pictures())
        apply(pipeline, BASE.replace(output=BASE.output.replace(alpha_output="bgra", mirror=True)))
        eventually(sends_foreground, world)
        eventually(node_takes_alpha)
        apply(pipeline, BASE.replace(output=BASE.output.replace(virtual_camera_backend="v4l2")))
        eventually(camera_is_of_v4l2)
        no_longer(sends_foreground, world)
    assert [choice.backend for choice in opened["virtual_camera"]] == ["auto", "v4l2"]
    assert [choice.alpha for choice in opened["pipewire"]] == [False, True, False]
