"""What a run writes into the log: the source that opens, is lost and is back, and the engine."""

from __future__ import annotations

import time

import pytest

from app.core.errors import SourceLostError
from app.runtime.timing import Timing
from tests.fakes.world import FakeWorld
from tests.runtime.running import composites, running
from tests.waiting import eventually


def test_the_log_tells_the_story_of_a_camera(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "app.runtime")
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        world.faults.put("read", SourceLostError("The camera is disconnected."))
        eventually(lambda: "The camera is disconnected." in caplog.messages)
        world.faults.heal()
        eventually(lambda: "Over: The camera is disconnected." in caplog.messages)
    opened = [message for message in caplog.messages if message.startswith("Opened the source ")]
    assert len(opened) >= 2
    assert opened[0].endswith(" at 120 fps, no format of its own.")
    (engine,) = [message for message in caplog.messages if message.startswith("The engine is ")]
    assert engine.endswith(", as the settings ask.")


def test_a_source_that_opens_but_gives_no_frame_is_opened_again_after_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """It was opened again at once, for ever: its problem was over each time, so that the window hardly showed it."""
    caplog.set_level("INFO", "app.runtime")
    world = FakeWorld()
    with running(world, timing=Timing(source_retry_s=60)) as pipeline:
        composites(pipeline)
        world.faults.put("read", SourceLostError("The camera is disconnected."))
        eventually(lambda: sum(message.startswith("Opened the source ") for message in caplog.messages) == 2)
        eventually(lambda: bool(pipeline.status().problems))
        time.sleep(0.5)
        assert sum(message.startswith("Opened the source ") for message in caplog.messages) == 2
        (problem,) = pipeline.status().problems
        assert problem.message == "The camera is disconnected."
