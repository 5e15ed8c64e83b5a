"""A new ratio: the old engine runs on at half its rate while the new one is built, and is closed in the background."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.settings import MattingSettings
from app.runtime.engines.plan import Run, Skip
from tests.runtime.engines.simulated import Bench, bench
from tests.waiting import eventually

PINNED = MattingSettings(model="mattecam", governor=False, executor="eager")
NEW = PINNED.replace(downsample_ratio=0.3)
BUSY_S = 0.05


@pytest.fixture
def stepped() -> Iterator[Bench]:
    """After a step that ended at 10 s."""
    with bench() as made:
        made.settle(PINNED)
        made.now_s = 10.0
        made.ended(made.matte(PINNED), BUSY_S)
        yield made


def test_frames_are_skipped_for_as_long_as_the_last_step_took(stepped: Bench) -> None:
    assert isinstance(stepped.decide(PINNED), Run), "nothing is being built"
    stepped.gate.clear()
    stepped.now_s = 10.0 + 0.9 * BUSY_S
    assert isinstance(stepped.decide(NEW), Skip)
    stepped.now_s = 10.0 + 1.1 * BUSY_S
    assert isinstance(stepped.decide(NEW), Run), "the old ratio goes on"
    stepped.gate.set()
    stepped.settle(NEW)
    stepped.now_s = 10.0
    assert isinstance(stepped.decide(NEW), Run)


def test_no_frame_is_skipped_for_another_network(stepped: Bench) -> None:
    stepped.gate.clear()
    other = NEW.replace(model="rvm-mobilenetv3")
    assert isinstance(stepped.decide(other), Run)
    assert stepped.selector.preparer.busy


def test_the_old_engine_is_closed_on_the_builder_thread(stepped: Bench) -> None:
    stepped.settle(NEW)
    eventually(lambda: [engine.closed_on for engine in stepped.built] == ["engine-builder", ""])


def test_people_stay_when_only_the_engine_changes(stepped: Bench) -> None:
    assert not stepped.matte(PINNED).reset
    stepped.settle(NEW)
    swapped = stepped.matte(NEW)
    assert swapped.reset and swapped.continues
    other_source = stepped.matte(NEW, generation=2)
    assert other_source.reset and not other_source.continues
