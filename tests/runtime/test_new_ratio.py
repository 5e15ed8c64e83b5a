"""A new ratio: the old engine runs on at half its pace while the new one is built, and is closed beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.core.settings import FramingSettings, MattingSettings
from app.matting.selection.governor import Step
from app.runtime.board import StatusBoard
from app.runtime.engine_supply import EngineSupply
from tests.runtime.test_governor import HEIGHT, WIDTH, PlayedEngine
from tests.waiting import eventually

PINNED = MattingSettings(model="student", governor=False, executor="eager")
BUSY_S = 0.05


class Built:
    """An `EngineSupply` whose builder waits at a gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.engines: list[PlayedEngine] = []
        self.closed_on: list[str] = []
        self.supply = EngineSupply(self._build, StatusBoard())

    def ask(self, settings: MattingSettings) -> None:
        """A frame comes with these settings."""
        self.supply.follow(settings, WIDTH, HEIGHT)

    def in_use(self, settings: MattingSettings) -> bool:
        """Whether everything asked for runs."""
        self.ask(settings)
        return not self.supply.busy

    def _build(self, settings: MattingSettings, width: int, height: int, framing: FramingSettings) -> PlayedEngine:
        assert self.gate.wait(10)
        built = self

        class Engine(PlayedEngine):
            def close(self) -> None:
                super().close()
                built.closed_on.append(threading.current_thread().name)

        self.engines.append(Engine(settings, width, height))
        return self.engines[-1]


@pytest.fixture
def built() -> Iterator[Built]:
    built = Built()
    built.supply.start()
    try:
        built.ask(PINNED)
        eventually(lambda: built.in_use(PINNED))
        yield built
    finally:
        built.gate.set()
        built.supply.request_stop()
        built.supply.close_engine()
        assert built.supply.join(10)
        assert all(engine.closed for engine in built.engines), "an engine was not closed"


def test_frames_are_left_out_for_as_long_as_the_last_one_took(built: Built) -> None:
    built.supply.worked(Step(10.0, BUSY_S, BUSY_S, 30.0))
    assert not built.supply.gives_way(10.0), "nothing is being built"
    built.gate.clear()
    built.ask(PINNED.replace(downsample_ratio=0.3))
    assert built.supply.gives_way(10.0 + 0.9 * BUSY_S)
    assert not built.supply.gives_way(10.0 + 1.1 * BUSY_S), "the old ratio goes on"
    built.gate.set()
    eventually(lambda: built.in_use(PINNED.replace(downsample_ratio=0.3)))
    assert not built.supply.gives_way(10.0)


def test_what_takes_longer_to_build_has_no_frame_left_out_for_it(built: Built) -> None:
    built.supply.worked(Step(10.0, BUSY_S, BUSY_S, 30.0))
    built.gate.clear()
    built.ask(PINNED.replace(model="rvm-mobilenetv3", downsample_ratio=0.3))
    assert built.supply.busy
    assert not built.supply.gives_way(10.0)


def test_the_old_engine_is_closed_on_the_builders_thread(built: Built) -> None:
    wanted = PINNED.replace(downsample_ratio=0.3)
    built.ask(wanted)
    eventually(lambda: built.in_use(wanted))
    eventually(lambda: built.closed_on == ["engine-builder"])
    assert [engine.closed for engine in built.engines] == [True, False]
