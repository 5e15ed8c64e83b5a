"""Framing, auto-framing, zones and one selected person in the running pipeline, and what is hidden."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import BackgroundError, SourceLostError
from app.core.geometry import WHOLE_VIEW, framed
from app.core.settings import BackgroundSettings, EngineSettings, FramingSettings, PeopleSettings, Settings, Zone
from app.core.types import BgrImage, BlurredBackground, Matte, PictureKind
from app.matting.base.interface import MattingEngine
from app.runtime.backdrops import PLAIN_GREY
from app.runtime.context import Timing
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from mattecam.testing import HEIGHT, PERSON, ROOM, WIDTH, FakeEngine, StepInput, room_picture, shows_room
from tests.fakes.world import BASE, FakeWorld, apply, composites, kinds, live, newest, running, shown, shown_in
from tests.waiting import eventually

CLOSE_UP = FramingSettings(zoom=4, pan_y=1)
"""Shows the person only."""


def person_share(pipeline: Pipeline) -> float:
    """Return the share of the next composite that shows the person."""
    return float(np.mean(np.all(shown(pipeline).image == np.array(PERSON, np.uint8), axis=2)))


def test_the_outputs_show_the_part_and_the_plate_sees_the_whole(world: FakeWorld) -> None:
    with live(world) as pipeline:
        apply(pipeline, BASE.replace(framing=CLOSE_UP))
        eventually(lambda: person_share(pipeline) == 1)
        whole = newest(pipeline).whole
        assert whole is not None
        np.testing.assert_array_equal(whole[1:], room_picture()[1:])
        apply(pipeline, BASE.replace(framing=CLOSE_UP, background=BASE.background.replace(kind="none")))
        eventually(lambda: pipeline.status().unmatted and person_share(pipeline) == 1)
        apply(pipeline, BASE)
        eventually(lambda: person_share(pipeline) < 1)
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind.name == "COMPOSITE")


def empty_room(width: int, height: int) -> BgrImage:
    """No two columns alike."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = np.linspace(20, 120, width, dtype=np.uint8)[None, :, None]
    return image


class PlateLikeEngine(FakeEngine):
    """Checks that its frames show the same crop as its plate."""

    def __init__(self, settings: EngineSettings, size: tuple[int, int], framing: FramingSettings, world: FakeWorld):
        super().__init__(settings, *size, world.faults)
        self.plate = framed(empty_room(*size), framing) if settings.plate is not None else None

    def matte(self, step: StepInput) -> Matte:
        assert isinstance(step.backdrop, np.ndarray)
        assert self.plate is None or np.array_equal(step.frame, self.plate), "another part of the room than the plate's"
        return Matte(step.backdrop.copy(), np.zeros(step.frame.shape[:2], np.uint8))


