"""Steps that overlap: the network runs on the next frame while the composite of the last one is made and checked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ModelError
from app.core.types import Matte, PictureKind
from app.matting.base.interface import Pending
from app.runtime import finishing, matting_worker
from app.runtime.engines.plan import StandBy
from app.runtime.status import Phase
from app.testing.parts import FakeEngine
from tests.fakes.world import FakeWorld
from tests.runtime.inference import Overlapping, bench, use_clocks
from tests.runtime.running import check_the_room_never_shows, each_failure
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let steps overlap even if they are short."""
    monkeypatch.setattr(matting_worker, "CROWDED", -1.0)


def test_the_network_runs_while_the_last_frame_is_finished() -> None:
    with bench() as tried:
        tried.begin_beside(2)
        assert not tried.published
        tried.send(3)
        tried.engine.gates[1].set()
        eventually(lambda: tried.shown == [1, 2, 3])
        order = tried.engine.events
        assert order.index("finish 1") < order.index("finish 2") < order.index("finish 3")
        assert order.index("finish 1") < order.index("begin 3"), "one frame at most is begun beside another"
        eventually(lambda: len(tried.engines.steps) == 3)
        assert tried.engines.begun_frames == [0, 1, 2]


def test_a_slow_second_stage_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The governor sees the longer stage, not the sum, and not the wait for the frame before."""
    with bench() as tried:
        use_clocks(tried, monkeypatch)
        tried.engine.second_stage_s[1] = 0.2
        tried.begin_beside(2)
        tried.engine.gates[1].set()
        eventually(lambda: len(tried.engines.steps) == 2)
        slow, quick = tried.engines.steps
        assert slow.busy_s == pytest.approx(0.2)
        assert quick.busy_s == 0.0


@pytest.mark.parametrize("crowded_from", [-1.0, 1e9], ids=["overlap", "one-by-one"])
def test_the_governor_is_told_which_frames_the_network_left_out(
    monkeypatch: pytest.MonkeyPatch, crowded_from: float
) -> None:
    monkeypatch.setattr(matting_worker, "CROWDED", crowded_from)
    with bench() as tried:
        tried.engine.still.add(2)
        tried.send_shown(1, 2, 3)
        eventually(lambda: [step.still for step in tried.engines.steps] == [False, True, False])


def test_a_composite_that_is_not_ready_is_shown_twice_while_it_is_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finishing, "SETTLED_STEPS", 1)
    with bench() as tried:
        tried.engine.calm |= {1, 3}
        tried.engine.gates[1] = threading.Event()
        tried.send(1)
        tried.happens("begin 1")
        tried.send(2)
        tried.engine.gates[1].set()
        eventually(lambda: tried.shown == [1, 1])
        tried.send_shown(3, 4)
        tried.send(5)
        tried.happens("begin 1", "finish 1", "begin 3", "finish 3", "begin 5", "finish 5")
        eventually(lambda: tried.shown == [1, 1, 3, 3, 5])


def test_the_card_follows_the_last_composite() -> None:
    with bench() as tried:
        tried.engine.gates[1] = threading.Event()
        tried.send(1)
        tried.happens("begin 1")
        tried.inference.frames.put(StandBy(Phase.WAITING))
        threading.Timer(0.05, tried.engine.gates[1].set).start()
        eventually(lambda: len(tried.published) == 2)
        assert tried.shown == [1, "card"]


@pytest.mark.parametrize("beside", [0, 2], ids=["network-fails-too", "network-works"])
def test_a_second_stage_that_fails_shows_the_card_and_drops_the_frame_begun_beside_it(beside: int) -> None:
    with bench() as tried:
        tried.engine.errors[1] = ModelError("The composite fails.")
        tried.begin_beside(beside)
        tried.engine.gates[1].set()
        eventually(lambda: len(tried.engines.errors) == 1)
        tried.send(3)
        eventually(lambda: tried.engine.events[-1] == "close" and tried.shown.count("card") >= 3)
        assert set(tried.shown) == {"card"}
        assert tried.engines.errors == ["The composite fails."]
        assert f"finish {beside}" not in tried.engine.events


def test_a_network_that_fails_shows_what_was_finished_before() -> None:
    with bench() as tried:
        tried.begin_beside(0)
        tried.engine.gates[1].set()
        eventually(lambda: tried.shown == [1, "card"])
        assert tried.engines.errors == ["The network fails."]


def test_a_self_test_has_the_engine_for_itself() -> None:
    """A frame that was begun before the test, which resets the engine, is dropped."""
    with bench() as tried:
        tried.engine.gates[2] = threading.Event()
        tried.engine.alphas[2] = 255
        tried.send(1)
        eventually(lambda: tried.shown == [1])
        tried.send(2)
        eventually(lambda: "begin 2" in tried.engine.events)
        tried.send(3)
        eventually(lambda: "begin 3" in tried.engine.events)
        assert not tried.tested_beside
        tried.engine.gates[2].set()
        eventually(lambda: tried.shown == [1, 2])
        assert tried.tested_beside == [["reset", "begin 1", "finish 1", "begin 2", "begin 3", "finish 2"]]
        tried.send(4)
        eventually(lambda: tried.shown == [1, 2, 4])
        assert "finish 3" not in tried.engine.events


@pytest.mark.parametrize("how", ["fails", "is suspicious"])
def test_the_last_step_of_a_replaced_engine_says_nothing_of_the_new_one(how: str) -> None:
    """The new engine was closed for what the old one had done, and the old one was tested after its end."""
    with bench() as tried:
        old, new = tried.engine, Overlapping()
        gate = old.gates[1] = threading.Event()
        if how == "fails":
            old.errors[1] = ModelError("The composite fails.")
        else:
            old.alphas[1] = 255
        tried.send(1)
        tried.happens("begin 1")
        tried.use(new)
        threading.Timer(0.05, gate.set).start()
        tried.send(2)
        eventually(lambda: tried.shown[-1:] == [2])
        assert old.events == ["reset", "begin 1", "close", "finish 1"]
        assert new.events == ["reset", "begin 2", "finish 2"]
        assert not tried.tested_beside and not tried.engines.errors and 1 not in tried.shown


def test_an_equal_frame_repeats_the_composite_that_is_not_finished_yet() -> None:
    with bench() as tried:
        tried.send_shown(*range(1, 32))
        tried.engine.gates[40] = threading.Event()
        tried.send(40)
        eventually(lambda: "begin 40" in tried.engine.events)
        tried.send(40)
        threading.Timer(0.05, tried.engine.gates[40].set).start()
        eventually(lambda: tried.shown[31:] == [40, 40])
        assert tried.engine.events.count("begin 40") == 1


class OverlappingFakeEngine(FakeEngine):
    """A `FakeEngine` whose steps overlap; its second stages suffer faults under the name `finish`."""

    overlaps = True

    def step(self, *arguments: Any, **named: Any) -> Pending:
        ready = super().step(*arguments, **named)

        def result() -> Matte:
            self._faults.at("finish")
            return ready.result()

        return Pending(result)


@each_failure(["step", "finish", "reset"], ["start", "middle", "shutdown"])
def test_the_room_never_shows(stage: str, kind: str, moment: str, tmp_path: Path, world: FakeWorld) -> None:
    world.engine = OverlappingFakeEngine
    check_the_room_never_shows(world, stage, kind, moment, tmp_path)
    assert any(picture.kind is PictureKind.COMPOSITE for picture in world.pictures())


@pytest.mark.parametrize(
    ("steps_ms", "overlaps"),
    [
        ([50] * 4, True),
        ([50] * 3, False),
        ([14] * 12 + [90] + [14] * 3, False),
        ([20, 20, 38] * 8, True),
        ([26] * 24, False),
    ],
    ids=["long", "not yet", "a single one", "every third", "as long on average"],
)
def test_steps_overlap_where_the_longer_ones_take_the_frame_interval(
    steps_ms: list[int], overlaps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matting_worker, "CROWDED", 0.9)
    with bench() as tried:
        use_clocks(tried, monkeypatch)
        for number, step_ms in enumerate(steps_ms, 1):
            tried.engine.step_s = step_ms / 1000
            tried.send_shown(number)
        tried.send_shown(len(steps_ms) + 1)
        assert any(event.startswith("finish") for event in tried.engine.events) == overlaps
