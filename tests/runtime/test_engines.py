"""Every event in every state of the plan, and the selector over simulated engines, clock and load."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import ModelError, WeightsMissingError
from app.core.geometry import WHOLE
from app.core.settings import EdgeSettings, EngineSettings, FramingSettings
from app.core.types import Frame, SourceInfo
from app.matting.choice.governor import MeasuredStep
from app.matting.interface import EngineInfo
from app.matting.plate.picture import save_plate
from app.runtime.context import PipelineContext, Timing
from app.runtime.engines import ChoiceState, EngineKey, EnginePlan, EngineSelector, MatteFrame
from app.runtime.status import Phase
from app.settings import Settings, SettingsOwner
from mattecam.testing import FakeEngine
from tests.fakes.world import FakeWorld
from tests.waiting import eventually, eventually_is


def key(**settings: object) -> EngineKey:
    return EngineKey.of(EngineSettings.model_validate(settings), (64, 48), WHOLE)


LOCAL = key()
OTHER = key(precision="float32")
LIGHT = key(downsample_ratio=0.2)
CPU = key(device="cpu")
CHOSEN, REPLACED, FAILED = ChoiceState
DUE_S = 5.0


# What befalls a plan: event, what it is given, its answer,
# then the state, the target and the engine in use.
EVENTS = {
    "the choice": [
        ("choose", LOCAL, LOCAL, CHOSEN, LOCAL, None),
        ("built", LOCAL, True, CHOSEN, LOCAL, LOCAL),
        ("choose", LOCAL, LOCAL, CHOSEN, LOCAL, LOCAL),
        ("lower", LIGHT, LIGHT, CHOSEN, LIGHT, LOCAL),
        ("lower", LIGHT, None, CHOSEN, LIGHT, LOCAL),  # it is being built
        ("lower", LOCAL, None, CHOSEN, LOCAL, LOCAL),  # it is in use
        ("built", LIGHT, False, CHOSEN, LOCAL, LOCAL),  # taken back while it was built
        ("choose", OTHER, OTHER, CHOSEN, OTHER, LOCAL),  # it is built beside the engine in use
        ("built", LIGHT, True, CHOSEN, OTHER, LIGHT),  # better than nothing newer
        ("built", OTHER, True, CHOSEN, OTHER, OTHER),
        ("due", DUE_S, None, CHOSEN, OTHER, OTHER),
    ],
    "what replaces it": [
        ("choose", LOCAL, LOCAL, CHOSEN, LOCAL, None),
        ("failed", CPU, CPU, REPLACED, CPU, None),
        ("built", CPU, True, REPLACED, CPU, CPU),
        ("due", DUE_S, None, REPLACED, CPU, CPU),
        ("lower", LIGHT, LIGHT, REPLACED, LIGHT, CPU),
        ("failed", OTHER, OTHER, REPLACED, OTHER, None),
        ("failed", LOCAL, LOCAL, CHOSEN, LOCAL, None),  # as it was chosen
        ("failed", CPU, CPU, REPLACED, CPU, None),
        ("choose", LOCAL, LOCAL, CHOSEN, LOCAL, None),
    ],
    "what failed": [
        ("choose", LOCAL, LOCAL, CHOSEN, LOCAL, None),
        ("failed", None, None, FAILED, LOCAL, None),
        ("choose", LOCAL, LOCAL, CHOSEN, LOCAL, None),
        ("due", DUE_S, None, CHOSEN, LOCAL, None),  # only what failed is tried again
        ("failed", CPU, CPU, REPLACED, CPU, None),
        ("failed", None, None, FAILED, CPU, None),
        ("due", DUE_S - 1, None, FAILED, CPU, None),
        ("due", DUE_S, CPU, REPLACED, CPU, None),  # not what was chosen
        ("due", DUE_S + 99, None, REPLACED, CPU, None),  # once
        ("failed", None, None, FAILED, CPU, None),
        ("built", LIGHT, True, FAILED, CPU, LIGHT),
        ("built", CPU, True, REPLACED, CPU, CPU),
        ("due", DUE_S, None, REPLACED, CPU, CPU),
    ],
}


@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS)
def test_each_event_leads_where_the_table_says(events: list[tuple[Any, ...]]) -> None:
    plan = EnginePlan()
    for number, (event, given, answer, state, target, in_use) in enumerate(events):
        arguments: tuple[Any, ...] = (given,)
        if event == "failed":
            plan.in_use = None
            arguments = (given, DUE_S)  # it was closed
        row = f"{event}, row {number}"
        assert getattr(plan, event)(*arguments) == answer, row
        assert (plan.state, plan.target, plan.in_use) == (state, target, in_use), row
        assert (plan.settled, plan.lowered) == (in_use == target, target == LIGHT), row


WIDTH = 960
HEIGHT = 540
FULL_RATIO = 0.5
IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


class NotingEngine(FakeEngine):
    """Notes on which thread it is closed; in the pictures of these tests is nobody."""

    closed_on = ""

    def close(self) -> None:
        super().close()
        self.closed_on = threading.current_thread().name


class Bench:
    """An `EngineSelector` with a simulated clock, a load that a test sets, and a builder that waits at a gate."""

    def __init__(self) -> None:
        parts = replace(FakeWorld().parts(), build_engine=self._build)
        context = PipelineContext(SettingsOwner(Settings()), parts, Timing(engine_retry_s=0.05))
        self.board = context.board
        self.selector = EngineSelector(context)
        self.built: list[NotingEngine] = []
        # Models whose building has begun.
        self.tried: list[str] = []
        self.student_is_missing = False
        self.gate = threading.Event()
        self.gate.set()
        self.now_s = 0.0
        self.image = IMAGE
        self.settings = Settings()
        # Of the source.
        self.generation = 1
        self.camera = ""
        self._frames = 0

    def choose(self, **matting: object) -> None:
        """Change settings of the matting."""
        self.settings = self.settings.replace(matting=self.settings.matting.replace(**matting))

    def decide(self) -> MatteFrame | Phase | None:
        """The decision for the next frame."""
        self._frames += 1
        source = SourceInfo("camera", self.camera, self.camera, WIDTH, HEIGHT, 30.0, "")
        frame = Frame(self.image, self._frames, 0.0, source=source, generation=self.generation)
        self.selector.request(frame, self.settings)
        return self.selector.decide(frame, self.settings)

    def matte(self, busy_s: float = 0.01) -> MatteFrame:
        """Matte the next frame."""
        decision = self.decide()
        assert isinstance(decision, MatteFrame)
        self.selector.completed(decision, MeasuredStep(self.now_s, busy_s, busy_s, 30.0))
        return decision

    def settle(self) -> EngineInfo:
        """The engine in use once everything requested is built."""

        def ready() -> bool:
            self.decide()
            if self.selector.builder.busy:
                return False
            decision = self.decide()  # uses what has been built
            return not self.selector.builder.busy and not isinstance(decision, Phase)

        eventually(ready)
        assert self.selector.info is not None
        return self.selector.info

    def run(self, load: float, seconds: float) -> EngineInfo:
        """Matte for some seconds; a step at full quality takes `load` of the frame interval."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 1 / 30
            info = self.settle()
            decision = self.decide()
            if isinstance(decision, MatteFrame):
                work = 0.3 + 0.7 * (info.downsample_ratio / FULL_RATIO) ** 2
                busy_s = load * work * (0.4 if info.model == "mattecam" else 1) / 30
                self.selector.completed(decision, MeasuredStep(self.now_s, busy_s, busy_s, 30.0))
        return self.settle()

    def _build(
        self,
        settings: EngineSettings,
        width: int,
        height: int,
        framing: FramingSettings,
    ) -> NotingEngine:
        self.tried.append(settings.model)
        assert self.gate.wait(60)
        if settings.model == "mattecam" and self.student_is_missing:
            raise WeightsMissingError("The weights of mattecam are not installed.")
        if settings.model == "rvm-resnet50":
            raise ModelError("It does not fit; choose another.")
        self.built.append(NotingEngine(settings, width, height))
        return self.built[-1]


