"""Mattes that show the room, in every way found so far, lead to the stand-by card; real ones do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from app.core.errors import ModelError
from app.core.settings import BackgroundSettings, CaptureSettings, EdgeSettings, EngineSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Frame, Matte, PictureKind
from app.matting.base import MattingEngine
from app.runtime.engines.plausibility import MAX_ROUNDING, SATURATED, AlphaWatch, CompositeCheck
from app.runtime.engines.self_test import self_test
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.runtime.timing import Timing
from tests.fakes import FakeEngine, FakeSource, FakeWorld, Faults, room_picture, shows_room
from tests.runtime.running import BASE, composites
from tests.waiting import eventually

Trick = Callable[[Matte, BgrImage, int], Matte]
TIMING = Timing(engine_retry_s=0.1, plausibility_hold_s=0.1)
HEIGHT, WIDTH = 96, 128
SEQUENCE = (1, 1)
"""(source generation, engine number)"""


def textured(height: int = HEIGHT, width: int = WIDTH) -> BgrImage:
    """A frame with detail everywhere."""
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def alpha_of(value: int) -> AlphaImage:
    return np.full((HEIGHT, WIDTH), value, np.uint8)


def blurred(image: BgrImage) -> BgrImage:
    return np.broadcast_to(image.mean(axis=(0, 1)).astype(np.uint8), image.shape).copy()


def refuses(matte: Matte, frame: BgrImage, backdrop: Backdrop) -> bool:
    check = CompositeCheck()
    try:
        for index in range(8):  # of a blurred room other rows are compared in each frame
            check.check(matte, Frame(frame, index, 0.0), backdrop)
    except ModelError:
        return True
    return False


@pytest.mark.parametrize("alpha", [0, 1, 2, 100, 254])
def test_room_that_alpha_does_not_cover_is_refused(alpha: int) -> None:
    """Alpha 1 with the composite equal to the frame passed a check of the pixels where alpha is 0."""
    frame, backdrop = np.full((HEIGHT, WIDTH, 3), 255, np.uint8), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert refuses(Matte(frame.copy(), alpha_of(alpha)), frame, backdrop) == (alpha < 255 - MAX_ROUNDING)


def test_room_between_the_points_of_a_grid_is_refused() -> None:
    frame, backdrop = textured(), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for row, column in ((3, 5), (95, 127), (1, 0), (0, 1)):
        composite = backdrop.copy()
        composite[row, column] = 200
        assert refuses(Matte(composite, alpha_of(0)), frame, backdrop)
    grid = frame.copy()
    grid[::8, ::8] = 0
    assert refuses(Matte(grid, alpha_of(0)), frame, backdrop)


@pytest.mark.parametrize("part", ["all of it", "one tile", "all but a grid"])
def test_a_copy_of_the_frame_as_blurred_room_is_refused(part: str) -> None:
    frame = textured()
    composite = blurred(frame)
    if part == "one tile":
        composite[:32, :32] = frame[:32, :32]
    else:
        composite = frame.copy()
        if part == "all but a grid":
            composite[::8, ::8] = 0
    assert refuses(Matte(composite, alpha_of(0)), frame, BlurredBackground(50))


def test_what_blur_cannot_change_is_permitted() -> None:
    dark = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert not refuses(Matte(dark.copy(), alpha_of(0)), dark, BlurredBackground(0)), "a covered camera"
    frame = textured()
    assert not refuses(Matte(blurred(frame), alpha_of(0)), frame, BlurredBackground(0))
    assert not refuses(Matte(frame.copy(), alpha_of(255)), frame, BlurredBackground(0)), (
        "all person: the alpha watch's case"
    )


@pytest.mark.parametrize("strength", [0.0, 50.0, 100.0])
@pytest.mark.parametrize("edges", [EdgeSettings(), EdgeSettings(grow_px=4, feather_px=9, despill=1.0, contrast=0.5)])
@pytest.mark.parametrize("executor", ["eager", "openvino"])
def test_real_composites_are_permitted(executor: str, edges: EdgeSettings, strength: float) -> None:
    from app.capture.demo import DemoSource
    from app.matting import build_engine

    engine = build_engine(
        EngineSettings(model="student", executor=executor, device="cpu", precision="float32"), 320, 180
    )
    source = DemoSource(320, 180, 30.0, realtime=False)
    check, backdrop = CompositeCheck(), textured(180, 320)
    try:
        for _ in range(4):
            frame = source.read()
            assert frame is not None
            for behind in (backdrop, BlurredBackground(strength)):
                check.check(engine.step(frame.image, behind, edges), frame, behind)
        self_test(engine, 320, 180)
    finally:
        engine.close()
        source.close()


def never() -> None:
    raise AssertionError("there was nothing to test")


def fails() -> None:
    raise ModelError("The model fails its self-test; choose another.")


def shown(watch: AlphaWatch, shares: list[float], test: Callable[[], None], interval_s: float = 1 / 30) -> list[bool]:
    return [watch.permits(share, n * interval_s, SEQUENCE, test) for n, share in enumerate(shares)]


def test_a_person_who_comes_closer_until_the_face_fills_the_frame_is_never_carded() -> None:
    tests: list[int] = []
    shares = [0.3 + 0.7 * n / 60 for n in range(61)] + [1.0] * 60 + [0.96, 0.97, 1.0] * 20
    assert all(shown(AlphaWatch(0.5), shares, lambda: tests.append(1)))
    assert len(tests) == 1, "and the engine is tested once"


def test_ordinary_movement_is_never_suspicious() -> None:
    dice = np.random.default_rng(3)
    shares = list(np.clip(0.4 + np.cumsum(dice.normal(0, 0.05, 3000)), 0, 0.95))
    assert all(shown(AlphaWatch(0.5), shares, never))
    assert all(shown(AlphaWatch(0.5), [0.0, 0.55, 0.0, 0.59], never)), "someone enters at a low frame rate"


def test_a_sudden_rise_is_shown_once_it_has_lasted() -> None:
    assert shown(AlphaWatch(0.5), [0.0] * 3 + [0.8] * 20, lambda: None) == [True] * 3 + [False] * 15 + [True] * 5


def test_an_alpha_that_flickers_between_nothing_and_all_is_never_shown() -> None:
    permitted = shown(AlphaWatch(0.5), [0.0, 1.0] * 200, lambda: None)
    assert permitted == [True, False] * 200


def test_a_first_frame_that_is_all_person_has_to_last() -> None:
    permitted = shown(AlphaWatch(0.5), [1.0] * 20, lambda: None)
    assert permitted == [False] * 15 + [True] * 5
    with pytest.raises(ModelError):
        shown(AlphaWatch(0.5), [1.0] * 20, fails)
    with pytest.raises(ModelError):
        shown(AlphaWatch(0.5), [0.9, SATURATED], fails)


def test_a_person_who_reappears_after_a_self_test_is_shown_at_once() -> None:
    """The self-test resets the engine, and strict mode hides people until they move."""
    tests: list[int] = []
    permitted = shown(AlphaWatch(0.5), [0.0] + [0.8] * 16 + [0.0] * 5 + [0.8] * 5, lambda: tests.append(1))
    assert permitted[16:] == [True] * 11
    assert len(tests) == 1


def test_another_source_starts_anew() -> None:
    watch = AlphaWatch(0.5)
    assert watch.permits(0.0, 0.0, (1, 1), never)
    assert watch.permits(0.9, 0.03, (2, 1), never)


def test_a_rise_with_the_first_frame_of_another_engine_has_to_last() -> None:
    """The watch began anew with every engine, so that the first matte of a broken one was shown."""
    watch, tests = AlphaWatch(0.5), list[int]()
    assert watch.permits(0.2, 0.0, (1, 1), never)
    assert not watch.permits(0.9, 0.1, (1, 2), never)
    assert not watch.permits(0.9, 0.5, (1, 3), never), "every engine has to prove itself"
    assert not watch.permits(0.9, 0.9, (1, 3), never)
    assert watch.permits(0.9, 1.1, (1, 3), lambda: tests.append(1))
    assert tests == [1]


class Tricky(FakeEngine):
    """Plays a trick with every matte while the switch is on."""

    trick: Trick
    on = threading.Event()
    count = 0

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        matte = super().step(frame, backdrop, edges, want_foreground=want_foreground)
        self.count += 1
        return type(self).trick(matte, frame, self.count) if self.on.is_set() else matte


def alpha_all(matte: Matte, frame: BgrImage, count: int) -> Matte:
    return Matte(frame.copy(), np.full_like(matte.alpha, 255))


def alpha_one(matte: Matte, frame: BgrImage, count: int) -> Matte:
    return Matte(frame.copy(), np.full_like(matte.alpha, 1))


def between_the_grid(matte: Matte, frame: BgrImage, count: int) -> Matte:
    composite = frame.copy()
    composite[::8, ::8] = matte.composite[::8, ::8]
    return Matte(composite, matte.alpha)


def copy(matte: Matte, frame: BgrImage, count: int) -> Matte:
    return Matte(frame.copy(), matte.alpha)


def flicker(matte: Matte, frame: BgrImage, count: int) -> Matte:
    if count % 2:
        return Matte(np.zeros_like(frame), np.zeros_like(matte.alpha))
    return alpha_all(matte, frame, count)


class DetailedSource(FakeSource):
    """The fake room, with a pattern on the wall whose every second pixel keeps the room's colour."""

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is None:
            return None
        image = frame.image.copy()
        room = np.all(image == room_picture()[0, 0], axis=2)
        room[:, ::2] = False
        image[room] = 240
        return replace(frame, image=image)


