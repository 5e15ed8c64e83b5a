"""A new sink is one module and one row: thread, status, JSON, privacy and errors follow."""

from __future__ import annotations

import threading
from dataclasses import replace

from app.core.errors import SinkOpenError
from app.core.settings import Settings
from app.core.stage import Stage
from app.output.spec import OpenSink
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.runtime.status_fields import status_fields
from app.runtime.timing import Timing
from app.testing.room import ROOM
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, composites
from tests.toy.sink import TOY, ToySink
from tests.waiting import eventually

ON = BASE.replace(output=BASE.output.replace(mirror=True))
BLUE = (255, 0, 0)


def toy_pipeline(
    settings: Settings, toy: OpenSink = TOY.open, *, world: FakeWorld | None = None, timing: Timing | None = None
) -> Pipeline:
    parts = (world or FakeWorld()).parts()
    parts = replace(parts, sinks=[*parts.sinks, TOY]).with_sinks(toy_sink=toy)
    return Pipeline(settings, parts=parts, timing=timing)


def test_a_row_is_all_that_a_sink_needs() -> None:
    pipeline = toy_pipeline(BASE)
    pipeline.start()
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
    assert pipeline.stop()
    assert ROOM not in sink.corners


def test_its_failure_is_a_problem_of_the_outputs() -> None:
    def fails(*_: object) -> ToySink:
        raise SinkOpenError("The toy is broken; mend it.")

    pipeline = toy_pipeline(ON, fails)
    pipeline.start()
    eventually(
        lambda: (
            [(each.stage, each.message) for each in pipeline.status().problems]
            == [(Stage.OUTPUT, "The toy is broken; mend it.")]
        )
    )
    composites(pipeline)
    assert pipeline.stop()


def test_the_camera_stays_on_for_it() -> None:
    world = FakeWorld()
    world.source_kind, world.readers = "camera", 0
    pipeline = toy_pipeline(ON, world=world, timing=Timing(demand_poll_s=0.02, demand_linger_s=0.1))
    pipeline.start()
    composites(pipeline, 60)
    pipeline.change(lambda settings: BASE)
    eventually(lambda: pipeline.status().phase is Phase.RESTING)
    assert pipeline.stop()