@pytest.fixture
def bench() -> Iterator[Bench]:
    simulated = Bench()
    simulated.selector.builder.start()
    try:
        yield simulated
    finally:
        simulated.gate.set()
        simulated.selector.builder.request_stop()
        simulated.selector.close_engine()
        assert simulated.selector.builder.join(60)


def closing_threads(bench: Bench) -> list[str]:
    """Return the names of the threads that closed the engines; empty for one in use."""
    return [engine.closed_on for engine in bench.built]


def is_second_closed(bench: Bench) -> bool:
    return bench.built[1].closed_on == "engine-builder"


def has_failed(bench: Bench) -> bool:
    return bool(bench.decide() and bench.board.read().errors)


def is_at_full_ratio(bench: Bench) -> bool:
    return bench.settle().downsample_ratio == FULL_RATIO and not bench.board.read().problems


def test_after_a_measurement_the_engine_is_changed_without_a_gap(bench: Bench) -> None:
    """`auto` may take another precision then; nothing but composites is shown meanwhile."""
    bench.settle()
    first = bench.matte()

    def is_replaced() -> bool:
        return bench.matte().engine is not first.engine

    bench.gate.clear()
    bench.selector.choose_again()
    for _ in range(5):
        run = bench.matte()
        assert run.engine is first.engine and run.generation == first.generation
    bench.gate.set()
    eventually(is_replaced)
    assert bench.matte().generation == first.generation
    eventually_is(["engine-builder", ""], closing_threads, bench)
    bench.settle()
    assert len(bench.built) == 2, "once per measurement"