def detailed_self_test(engine: MattingEngine, width: int, height: int) -> None:
    """As the real one, for engines that know the fake person alone."""
    image = room_picture(width, height)
    share = engine.step(image, np.zeros_like(image), EdgeSettings()).alpha.mean() / 255
    engine.reset()
    if not 0.05 <= share <= 0.75:
        raise ModelError("The model fails its self-test; choose another model or executor.")


@pytest.mark.parametrize("kind", ["colour", "blur"])
@pytest.mark.parametrize("moment", ["start", "middle"])
@pytest.mark.parametrize("trick", [alpha_all, alpha_one, between_the_grid, copy, flicker])
def test_an_engine_that_shows_the_room_leads_to_the_card_and_recovers(trick: Trick, moment: str, kind: str) -> None:
    class Engine(Tricky):
        pass

    Engine.trick = staticmethod(trick)
    Engine.on = threading.Event()
    world = FakeWorld()
    world.engine = Engine
    settings = BASE.replace(
        capture=CaptureSettings(source="fake", width=64, height=48, fps=120),
        background=BackgroundSettings.model_validate({"kind": kind}),
    )
    parts = replace(world.parts(), self_test=detailed_self_test, open_source=partial(_detailed, world.faults))
    pipeline = Pipeline(settings, parts=parts, timing=TIMING)
    if moment == "start":
        Engine.on.set()
    pipeline.start()
    if moment == "middle":
        composites(pipeline)
        Engine.on.set()
    eventually(lambda: pipeline.status().phase is Phase.WAITING)
    time.sleep(0.3)
    eventually(lambda: len(world.pictures()) > 20)
    Engine.on.clear()
    composites(pipeline)
    eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)
    assert pipeline.stop()
    assert not any(shows_room(picture.image) for picture in world.pictures())


