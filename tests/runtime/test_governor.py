"""The governor in the runtime: engines built beside the running one, what the status says, and privacy."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from app.core.errors import ModelError, WeightsMissingError
from app.core.settings import (
    BackgroundSettings,
    EdgeSettings,
    EngineSettings,
    FramingSettings,
    MattingSettings,
    Settings,
)
from app.core.types import AlphaImage, Backdrop, BgrImage, Frame, Matte, PictureKind
from app.matting.base import EngineInfo, MattingEngine
from app.matting.selection.governor import GovernorTiming, Step
from app.runtime.board import StatusBoard
from app.runtime.engines.decision import Decision, PassThrough, Run, Skip, StandBy
from app.runtime.engines.key import KeyCache
from app.runtime.engines.selector import EngineSelector
from app.runtime.status import Phase, PipelineStatus
from app.runtime.timing import Timing
from tests.fakes import FakeWorld, shows_room
from tests.runtime.test_pipeline import BASE, composites, ignore, running
from tests.waiting import eventually

WIDTH, HEIGHT, FULL_RATIO = 960, 540, 0.5
AUTO = MattingSettings()


class SimulatedEngine:
    """Has the name and sizes of an engine; in its pictures is nobody."""

    def __init__(self, settings: EngineSettings, width: int, height: int) -> None:
        ratio = settings.downsample_ratio or FULL_RATIO
        small = int(width * ratio), int(height * ratio)
        self.info = EngineInfo(settings.model, "simulated", "float32", "cpu", ratio, small)
        self.closed = False

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        return Matte(np.zeros_like(frame), np.zeros(frame.shape[:2], np.uint8))

    def reset(self, seen: AlphaImage | None = None) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class Bench:
    """An `EngineSelector` with a simulated clock and a load that a test sets."""

    def __init__(self) -> None:
        self.board = StatusBoard()
        self.selector = EngineSelector(self._build, no_test, self.board, Timing())
        self.built: list[SimulatedEngine] = []
        self.student_is_missing = False
        self.now_s = 0.0
        self._frames = 0

    def run(self, load: float, seconds: float, settings: MattingSettings = AUTO) -> None:
        """Matte for some seconds; a step at full quality takes `load` of the frame interval."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 1 / 30
            info = self.settle(settings)
            decision = self.decide(settings)
            if isinstance(decision, Run):
                work = 0.3 + 0.7 * (info.downsample_ratio / FULL_RATIO) ** 2
                busy_s = load * work * (0.4 if info.model == "student" else 1) / 30
                self.selector.completed(decision, Step(self.now_s, busy_s, busy_s, 30.0))

    def decide(self, settings: MattingSettings = AUTO) -> Decision:
        """The decision for the next frame."""
        self._frames += 1
        return self.selector.decide(Frame(IMAGE, self._frames, 0.0), 1, whole_settings(settings))

    def settle(self, settings: MattingSettings = AUTO) -> EngineInfo:
        """The engine in use once everything requested is built."""

        def ready() -> bool:
            self.decide(settings)
            return not self.selector.busy and isinstance(self.decide(settings), Run | Skip)

        eventually(ready)
        assert self.status.engine is not None
        return self.status.engine

    @property
    def status(self) -> PipelineStatus:
        return self.board.read(busy="", readers=None, frames_dropped=0)

    @property
    def matte_every(self) -> int:
        """Matte every Nth frame, as the status says."""
        return self.status.lowered.matte_every if self.status.lowered is not None else 1

    def _build(self, settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> SimulatedEngine:
        if settings.model == "student" and self.student_is_missing:
            raise WeightsMissingError("The weights of student are not installed.")
        if settings.model == "rvm-resnet50":
            raise ModelError("It does not fit; choose another.")
        self.built.append(SimulatedEngine(settings, width, height))
        return self.built[-1]


def no_test(engine: MattingEngine, width: int, height: int) -> None:
    """The engines here have no network."""


IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


@functools.cache
def whole_settings(matting: MattingSettings) -> Settings:
    """Settings with these for the matting; the same object each time, as in the program."""
    return Settings(matting=matting)


@contextmanager
def bench() -> Iterator[Bench]:
    simulated = Bench()
    simulated.selector.start()
    try:
        yield simulated
    finally:
        simulated.selector.request_stop()
        simulated.selector.close_engine()
        assert simulated.selector.join(10)
        assert all(engine.closed for engine in simulated.built), "an engine was not closed"


def test_a_load_lowers_the_ratio_and_full_quality_comes_back() -> None:
    with bench() as simulated:
        simulated.run(0.5, 5)
        assert len(simulated.built) == 1
        assert simulated.status.lowered is None

        simulated.run(1.3, 20)
        info = simulated.settle()
        assert 0.5 * FULL_RATIO <= info.downsample_ratio < FULL_RATIO
        assert info.model == "auto"
        assert str(simulated.status.lowered) == f"Quality lowered to hold 30 fps: ratio {info.downsample_ratio:.2f}"
        assert simulated.matte_every == 1

        simulated.run(0.5, 30)
        assert simulated.settle().downsample_ratio == FULL_RATIO
        assert simulated.status.lowered is None
        assert not simulated.status.problems


def test_a_heavy_load_changes_the_network_and_skips_frames() -> None:
    with bench() as simulated:
        simulated.run(4.0, 20)
        assert simulated.settle().model == "student"
        assert simulated.matte_every == 2
        assert str(simulated.status.lowered).endswith("lighter model, every second frame")


def test_a_missing_lighter_network_is_not_used_and_not_reported() -> None:
    with bench() as simulated:
        simulated.student_is_missing = True
        simulated.run(4.0, 40)
        info = simulated.settle()
        assert (info.model, info.downsample_ratio) == ("auto", 0.5 * FULL_RATIO)
        assert simulated.matte_every == 2
        assert not simulated.status.errors


@pytest.mark.parametrize("load", [1.3, 6.0])
def test_what_the_user_pinned_stays(load: float) -> None:
    pinned = MattingSettings(model="rvm-mobilenetv3", downsample_ratio=0.4)
    with bench() as simulated:
        simulated.run(load, 40, pinned)
        info = simulated.settle(pinned)
        assert (info.model, info.downsample_ratio) == ("rvm-mobilenetv3", 0.4)
        assert len(simulated.built) == 1, "nothing to build"
        assert simulated.matte_every == 2, "it may change the matted rate alone"


def test_the_lightest_network_keeps_its_frame() -> None:
    student = MattingSettings(model="student")
    with bench() as simulated:
        simulated.run(4.0, 40, student)
        info = simulated.settle(student)
        assert (info.model, info.downsample_ratio) == ("student", FULL_RATIO)
        assert len(simulated.built) == 1, "nothing to build"
        assert simulated.matte_every == 2, "on a smaller frame it would let things of the room through"


def test_switching_it_off_restores_full_quality() -> None:
    off = AUTO.replace(governor=False)
    with bench() as simulated:
        simulated.run(1.5, 20)
        assert simulated.settle().downsample_ratio < FULL_RATIO
        assert simulated.settle(off).downsample_ratio == FULL_RATIO
        assert simulated.status.lowered is None
        built = len(simulated.built)
        simulated.run(6.0, 20, off)
        assert len(simulated.built) == built
        assert simulated.matte_every == 1
        simulated.run(1.5, 20)
        assert simulated.settle().downsample_ratio < FULL_RATIO


def test_a_request_taken_back_while_it_is_built_changes_nothing() -> None:
    off = AUTO.replace(governor=False)
    with bench() as simulated:
        simulated.run(0.5, 2)
        first = simulated.built[0]
        while len(simulated.built) == 1 and not simulated.selector.busy:
            simulated.now_s += 1 / 30
            decision = simulated.decide(AUTO)
            if isinstance(decision, Run):
                simulated.selector.completed(decision, Step(simulated.now_s, 0.05, 0.05, 30.0))
        assert runs(simulated.decide(off), first)
        eventually(lambda: not simulated.selector.busy)
        assert runs(simulated.decide(off), first)


def runs(decision: Decision, engine: SimulatedEngine) -> bool:
    return isinstance(decision, Run) and decision.engine is engine


def test_another_choice_of_the_user_begins_at_full_quality() -> None:
    with bench() as simulated:
        simulated.run(1.5, 20)
        chosen = AUTO.replace(precision="float32")
        assert simulated.settle(chosen).downsample_ratio == FULL_RATIO
        assert simulated.status.lowered is None


def test_a_lowered_engine_that_fails_is_replaced_by_another_quality() -> None:
    with bench() as simulated:
        simulated.run(2.8, 6)
        assert simulated.settle().model == "student"
        simulated.selector.failed(ModelError("The network gave no picture; choose another."))
        assert simulated.settle().model == "auto"
        assert simulated.status.errors == ("The network gave no picture; choose another.",)


def test_a_choice_that_fails_is_reported_as_ever() -> None:
    with bench() as simulated:
        simulated.run(0.5, 2)
        wrong = AUTO.replace(model="rvm-resnet50")
        assert simulated.settle(wrong).model == "auto"
        assert simulated.status.errors == ("It does not fit; choose another.",)


def test_skipped_frames_never_show_the_room() -> None:
    world = FakeWorld()
    pause = threading.Event()
    world.faults.put("step", lambda: ignore(pause.wait(0.0043)))
    pinned = BASE.replace(
        capture=BASE.capture.replace(fps=240), matting=MattingSettings(model="student", downsample_ratio=0.5)
    )
    timing = Timing(governor=GovernorTiming(window_s=0.05, settle_s=0.02, gap_s=60.0))
    with running(world, pinned, timing) as pipeline:
        eventually(lambda: "every second frame" in str(pipeline.status().lowered))
        start = len(world.pictures())
        composites(pipeline, 20)
        pictures = world.pictures()[start:]
    indexes = [p.frame.index for p in pictures if p.frame is not None and p.kind is PictureKind.COMPOSITE]
    assert all(later - earlier >= 2 for earlier, later in pairwise(sorted(set(indexes))))
    assert len(indexes) > 10
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_one_decision_for_each_frame() -> None:
    with bench() as simulated:
        assert simulated.decide() == StandBy(Phase.STARTING)
        simulated.settle()
        first = simulated.decide()
        assert isinstance(first, Run) and first.reset
        simulated.selector.completed(first, Step(1.0, 0.01, 0.01, 30.0))
        assert simulated.decide() == replace(first, index=first.index + 1, reset=False)
        settings = whole_settings(AUTO)
        for change, expected in (
            ({"paused": True}, StandBy(Phase.PAUSED)),
            ({"paused": True, "frozen": True}, StandBy(Phase.PAUSED)),
            ({"frozen": True}, Skip()),
            ({"background": BackgroundSettings(kind="none")}, PassThrough(settings.framing)),
        ):
            frame = Frame(IMAGE, first.index + 2, 0.0)
            assert simulated.selector.decide(frame, 1, settings.replace(**change)) == expected
            after = simulated.decide()
            assert isinstance(after, Run) and after.reset, "the frames in between were not matted"
            simulated.selector.completed(after, Step(2.0, 0.01, 0.01, 30.0))


def test_what_changes_per_frame_needs_no_other_engine() -> None:
    with bench() as simulated:
        simulated.settle()
        for changed in (AUTO.replace(edges=EdgeSettings(feather_px=3)), AUTO.replace(governor=False)):
            assert simulated.settle(changed)
        assert len(simulated.built) == 1


def test_unchanged_settings_are_not_validated_for_each_frame() -> None:
    cache = KeyCache()
    settings = whole_settings(AUTO)
    key = cache.key(settings, (WIDTH, HEIGHT))
    assert cache.key(settings, (WIDTH, HEIGHT)) is key
    assert cache.key(settings, (HEIGHT, WIDTH)) != key
    assert (
        cache.key(settings.replace(matting=AUTO.replace(model="student")), (WIDTH, HEIGHT)).settings.model == "student"
    )
