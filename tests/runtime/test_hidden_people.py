"""The status tells whether the strict level hides somebody; the outputs do not."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.settings import BackgroundSettings, EdgeSettings, PeopleSettings, Settings
from app.core.types import PictureKind
from app.runtime import matting_worker
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, status_fields
from app.testing.parts import PERSON
from tests.fakes.hiding import HidingEngine
from tests.fakes.world import FakeWorld
from tests.runtime.inference import bench
from tests.runtime.running import BASE, apply, composites, running
from tests.waiting import eventually

STRICT: Settings = BASE.replace(matting=BASE.matting.replace(edges=EdgeSettings(strict="strict")))


@pytest.fixture
def world() -> FakeWorld:
    made = FakeWorld()
    made.engine = HidingEngine
    return made


def told(pipeline: Pipeline) -> tuple[bool, bool]:
    fields = status_fields(pipeline.status())
    return fields["hides_person"], fields["awaits_movement"]


def test_the_status_tells_it_until_the_level_changes_and_the_outputs_do_not(world: FakeWorld) -> None:
    with running(world, STRICT) as pipeline:
        eventually(lambda: told(pipeline) == (True, True))
        eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)
        hiding = world.newest().image
        pipeline.change(lambda settings: settings.with_strict("balanced"))
        eventually(lambda: told(pipeline) == (False, False))
        composites(pipeline)
        colours = {tuple(colour) for colour in hiding.reshape(-1, 3).tolist()}
        assert colours == {PERSON, (255, 0, 0)}, "the person and the background, and no text"
        # The first row holds the number of the frame.
        np.testing.assert_array_equal(hiding[1:], world.newest().image[1:])


def test_nobody_is_said_to_be_hidden_in_a_card_and_with_the_background_none(world: FakeWorld) -> None:
    with running(world, STRICT) as pipeline:
        eventually(lambda: told(pipeline) == (True, True))
        apply(pipeline, STRICT.replace(paused=True))
        eventually(lambda: told(pipeline) == (False, False))
        apply(pipeline, STRICT)
        eventually(lambda: told(pipeline) == (True, True))
        apply(pipeline, STRICT.replace(background=BackgroundSettings(kind="none")))
        eventually(lambda: pipeline.status().unmatted and told(pipeline) == (False, False))


def test_nobody_is_said_to_be_hidden_by_a_selection_with_the_background_none(world: FakeWorld) -> None:
    nobody = BASE.replace(people=PeopleSettings(only_me=True), selected=(0.02, 0.02))
    with running(world, nobody) as pipeline:
        eventually(lambda: told(pipeline) == (True, False))
        apply(pipeline, nobody.replace(background=BackgroundSettings(kind="none")))
        eventually(lambda: pipeline.status().phase is Phase.RUNNING and told(pipeline) == (False, False))


def test_others_who_are_hidden_do_not_matter_while_the_selected_person_is_shown(world: FakeWorld) -> None:
    alone = STRICT.replace(people=PeopleSettings(only_me=True))
    with running(world, alone) as pipeline:
        composites(pipeline)
        eventually(lambda: told(pipeline) == (False, False))
        apply(pipeline, alone.replace(selected=(0.02, 0.02)))
        eventually(lambda: told(pipeline) == (True, True))


def test_overlapped_steps_tell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matting_worker, "CROWDED", -1.0)
    with bench() as tried:
        tried.engine.hides = {2}
        tried.send_shown(1, 2)
        eventually(lambda: tried.worker.awaits_movement)
        tried.send_shown(3)
        eventually(lambda: not tried.worker.awaits_movement)
        tried.send_shown(2)
        eventually(lambda: tried.worker.awaits_movement)
        tried.send(0)  # the network fails
        eventually(lambda: "card" in tried.shown and not tried.worker.awaits_movement)