class ShowsRoomAtQuarterRatio(FakeEngine):
    """Passes its self-test; at a ratio of 0.25 it then takes nearly all of the room for the person."""

    count = 0

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        matte = super().step(frame, backdrop, edges, want_foreground=want_foreground)
        self.count += 1
        if self.count == 1 or self.info.downsample_ratio != 0.25:
            return matte
        alpha = np.full_like(matte.alpha, 255)
        alpha[:4] = 0
        return Matte(np.where(alpha[..., None] > 0, frame, matte.composite).astype(np.uint8), alpha)


def test_another_engine_that_shows_the_room_at_once_leads_to_the_card() -> None:
    world = FakeWorld()
    world.engine = ShowsRoomAtQuarterRatio
    pipeline = Pipeline(BASE, parts=replace(world.parts(), self_test=detailed_self_test), timing=TIMING)
    pipeline.start()
    composites(pipeline)
    pipeline.change(lambda now: now.replace(matting=now.matting.replace(downsample_ratio=0.25)))
    eventually(lambda: pipeline.status().phase is Phase.WAITING)
    time.sleep(0.3)
    assert pipeline.stop()
    assert not any(shows_room(picture.image) for picture in world.pictures())


def _detailed(faults: Faults, settings: CaptureSettings) -> FakeSource:
    return DetailedSource(settings, faults, "file")
