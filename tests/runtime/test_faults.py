"""Every stage fails in every way at every moment; engines that are lost, or whose mattes show the room."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count, product
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from app.core.errors import MattecamError, ModelError, Stage
from app.core.settings import BackgroundSettings, EdgeSettings, EngineSettings, FramingSettings
from app.core.targets import INTEL
from app.core.types import AlphaImage, BgrImage, Frame, Matte, PictureKind
from app.matting.choice import hardware
from app.matting.choice.governor import MeasuredStep
from app.matting.choice.hardware import CudaCards
from app.matting.interface import ExecutorError, MattingEngine, StepRequest
from app.runtime.context import Timing
from app.runtime.engines import EngineSelector, MatteFrame, remember, replacement, shown_error
from app.runtime.status import Phase
from mattecam.testing import PERSON, FakeEngine, Fault, room_picture
from tests.fakes.states import has_problems, in_phase
from tests.fakes.world import BASE, IMPATIENT, FakeWorld, apply, composites, kinds, live, running
from tests.matting.stubs import simulated_cards
from tests.stand_ins import always, replacing_at
from tests.waiting import eventually, eventually_is

STAGES = (
    "open_source", "read", "close_source", "build_engine", "reset", "step", "open_background", "backdrop",
    "open_virtual_camera", "virtual_camera", "open_pipewire_camera", "pipewire_camera", "open_recorder", "recorder",
)  # fmt: skip
MOMENTS = ("start", "middle", "switch", "shutdown")
ERRORS: dict[str, Callable[[], Exception]] = {
    "named": partial(MattecamError, "The thing broke; mend it."),
    "unnamed": partial(ValueError, "not for users"),
    "memory": MemoryError,
}
ENGINE = ("build_engine", "reset", "step", "finish")


def cases() -> Iterator[Any]:
    """Yield each stage, kind and moment; of the errors, one is not `long`.

    A lack of memory is told from other errors of an engine alone.
    """
    for (number, moment), (index, stage) in product(enumerate(MOMENTS), enumerate(STAGES)):
        errors = [kind for kind in ERRORS if kind != "memory" or stage in ENGINE]
        now = errors[(number + index) % len(errors)]
        for kind in (*errors, "hang"):
            yield pytest.param(
                stage, kind, moment, marks=() if kind in (now, "hang") else pytest.mark.long
            )


@pytest.mark.parametrize(("stage", "kind", "moment"), list(cases()))
def test_the_room_never_shows(
    stage: str,
    kind: str,
    moment: str,
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    world.node = 1
    settings = BASE.replaced_at(["output"], record=tmp_path / "a.mp4")
    fault: Fault = world.faults.hang if kind == "hang" else ERRORS[kind]()
    if moment == "start":
        world.faults.put(stage, fault)
    with running(world, settings, IMPATIENT) as pipeline:
        if moment != "start":
            composites(pipeline, 5)
            eventually(world.has_shown, PictureKind.COMPOSITE)
            world.faults.put(stage, fault)
        if moment == "switch":
            apply(
                pipeline,
                settings.replace(
                    capture=settings.capture.replace(source="another"),
                    matting=settings.matting.replace(downsample_ratio=0.3),
                    background=settings.background.replace(colour="#102030"),
                    output=settings.output.replace(
                        virtual_camera="another", pipewire="on", record=tmp_path / "b.mp4"
                    ),
                ),
            )
        if moment != "shutdown":
            if kind != "hang" or "virtual_camera" not in stage:
                eventually(world.has_sent, 10)
            world.faults.heal()
            composites(pipeline, 5)
            eventually(world.has_shown, PictureKind.COMPOSITE)


AUTO = EngineSettings()
ILLEGAL = "CUDA error: an illegal memory access was encountered"


def failed(
    cause: str = "", precision: str = "float16", device: str = "cuda", *, invalid: bool = False
) -> ExecutorError:
    """Return the error of an engine, caused by an error of torch."""
    error = ExecutorError("It failed.", "mattecam", device, precision, invalid_output=invalid)
    error.__cause__ = RuntimeError(cause)
    return error


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> CudaCards:
    cards = simulated_cards("")
    monkeypatch.setattr(hardware, "cuda_cards", always(cards))
    return cards


CPU = AUTO.replace(device="cpu")
SINGLE = AUTO.replace(precision="float32")
STOPPED = "stopped working; matting continues on the CPU until"
SINGLE_NOW = "matting continues in float32"


@pytest.mark.parametrize(
    ("error", "fallback", "card_stays", "message"),
    [
        (failed(ILLEGAL), CPU, False, STOPPED),
        (
            failed("CUDA error: no kernel image is available for execution on the device"),
            CPU,
            False,
            STOPPED,
        ),
        (failed("CUDA error: unspecified launch failure"), CPU, False, STOPPED),
        (failed("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), CPU, True, "failed on the GPU"),
        (failed("CUDA out of memory"), CPU, True, "too little memory"),
        (
            failed("Unable to find an engine to execute this computation"),
            CPU,
            True,
            "failed on the GPU",
        ),
        (failed(precision="float32", invalid=True), CPU, True, "failed on the GPU"),
        (failed(invalid=True), SINGLE, True, SINGLE_NOW),
        (failed(precision="int8", device="cpu", invalid=True), SINGLE, True, "It failed."),
        (failed(precision="float32", device="cpu", invalid=True), None, True, "It failed."),
        (ValueError("not for users"), None, True, "Matting failed; choose another model"),
    ],
)
def test_what_replaces_an_engine_that_fails_and_what_the_user_reads(
    cards: CudaCards,
    error: Exception,
    fallback: EngineSettings | None,
    card_stays: bool,
    message: str,
) -> None:
    remember(error)
    assert replacement(AUTO, error) == fallback
    assert (cards.first() is not None) is card_stays, (
        "a device that is lost is not used again in this process"
    )
    assert cards.half_works("cuda") is (fallback is not SINGLE or error.device == "cpu")  # type: ignore[attr-defined]
    shown = shown_error(error, fallback)
    assert message in str(shown) and error in (shown, shown.__cause__)
    assert isinstance(error, ValueError) or str(shown_error(error)) == "It failed."


def test_out_of_memory_on_a_gpu_falls_back_to_a_smaller_ratio_and_then_the_cpu() -> None:
    settings: EngineSettings | None = AUTO.replace(device="cuda", downsample_ratio=0.4)
    tried: list[tuple[str, float | None]] = []
    while settings is not None:
        tried.append((settings.device, settings.downsample_ratio))
        settings = replacement(
            settings,
            RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        )

    assert tried == [("cuda", 0.4), ("cuda", 0.2), ("cuda", 0.1), ("cpu", None)]
    assert (
        replacement(AUTO.replace(device="cuda"), RuntimeError("The driver is shutting down")) == CPU
    )


def test_the_chosen_detail_stays_where_the_gpu_of_intel_fails() -> None:
    chosen = AUTO.replace(device=INTEL, executor="openvino", downsample_ratio=0.5)

    replaced = replacement(chosen, failed("it does not answer", device=INTEL))

    assert replaced == chosen.replace(device="cpu", precision="auto")


class LostGpu(FakeEngine):
    """An engine whose device is lost after some frames: every call fails, even `reset` and `close`."""

    steps = 0

    def matte(self, step: StepRequest) -> Matte:
        self.steps += 1
        self.reset()
        return super().matte(step)

    def reset(self, seen: AlphaImage | None = None) -> None:
        if self.steps > 5:
            raise failed(ILLEGAL)

    def close(self) -> None:
        super().close()
        self.reset()


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_lost_gpu_shows_the_card_then_composites_of_the_cpu(
    device: str,
    cards: CudaCards,
    world: FakeWorld,
) -> None:
    built: list[FakeEngine] = []

    def build(
        settings: EngineSettings,
        width: int,
        height: int,
        framing: FramingSettings,
    ) -> FakeEngine:
        make = FakeEngine if settings.device == "cpu" else LostGpu
        if settings.device == "cpu":
            # The card, before the CPU's engine is ready.
            eventually(shows_card, world)
        built.append(make(settings, width, height, world.faults))
        return built[-1]

    settings = BASE.replace(matting=BASE.matting.replace(device=device))
    with running(
        world, settings, IMPATIENT, parts=replace(world.parts(), build_engine=build)
    ) as pipeline:
        eventually_is(2, len, built)
        eventually(in_phase, pipeline, Phase.RUNNING)
        composites(pipeline, 5)
        assert [
            problem.message
            for problem in pipeline.status().problems
            if problem.stage is Stage.MATTING
        ] == [
            "The GPU cuda stopped working; matting continues on the CPU until Mattecam is restarted."
        ]
        assert [type(engine) for engine in built] == [LostGpu, FakeEngine]
    with pytest.raises(ModelError) as caught:
        cards.find("cuda:1")
    assert replacement(AUTO.replace(device="cuda:1"), caught.value) == CPU, (
        "another choice of the GPU"
    )


Trick = Callable[[Matte, BgrImage, int], Matte]
TIMING = Timing(engine_retry_s=0.05, plausibility_hold_s=0.1)


def alpha_of(value: int) -> Trick:
    def trick(matte: Matte, frame: BgrImage, number: int) -> Matte:
        return Matte(frame.copy(), np.full_like(matte.alpha, value))

    return trick


def copy(matte: Matte, frame: BgrImage, number: int) -> Matte:
    return Matte(frame.copy(), matte.alpha)


def flicker(matte: Matte, frame: BgrImage, number: int) -> Matte:
    """Show the frame with the alpha 255, and black with the alpha 0, in turn."""
    shows = 1 - number % 2
    return alpha_of(255 * shows)(matte, frame * shows, number)


def between_the_grid(matte: Matte, frame: BgrImage, number: int) -> Matte:
    composite = frame.copy()
    composite[::8, ::8] = matte.composite[::8, ::8]
    return Matte(composite, matte.alpha)


TRICKS: dict[str, Trick] = {
    "alpha 255": alpha_of(255),
    "alpha 1": alpha_of(1),
    "between the grid": between_the_grid,
    "copy": copy,
    "flicker": flicker,
}


def detailed(frame: Frame) -> BgrImage:
    """The fake room, with a pattern on the wall whose every second pixel keeps the room's colour."""
    image = frame.image.copy()
    room = np.all(image == room_picture()[0, 0], axis=2)
    room[:, ::2] = False
    image[room] = 240
    return image


