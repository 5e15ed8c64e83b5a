"""What becomes of a step: its composite, the stand-by card, a test of the engine, and what the governor is told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from app.core.types import Matte, PictureKind
from app.matting.base.interface import Pending
from app.runtime.engines.plan import StandBy
from app.runtime.status import Phase
from app.testing.parts import FakeEngine
from tests.fakes.world import FakeWorld, check_the_room_never_shows, each_failure
from tests.runtime.inference import bench
from tests.waiting import eventually


def test_the_governor_is_told_which_frames_the_network_left_out() -> None:
    with bench() as tried:
        tried.engine.still.add(2)
        tried.send_shown(1, 2, 3)
        eventually(lambda: [step.still for step in tried.engines.steps] == [False, True, False])


def test_the_card_follows_the_last_composite() -> None:
    with bench() as tried:
        tried.engine.gates[1] = threading.Event()
        tried.send(1)
        eventually(lambda: "step 1" in tried.engine.events)
        tried.inference.frames.put(StandBy(Phase.WAITING))
        threading.Timer(0.05, tried.engine.gates[1].set).start()
        eventually(lambda: len(tried.published) == 2)
        assert tried.shown == [1, "card"]


def test_a_step_that_fails_closes_the_engine_and_shows_the_card() -> None:
    with bench() as tried:
        tried.send_shown(1)
        tried.send(0)
        eventually(lambda: tried.shown == [1, "card"])
        assert tried.engines.errors == ["The network fails."]
        assert tried.engine.events[-1] == "close"
        assert len(tried.engines.steps) == 1


def test_a_suspicious_matte_is_shown_after_a_test_of_the_engine() -> None:
    with bench() as tried:
        tried.engine.alphas[2] = 255
        tried.send_shown(1, 2, 3)
        assert tried.shown == [1, 2, 3]
        assert tried.tested_after == [["reset", "step 1", "step 2"]]


class FailingResult(FakeEngine):
    """A `FakeEngine` whose composites suffer faults under the name `finish`."""

    def step(self, *arguments: Any, **named: Any) -> Pending:
        ready = super().step(*arguments, **named)

        def result() -> Matte:
            self._faults.at("finish")
            return ready.result()

        return Pending(result)


@each_failure(["finish"], ["start", "middle", "shutdown"])
def test_the_room_never_shows(stage: str, kind: str, moment: str, tmp_path: Path, world: FakeWorld) -> None:
    world.engine = FailingResult
    check_the_room_never_shows(world, stage, kind, moment, tmp_path)
    assert any(picture.kind is PictureKind.COMPOSITE for picture in world.pictures())
