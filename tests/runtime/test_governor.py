"""The governor in the runtime: engines built beside the running one, what the status says, and privacy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

from app.core.errors import ModelError, WeightsMissingError
from app.core.settings import EdgeSettings, FramingSettings, MattingSettings
from app.core.types import Backdrop, BgrImage, Matte, PictureKind
from app.matting.base import EngineInfo
from app.matting.selection import governor
from app.matting.selection.governor import Step
from app.runtime.board import StatusBoard
from app.runtime.engine_supply import EngineSupply
from app.runtime.status import PipelineStatus
from tests.fakes import FakeWorld, shows_room
from tests.runtime.test_pipeline import BASE, composites, ignore, running
from tests.waiting import eventually

WIDTH, HEIGHT, FULL_RATIO = 960, 540, 0.5
AUTO = MattingSettings()


class PlayedEngine:
    """Has the name and sizes of an engine; in its pictures is nobody."""

    def __init__(self, settings: MattingSettings, width: int, height: int) -> None:
        ratio = settings.downsample_ratio or FULL_RATIO
        small = int(width * ratio), int(height * ratio)
        self.info = EngineInfo(settings.model, "played", "float32", "cpu", ratio, small)
        self.closed = False

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        return Matte(np.zeros_like(frame), np.zeros(frame.shape[:2], np.uint8))

    def reset(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class Bench:
    """An `EngineSupply` with a clock of its own and a load that a test sets."""

    def __init__(self) -> None:
        self.board = StatusBoard()
        self.supply = EngineSupply(self._build, self.board)
        self.built: list[PlayedEngine] = []
        self.student_is_missing = False
        self.now_s = 0.0

    def run(self, load: float, seconds: float, settings: MattingSettings = AUTO) -> None:
        """So long at a load of which full quality takes `load` of the time there is."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 1 / 30
            info = self.settle(settings)
            work = 0.3 + 0.7 * (info.downsample_ratio / FULL_RATIO) ** 2
            busy_s = load * work * (0.4 if info.model == "student" else 1) / 30
            self.supply.worked(Step(self.now_s, busy_s, busy_s, 30.0))

    def settle(self, settings: MattingSettings = AUTO) -> EngineInfo:
        """The engine in use once what was asked for is built."""

        def ready() -> bool:
            self.supply.follow(settings, WIDTH, HEIGHT)
            return not self.supply.busy and self.supply.follow(settings, WIDTH, HEIGHT) is not None

        eventually(ready)
        engine = self.supply.follow(settings, WIDTH, HEIGHT)
        assert engine is not None
        return engine.info

    @property
    def status(self) -> PipelineStatus:
        return self.board.read(busy="", readers=None, frames_dropped=0)

    def _build(self, settings: MattingSettings, width: int, height: int, framing: FramingSettings) -> PlayedEngine:
        if settings.model == "student" and self.student_is_missing:
            raise WeightsMissingError("The weights of student are not on hand.")
        if settings.model == "rvm-resnet50":
            raise ModelError("It does not fit; choose another.")
        self.built.append(PlayedEngine(settings, width, height))
        return self.built[-1]


@contextmanager
def bench() -> Iterator[Bench]:
    played = Bench()
    played.supply.start()
    try:
        yield played
    finally:
        played.supply.request_stop()
        played.supply.close_engine()
        assert played.supply.join(10)
        assert all(engine.closed for engine in played.built), "an engine was not closed"


def test_a_load_lowers_the_ratio_and_full_quality_comes_back() -> None:
    with bench() as played:
        played.run(0.5, 5)
        assert len(played.built) == 1
        assert played.status.lowered is None

        played.run(1.3, 20)
        info = played.settle()
        assert 0.5 * FULL_RATIO <= info.downsample_ratio < FULL_RATIO
        assert info.model == "auto"
        assert str(played.status.lowered) == f"Quality lowered to hold 30 fps: ratio {info.downsample_ratio:.2f}"
        assert played.supply.every == 1

        played.run(0.5, 30)
        assert played.settle().downsample_ratio == FULL_RATIO
        assert played.status.lowered is None
        assert not played.status.problems


def test_a_heavy_load_changes_the_network_and_leaves_frames_out() -> None:
    with bench() as played:
        played.run(4.0, 20)
        assert played.settle().model == "student"
        assert played.supply.every == 2
        assert str(played.status.lowered).endswith("lighter model, every second frame")


