"""Trying executors beside the running engine: no picture waits for it, and the user's choice comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from app.core.errors import ModelError
from app.core.settings import FramingSettings, MattingSettings
from app.matting.base import MattingEngine
from app.matting.selection.governor import Step
from app.runtime import engine_supply
from app.runtime.board import StatusBoard
from app.runtime.engine_supply import EngineSupply
from tests.runtime.test_governor import AUTO, HEIGHT, WIDTH, PlayedEngine
from tests.waiting import eventually

OTHER = AUTO.replace(model="student")


class Bench:
    """An `EngineSupply` whose trials a test answers."""

    def __init__(self) -> None:
        self.board = StatusBoard()
        self.supply = EngineSupply(self._build, self.board, self._try)
        self.built: list[PlayedEngine] = []
        self.trials: list[MattingSettings] = []
        self.answer = threading.Event()
        self.better = False
        self.error: Exception | None = None

    def runs(self, settings: MattingSettings = AUTO) -> MattingEngine:
        """The engine for `settings` after a good step."""
        eventually(lambda: self.supply.follow(settings, WIDTH, HEIGHT) is not None and self.newest_runs(settings))
        engine = self.supply.follow(settings, WIDTH, HEIGHT)
        assert engine is not None
        self.supply.worked(Step(0.0, 0.01, 0.01, 30.0))
        return engine

    def newest_runs(self, settings: MattingSettings) -> bool:
        engine = self.board.engine
        return engine is not None and engine.model == settings.model

    def answered(self) -> None:
        """Wait until the trial is over and its outcome was taken."""
        self.answer.set()
        eventually(lambda: not self.supply.busy)
        self.supply.poll()

    def _build(self, settings: MattingSettings, width: int, height: int, framing: FramingSettings) -> PlayedEngine:
        self.built.append(PlayedEngine(settings, width, height))
        return self.built[-1]

    def _try(self, settings: MattingSettings, width: int, height: int, cancelled: Callable[[], bool]) -> bool:
        self.trials.append(settings)
        while not cancelled():
            if self.answer.wait(0.005):
                if self.error is not None:
                    raise self.error
                return self.better
        return False


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench whose thread runs."""
    monkeypatch.setattr(engine_supply, "TRIAL_AFTER_S", 0.0)
    bench = Bench()
    bench.supply.start()
    yield bench
    bench.supply.request_stop()
    bench.supply.close_engine()
    assert bench.supply.join(10)
    assert all(engine.closed for engine in bench.built), "an engine was not closed"


def test_pictures_come_while_executors_are_tried(played: Bench) -> None:
    first = played.runs()
    eventually(lambda: played.trials != [])
    assert played.runs() is first
    played.answered()
    assert played.runs() is first
    assert (len(played.trials), len(played.built)) == (1, 1), "once is enough"


def test_nothing_is_tried_while_the_user_is_still_choosing(played: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_supply, "TRIAL_AFTER_S", 5.0)
    played.runs()
    played.supply.worked(Step(4.9, 0.01, 0.01, 30.0))
    assert not played.supply.busy
    played.supply.worked(Step(5.0, 0.01, 0.01, 30.0))
    eventually(lambda: played.trials != [])


def test_a_better_one_is_swapped_in(played: Bench) -> None:
    played.better = True
    first = played.runs()
    number = played.supply.number
    played.answered()
    second = played.runs()
    assert second is not first
    assert played.supply.number == number + 1, "its state begins anew"
    played.answered()
    assert len(played.built) == 2
    assert len(played.trials) == 1


def test_a_new_choice_does_not_wait_for_the_trial(played: Bench) -> None:
    played.better = True
    played.runs()
    eventually(lambda: played.trials != [])
    assert played.runs(OTHER).info.model == "student"
    assert [engine.info.model for engine in played.built] == ["auto", "student"]


def test_an_outcome_that_comes_too_late_is_dropped(played: Bench) -> None:
    played.better = True
    played.runs()
    played.answer.set()
    eventually(lambda: not played.supply.busy)
    played.answer.clear()
    assert played.runs(OTHER).info.model == "student"
    assert played.runs(OTHER).info.model == "student"


def test_a_trial_that_fails_changes_nothing(played: Bench) -> None:
    played.error = ModelError("It broke; choose another.")
    first = played.runs()
    played.answered()
    assert played.runs() is first
    status = played.board.read(busy="", readers=None, frames_dropped=0)
    assert not status.problems


def test_what_the_user_pinned_is_not_tried(played: Bench) -> None:
    pinned = AUTO.replace(executor="eager")
    played.runs(pinned)
    played.answered()
    assert not played.trials
