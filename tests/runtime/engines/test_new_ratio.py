"""A new ratio: the old engine runs on at half its rate while the new one is built, and is closed in the background."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.core.settings import EngineSettings, FramingSettings, MattingSettings
from app.core.types import Frame
from app.matting.selection.governor import StepTiming
from app.runtime.board import StatusBoard
from app.runtime.engines.decision import Decision, Run, Skip
from app.runtime.engines.selector import EngineSelector
from app.runtime.timing import Timing
from tests.runtime.engines.simulated import IMAGE, SimulatedEngine, ended, no_test, whole_settings
from tests.waiting import eventually

PINNED = MattingSettings(model="mattecam", governor=False, executor="eager")
BUSY_S = 0.05


class Built:
    """An `EngineSelector` whose builder waits at a gate, with a clock that a test sets."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.engines: list[SimulatedEngine] = []
        self.closed_on: list[str] = []
        self.now_s = 0.0
        self.selector = EngineSelector(self._build, no_test, StatusBoard(), Timing(), lambda: self.now_s)
        self._frames = 0

    def decide(self, settings: MattingSettings) -> Decision:
        """A frame comes with these settings."""
        self._frames += 1
        return self.selector.decide(Frame(IMAGE, self._frames, 0.0), 1, whole_settings(settings))

    def in_use(self, settings: MattingSettings) -> bool:
        """Whether everything requested runs."""
        self.decide(settings)
        return not self.selector.busy

    def step(self) -> None:
        """A step that ends at 10 s."""
        run = self.decide(PINNED)
        assert isinstance(run, Run)
        ended(self.selector, run, StepTiming(10.0, BUSY_S, BUSY_S, 30.0))
        self.now_s = 10.0

    def _build(self, settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> SimulatedEngine:
        assert self.gate.wait(10)
        built = self

        class Engine(SimulatedEngine):
            def close(self) -> None:
                super().close()
                built.closed_on.append(threading.current_thread().name)

        self.engines.append(Engine(settings, width, height))
        return self.engines[-1]


@pytest.fixture
def built() -> Iterator[Built]:
    built = Built()
    built.selector.preparer.start()
    try:
        built.decide(PINNED)
        eventually(lambda: built.in_use(PINNED))
        yield built
    finally:
        built.gate.set()
        built.selector.preparer.request_stop()
        built.selector.close_engine()
        assert built.selector.preparer.join(10)
        assert all(engine.closed for engine in built.engines), "an engine was not closed"


def test_frames_are_skipped_for_as_long_as_the_last_step_took(built: Built) -> None:
    new = PINNED.replace(downsample_ratio=0.3)
    built.step()
    assert isinstance(built.decide(PINNED), Run), "nothing is being built"
    built.gate.clear()
    built.now_s = 10.0 + 0.9 * BUSY_S
    assert isinstance(built.decide(new), Skip)
    built.now_s = 10.0 + 1.1 * BUSY_S
    assert isinstance(built.decide(new), Run), "the old ratio goes on"
    built.gate.set()
    eventually(lambda: built.in_use(new))
    built.now_s = 10.0
    assert isinstance(built.decide(new), Run)


def test_no_frame_is_skipped_for_another_network(built: Built) -> None:
    built.step()
    built.gate.clear()
    other = PINNED.replace(model="rvm-mobilenetv3", downsample_ratio=0.3)
    assert isinstance(built.decide(other), Run)
    assert built.selector.busy


def test_the_old_engine_is_closed_on_the_builder_thread(built: Built) -> None:
    wanted = PINNED.replace(downsample_ratio=0.3)
    built.decide(wanted)
    eventually(lambda: built.in_use(wanted))
    eventually(lambda: built.closed_on == ["engine-builder"])
    assert [engine.closed for engine in built.engines] == [True, False]


def test_people_stay_when_only_the_engine_changes(built: Built) -> None:
    new = PINNED.replace(downsample_ratio=0.3)
    built.step()
    same = built.decide(PINNED)
    assert isinstance(same, Run)
    assert not same.reset

    built.decide(new)
    eventually(lambda: built.in_use(new))
    swapped = built.decide(new)
    assert isinstance(swapped, Run)
    assert swapped.reset
    assert swapped.continues

    other_source = built.selector.decide(Frame(IMAGE, 99, 0.0), 2, whole_settings(new))
    assert isinstance(other_source, Run)
    assert other_source.reset
    assert not other_source.continues


def test_after_a_pause_nobody_is_known(built: Built) -> None:
    built.step()
    paused = whole_settings(PINNED).replace(paused=True)
    built.selector.decide(Frame(IMAGE, 98, 0.0), 1, paused)
    resumed = built.selector.decide(Frame(IMAGE, 99, 0.0), 1, whole_settings(PINNED))
    assert isinstance(resumed, Run)
    assert resumed.reset
    assert not resumed.continues
