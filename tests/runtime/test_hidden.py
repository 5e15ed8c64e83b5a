"""What is hidden: the room, unless background none is chosen, and people, of whom the status tells."""

from __future__ import annotations

import time

import numpy as np
import pytest

from app.core.errors import BackgroundError, SourceLostError
from app.core.matte_edit import WHOLE_VIEW
from app.core.settings import BackgroundSettings, PeopleSettings
from app.core.types import BlurredBackground, Matte, PictureKind
from app.runtime.backdrops import PLAIN_GREY
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.testing.parts import FakeEngine, StepInput, shows_room
from tests.fakes.world import BASE, FakeWorld, apply, composites, kinds, running
from tests.waiting import eventually


def test_none_shows_the_room_only_while_it_is_chosen(world: FakeWorld, pipeline: Pipeline) -> None:
    apply(pipeline, BASE.replace(background=BASE.background.replace(kind="none")))
    eventually(lambda: PictureKind.UNMATTED in kinds(world))
    assert pipeline.status().unmatted
    apply(pipeline, BASE)
    eventually(lambda: not pipeline.status().unmatted)
    composites(pipeline)
    eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)
    after = len(world.pictures())
    composites(pipeline, 10)
    assert not any(shows_room(picture.image) for picture in world.pictures()[after:])


def test_the_status_tells_what_an_unmatted_picture_shows_and_when_it_is_a_card(world: FakeWorld) -> None:
    """The window laid zones that were painted on it where the followed person had been."""
    followed = BASE.replace(people=PeopleSettings(auto_framing="close"))
    with running(world, followed) as pipeline:
        eventually(lambda: pipeline.status().view.size < 1)
        apply(pipeline, followed.replace(background=BackgroundSettings(kind="none")))
        eventually(lambda: pipeline.status().unmatted and pipeline.status().view == WHOLE_VIEW)
        world.faults.put("read", SourceLostError("The camera is disconnected."))
        eventually(lambda: pipeline.status().phase is Phase.WAITING and not pipeline.status().unmatted)


@pytest.mark.parametrize("fault", ["does not open", "opens slowly", "breaks"])
def test_a_background_that_is_not_available_never_becomes_a_blurred_room(fault: str) -> None:
    """The room was shown blurred meanwhile, to users who had chosen a picture to hide it."""

    class Engine(FakeEngine):
        def matte(self, step: StepInput) -> Matte:
            blurs.append(isinstance(step.backdrop, BlurredBackground))
            return super().matte(step)

    world, blurs = FakeWorld(), list[bool]()
    world.engine = Engine
    broken = BackgroundError("The picture cannot be read; choose another.")
    stage = "backdrop" if fault == "breaks" else "open_background"
    world.faults.put(stage, world.faults.hang if fault == "opens slowly" else broken)
    with running(world) as pipeline:
        composites(pipeline, 5)
        eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)
        assert np.ptp(world.newest().image[0, 0]) == 0, "plain grey"
        world.faults.heal()
    assert blurs and not any(blurs)


def test_the_first_composite_waits_for_its_background_for_a_bounded_time() -> None:
    """Where the background opened later than the engine, calls and recordings began with plain grey."""
    world = FakeWorld()
    world.faults.put("open_background", lambda: time.sleep(0.4))
    with running(world, timing=Timing(background_wait_s=60)) as pipeline:
        composites(pipeline)
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
    first = next(picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE)
    assert tuple(first.image[0, 0]) == (255, 0, 0)

    world = FakeWorld()
    world.faults.put("open_background", lambda: world.faults.hang(60))
    with running(world, timing=Timing(background_wait_s=0.2)) as pipeline:
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
        assert tuple(world.newest().image[0, 0]) == (PLAIN_GREY,) * 3


def test_nobody_is_said_to_be_hidden_by_a_selection_in_a_card_and_with_the_background_none(world: FakeWorld) -> None:
    nobody = BASE.replace(people=PeopleSettings(only_me=True), selected=(0.02, 0.02))
    with running(world, nobody) as pipeline:
        eventually(lambda: pipeline.status().hides_person)
        apply(pipeline, nobody.replace(paused=True))
        eventually(lambda: not pipeline.status().hides_person)
        apply(pipeline, nobody)
        eventually(lambda: pipeline.status().hides_person)
        apply(pipeline, nobody.replace(background=BackgroundSettings(kind="none")))
        eventually(lambda: pipeline.status().unmatted and not pipeline.status().hides_person)
