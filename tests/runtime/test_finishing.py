"""What becomes of a step: its composite, the stand-by card, a test of the engine, and what the governor is told."""

from __future__ import annotations

import threading

from app.runtime.engines.plan import StandBy
from app.runtime.status import Phase
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