def detailed_self_test(engine: MattingEngine, width: int, height: int) -> None:
    """As the real one, for engines that know the fake person alone."""
    image = room_picture(width, height)
    share = engine.step(StepRequest(image, np.zeros_like(image), EdgeSettings())).alpha.mean() / 255
    engine.reset()
    if not 0.05 <= share <= 0.75:
        raise ModelError("The model fails its self-test; choose another model or executor.")


def shows_card(world: FakeWorld) -> bool:
    return world.newest().frame is None


def shows_only_person(world: FakeWorld) -> bool:
    return bool((world.newest().image == PERSON).all())


def frames_pass(world: FakeWorld, count: int = 50) -> None:
    """Wait until the source has given more frames, in which an engine that shows the room is tried again."""
    source = world.sources[-1]
    goal = source.decoded + count

    def have_passed() -> bool:
        return source.decoded >= goal

    eventually(have_passed)


@pytest.mark.parametrize("kind", ["colour", "blur"])
@pytest.mark.parametrize("moment", ["start", "middle"])
@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_a_leaking_engine_leads_to_a_card_and_recovers(
    trick: Trick,
    moment: str,
    kind: str,
    world: FakeWorld,
) -> None:
    on = threading.Event()
    numbers = count()

    class Engine(FakeEngine):
        def matte(self, step: StepRequest) -> Matte:
            matte = super().matte(step)
            return trick(matte, step.frame, next(numbers)) if on.is_set() else matte

    world.engine = Engine
    settings = BASE.replace(background=BackgroundSettings.model_validate({"kind": kind}))
    world.shape = detailed
    parts = replace(world.parts(), self_test=detailed_self_test)
    if moment == "start":
        on.set()
    with running(world, settings, TIMING, parts=parts) as pipeline:
        if moment == "middle":
            composites(pipeline)
            on.set()
        eventually(in_phase, pipeline, Phase.WAITING)
        frames_pass(world)
        eventually(world.has_sent, 20)
        on.clear()
        composites(pipeline)
        eventually(world.shows, PictureKind.COMPOSITE)


