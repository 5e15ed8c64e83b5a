"""Engines whose mattes show the room, in every way found so far, lead to the stand-by card."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from app.core.errors import ModelError
from app.core.settings import BackgroundSettings, EdgeSettings
from app.core.types import BgrImage, Frame, Matte, PictureKind
from app.matting.base.interface import MattingEngine
from app.matting.selection.governor import StepTiming
from app.runtime.engines.plan import Run
from app.runtime.engines.selector import EngineSelector
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.testing.parts import FakeEngine, StepInput, room_picture, shows_room
from tests.fakes.world import BASE, FakeWorld, composites, running
from tests.waiting import eventually

Trick = Callable[[Matte, BgrImage, int], Matte]
TIMING = Timing(engine_retry_s=0.05, plausibility_hold_s=0.1)


class Tricky(FakeEngine):
    """Plays a trick with every matte while the switch is on."""

    trick: Trick
    on = threading.Event()
    count = 0

    def matte(self, step: StepInput) -> Matte:
        matte = super().matte(step)
        self.count += 1
        return type(self).trick(matte, step.frame, self.count) if self.on.is_set() else matte


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
    share = engine.step(image, np.zeros_like(image), EdgeSettings()).alpha.mean() / 255
    engine.reset()
    if not 0.05 <= share <= 0.75:
        raise ModelError("The model fails its self-test; choose another model or executor.")


def frames_pass(world: FakeWorld, count: int = 50) -> None:
    """Wait until the source has given more frames, in which an engine that shows the room is tried again."""
    goal = world.sources[-1].decoded + count
    eventually(lambda: world.sources[-1].decoded >= goal)


@pytest.mark.parametrize("kind", ["colour", "blur"])
@pytest.mark.parametrize("moment", ["start", "middle"])
@pytest.mark.parametrize("trick", [alpha_all, alpha_one, between_the_grid, copy, flicker])
def test_an_engine_that_shows_the_room_leads_to_the_card_and_recovers(
    trick: Trick, moment: str, kind: str, world: FakeWorld
) -> None:
    class Engine(Tricky):
        pass

    Engine.trick = staticmethod(trick)
    Engine.on = threading.Event()
    world.engine = Engine
    settings = BASE.replace(background=BackgroundSettings.model_validate({"kind": kind}))
    world.shape = detailed
    parts = replace(world.parts(), self_test=detailed_self_test)
    if moment == "start":
        Engine.on.set()
    with running(world, settings, TIMING, parts=parts) as pipeline:
        if moment == "middle":
            composites(pipeline)
            Engine.on.set()
        eventually(lambda: pipeline.status().phase is Phase.WAITING)
        frames_pass(world)
        eventually(lambda: len(world.pictures()) > 20)
        Engine.on.clear()
        composites(pipeline)
        eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)
    assert not any(shows_room(picture.image) for picture in world.pictures())


class ShowsRoomAtQuarterRatio(FakeEngine):
    """Passes its self-test; at a ratio of 0.25 it then takes nearly all of the room for the person."""

    count = 0

    def matte(self, step: StepInput) -> Matte:
        matte = super().matte(step)
        self.count += 1
        if self.count == 1 or self.info.downsample_ratio != 0.25:
            return matte
        alpha = np.full_like(matte.alpha, 255)
        alpha[:4] = 0
        return Matte(np.where(alpha[..., None] > 0, step.frame, matte.composite).astype(np.uint8), alpha)


def test_another_engine_that_shows_the_room_at_once_leads_to_the_card(world: FakeWorld) -> None:
    world.engine = ShowsRoomAtQuarterRatio
    with running(world, BASE, TIMING, parts=replace(world.parts(), self_test=detailed_self_test)) as pipeline:
        composites(pipeline)
        pipeline.change(lambda now: now.replace(matting=now.matting.replace(downsample_ratio=0.25)))
        eventually(lambda: pipeline.status().phase is Phase.WAITING)
        frames_pass(world)
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_a_suspicious_matte_is_shown_after_a_test_of_the_engine(world: FakeWorld) -> None:
    """Somebody may come so near that nothing of the room is seen."""
    near, tests = threading.Event(), list[bool]()

    class Engine(FakeEngine):
        def matte(self, step: StepInput) -> Matte:
            matte = super().matte(step)
            return alpha_all(matte, step.frame, 0) if near.is_set() else matte

    world.engine = Engine
    parts = replace(world.parts(), self_test=lambda *_: tests.append(near.is_set()))
    with running(world, BASE, Timing(plausibility_hold_s=0.0), parts=parts) as pipeline:
        composites(pipeline)
        near.set()
        eventually(lambda: shows_room(world.newest().image))
    assert tests == [False, True], "before its first frame, and once more"


def test_the_governor_is_told_which_frames_the_network_left_out(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, completed = list[bool](), EngineSelector.completed

    class Engine(FakeEngine):
        def matte(self, step: StepInput) -> Matte:
            return replace(super().matte(step), still=len(told) % 2 == 1)

    def noted(selector: EngineSelector, run: Run, step: StepTiming) -> None:
        told.append(step.still)
        completed(selector, run, step)

    monkeypatch.setattr(EngineSelector, "completed", noted)
    world.engine = Engine
    with running(world):
        eventually(lambda: told[:4] == [False, True, False, True])
