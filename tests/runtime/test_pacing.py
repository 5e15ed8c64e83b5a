"""The steady clock, and what is shown between slow pictures."""

from __future__ import annotations

import itertools
import random
import threading
from collections import deque

import numpy as np
import pytest

from app.core.types import Picture, PictureKind
from app.privacy.gate import Gate
from app.runtime.engines.plan import StandBy
from app.runtime.outputs import output_clock
from app.runtime.outputs.output_clock import OutputClock, SteadyClock
from app.runtime.outputs.standby_pictures import StandbyPictures
from app.runtime.shared import SettingsOwner, Shared
from app.runtime.timing import Timing
from app.runtime.worker import LatestSlot, SlotClosed
from tests.fakes.world import BASE, FakeWorld


class SimulatedTime:
    """Time that goes by only where somebody waits; stands in for the clock's time and for the event `stop`."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s

    def wait(self, duration_s: float) -> bool:
        self.now_s += duration_s
        return False


def test_the_clock_neither_drifts_nor_makes_up_for_missed_ticks() -> None:
    simulated = SimulatedTime()
    clock = SteadyClock(200, simulated.perf_counter)
    for _ in range(40):
        assert clock.wait(simulated)  # type: ignore[arg-type]
    assert simulated.now_s == pytest.approx(0.2, abs=0.005)
    simulated.now_s += 0.1  # a long tick: 20 are missed
    burst_s = simulated.now_s
    for _ in range(4):
        clock.wait(simulated)  # type: ignore[arg-type]
    assert 0.009 <= simulated.now_s - burst_s <= 0.02


def test_the_clock_ends_at_once_when_stopped() -> None:
    stop = threading.Event()
    stop.set()
    assert not SteadyClock(0.1).wait(stop)


def play(arrivals_s: list[float]) -> tuple[list[float], list[float], float]:
    """A clock of 30 Hz over news at these times: how long each that was sent had waited, the ticks, the seconds."""
    simulated = SimulatedTime()
    clock = SteadyClock(30, simulated.perf_counter)
    coming = deque(arrivals_s)
    waits_s: list[float] = []
    ticks_s: list[float] = []
    while coming:
        clock.wait(simulated)  # type: ignore[arg-type]
        newest_s: float | None = None
        while coming and coming[0] <= simulated.now_s:
            newest_s = coming.popleft()
        if newest_s is None and coming and coming[0] <= simulated.now_s + clock.remaining_s:
            newest_s = simulated.now_s = coming.popleft()
        if newest_s is None:
            simulated.now_s += clock.remaining_s
        else:
            clock.note_arrival()
            waits_s.append(simulated.now_s - newest_s)
        ticks_s.append(simulated.now_s)
    return waits_s, ticks_s, simulated.now_s


@pytest.mark.parametrize("rate_hz", [5.0, 14.3, 23.8, 29.0])
def test_what_comes_more_slowly_than_the_clock_never_waits(rate_hz: float) -> None:
    waits_s, ticks_s, seconds = play([0.02 + n / rate_hz for n in range(400)])
    assert len(waits_s) == 400
    assert max(waits_s) == 0
    assert 29.5 < len(ticks_s) / seconds <= 30.1


@pytest.mark.parametrize("phase_ms", range(0, 34, 3))
def test_a_camera_at_the_clocks_rate_hardly_waits_and_loses_nothing(phase_ms: int) -> None:
    dice = random.Random(phase_ms)
    waits_s, ticks_s, _ = play([0.1 + phase_ms / 1e3 + n / 30 + dice.gauss(0, 0.002) for n in range(600)])
    assert sorted(waits_s)[300] < 0.005
    assert len(waits_s) >= 597
    assert len(ticks_s) - len(waits_s) < 30, "hardly a repetition"


def test_what_comes_faster_is_sent_at_the_clocks_rate() -> None:
    waits_s, ticks_s, seconds = play([n / 100 for n in range(2000)])
    gaps_s = [after - before for before, after in itertools.pairwise(ticks_s[5:-1])]
    assert max(waits_s[:-1]) <= 0.0101
    assert max(gaps_s) - min(gaps_s) < 1e-6
    assert len(ticks_s) / seconds == pytest.approx(30, rel=0.01)


class SlowPictures(LatestSlot[Picture | StandBy]):
    """Ten pictures, one in every sixth tick of 25 ms, each made under settings that are no longer those in force."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._ticks = 0

    def get(self, timeout_s: float | None = None) -> Picture | None:
        if self._ticks == 60:
            raise SlotClosed
        self._ticks, self.now_s = self._ticks + 1, self.now_s + 0.025
        comes = self._ticks % 6 == 1
        image = np.zeros((48, 64, 3), np.uint8)
        return Picture(image, PictureKind.COMPOSITE, hides=("another zone",)) if comes else None


class Shown(LatestSlot[Picture]):
    """Keeps the kinds of all pictures for the preview."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[PictureKind] = []

    def put(self, value: Picture) -> None:
        self.kinds.append(value.kind)


def test_no_card_is_shown_while_zones_are_painted_before_slow_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody paints zones between cards."""
    pictures, shown = SlowPictures(), Shown()
    monkeypatch.setattr(output_clock, "elapsed_s", lambda: pictures.now_s)
    shared = Shared(SettingsOwner(BASE), FakeWorld().parts(), Timing(outdated_s=0.05))
    clock = OutputClock(
        shared, pictures, Gate(lambda: shared.owner.current, StandbyPictures(shared.board).get), (), shown
    )
    clock.thread.start()
    assert clock.thread.join(60)
    composites = [index for index, kind in enumerate(shown.kinds) if kind is PictureKind.COMPOSITE]
    usual = composites[2]  # from the third one on, two intervals are known
    assert len(composites) == 10 and set(shown.kinds[usual:]) == {PictureKind.COMPOSITE}