class ShowsRoomAtQuarterRatio(FakeEngine):
    """Passes its self-test; at a ratio of 0.25 it then takes nearly all of the room for the person."""

    count = 0

    def matte(self, step: StepRequest) -> Matte:
        matte = super().matte(step)
        self.count += 1
        if self.count == 1 or self.info.downsample_ratio != 0.25:
            return matte
        alpha = np.full_like(matte.alpha, 255)
        alpha[:4] = 0
        return Matte(
            np.where(alpha[..., None] > 0, step.frame, matte.composite).astype(np.uint8),
            alpha,
        )


def test_another_engine_that_shows_the_room_at_once_leads_to_the_card(world: FakeWorld) -> None:
    world.engine = ShowsRoomAtQuarterRatio
    with live(
        world, BASE, TIMING, parts=replace(world.parts(), self_test=detailed_self_test)
    ) as pipeline:
        pipeline.change(replacing_at(["matting"], downsample_ratio=0.25))
        eventually(in_phase, pipeline, Phase.WAITING)
        frames_pass(world)


def test_an_engine_that_fails_its_self_test_is_closed_and_never_used(world: FakeWorld) -> None:
    test = Mock(side_effect=ModelError("The model fails its self-test; choose another."))
    with running(world, BASE, TIMING, parts=replace(world.parts(), self_test=test)) as pipeline:
        eventually(has_problems, pipeline)
        eventually(world.has_sent, 20)
        assert kinds(world) == {PictureKind.STANDBY}


