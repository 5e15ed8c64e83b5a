"""Placing the person in the running pipeline."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from app.core.errors import ModelError
from app.core.framing import in_corner
from app.core.messages.matting import ModelText
from app.core.settings import EngineSettings, FramingSettings, PeopleSettings, PlacementSettings, Settings
from app.core.types import Matte
from app.matting.base.interface import MattingEngine
from app.runtime.status import Phase
from app.testing.parts import HEIGHT, PERSON, WIDTH, FakeEngine, StepInput, room_picture, shows_room
from tests.fakes.world import FakeWorld
from tests.runtime.previewed import newest, person_share, shown_in
from tests.runtime.running import BASE, apply, composites, running
from tests.waiting import eventually

CORNER: Settings = BASE.replace(placement=in_corner("bottom-right", 0.5))


def test_the_person_moves_to_the_corner_and_back_and_the_room_is_never_seen() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        whole = person_share(pipeline)
        apply(pipeline, CORNER)
        eventually(lambda: 0 < person_share(pipeline) < 0.3 * whole)
        assert min(shown_in(pipeline, PERSON)) >= WIDTH // 2
        view = pipeline.status().view
        assert (view.left, view.top, view.size) == (-1, -1, 2), "clicks find their place in the frame"
        np.testing.assert_array_equal(newest(pipeline).image[1:], room_picture()[1:])
        apply(pipeline, BASE)
        eventually(lambda: person_share(pipeline) == whole)
        assert pipeline.status().view.is_whole
        assert not pipeline.status().errors
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind.name == "COMPOSITE")


def test_only_me_selects_in_coordinates_of_the_frame() -> None:
    world = FakeWorld()
    wanted = CORNER.replace(people=PeopleSettings(only_me=True), selected=(0.5, 0.6))
    with running(world, wanted) as pipeline:
        composites(pipeline)
        eventually(lambda: bool(shown_in(pipeline, PERSON)) and not pipeline.status().hides_person)
        assert min(shown_in(pipeline, PERSON)) >= WIDTH // 2


class BlindEngine(FakeEngine):
    """Takes everything for the person."""

    def matte(self, step: StepInput) -> Matte:
        frame = step.frame
        if step.edit is None:
            return Matte(frame.copy(), np.full(frame.shape[:2], 255, np.uint8))
        step.edit.edit(np.zeros((3, HEIGHT, WIDTH), np.float32), np.ones((HEIGHT, WIDTH), np.float32))
        composite, alpha = np.array(step.backdrop), np.zeros(frame.shape[:2], np.uint8)
        composite[HEIGHT // 2 :, WIDTH // 2 :], alpha[HEIGHT // 2 :, WIDTH // 2 :] = frame[::2, ::2], 255
        return Matte(composite, alpha)


def test_a_matte_that_hides_nothing_is_found_when_the_frame_is_small_in_a_corner() -> None:
    """The moved frame fills a quarter of the output only, which must not make the check believe the matte."""
    world = FakeWorld()

    def build(settings: EngineSettings, width: int, height: int, _framing: FramingSettings) -> MattingEngine:
        return BlindEngine(settings, width, height, world.faults)

    broken = threading.Event()

    def self_test(_engine: MattingEngine, _width: int, _height: int) -> None:
        if broken.is_set():
            raise ModelError(ModelText.UNEXPECTED())

    with running(world, CORNER, parts=replace(world.parts(), build_engine=build, self_test=self_test)) as pipeline:
        broken.set()
        eventually(lambda: pipeline.status().phase is Phase.WAITING and bool(pipeline.status().problems))
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_a_placement_far_outside_shows_the_background_alone() -> None:
    world = FakeWorld()
    with running(world, BASE.replace(placement=PlacementSettings(x=1, y=1, scale=0.5))) as pipeline:
        composites(pipeline)
        assert not shown_in(pipeline, PERSON)
        assert not pipeline.status().errors
