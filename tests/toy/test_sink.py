"""A new sink is one module and one row: thread, status, JSON, privacy and errors follow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app.core.errors import SinkOpenError
from app.core.settings import Settings
from app.core.stage import Stage
from app.output.base import OpenSink
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, status_fields
from app.runtime.timing import Timing
from app.testing.parts import ROOM
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, composites, running
from tests.toy.sink import TOY, ToySink
from tests.waiting import eventually

ON = BASE.replace(output=BASE.output.replace(mirror=True))
BLUE = (255, 0, 0)


@contextmanager
def toy_running(
    settings: Settings, toy: OpenSink = TOY.open, *, world: FakeWorld | None = None, timing: Timing | None = None
) -> Iterator[Pipeline]:
    world = world or FakeWorld()
    parts = replace(world.parts(), sinks=[*world.parts().sinks, TOY]).with_sinks(toy_sink=toy)
    with running(world, settings, timing, parts=parts) as pipeline:
        yield pipeline


def test_a_row_is_all_that_a_sink_needs() -> None:
    with toy_running(BASE) as pipeline:
        assert "toy-sink" in {thread.name for thread in threading.enumerate()}
        composites(pipeline)
        assert status_fields(pipeline.status())["toy_sink"] is None
        pipeline.change(lambda settings: ON)
        eventually(lambda: pipeline.status().outputs["toy_sink"] == "/dev/toy")
        sink = ToySink.opened[-1]
        eventually(lambda: BLUE in sink.corners)
        pipeline.change(lambda settings: settings.replace(paused=True))
        eventually(lambda: sink.corners[-1] != BLUE)
        pipeline.change(lambda settings: BASE)
        eventually(lambda: sink.closed and pipeline.status().outputs["toy_sink"] is None)
    assert ROOM not in sink.corners


def test_its_failure_is_a_problem_of_the_outputs() -> None:
    def fails(*_: object) -> ToySink:
        raise SinkOpenError("The toy is broken; mend it.")

    expected = [(Stage.OUTPUT, "The toy is broken; mend it.")]
    with toy_running(ON, fails) as pipeline:
        eventually(lambda: [(each.stage, each.message) for each in pipeline.status().problems] == expected)
        composites(pipeline)


def test_the_camera_stays_on_for_it() -> None:
    world = FakeWorld()
    world.source_kind, world.readers = "camera", 0
    with toy_running(ON, world=world, timing=Timing(demand_poll_s=0.02, demand_linger_s=0.1)) as pipeline:
        composites(pipeline, 60)
        pipeline.change(lambda settings: BASE)
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
