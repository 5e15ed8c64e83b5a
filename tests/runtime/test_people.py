"""Framing, zones, one selected person and a turned camera in the running pipeline, and what is hidden."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import BackgroundError, SourceLostError
from app.core.geometry import framed
from app.core.settings import BackgroundSettings, EngineSettings, FramingSettings
from app.core.types import (
    WHOLE_VIEW,
    BgrImage,
    BlurredBackground,
    Frame,
    Matte,
    Orientation,
    Picture,
    PictureKind,
)
from app.effects.zones import Zone
from app.matting.interface import MattingEngine, StepRequest
from app.matting.plate.picture import PlateCapture, save_plate
from app.output.base import FrameSink, Packer, SinkContext
from app.runtime.backdrops import PLAIN_GREY
from app.runtime.context import Timing
from app.runtime.pipeline import Pipeline
from app.runtime.status import Building, Phase
from app.settings import Settings
from mattecam.testing import (
    HEIGHT,
    PERSON,
    ROOM,
    WIDTH,
    FakeEngine,
    FakeSource,
    room_picture,
    shows_room,
)
from tests.fakes.states import has_problems, hides_person, in_phase, is_unmatted, reports
from tests.fakes.world import (
    BASE,
    NONE,
    FakeWorld,
    apply,
    composites,
    live,
    newest,
    person_in,
    running,
    shown,
    with_wall,
)
from tests.sources import TURNS
from tests.stand_ins import always, replacing
from tests.waiting import eventually, eventually_is, no_longer

# Shows the person only.
CLOSE_UP = FramingSettings(zoom=4, pan_y=1)


def person_share(pipeline: Pipeline) -> float:
    """Return the share of the next composite that shows the person."""
    return float(person_in(shown(pipeline).image).mean())


def columns(pipeline: Pipeline) -> set[int]:
    """Return the columns of the next composite that show the person."""
    return set(np.flatnonzero(person_in(shown(pipeline).image).any(0)).tolist())


def is_filled_by_person(pipeline: Pipeline) -> bool:
    return person_share(pipeline) == 1


def shows_person_larger(pipeline: Pipeline) -> bool:
    """Whether the person is larger than in the room, by more than the noise."""
    share_of_room = float(person_in(room_picture()).mean())
    return person_share(pipeline) > 1.2 * share_of_room


def shows_person_at_left(pipeline: Pipeline) -> bool:
    return 0 < max(columns(pipeline), default=0) < WIDTH // 2


def shows_person_at_right(pipeline: Pipeline) -> bool:
    return min(columns(pipeline), default=0) > WIDTH // 2


def shows_person_beyond_the_middle(pipeline: Pipeline) -> bool:
    return max(columns(pipeline)) > WIDTH // 2


def shows_both(pipeline: Pipeline) -> bool:
    """Whether the middle of each of the two persons is shown."""
    return {WIDTH // 4, 13 * WIDTH // 16} < columns(pipeline)


def is_cropped(pipeline: Pipeline) -> bool:
    return newest(pipeline).whole is not None


def has_whole(pipeline: Pipeline, expected: BgrImage) -> bool:
    """Whether the newest frame was cropped from this one, but for its last row and column."""
    whole = newest(pipeline).whole
    return whole is not None and np.array_equal(whole[:-1, :-1], expected[:-1, :-1])


def is_upright(pipeline: Pipeline) -> bool:
    return newest(pipeline).size == (HEIGHT, WIDTH)


def has_closed_in(pipeline: Pipeline) -> bool:
    return pipeline.status().view.size < 0.9


def views_the_whole(pipeline: Pipeline) -> bool:
    return pipeline.status().view.is_whole


def builds_model(pipeline: Pipeline) -> bool:
    return pipeline.status().building is Building.MODEL


def test_the_outputs_show_the_part_and_the_plate_sees_the_whole(world: FakeWorld) -> None:
    zooms = set[float]()

    class Noting(FakeEngine):
        def matte(self, step: StepRequest) -> Matte:
            if isinstance(step.backdrop, BlurredBackground):
                zooms.add(step.backdrop.zoom)
            return super().matte(step)

    world.engine = Noting
    with live(world) as pipeline:
        apply(pipeline, BASE.replace(framing=CLOSE_UP))
        eventually_is(1, person_share, pipeline)
        whole = newest(pipeline).whole
        assert whole is not None
        np.testing.assert_array_equal(whole[1:], room_picture()[1:])
        apply(pipeline, NONE.replace(framing=CLOSE_UP))
        eventually(is_unmatted, pipeline)
        eventually_is(1, person_share, pipeline)
        apply(pipeline, BASE.replace(background=BackgroundSettings(kind="blur"), framing=CLOSE_UP))
        # The engine learns how far the frame is magnified.
        eventually_is({CLOSE_UP.zoom}, set, zooms)
        apply(pipeline, BASE)
        no_longer(is_filled_by_person, pipeline)


def empty_room(width: int, height: int) -> BgrImage:
    """No two columns alike."""
    return np.tile(np.linspace(20, 120, width, dtype=np.uint8)[None, :, None], (height, 1, 3))


class PlateLikeEngine(FakeEngine):
    """Checks that its frames show the same crop as its plate."""

    plate: BgrImage | None = None

    def matte(self, step: StepRequest) -> Matte:
        assert isinstance(step.backdrop, np.ndarray)
        assert self.plate is None or np.array_equal(step.frame, self.plate), (
            "another part of the room than the plate's"
        )
        return Matte(step.backdrop.copy(), np.zeros(step.frame.shape[:2], np.uint8))


def test_with_a_plate_the_framing_changes_together_with_the_engine(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    gate = threading.Event()

    def build(
        settings: EngineSettings,
        width: int,
        height: int,
        framing: FramingSettings,
    ) -> MattingEngine:
        if framing.zoom == 2:
            assert gate.wait(60)
        engine = PlateLikeEngine(settings, width, height)
        if settings.plate is not None:
            engine.plate = framed(empty_room(width, height), framing)
        return engine

    def without_person(frame: Frame) -> BgrImage:
        return empty_room(*frame.size)

    world.shape = without_person
    base = BASE.replace(
        matting=BASE.matting.replace(model="bgmv2-mobilenetv2", plate=tmp_path / "plate.png")
    )
    with live(world, base, parts=replace(world.parts(), build_engine=build)) as pipeline:
        apply(pipeline, base.replace(framing=FramingSettings(zoom=2, pan_x=0.5)))
        eventually(builds_model, pipeline)
        composites(pipeline)
        assert newest(pipeline).whole is None, "the engine in use knows the whole room only"
        pipeline.change(replacing(frozen=True))
        # The last picture shows more than was chosen.
        eventually(in_phase, pipeline, Phase.WAITING)
        pipeline.change(replacing(frozen=False))
        gate.set()
        eventually(is_cropped, pipeline)
        composites(pipeline)
        apply(pipeline, base.replace(matting=BASE.matting, framing=FramingSettings(zoom=2)))
        composites(pipeline)
        assert not pipeline.status().errors


CLOSE: Settings = BASE.replace(people=Settings().people.replace(framing="close"))


def test_the_view_closes_in_until_the_user_zooms_or_switches_it_off(world: FakeWorld) -> None:
    with live(world, CLOSE) as pipeline:
        eventually(shows_person_larger, pipeline)
        frame = newest(pipeline)
        assert frame.whole is not None, "the whole frame stays available"
        np.testing.assert_array_equal(frame.whole[1:], room_picture()[1:])
        eventually(has_closed_in, pipeline)
        apply(pipeline, CLOSE.replace(framing=FramingSettings(zoom=1.5)))
        eventually(views_the_whole, pipeline)
        apply(pipeline, CLOSE)
        eventually(has_closed_in, pipeline)
        apply(pipeline, BASE)
        eventually(views_the_whole, pipeline)
        no_longer(is_cropped, pipeline)
        assert not pipeline.status().errors
    assert len({picture.size for picture in world.pictures()}) == 1, "the output keeps its size"


class Uncropped(FakeEngine):
    """Takes no view, as the networks that refine cells."""

    def matte(self, step: StepRequest) -> Matte:
        if step.edit is not None:
            step.edit.edit(
                np.zeros((3, HEIGHT, WIDTH), np.float32),
                person_in(step.frame).astype(np.float32),
            )
        return super().matte(replace(step, edit=None))


def test_the_status_tells_no_view_that_the_network_does_not_show(world: FakeWorld) -> None:
    """Zones that were painted on the preview were laid elsewhere, by the view."""
    world.engine = Uncropped
    with running(world, CLOSE) as pipeline:
        composites(pipeline, 60)
        assert pipeline.status().view == WHOLE_VIEW


def test_only_the_selected_person_is_shown(world: FakeWorld) -> None:
    two = np.full((HEIGHT, WIDTH, 3), ROOM, np.uint8)
    two[HEIGHT // 4 :, WIDTH // 8 : 3 * WIDTH // 8] = PERSON  # the larger one
    two[HEIGHT // 3 :, 6 * WIDTH // 8 : 7 * WIDTH // 8] = PERSON
    world.shape = always(two)
    alone = BASE.replace(people=Settings().people.replace(only_me=True))
    with live(world, alone) as pipeline:
        no_longer(hides_person, pipeline)
        eventually(shows_person_at_left, pipeline)
        apply(pipeline, alone.with_person((0.8, 0.7)))
        eventually(shows_person_at_right, pipeline)
        apply(pipeline, alone.with_person((0.5, 0.05)))
        eventually(hides_person, pipeline)
        no_longer(columns, pipeline)
        apply(pipeline, BASE)
        eventually(shows_both, pipeline)
        assert not pipeline.status().hides_person


def test_none_shows_the_room_only_while_it_is_chosen(world: FakeWorld, pipeline: Pipeline) -> None:
    apply(pipeline, NONE)
    eventually(world.has_shown, PictureKind.UNMATTED)
    assert pipeline.status().unmatted
    apply(pipeline, BASE)
    no_longer(is_unmatted, pipeline)
    composites(pipeline)
    eventually(world.shows, PictureKind.COMPOSITE)
    after = len(world.pictures())
    composites(pipeline, 10)
    assert not any(shows_room(picture.image) for picture in world.pictures()[after:])


@pytest.mark.parametrize("fault", ["does not open", "opens slowly", "breaks"])
def test_a_background_that_is_not_available_never_becomes_a_blurred_room(
    fault: str, world: FakeWorld, tmp_path: Path
) -> None:
    """The room was shown blurred meanwhile, to users who had chosen a picture to hide it."""
    blurs = list[bool]()

    class Engine(FakeEngine):
        def matte(self, step: StepRequest) -> Matte:
            blurs.append(isinstance(step.backdrop, BlurredBackground))
            return super().matte(step)

    world.engine = Engine
    broken = BackgroundError("The picture cannot be read; choose another.")
    stage = "backdrop" if fault == "breaks" else "open_background"
    world.faults.put(stage, world.faults.hang if fault == "opens slowly" else broken)
    with running(world, with_wall(tmp_path)) as pipeline:
        composites(pipeline, 5)
        eventually(world.shows, PictureKind.COMPOSITE)
        assert np.ptp(world.newest().image[0, 0]) == 0, "plain grey"
        world.faults.heal()
    assert blurs and not any(blurs)


@pytest.mark.parametrize(
    ("wait_s", "colour"), [(60, (255, 0, 0)), (0.2, (PLAIN_GREY,) * 3)], ids=["in time", "too late"]
)
def test_the_first_composite_waits_for_its_background(
    wait_s: float, colour: tuple[int, ...], world: FakeWorld, tmp_path: Path
) -> None:
    """Where the background opened later than the engine, calls and recordings began with plain grey."""
    hangs_s = 0.4 if wait_s == 60 else 60
    world.faults.put("open_background", partial(world.faults.hang, hangs_s))
    with running(world, with_wall(tmp_path), Timing(background_wait_s=wait_s)):
        eventually(world.has_shown, PictureKind.COMPOSITE)
    first = next(picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE)

    assert tuple(first.image[0, 0]) == colour


def test_the_status_tells_what_a_card_and_an_unmatted_picture_show(world: FakeWorld) -> None:
    """The window laid zones that were painted on an unmatted picture where the followed person had been."""
    followed = Settings().people.replace(framing="close")
    nobody = BASE.replace(people=followed).with_person((0.02, 0.02))
    with running(world, BASE.replace(people=followed)) as pipeline:
        no_longer(views_the_whole, pipeline)
        apply(pipeline, nobody)
        eventually(hides_person, pipeline)
        apply(pipeline, nobody.replace(paused=True))
        no_longer(hides_person, pipeline)
        apply(pipeline, nobody)
        eventually(hides_person, pipeline)
        apply(pipeline, nobody.replace(background=NONE.background))
        eventually(is_unmatted, pipeline)
        no_longer(hides_person, pipeline)
        assert pipeline.status().view == WHOLE_VIEW
        world.faults.put("read", SourceLostError("The camera is disconnected."))
        eventually(in_phase, pipeline, Phase.WAITING)
        no_longer(is_unmatted, pipeline)


RIGHT = Zone(points=((0.5, 0), (1, 0), (1, 1), (0.5, 1)), radius=0, filled=True, camera="fake")
HIDDEN = np.zeros((HEIGHT, WIDTH), np.uint8)
HIDDEN[:, WIDTH // 2 :] = 1
SIDEWAYS = Orientation(90, flip=True)


def turned(settings: Settings, orientation: Orientation) -> Settings:
    return settings.replaced_at(["capture"], rotate=orientation.rotate, flip=orientation.flip)


def test_a_camera_is_turned_without_being_opened_again_and_not_for_another(
    world: FakeWorld,
) -> None:
    resets: list[int] = []
    world.faults.put("reset", partial(resets.append, 1))
    with live(world) as pipeline:
        before = newest(pipeline).generation
        known = len(resets)
        apply(pipeline, turned(BASE, SIDEWAYS))
        eventually(is_upright, pipeline)
        frame = newest(pipeline)
        np.testing.assert_array_equal(frame.image[1:, 1:], SIDEWAYS.upright(room_picture())[1:, 1:])
        assert frame.generation > before and len(resets) > known
        source = pipeline.status().source
        assert source is not None
        assert (source.width, source.height, source.orientation) == (HEIGHT, WIDTH, SIDEWAYS)
        apply(
            pipeline,
            turned(BASE, Orientation(180)).replaced_at(
                ["framing"], zoom=4.0, pan_x=-1.0, pan_y=-1.0
            ),
        )
        upright = room_picture()[::-1, ::-1]
        eventually(has_whole, pipeline, upright)
        assert len(world.sources) == 1
        world.faults.put("open_source", ValueError("none"))
        apply(pipeline, BASE.replaced_at(["capture"], source="other"))
        eventually(has_problems, pipeline)
        composites(pipeline)
        assert newest(pipeline).source.orientation == Orientation(180), "it hangs as it did"


def turned_as(picture: Picture, orientation: Orientation) -> bool:
    return picture.frame is not None and picture.frame.source.orientation == orientation


def shows_person_turned(pipeline: Pipeline, world: FakeWorld, orientation: Orientation) -> bool:
    return person_share(pipeline) > 0 and turned_as(world.newest(), orientation)


def test_what_a_zone_hides_stays_hidden_however_the_camera_is_turned_and_zoomed(
    world: FakeWorld,
) -> None:
    zoned = BASE.replace(people=Settings().people.replace(zones=(RIGHT,)))
    with live(world, zoned) as pipeline:
        for orientation in (*TURNS, *TURNS[::-1]):
            apply(pipeline, turned(zoned, orientation))
            eventually(shows_person_turned, pipeline, world, orientation)
        pictures = [
            picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE
        ]
        apply(pipeline, zoned.replace(framing=FramingSettings(zoom=2)))
        eventually(is_cropped, pipeline)
        eventually(shows_person_at_left, pipeline)
        apply(pipeline, BASE)
        eventually(shows_person_beyond_the_middle, pipeline)

    assert len({picture.frame.source.orientation for picture in pictures if picture.frame}) == len(
        TURNS
    )
    for picture in pictures:
        assert picture.frame is not None
        assert not person_in(picture.image)[
            picture.frame.source.orientation.upright(HIDDEN) > 0
        ].any()


def test_a_plate_of_a_camera_that_was_turned_otherwise_is_refused(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    source = FakeSource(BASE.capture)
    capture = PlateCapture(0.0, 0.05)
    turned_info = source.info.turned(Orientation(180))
    enough = False
    while not enough:
        frame = source.read()
        assert frame is not None
        image = Orientation(180).upright(frame.image)
        enough = capture.feed(replace(frame, image=image, source=turned_info))
    plate = capture.plate()
    np.testing.assert_array_equal(plate[1:-1, 1:-1], room_picture()[::-1, ::-1][1:-1, 1:-1])
    path = tmp_path / "plate.png"
    save_plate(path, plate, capture.camera)
    base = BASE.replace(matting=BASE.matting.replace(model="bgmv2-mobilenetv2", plate=path))
    with live(world, turned(base, Orientation(180))) as pipeline:
        assert not pipeline.status().problems
        apply(pipeline, turned(base, Orientation(0, flip=True)))
        eventually(reports, pipeline, "turned otherwise")
        apply(pipeline, turned(base, Orientation(180)))
        no_longer(has_problems, pipeline)


def test_a_portrait_picture_is_sent_with_bars_and_recorded_whole(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    sizes: dict[str, tuple[int, int]] = {}

    def sink(name: str, wanted: object, width: int, height: int, context: SinkContext) -> FrameSink:
        sizes[name] = (width, height)
        return world.open_camera()

    parts = world.parts().with_sinks(
        **{name: partial(sink, name) for name in ("recording", "virtual_camera")}
    )
    settings = turned(BASE, Orientation(90)).replaced_at(["output"], record=tmp_path / "out.mp4")
    with live(world, settings, parts=parts):
        expected = {"virtual_camera": (WIDTH, HEIGHT), "recording": (HEIGHT, WIDTH)}
        eventually_is(expected, dict, sizes)
    bars = Packer((WIDTH, HEIGHT)).pack(
        Picture(np.full((WIDTH, HEIGHT, 3), 200, np.uint8), PictureKind.COMPOSITE), "BGR"
    )
    across = np.flatnonzero(bars.any((0, 2)))
    assert (across[0], across[-1]) == ((WIDTH - 36) // 2, (WIDTH + 36) // 2 - 1), (
        "48:64 in 48 rows are 36 columns"
    )
