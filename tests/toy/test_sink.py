"""A new sink is one module and one row: thread, status, JSON, privacy and errors follow."""

from __future__ import annotations

import threading
from dataclasses import replace

from app.runtime.parts import Parts
from app.runtime.status import Phase, status_fields
from app.runtime.timing import Timing
from app.testing.parts import ROOM
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, composites, running
from tests.toy.sink import TOY, ToySink
from tests.waiting import eventually

ON = BASE.replace(output=BASE.output.replace(mirror=True))
BLUE = (255, 0, 0)


def parts_of(world: FakeWorld) -> Parts:
    return replace(world.parts(), sinks=[*world.parts().sinks, TOY]).with_sinks(toy_sink=TOY.open)


def test_a_row_is_all_that_a_sink_needs() -> None:
    world = FakeWorld()
    with running(world, BASE, parts=parts_of(world)) as pipeline:
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


def test_the_camera_stays_on_for_it() -> None:
    world = FakeWorld()
    world.source_kind, world.readers = "camera", 0
    with running(world, ON, Timing(demand_poll_s=0.02, demand_linger_s=0.1), parts=parts_of(world)) as pipeline:
        composites(pipeline, 60)
        pipeline.change(lambda settings: BASE)
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