def test_a_measurement_does_not_try_again_what_was_replaced(bench: Bench) -> None:
    bench.settle()
    bench.choose(model="rvm-resnet50")
    eventually(has_failed, bench)
    for _ in range(2):
        bench.selector.choose_again()
        bench.settle()
    assert bench.tried == ["auto", "rvm-resnet50"], "the engine that works goes on"
    bench.gate.clear()
    bench.selector.retry()
    bench.matte()
    assert bench.selector.builder.busy, "the user asks for it"


def test_only_another_engine_is_asked_for_and_frames_wait_for_one_of_their_size(
    bench: Bench,
) -> None:
    bench.settle()
    first = bench.matte()
    assert bench.decide() == replace(first, index=first.index + 1)
    bench.camera = "other"
    bench.generation = 2
    for matting in ({"edges": EdgeSettings(feather_px=3)}, {"governor": False}):
        bench.choose(**matting)
        assert bench.settle()
    assert len(bench.built) == 1
    bench.choose(model="mattecam")
    bench.settle()
    assert len(bench.built) == 2
    bench.gate.clear()
    bench.image = IMAGE[::2, ::2]
    assert bench.decide() is Phase.STARTING


def test_an_engine_that_fails_while_another_is_built_is_replaced_by_that_one(bench: Bench) -> None:
    """It may lack the memory that the other one takes, which is no reason to build a smaller one."""
    bench.settle()
    bench.gate.clear()
    bench.choose(model="mattecam")
    bench.matte()
    bench.selector.failed(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert bench.decide() is Phase.STARTING and bench.board.read().errors
    bench.gate.set()
    assert bench.settle().model == "mattecam"
    assert len(bench.built) == 2


@pytest.mark.parametrize("fails", [False, True], ids=["taken back", "the one in use fails"])
def test_a_lighter_engine_that_nobody_wants_any_more_is_closed(bench: Bench, fails: bool) -> None:
    bench.settle()
    bench.gate.clear()
    while not bench.selector.builder.busy:  # the governor asks for a lighter one
        bench.now_s += 1 / 30
        bench.matte(0.1)
    eventually_is(2, len, bench.tried)
    bench.choose(governor=False)
    bench.matte()
    if fails:
        bench.selector.failed(ModelError("The network gave no picture; choose another."))
    bench.gate.set()
    eventually(is_at_full_ratio, bench)
    eventually(is_second_closed, bench)

    assert len(bench.built) == 2 + fails


MODEL = "bgmv2-mobilenetv2"


@pytest.fixture
def plated(bench: Bench, tmp_path: Path) -> Bench:
    """With a plate of the camera one."""
    save_plate(tmp_path / "plate.png", np.zeros((9, 16, 3), np.uint8), "one")
    bench.choose(model=MODEL, plate=tmp_path / "plate.png", governor=False)
    return bench


def used(bench: Bench, camera: str) -> str:
    """Return the model that mattes the frames of a camera."""
    bench.camera = camera
    bench.generation = 1 + ord(camera[0])
    return bench.settle().model


def test_at_a_switch_a_plate_of_another_camera_is_refused(plated: Bench, tmp_path: Path) -> None:
    """The engine went on with the frames of the other camera; only headless printed a warning."""
    assert used(plated, "one") == MODEL
    plated.camera = "two"
    plated.generation = 2
    assert not isinstance(plated.decide(), MatteFrame)
    assert used(plated, "two") == "auto"
    assert "was taken with another camera (one)" in plated.board.read().errors[0]
    assert used(plated, "one") == MODEL
    running = plated.matte().engine
    save_plate(tmp_path / "other.png", np.zeros((9, 16, 3), np.uint8), "three")
    plated.choose(plate=tmp_path / "other.png")
    plated.settle()
    assert plated.matte().engine is running, (
        "a choice that fails leaves the engine with the plate in use"
    )
    assert "(three)" in plated.board.read().errors[1]


def test_a_plate_of_unknown_origin_is_compared_anew_with_each_camera(
    plated: Bench,
    tmp_path: Path,
) -> None:
    (tmp_path / "plate.png.json").unlink()
    assert used(plated, "one") == used(plated, "two") == MODEL
    assert len(plated.built) == 2, "an engine that has seen no frame yet proves its plate first"
    assert not plated.board.read().errors


def test_the_camera_holds_its_exposure_for_a_plate_in_use_or_being_built(plated: Bench) -> None:
    plated.decide()
    assert plated.selector.compares_with_plate
    used(plated, "one")
    assert plated.selector.compares_with_plate
    plated.gate.clear()
    plated.choose(plate=None, model="mattecam")
    plated.decide()
    assert plated.selector.compares_with_plate, "until the other engine is in use"
    plated.gate.set()
    plated.settle()
    assert not plated.selector.compares_with_plate


def test_a_load_lowers_the_ratio_and_full_quality_comes_back(bench: Bench) -> None:
    bench.run(0.5, 5)
    assert len(bench.built) == 1 and bench.selector.lowered is None

    info = bench.run(1.3, 20)
    assert 0.5 * FULL_RATIO <= info.downsample_ratio < FULL_RATIO and info.model == "auto"
    assert (
        str(bench.selector.lowered)
        == f"Quality lowered to hold the frame rate: ratio {info.downsample_ratio:.2f}"
    )

    assert bench.run(0.5, 30).downsample_ratio == FULL_RATIO
    bench.gate.clear()
    bench.selector.choose_again()
    for _ in range(300):
        bench.now_s += 1 / 30
        bench.matte(0.1)
    assert bench.selector.lowered is None, "building an engine takes time from the one that runs"
    assert not bench.board.read().errors


FIXED = {"model": "rvm-mobilenetv3", "downsample_ratio": FULL_RATIO}
# On a smaller frame it would let things of the room through.
LIGHTEST = {"model": "mattecam"}


@pytest.mark.parametrize(
    ("chosen", "load", "lighter", "model", "ratio", "matted_hz"),
    [
        ({}, 4.0, True, "mattecam", FULL_RATIO, 18),
        ({}, 4.0, False, "auto", FULL_RATIO / 2, 15),
        (FIXED, 1.05, True, FIXED["model"], FULL_RATIO, 27),
        (FIXED, 6.0, True, FIXED["model"], FULL_RATIO, 10),
        (LIGHTEST, 4.0, True, "mattecam", FULL_RATIO, 18),
    ],
)
def test_a_heavy_load_lowers_what_was_not_chosen_and_what_is_there(
    bench: Bench,
    chosen: dict[str, object],
    load: float,
    lighter: bool,
    model: str,
    ratio: float,
    matted_hz: int,
) -> None:
    bench.choose(**chosen)
    bench.student_is_missing = not lighter
    info = bench.run(load, 40)
    assert (info.model, info.downsample_ratio) == (model, ratio)
    assert not chosen or len(bench.built) == 1, (
        "nothing to build: it may change the matting rate alone"
    )
    assert bench.selector.lowered is not None and bench.selector.lowered.matted_hz == matted_hz
    matted = 0
    for _ in range(30):
        if isinstance(decision := bench.decide(), MatteFrame):
            bench.selector.completed(decision, MeasuredStep(bench.now_s, 0.01, 0.01, 30.0))
            matted += 1
    assert matted == matted_hz
    assert not bench.board.read().errors, "what is missing is not reported"


def test_steps_of_a_network_that_is_soon_replaced_lower_nothing(bench: Bench) -> None:
    """The network for any size takes an eighth longer, and one is compiled beside it."""
    bench.settle()
    engine = bench.built[0]
    engine.info = replace(engine.info, is_settling=True)

    while_settling = bench.run(1.5, 20)
    engine.info = replace(engine.info, is_settling=False)
    afterwards = bench.run(0.5, 20)

    assert while_settling.downsample_ratio == FULL_RATIO
    assert afterwards.downsample_ratio == FULL_RATIO
    assert bench.run(1.5, 20).downsample_ratio < FULL_RATIO, "from then on it is judged"


def test_switching_it_off_restores_full_quality(bench: Bench) -> None:
    assert bench.run(1.5, 20).downsample_ratio < FULL_RATIO
    bench.choose(governor=False)
    assert bench.settle().downsample_ratio == FULL_RATIO and bench.selector.lowered is None
    built = len(bench.built)
    bench.run(6.0, 20)
    assert len(bench.built) == built and bench.selector.lowered is None
    bench.choose(governor=True)
    assert bench.run(1.5, 20).downsample_ratio < FULL_RATIO
    bench.choose(precision="float32")
    assert bench.settle().downsample_ratio == FULL_RATIO, "another choice begins at full quality"
    assert bench.selector.lowered is None


def test_a_lowered_engine_that_fails_is_replaced_by_another_quality(bench: Bench) -> None:
    assert bench.run(2.8, 6).model == "mattecam"
    bench.selector.failed(ModelError("The network gave no picture; choose another."))
    assert bench.settle().model == "auto"
    assert bench.board.read().errors == ("The network gave no picture; choose another.",)
