"""The camera is open only while somebody reads or watches."""

from __future__ import annotations

import time

from app.core.types import PictureKind
from app.runtime.status import Phase
from app.runtime.timing import Timing
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, apply, composites, running
from tests.waiting import eventually


def test_the_camera_is_released_while_nobody_reads() -> None:
    world = FakeWorld()
    world.source_kind = "camera"
    world.readers = 1
    with running(world, timing=Timing(demand_poll_s=0.02, demand_linger_s=0.1)) as pipeline:
        composites(pipeline)
        world.readers = 0
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
        assert pipeline.status().source is None, "the camera is still open"
        eventually(lambda: world.newest().kind is PictureKind.STANDBY)
        world.readers = 1
        composites(pipeline)
        world.readers = 0
        pipeline.demand.watched = True
        frames = pipeline.status().frames_out
        eventually(lambda: pipeline.status().frames_out > frames + 60)
        pipeline.demand.watched = False
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
        apply(pipeline, BASE.replace(output=BASE.output.replace(on_demand=False)))
        composites(pipeline)


def test_the_card_is_sent_rarely_while_nobody_reads() -> None:
    world = FakeWorld()
    world.source_kind = "camera"
    world.readers = 0
    with running(world, timing=Timing(demand_poll_s=0.02, demand_linger_s=0.1)) as pipeline:
        eventually(lambda: pipeline.status().phase is Phase.RESTING)
        eventually(lambda: bool(world.pictures()))
        sent, started_s = len(world.pictures()), time.monotonic()
        eventually(lambda: len(world.pictures()) >= sent + 5)
        assert time.monotonic() - started_s > 0.5, f"the rate is {BASE.capture.fps} Hz"