def test_with_a_plate_the_framing_changes_together_with_the_engine(tmp_path: Path, world: FakeWorld) -> None:
    gate = threading.Event()

    def build(settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> MattingEngine:
        if framing.zoom == 2:
            assert gate.wait(60)
        return PlateLikeEngine(settings, (width, height), framing, world)

    world.shape = lambda frame: empty_room(*frame.size)
    base = BASE.replace(matting=BASE.matting.replace(model="bgmv2-mobilenetv2", plate=tmp_path / "plate.png"))
    with live(world, base, parts=replace(world.parts(), build_engine=build)) as pipeline:
        apply(pipeline, base.replace(framing=FramingSettings(zoom=2, pan_x=0.5)))
        eventually(lambda: pipeline.status().busy == "the model")
        composites(pipeline)
        assert newest(pipeline).whole is None, "the engine in use knows the whole room only"
        pipeline.change(lambda now: now.replace(frozen=True))
        eventually(lambda: pipeline.status().phase is Phase.WAITING)  # the last picture shows more than was chosen
        pipeline.change(lambda now: now.replace(frozen=False))
        gate.set()
        eventually(lambda: newest(pipeline).whole is not None)
        composites(pipeline)
        apply(pipeline, base.replace(matting=BASE.matting, framing=FramingSettings(zoom=2)))
        composites(pipeline)
        assert not pipeline.status().errors


def test_the_engine_learns_how_far_the_frame_is_magnified() -> None:
    class Noting(FakeEngine):
        def matte(self, step: StepInput) -> Matte:
            if isinstance(step.backdrop, BlurredBackground):
                zooms.add(step.backdrop.zoom)
            return super().matte(replace(step, backdrop=np.zeros_like(step.frame)))

    world, zooms = FakeWorld(), set[float]()
    blurred = BASE.replace(background=BASE.background.replace(kind="blur"), framing=CLOSE_UP)
    world.engine = Noting
    with live(world, blurred):
        assert zooms == {CLOSE_UP.zoom}


CLOSE: Settings = BASE.replace(people=PeopleSettings(auto_framing="close"))


def test_the_view_closes_in_until_the_user_zooms_or_switches_it_off(world: FakeWorld) -> None:
    with live(world, CLOSE) as pipeline:
        whole_share = float(np.mean(np.all(room_picture() == np.array(PERSON, np.uint8), axis=2)))
        eventually(lambda: person_share(pipeline) > 1.2 * whole_share)
        frame = newest(pipeline)
        assert frame.whole is not None, "the whole frame stays available"
        np.testing.assert_array_equal(frame.whole[1:], room_picture()[1:])
        eventually(lambda: pipeline.status().view.size < 0.9)
        apply(pipeline, CLOSE.replace(framing=FramingSettings(zoom=1.5)))
        eventually(lambda: pipeline.status().view.is_whole)
        apply(pipeline, CLOSE)
        eventually(lambda: pipeline.status().view.size < 0.9)
        apply(pipeline, BASE)
        eventually(lambda: pipeline.status().view.is_whole and newest(pipeline).whole is None)
        assert not pipeline.status().errors
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind.name == "COMPOSITE")
    assert len({picture.size for picture in world.pictures()}) == 1, "the output keeps its size"


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


RIGHT = Zone(points=((0.5, 0), (1, 0), (1, 1), (0.5, 1)), radius=0, filled=True)


def test_zones_beat_the_network(world: FakeWorld) -> None:
    zoned = BASE.replace(people=PeopleSettings(zones=(RIGHT,)))
    with live(world, zoned) as pipeline:
        columns = shown_in(pipeline, PERSON)
        assert columns
        assert max(columns) < WIDTH // 2
        apply(pipeline, zoned.replace(framing=FramingSettings(zoom=2)))
        eventually(lambda: 0 < max(shown_in(pipeline, PERSON), default=0) < WIDTH // 2)
        apply(pipeline, BASE)
        eventually(lambda: max(shown_in(pipeline, PERSON)) > WIDTH // 2)
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind.name == "COMPOSITE")


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
    with live(world, alone) as pipeline:
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
    with live(world, timing=Timing(background_wait_s=60)):
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
    first = next(picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE)
    assert tuple(first.image[0, 0]) == (255, 0, 0)

    world = FakeWorld()
    world.faults.put("open_background", lambda: world.faults.hang(60))
    with running(world, timing=Timing(background_wait_s=0.2)):
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
        assert tuple(world.newest().image[0, 0]) == (PLAIN_GREY,) * 3


def test_the_status_tells_what_a_card_and_an_unmatted_picture_show(world: FakeWorld) -> None:
    """The window laid zones that were painted on an unmatted picture where the followed person had been."""
    followed = PeopleSettings(auto_framing="close")
    nobody = BASE.replace(people=followed.replace(only_me=True), selected=(0.02, 0.02))
    with running(world, BASE.replace(people=followed)) as pipeline:
        eventually(lambda: pipeline.status().view.size < 1)
        apply(pipeline, nobody)
        eventually(lambda: pipeline.status().hides_person)
        apply(pipeline, nobody.replace(paused=True))
        eventually(lambda: not pipeline.status().hides_person)
        apply(pipeline, nobody)
        eventually(lambda: pipeline.status().hides_person)
        apply(pipeline, nobody.replace(background=BackgroundSettings(kind="none")))
        eventually(lambda: pipeline.status().unmatted and not pipeline.status().hides_person)
        assert pipeline.status().view == WHOLE_VIEW
        world.faults.put("read", SourceLostError("The camera is disconnected."))
        eventually(lambda: pipeline.status().phase is Phase.WAITING and not pipeline.status().unmatted)
