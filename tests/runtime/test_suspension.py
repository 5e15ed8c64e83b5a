"""A machine that is suspended for minutes: nothing from before is shown as if it were new."""

from __future__ import annotations

import threading
import time

import pytest

from app.core.threads import elapsed_s
from app.core.types import PictureKind
from app.runtime import watchdog
from app.runtime.finishing import SETTLED_STEPS
from app.runtime.outputs import output_clock
from app.runtime.timing import Timing
from tests.fakes.world import BASE, FakeWorld, composites, running, stands_still, still
from tests.waiting import eventually

UNHURRIED = Timing(stale_s=60.0)
"""In these tests only a suspension makes a composite stale."""


class Suspension:
    """Moves the clock that goes on while the machine is suspended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._slept_s = 0.0
        for module in (output_clock, watchdog):
            monkeypatch.setattr(module, "elapsed_s", lambda: elapsed_s() + self._slept_s)

    def sleep(self, seconds: float = 300) -> float:
        """Let the time pass; return time.perf_counter(), which does not know of it."""
        self._slept_s += seconds
        return time.perf_counter()


@pytest.fixture
def suspension(monkeypatch: pytest.MonkeyPatch) -> Suspension:
    return Suspension(monkeypatch)


def test_a_step_that_was_suspended_shows_nothing(suspension: Suspension, world: FakeWorld) -> None:
    goes_on, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        goes_on.wait(60)

    with running(world, BASE, UNHURRIED) as pipeline:
        composites(pipeline)
        world.faults.put("step", hold)
        assert begun.wait(60)
        world.faults.put("read", world.faults.hang)
        asleep_s = suspension.sleep()
        eventually(lambda: world.newest().frame is None)
        sent, matted = len(world.pictures()), pipeline.status().frames_out
        goes_on.set()
        eventually(lambda: pipeline.status().frames_out > matted)
        eventually(lambda: len(world.pictures()) > sent + 5)
        shown = [picture.frame for picture in world.pictures()[sent:]]
        assert not [frame for frame in shown if frame is not None and frame.captured_at_s < asleep_s]


def test_a_source_that_stands_still_is_shown_again_after_a_suspension(suspension: Suspension, world: FakeWorld) -> None:
    """The composite from before was repeated for every equal frame, and dropped each time: only the card was left."""
    world.shape = still()
    with running(world, BASE, UNHURRIED) as pipeline:
        composites(pipeline, SETTLED_STEPS + 5)
        asleep_s = suspension.sleep()
        # The card before it may last one tick, which waiting for it would miss.
        eventually(lambda: (frame := world.newest().frame) is not None and frame.captured_at_s >= asleep_s)


def test_no_card_is_shown_between_a_frozen_picture_and_the_next_one(suspension: Suspension, world: FakeWorld) -> None:
    """The frozen picture was too old to be repeated until then."""
    with running(world, BASE, UNHURRIED) as pipeline:
        composites(pipeline)
        pipeline.change(lambda now: now.replace(frozen=True))
        for _ in range(3):
            eventually(lambda: stands_still(pipeline, world))
            suspension.sleep(UNHURRIED.stale_s / 2)
        world.faults.put("step", lambda: time.sleep(0.1))
        eventually(lambda: stands_still(pipeline, world))
        sent = len(world.pictures())
        pipeline.change(lambda now: now.replace(frozen=False))
        composites(pipeline)
        eventually(lambda: len(world.pictures()) > sent)
        assert {picture.kind for picture in world.pictures()[sent:]} == {PictureKind.COMPOSITE}