def test_a_network_that_is_missing_is_done_without_and_no_problem_of_the_user() -> None:
    with bench() as played:
        played.student_is_missing = True
        played.run(4.0, 40)
        info = played.settle()
        assert (info.model, info.downsample_ratio) == ("auto", 0.5 * FULL_RATIO)
        assert played.supply.every == 2
        assert not played.status.errors


@pytest.mark.parametrize("load", [1.3, 6.0])
def test_what_the_user_pinned_stays(load: float) -> None:
    pinned = MattingSettings(model="rvm-mobilenetv3", downsample_ratio=0.4)
    with bench() as played:
        played.run(load, 40, pinned)
        info = played.settle(pinned)
        assert (info.model, info.downsample_ratio) == ("rvm-mobilenetv3", 0.4)
        assert len(played.built) == 1, "nothing to build"
        assert played.supply.every == 2, "the rate alone is left to it"


def test_the_lightest_network_keeps_its_frame() -> None:
    student = MattingSettings(model="student")
    with bench() as played:
        played.run(4.0, 40, student)
        info = played.settle(student)
        assert (info.model, info.downsample_ratio) == ("student", FULL_RATIO)
        assert len(played.built) == 1, "nothing to build"
        assert played.supply.every == 2, "on a smaller frame it would let things of the room through"


def test_switched_off_it_gives_back_what_it_lowered_and_does_nothing() -> None:
    off = AUTO.replace(governor=False)
    with bench() as played:
        played.run(1.5, 20)
        assert played.settle().downsample_ratio < FULL_RATIO
        assert played.settle(off).downsample_ratio == FULL_RATIO
        assert played.status.lowered is None
        built = len(played.built)
        played.run(6.0, 20, off)
        assert len(played.built) == built
        assert played.supply.every == 1
        played.run(1.5, 20)
        assert played.settle().downsample_ratio < FULL_RATIO


def test_a_wish_taken_back_while_it_is_built_changes_nothing() -> None:
    off = AUTO.replace(governor=False)
    with bench() as played:
        played.run(0.5, 2)
        first = played.built[0]
        while len(played.built) == 1 and not played.supply.busy:
            played.now_s += 1 / 30
            played.supply.follow(AUTO, WIDTH, HEIGHT)
            played.supply.worked(Step(played.now_s, 0.05, 0.05, 30.0))
        assert played.supply.follow(off, WIDTH, HEIGHT) is first
        eventually(lambda: not played.supply.busy)
        assert played.supply.follow(off, WIDTH, HEIGHT) is first


def test_another_choice_of_the_user_begins_at_full_quality() -> None:
    with bench() as played:
        played.run(1.5, 20)
        chosen = AUTO.replace(precision="float32")
        assert played.settle(chosen).downsample_ratio == FULL_RATIO
        assert played.status.lowered is None


def test_a_lowered_engine_that_fails_is_done_without() -> None:
    with bench() as played:
        played.run(2.8, 6)
        assert played.settle().model == "student"
        played.supply.fail(ModelError("The network gave no picture; choose another."))
        assert played.settle().model == "auto"
        assert played.status.errors == ("The network gave no picture; choose another.",)


def test_a_choice_that_fails_is_reported_as_ever() -> None:
    with bench() as played:
        played.run(0.5, 2)
        wrong = AUTO.replace(model="rvm-resnet50")
        assert played.settle(wrong).model == "auto"
        assert played.status.errors == ("It does not fit; choose another.",)


def test_frames_left_out_never_show_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WINDOW_S": 0.05, "SETTLE_S": 0.02, "GAP_S": 60.0}.items():
        monkeypatch.setattr(governor, name, value)
    world = FakeWorld()
    pause = threading.Event()
    world.faults.put("step", lambda: ignore(pause.wait(0.0043)))
    pinned = BASE.replace(
        capture=BASE.capture.replace(fps=240), matting=MattingSettings(model="student", downsample_ratio=0.5)
    )
    with running(world, pinned) as pipeline:
        eventually(lambda: "every second frame" in str(pipeline.status().lowered))
        start = len(world.pictures())
        composites(pipeline, 20)
        pictures = world.pictures()[start:]
    indexes = [p.frame.index for p in pictures if p.frame is not None and p.kind is PictureKind.COMPOSITE]
    assert all(later - earlier >= 2 for earlier, later in pairwise(sorted(set(indexes))))
    assert len(indexes) > 10
    assert not any(shows_room(picture.image) for picture in world.pictures())
