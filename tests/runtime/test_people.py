"""Auto-framing in the running pipeline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.core.matte_edit import WHOLE_VIEW
from app.core.settings import FramingSettings, PeopleSettings, PlacementSettings, Settings, Zone
from app.core.types import BgrImage, Matte
from app.testing.parts import HEIGHT, PERSON, ROOM, WIDTH, FakeEngine, StepInput, room_picture, shows_room
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, apply, composites, newest, person_share, running, shown_in
from tests.waiting import eventually

CLOSE: Settings = BASE.replace(people=PeopleSettings(auto_framing="close"))


def test_the_view_closes_in_and_the_whole_frame_stays_available(world: FakeWorld) -> None:
    with running(world, CLOSE) as pipeline:
        composites(pipeline)
        whole_share = float(np.mean(np.all(room_picture() == np.array(PERSON, np.uint8), axis=2)))
        eventually(lambda: person_share(pipeline) > 1.2 * whole_share)
        frame = newest(pipeline)
        assert frame.whole is not None
        np.testing.assert_array_equal(frame.whole[1:], room_picture()[1:])
        assert pipeline.status().view.size < 0.95
        assert not pipeline.status().errors
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind.name == "COMPOSITE")
    sizes = {picture.size for picture in world.pictures()}
    assert len(sizes) == 1, "the output keeps its size"


def test_a_manual_zoom_overrides_it_and_off_shows_the_whole_frame(world: FakeWorld) -> None:
    with running(world, CLOSE) as pipeline:
        eventually(lambda: pipeline.status().view.size < 0.9)
        apply(pipeline, CLOSE.replace(framing=FramingSettings(zoom=1.5)))
        eventually(lambda: pipeline.status().view.is_whole)
        apply(pipeline, CLOSE)
        eventually(lambda: pipeline.status().view.size < 0.9)
        apply(pipeline, BASE)
        eventually(lambda: pipeline.status().view.is_whole)
        eventually(lambda: newest(pipeline).whole is None)


class Uncropped(FakeEngine):
    """Takes no view, as the networks that refine cells."""

    def matte(self, step: StepInput) -> Matte:
        if step.edit is not None:
            person = np.all(step.frame == np.array(PERSON, np.uint8), axis=2)
            step.edit.edit(np.zeros((3, HEIGHT, WIDTH), np.float32), person.astype(np.float32))
        return super().matte(replace(step, edit=None))


def test_the_status_tells_no_view_that_the_network_does_not_show(world: FakeWorld) -> None:
    """Zones that were painted on the preview were laid elsewhere, by the view."""
    world.engine = Uncropped
    with running(world, CLOSE) as pipeline:
        composites(pipeline, 60)
        assert pipeline.status().view == WHOLE_VIEW
        apply(pipeline, CLOSE.replace(placement=PlacementSettings(scale=0.5)))
        eventually(lambda: pipeline.status().view.size == 2)


RIGHT = Zone(kind="drop", points=((0.5, 0), (1, 0), (1, 1), (0.5, 1)), radius=0, filled=True)
CORNER = Zone(kind="keep", points=((0, 0), (0.3, 0), (0.3, 1), (0, 1)), radius=0, filled=True)


def test_drop_zones_beat_the_network(world: FakeWorld) -> None:
    zoned = BASE.replace(people=PeopleSettings(zones=(RIGHT,)))
    with running(world, zoned) as pipeline:
        composites(pipeline)
        columns = shown_in(pipeline, PERSON)
        assert columns
        assert max(columns) < WIDTH // 2
        assert not pipeline.status().keeps_room
        apply(pipeline, zoned.replace(framing=FramingSettings(zoom=2)))
        eventually(lambda: 0 < max(shown_in(pipeline, PERSON), default=0) < WIDTH // 2)
        apply(pipeline, BASE)
        eventually(lambda: max(shown_in(pipeline, PERSON)) > WIDTH // 2)
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind.name == "COMPOSITE")


def test_keep_zones_show_the_room_inside_their_border_only_and_say_so(world: FakeWorld) -> None:
    zoned = BASE.replace(people=PeopleSettings(zones=(CORNER,)))
    with running(world, zoned) as pipeline:
        composites(pipeline)
        eventually(lambda: pipeline.status().keeps_room)
        # The status changes before the picture of the same frame leaves.
        eventually(lambda: bool(shown_in(pipeline, ROOM)))
        columns = shown_in(pipeline, ROOM)
        assert max(columns) < 0.3 * WIDTH
        apply(pipeline, zoned.replace(paused=True))
        eventually(lambda: not pipeline.status().keeps_room)  # others see the stand-by card
        apply(pipeline, zoned)
        eventually(lambda: pipeline.status().keeps_room)
        for other in ("another", "fake2"):
            apply(pipeline, BASE.replace(people=PeopleSettings(zones=(CORNER.replace(camera=other),))))
        eventually(lambda: not pipeline.status().keeps_room)
        eventually(lambda: not shown_in(pipeline, ROOM))


def two_people(width: int = WIDTH, height: int = HEIGHT) -> BgrImage:
    """Return a large person on the left and a smaller one on the right."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ROOM
    image[height // 4 :, width // 8 : 3 * width // 8] = PERSON
    image[height // 3 :, 6 * width // 8 : 7 * width // 8] = PERSON
    return image


def test_only_the_selected_person_is_shown(world: FakeWorld) -> None:
    world.shape = lambda _: two_people()
    alone = BASE.replace(people=PeopleSettings(only_me=True))
    with running(world, alone) as pipeline:
        composites(pipeline)
        eventually(lambda: not pipeline.status().hides_person)
        eventually(lambda: 0 < max(shown_in(pipeline, PERSON), default=0) < WIDTH // 2)  # the largest
        apply(pipeline, alone.replace(selected=(0.8, 0.7)))
        eventually(lambda: min(shown_in(pipeline, PERSON), default=0) > WIDTH // 2)
        apply(pipeline, alone.replace(selected=(0.5, 0.05)))
        eventually(lambda: pipeline.status().hides_person and not shown_in(pipeline, PERSON))
        apply(pipeline, BASE)
        eventually(lambda: {WIDTH // 4, 13 * WIDTH // 16} < shown_in(pipeline, PERSON))
        assert not pipeline.status().hides_person
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind.name == "COMPOSITE")
