"""The selector over simulated engines, clock and load: decisions, what is built meanwhile, governor and plates."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

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
from app.core.types import Frame, Matte, SourceInfo
from app.matting.base.interface import EngineInfo, MattingEngine
from app.matting.choice.governor import StepTiming
from app.matting.plate.picture import save_plate
from app.runtime.context import Timing
from app.runtime.engines.plan import Decision, EngineKey, MatteFrame, PassThrough, Skip, StandBy
from app.runtime.engines.selector import EngineSelector
from app.runtime.status import Phase, PipelineStatus, StatusBoard
from app.testing.parts import ImmediateEngine, StepInput
from tests.waiting import eventually

WIDTH, HEIGHT, FULL_RATIO = 960, 540, 0.5
AUTO = MattingSettings()


class SimulatedEngine(ImmediateEngine):
    """Has the name and sizes of an engine; in its pictures is nobody."""

    def __init__(self, settings: EngineSettings, width: int, height: int) -> None:
        ratio = settings.downsample_ratio or FULL_RATIO
        small = int(width * ratio), int(height * ratio)
        self.info = EngineInfo(settings.model, "simulated", "float32", "cpu", ratio, small)
        self.closed_on = ""
        """The name of the thread; empty while the engine is open."""

    def matte(self, step: StepInput) -> Matte:
        return Matte(np.zeros_like(step.frame), np.zeros(step.frame.shape[:2], np.uint8))

    def close(self) -> None:
        self.closed_on = threading.current_thread().name


class Bench:
    """An `EngineSelector` with a simulated clock, a load that a test sets, and a builder that waits at a gate."""

    def __init__(self) -> None:
        self.board = StatusBoard()
        self.selector = EngineSelector(self._build, no_test, self.board, Timing(), lambda: self.now_s)
        self.built: list[SimulatedEngine] = []
        self.student_is_missing = False
        self.gate = threading.Event()
        self.gate.set()
        self.now_s = 0.0
        self._frames = 0

    def run(self, load: float, seconds: float, settings: MattingSettings = AUTO) -> None:
        """Matte for some seconds; a step at full quality takes `load` of the frame interval."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 1 / 30
            info = self.settle(settings)
            decision = self.decide(settings)
            if isinstance(decision, MatteFrame):
                work = 0.3 + 0.7 * (info.downsample_ratio / FULL_RATIO) ** 2
                self.ended(decision, load * work * (0.4 if info.model == "mattecam" else 1) / 30)

    def decide(
        self, matting: MattingSettings = AUTO, *, generation: int = 1, camera: str = "", **state: object
    ) -> Decision:
        """The decision for the next frame, of this camera. state: `paused` and other settings."""
        self._frames += 1
        source = SourceInfo("camera", camera, camera, WIDTH, HEIGHT, 30.0, "")
        whole = whole_settings(matting)
        frame = Frame(IMAGE, self._frames, 0.0, source=source, generation=generation)
        settings = whole.replace(**state) if state else whole
        self.selector.request(frame, settings)
        self.selector.use_built()
        return self.selector.decide(frame, settings)

    def matte(self, settings: MattingSettings = AUTO, *, generation: int = 1, camera: str = "") -> MatteFrame:
        """The decision for the next frame, which is to be matted."""
        decision = self.decide(settings, generation=generation, camera=camera)
        assert isinstance(decision, MatteFrame)
        return decision

    def ended(self, run: MatteFrame, busy_s: float = 0.01) -> None:
        """Report a step as the inference thread does."""
        self.selector.completed(run, StepTiming(self.now_s, busy_s, busy_s, 30.0))

    def settle(self, settings: MattingSettings = AUTO, *, generation: int = 1, camera: str = "") -> EngineInfo:
        """The engine in use once everything requested is built."""

        def ready() -> bool:
            self.decide(settings, generation=generation, camera=camera)
            if self.selector.preparer.busy:
                return False
            decision = self.decide(settings, generation=generation, camera=camera)  # uses what has been built
            return not self.selector.preparer.busy and isinstance(decision, MatteFrame | Skip)

        eventually(ready)
        assert self.status.engine is not None
        return self.status.engine

    @property
    def status(self) -> PipelineStatus:
        selector = self.selector
        return replace(self.board.read(), engine=selector.info, lowered=selector.lowered)

    @property
    def matted_hz(self) -> float | None:
        """The reduced matting rate, as the status says."""
        return self.status.lowered.matted_hz if self.status.lowered is not None else None

    def matted(self, frames: int, settings: MattingSettings = AUTO) -> list[int]:
        """Return which of the next frames are matted, as numbers from 0."""
        indexes = []
        for index in range(frames):
            decision = self.decide(settings)
            if isinstance(decision, MatteFrame):
                indexes.append(index)
                self.ended(decision)
        return indexes

    def _build(self, settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> SimulatedEngine:
        assert self.gate.wait(60)
        if settings.model == "mattecam" and self.student_is_missing:
            raise WeightsMissingError("The weights of mattecam are not installed.")
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
    simulated.selector.preparer.start()
    try:
        yield simulated
    finally:
        simulated.gate.set()
        simulated.selector.preparer.request_stop()
        simulated.selector.close_engine()
        assert simulated.selector.preparer.join(60)
        assert all(engine.closed_on for engine in simulated.built), "an engine was not closed"


def test_one_decision_for_each_frame() -> None:
    with bench() as simulated:
        assert simulated.decide() == StandBy(Phase.STARTING)
        simulated.settle()
        first = simulated.matte()
        assert first.reset
        simulated.ended(first)
        assert simulated.decide() == replace(first, index=first.index + 1, reset=False)
        for change, expected in (
            ({"paused": True}, StandBy(Phase.PAUSED)),
            ({"paused": True, "frozen": True}, StandBy(Phase.PAUSED)),
            ({"frozen": True}, Skip()),
            ({"background": BackgroundSettings(kind="none")}, PassThrough()),
        ):
            assert simulated.decide(**change) == expected
            after = simulated.matte()
            assert after.reset and not after.continues, "the frames in between were not matted: nobody is known"
            simulated.ended(after)


def test_what_changes_per_frame_needs_no_other_engine() -> None:
    with bench() as simulated:
        simulated.settle()
        for changed in (AUTO.replace(edges=EdgeSettings(feather_px=3)), AUTO.replace(governor=False)):
            assert simulated.settle(changed)
        assert len(simulated.built) == 1


def test_after_a_measurement_the_engine_is_changed_without_a_gap() -> None:
    """`auto` may take another precision then; nothing but composites is shown meanwhile."""
    with bench() as simulated:
        simulated.settle()
        first = simulated.matte()
        simulated.ended(first)
        simulated.gate.clear()
        simulated.selector.choose_again()
        for _ in range(5):
            run = simulated.matte()
            assert run.engine is first.engine and not run.reset
            simulated.ended(run)
        simulated.gate.set()
        eventually(lambda: simulated.matte().engine is not first.engine)
        run = simulated.matte()
        assert run.reset and run.continues, "the people of the last frame are still there"
        assert len(simulated.built) == 2
        simulated.ended(run)
        assert not simulated.matte().reset
        eventually(lambda: simulated.built[0].closed_on == "engine-builder")
        simulated.settle()
        assert len(simulated.built) == 2, "once per measurement"


def test_a_measurement_does_not_try_again_what_was_replaced() -> None:
    missing = AUTO.replace(model="rvm-resnet50")
    with bench() as simulated:
        simulated.settle()
        eventually(lambda: bool(simulated.decide(missing) and simulated.status.problems))
        built = len(simulated.built)
        simulated.selector.choose_again()
        simulated.settle(missing)
        assert len(simulated.built) == built
        simulated.selector.choose_again()
        assert isinstance(simulated.decide(missing), MatteFrame), "the engine that works goes on"


def test_unchanged_settings_are_not_validated_for_each_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Mock(wraps=EngineKey.of)
    monkeypatch.setattr(EngineKey, "of", made)
    with bench() as simulated:
        simulated.settle()
        for camera, more in (("", 0), ("other", 1), ("other", 0)):
            before = made.call_count
            simulated.decide(camera=camera)
            assert made.call_count == before + more
        simulated.settle(AUTO.replace(model="mattecam"), camera="other")
        assert len(simulated.built) == 2


def test_the_log_names_each_engine_and_why_it_is_used(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "app.runtime.engines.selector")
    with bench() as simulated:
        simulated.run(2.8, 6)
        simulated.settle()
    assert caplog.messages == [
        "The engine is auto on cpu (float32, simulated, ratio 0.5), as the settings ask.",
        "The engine is mattecam on cpu (float32, simulated, ratio 0.5), for the frame rate.",
    ]


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
    assert isinstance(stepped.decide(PINNED), MatteFrame), "nothing is being built"
    stepped.gate.clear()
    stepped.now_s = 10.0 + 0.9 * BUSY_S
    assert isinstance(stepped.decide(NEW), Skip)
    stepped.now_s = 10.0 + 1.1 * BUSY_S
    assert isinstance(stepped.decide(NEW), MatteFrame), "the old ratio goes on"
    stepped.gate.set()
    stepped.settle(NEW)
    stepped.now_s = 10.0
    assert isinstance(stepped.decide(NEW), MatteFrame)


def test_no_frame_is_skipped_for_another_network(stepped: Bench) -> None:
    stepped.gate.clear()
    other = NEW.replace(model="rvm-mobilenetv3")
    assert isinstance(stepped.decide(other), MatteFrame)
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


MODEL = "bgmv2-mobilenetv2"


@pytest.fixture
def plated(tmp_path: Path) -> MattingSettings:
    """Settings with a plate of the camera one."""
    save_plate(tmp_path / "plate.png", np.zeros((9, 16, 3), np.uint8), "one")
    return MattingSettings(model=MODEL, plate=tmp_path / "plate.png", governor=False)


def use(simulated: Bench, settings: MattingSettings, camera: str) -> str:
    """Return the model that mattes the frames of a camera."""
    return simulated.settle(settings, generation=1 + ord(camera[0]), camera=camera).model


def test_at_a_switch_a_plate_of_another_camera_is_refused(plated: MattingSettings) -> None:
    """The engine went on with the frames of the other camera; only headless printed a warning."""
    with bench() as simulated:
        assert use(simulated, plated, "one") == MODEL
        decision = simulated.decide(plated, generation=2, camera="two")
        assert not isinstance(decision, MatteFrame)
        assert use(simulated, plated, "two") == "auto"
        assert "was taken with another camera (one)" in simulated.status.errors[0]
        assert use(simulated, plated, "one") == MODEL


def test_a_plate_of_unknown_origin_is_compared_anew_with_each_camera(plated: MattingSettings, tmp_path: Path) -> None:
    (tmp_path / "plate.png.json").unlink()
    with bench() as simulated:
        assert use(simulated, plated, "one") == use(simulated, plated, "two") == MODEL
        assert len(simulated.built) == 2, "an engine that has seen no frame yet proves its plate first"
        assert not simulated.status.errors


def test_a_choice_that_fails_leaves_the_engine_with_the_plate_in_use(plated: MattingSettings, tmp_path: Path) -> None:
    save_plate(tmp_path / "other.png", np.zeros((9, 16, 3), np.uint8), "three")
    other = plated.replace(plate=tmp_path / "other.png")
    with bench() as simulated:
        use(simulated, plated, "one")
        running = simulated.matte(plated, camera="one").engine
        simulated.decide(other, camera="one")
        eventually(lambda: not simulated.selector.preparer.busy)
        assert simulated.matte(other, camera="one").engine is running
        assert "(three)" in simulated.status.errors[0]


def test_a_load_lowers_the_ratio_and_full_quality_comes_back() -> None:
    with bench() as simulated:
        simulated.run(0.5, 5)
        assert len(simulated.built) == 1
        assert simulated.status.lowered is None

        simulated.run(1.3, 20)
        info = simulated.settle()
        assert 0.5 * FULL_RATIO <= info.downsample_ratio < FULL_RATIO
        assert info.model == "auto"
        assert (
            str(simulated.status.lowered)
            == f"Quality lowered to hold the frame rate: ratio {info.downsample_ratio:.2f}"
        )
        assert simulated.matted_hz is None

        simulated.run(0.5, 30)
        assert simulated.settle().downsample_ratio == FULL_RATIO
        assert simulated.status.lowered is None
        assert not simulated.status.problems


def test_a_heavy_load_changes_the_network_and_skips_frames() -> None:
    with bench() as simulated:
        simulated.run(4.0, 20)
        assert simulated.settle().model == "mattecam"
        assert simulated.matted_hz == 18
        assert str(simulated.status.lowered).endswith("lighter model, 18 of 30 fps")


def test_a_missing_lighter_network_is_not_used_and_not_reported() -> None:
    with bench() as simulated:
        simulated.student_is_missing = True
        simulated.run(4.0, 40)
        info = simulated.settle()
        assert (info.model, info.downsample_ratio) == ("auto", 0.5 * FULL_RATIO)
        assert simulated.matted_hz == 15
        assert not simulated.status.errors


FIXED = MattingSettings(model="rvm-mobilenetv3", downsample_ratio=0.4)
LIGHTEST = MattingSettings(model="mattecam")
"""On a smaller frame it would let things of the room through."""


@pytest.mark.parametrize(
    ("settings", "load", "matted_hz"),
    [(FIXED, 1.3, 27), (FIXED, 2.05, 18), (FIXED, 6.0, 10), (LIGHTEST, 4.0, 18)],
)
def test_what_is_not_lowered_stays_and_the_best_rate_that_fits_is_held(
    settings: MattingSettings, load: float, matted_hz: float
) -> None:
    with bench() as simulated:
        simulated.run(load, 40, settings)
        info = simulated.settle(settings)
        assert (info.model, info.downsample_ratio) == (settings.model, settings.downsample_ratio or FULL_RATIO)
        assert len(simulated.built) == 1, "nothing to build"
        assert simulated.matted_hz == matted_hz, "it may change the matting rate alone"


def test_a_step_of_46_ms_at_30_fps_mattes_two_of_three_frames() -> None:
    pinned = MattingSettings(model="rvm-mobilenetv3", downsample_ratio=FULL_RATIO)
    with bench() as simulated:
        simulated.run(46e-3 * 30, 20, pinned)
        assert simulated.matted_hz == 20
        matted = simulated.matted(30, pinned)
        assert len(matted) == 20
        gaps = [later - earlier for earlier, later in pairwise(matted)]
        assert all(one + other == 3 for one, other in pairwise(gaps)), "gaps of one and two frames alternate"


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
        assert simulated.matted_hz is None
        simulated.run(1.5, 20)
        assert simulated.settle().downsample_ratio < FULL_RATIO


def test_a_request_taken_back_while_it_is_built_changes_nothing() -> None:
    off = AUTO.replace(governor=False)
    with bench() as simulated:
        simulated.run(0.5, 2)
        first = simulated.built[0]
        simulated.gate.clear()
        while not simulated.selector.preparer.busy:
            simulated.now_s += 1 / 30
            decision = simulated.decide(AUTO)
            if isinstance(decision, MatteFrame):
                simulated.ended(decision, 0.05)
        assert runs(simulated.decide(off), first)
        simulated.gate.set()
        eventually(lambda: not simulated.selector.preparer.busy)
        assert runs(simulated.decide(off), first)


def runs(decision: Decision, engine: SimulatedEngine) -> bool:
    return isinstance(decision, MatteFrame) and decision.engine is engine


def test_another_choice_of_the_user_begins_at_full_quality() -> None:
    with bench() as simulated:
        simulated.run(1.5, 20)
        chosen = AUTO.replace(precision="float32")
        assert simulated.settle(chosen).downsample_ratio == FULL_RATIO
        assert simulated.status.lowered is None


def test_a_lowered_engine_that_fails_is_replaced_by_another_quality() -> None:
    with bench() as simulated:
        simulated.run(2.8, 6)
        assert simulated.settle().model == "mattecam"
        simulated.selector.failed(ModelError("The network gave no picture; choose another."))
        assert simulated.settle().model == "auto"
        assert simulated.status.errors == ("The network gave no picture; choose another.",)