def test_a_suspicious_matte_is_shown_after_a_test_of_the_engine(world: FakeWorld) -> None:
    """Somebody may come so near that nothing of the room is seen."""
    near = threading.Event()
    tests = list[bool]()

    def shape(frame: Frame) -> BgrImage:
        return np.full_like(frame.image, PERSON) if near.is_set() else frame.image

    def self_test(*_: object) -> None:
        tests.append(near.is_set())

    world.shape = shape
    parts = replace(world.parts(), self_test=self_test)
    with live(world, BASE, Timing(plausibility_hold_s=0.0), parts=parts):
        near.set()
        eventually(shows_only_person, world)
    assert tests == [False, True], "before its first frame, and once more"


def test_the_governor_is_told_which_frames_were_left_out(
    world: FakeWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = list[bool]()
    completed = EngineSelector.completed

    class Engine(FakeEngine):
        def matte(self, step: StepRequest) -> Matte:
            return replace(super().matte(step), still=len(told) % 2 == 1)

    def noted(selector: EngineSelector, run: MatteFrame, step: MeasuredStep) -> None:
        told.append(step.still)
        completed(selector, run, step)

    def first_four() -> list[bool]:
        return told[:4]

    monkeypatch.setattr(EngineSelector, "completed", noted)
    world.engine = Engine
    with running(world):
        eventually_is([False, True, False, True], first_four)
