"""A camera that hangs sideways, upside down or behind a mirror, in the running pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.core.settings import PeopleSettings, Settings, Zone
from app.core.types import Orientation, Picture, PictureKind
from app.matting.plate.picture import PlateCapture, save_plate
from app.output.base import FrameSink, Packer, SinkContext
from mattecam.testing import HEIGHT, PERSON, WIDTH, FakeSource, room_picture, shows_room
from tests.fakes.world import BASE, FakeRecorder, FakeWorld, apply, composites, live, newest, running, shown
from tests.sources import TURNS
from tests.waiting import eventually

RIGHT = Zone(points=((0.5, 0), (1, 0), (1, 1), (0.5, 1)), radius=0, filled=True, camera="fake")
HIDDEN = np.zeros((HEIGHT, WIDTH), np.uint8)
HIDDEN[:, WIDTH // 2 :] = 1
SIDEWAYS = Orientation(90, flip=True)


def turned(settings: Settings, orientation: Orientation) -> Settings:
    return settings.replaced_at(["capture"], rotate=orientation.rotate, flip=orientation.flip)


def person_in(picture: Picture) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return where the picture shows the person."""
    return np.asarray(np.all(picture.image == np.array(PERSON, np.uint8), axis=2), np.bool_)


def test_the_stream_starts_anew_with_upright_frames_and_the_camera_stays_open(world: FakeWorld) -> None:
    resets: list[int] = []
    world.faults.put("reset", lambda: resets.append(1))
    with live(world) as pipeline:
        before, known = newest(pipeline).generation, len(resets)
        apply(pipeline, turned(BASE, SIDEWAYS))
        eventually(lambda: newest(pipeline).size == (HEIGHT, WIDTH))
        frame = newest(pipeline)
        np.testing.assert_array_equal(frame.image[1:, 1:], SIDEWAYS.upright(room_picture())[1:, 1:])
        assert frame.generation > before and len(resets) > known
        source = pipeline.status().source
        assert source is not None
        assert (source.width, source.height, source.orientation) == (HEIGHT, WIDTH, SIDEWAYS)
        apply(pipeline, turned(BASE, Orientation(180)).replaced_at(["framing"], zoom=4.0, pan_x=-1.0, pan_y=-1.0))
        upright = room_picture()[::-1, ::-1]
        eventually(
            lambda: (whole := newest(pipeline).whole) is not None and np.array_equal(whole[:-1, :-1], upright[:-1, :-1])
        )
        assert len(world.sources) == 1
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE)


def test_what_a_zone_hides_stays_hidden_however_the_camera_is_turned(world: FakeWorld) -> None:
    zoned = BASE.replace(people=PeopleSettings(zones=(RIGHT,)))
    with running(world, zoned) as pipeline:
        for orientation in (*TURNS, *TURNS[::-1]):
            apply(pipeline, turned(zoned, orientation))
            eventually(lambda: newest(pipeline).source.orientation == orientation)  # noqa: B023 - called at once
            eventually(lambda: bool(person_in(shown(pipeline)).any()))
    pictures = [picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE]
    assert len({picture.frame.source.orientation for picture in pictures if picture.frame}) == len(TURNS)
    for picture in pictures:
        assert picture.frame is not None
        assert not person_in(picture)[picture.frame.source.orientation.upright(HIDDEN) > 0].any()


def test_a_plate_of_a_camera_that_was_turned_otherwise_is_refused(tmp_path: Path, world: FakeWorld) -> None:
    source, capture, enough = FakeSource(BASE.capture), PlateCapture(0.0, 0.05), False
    while not enough:
        frame = source.read()
        enough = capture.feed(frame and frame.of(source.info, Orientation(180)))
    plate = capture.plate()
    np.testing.assert_array_equal(plate[1:-1, 1:-1], room_picture()[::-1, ::-1][1:-1, 1:-1])
    path = tmp_path / "plate.png"
    save_plate(path, plate, capture.camera)
    base = BASE.replace(matting=BASE.matting.replace(model="bgmv2-mobilenetv2", plate=path))
    with live(world, turned(base, Orientation(180))) as pipeline:
        assert not pipeline.status().problems
        apply(pipeline, turned(base, Orientation(0, flip=True)))
        eventually(lambda: any("turned otherwise" in problem.message for problem in pipeline.status().problems))
        apply(pipeline, turned(base, Orientation(180)))
        eventually(lambda: not pipeline.status().problems)


def test_another_camera_is_not_turned_before_it_is_in_use(world: FakeWorld) -> None:
    """While the wanted one cannot be opened, the one in use hangs as it did."""
    with live(world, turned(BASE, SIDEWAYS)) as pipeline:
        world.faults.put("open_source", ValueError("none"))
        apply(pipeline, BASE.replaced_at(["capture"], source="other"))
        eventually(lambda: bool(pipeline.status().problems))
        composites(pipeline)
        assert newest(pipeline).source.orientation == SIDEWAYS


def test_a_portrait_picture_is_sent_with_bars_and_recorded_whole(tmp_path: Path, world: FakeWorld) -> None:
    film = tmp_path / "out.mp4"
    sizes: dict[str, list[tuple[int, int]]] = {"camera": [], "film": []}
    parts = world.parts()

    def recording(path: Path, width: int, height: int, context: SinkContext) -> FrameSink:
        sizes["film"].append((width, height))
        return FakeRecorder(path, world.faults)

    def camera(choice: str, width: int, height: int, context: SinkContext) -> FrameSink:
        sizes["camera"].append((width, height))
        return world.open_camera()

    parts = parts.with_sinks(recording=recording, virtual_camera=camera)
    settings = turned(BASE, Orientation(90)).replaced_at(["output"], record=film)
    with live(world, settings, parts=parts):
        eventually(lambda: bool(sizes["film"]))
    assert sizes == {"camera": [(WIDTH, HEIGHT)], "film": [(HEIGHT, WIDTH)]}
    bars = Packer((WIDTH, HEIGHT)).pack(
        Picture(np.full((WIDTH, HEIGHT, 3), 200, np.uint8), PictureKind.COMPOSITE), "BGR"
    )
    across = np.flatnonzero(bars.any((0, 2)))
    assert (across[0], across[-1]) == ((WIDTH - 36) // 2, (WIDTH + 36) // 2 - 1), "48:64 in 48 rows are 36 columns"
