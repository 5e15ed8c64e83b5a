"""What a run writes into the log: the source that opens, is lost and is back, and the engine."""

from __future__ import annotations

import pytest

from app.core.errors import SourceLostError
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
