"""The parts of a pipeline that a test can make fail, and a pipeline of them that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.runtime.pipeline import Pipeline
from tests.fakes.world import FakeWorld, live


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def pipeline(world: FakeWorld) -> Iterator[Pipeline]:
    """Runs with the parts of the world, and has sent composites."""
    with live(world) as made:
        yield made
