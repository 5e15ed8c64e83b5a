"""Plates: taken, stored, read, and compared with the frames of a camera."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.capture.demo import DemoSource
from app.core.errors import PlateError
from app.core.types import AlphaImage, BgrImage, Frame, SourceInfo
from app.matting.plate import picture as module
from app.matting.plate.picture import (
    PersonFinder,
    PlateCapture,
    PlateFit,
    median_plate,
    plate_path,
    read_plate,
    save_plate,
)
from app.media.video_reader import VideoReader
from tests.paths import shared
from tests.stand_ins import always

NOISE = np.random.default_rng(1).integers(60, 180, (45, 80, 3), dtype=np.uint8)
ROOM: BgrImage = np.asarray(cv2.resize(NOISE, (320, 180), interpolation=cv2.INTER_CUBIC), np.uint8)
"""A detailed empty room, neither dark nor clipped."""
HALF = np.where(np.arange(320)[:, None] < 160, 250, ROOM).astype(np.uint8)
EVERYONE = np.full(ROOM.shape[:2], 255, np.uint8)


def with_person(picture: NDArray[Any]) -> tuple[BgrImage, AlphaImage]:
    """Return a picture with a person in the middle, and the alpha of the person."""
    height, width = picture.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    cv2.ellipse(alpha, (width // 2, height), (width // 4, height * 3 // 4), 0, 0, 360, 255, -1)
    shown = picture.astype(np.uint8)
    shown[alpha > 0] = (40, 60, 230)
    return shown, alpha


def clip_frames(name: str) -> list[BgrImage]:
    """About 20 frames of a development clip, spread over it."""
    frames = [image for _, image in VideoReader(shared(f"clips/{name}.mkv")).frames()]
    return frames[:: max(1, len(frames) // 20)]


def test_a_file_is_scaled_with_a_warning_and_what_cannot_be_used_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "p.png"
    cv2.imwrite(str(file), ROOM)
    np.testing.assert_array_equal(read_plate(file, 320, 180), ROOM)
    assert not caplog.text
    assert read_plate(file, 640, 360).shape == (360, 640, 3)
    assert "scaled from 320x180 to 640x360" in caplog.text
    with pytest.raises(PlateError, match="320×180 pixels, but the camera delivers 320×240"):
        read_plate(file, 320, 240)
    for content in (file.read_bytes()[:40], b""):
        file.write_bytes(content)
        with pytest.raises(PlateError, match=r"p\.png is not a readable image"):
            read_plate(file, 320, 180)
    file.unlink()
    with pytest.raises(PlateError, match=r"p\.png cannot be read"):
        read_plate(file, 320, 180)


def test_light_is_no_change_whoever_stands_there() -> None:
    fit = PlateFit(ROOM)
    brighter = np.clip(ROOM * np.array([1.2, 1.1, 0.9]), 0, 255).astype(np.uint8)

    assert fit.fits(*with_person(brighter))
    np.testing.assert_allclose(fit.gain, [1.2, 1.1, 0.9], atol=0.02)
    assert np.abs(fit.lit_plate.astype(int) - brighter).max() <= 4


def furniture() -> tuple[BgrImage, AlphaImage]:
    """Return a room with changes all over that the network takes for people; they are too small to be some."""
    places = (np.indices(ROOM.shape[:2]) // 20 % 2).min(0).astype(np.uint8)
    return ROOM ^ (128 * places[..., None]), 255 * places


VIEWS: dict[str, tuple[tuple[BgrImage, AlphaImage], bool]] = {
    "the room": (with_person(ROOM), True),
    "camera moved": (with_person(np.roll(ROOM, 25, 1)), False),
    "another room": (with_person(np.flip(ROOM, 0)), False),
    "light off": (with_person(ROOM * 0.3), False),
    "a lamp that lights it up": (with_person(np.minimum(ROOM * 2.2, 255)), False),
    "all of it is taken for people": ((ROOM, EVERYONE), True),
    "half of it has changed, and all is taken for people": ((HALF, EVERYONE), False),
    "all of it has changed and is taken for people": ((np.full_like(ROOM, 250), EVERYONE), False),
    "furniture is taken for people": (furniture(), False),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_changed_room_does_not_fit(name: str) -> None:
    (frame, alpha), fits = VIEWS[name]
    assert PlateFit(ROOM).fits(frame, alpha) == fits


@pytest.mark.parametrize("clip", ["asl_book", "asl_walk"])
def test_a_real_room_fits_in_any_light_until_it_changes(clip: str) -> None:
    images = clip_frames(clip)
    plate = median_plate(images)
    frame = images[7]
    height, width = frame.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    alpha[height // 8 :, width // 4 : 3 * width // 4] = 255
    for light in (0.7, 1.0, 1.25):
        assert PlateFit(plate).fits(np.clip(frame * light, 0, 255).astype(np.uint8), alpha)
    lamp = frame.copy()
    lamp[:, : width // 3] //= 2
    for changed in (np.roll(frame, width // 50, 1), np.roll(frame, height // 30, 0), lamp):
        assert not PlateFit(plate).fits(changed, alpha)


SIZE = 160, 96


def shot(index: int, value: int = 100, size: tuple[int, int] = SIZE, camera: str = "one") -> Frame:
    """Return a grey frame at 30 fps."""
    source = SourceInfo("camera", camera, camera, *size, 30.0, "")
    return Frame(np.full((size[1], size[0], 3), value, np.uint8), index, index / 30, source=source)


def test_frames_are_spread_and_few_if_large_fewer_and_a_repeated_one_counts_once() -> None:
    capture = PlateCapture(0.0, 2.0)
    assert capture.progress == 0
    for index in range(61):
        assert capture.feed(shot(index, value=index)) == (index == 60)
        assert capture.progress == pytest.approx(index / 60)
    assert len(capture.frames) == module.MOST_FRAMES
    assert capture.frames[0][0, 0, 0] == 0
    assert capture.frames[-1][0, 0, 0] >= 57
    capture = PlateCapture(0.0, 1.0, most_bytes=1)
    assert not any(capture.feed(shot(0)) for _ in range(5))
    assert len(capture.frames) == 1
    assert [capture.feed(shot(index)) for index in range(1, 31)][-1]
    assert len(capture.frames) == module.FEWEST_FRAMES


@pytest.mark.parametrize(("size", "camera"), [((80, 60), "one"), (SIZE, "two")])
def test_another_size_or_camera_begins_anew(size: tuple[int, int], camera: str) -> None:
    capture = PlateCapture(0.0, 1.0)
    assert not any(capture.feed(shot(index, value=0)) for index in range(20))
    assert not any(capture.feed(shot(index, size=size, camera=camera)) for index in range(20, 50))
    assert capture.feed(shot(50, size=size, camera=camera))
    assert capture.plate().shape == (size[1], size[0], 3)
    assert (capture.plate() == 100).all()
    assert capture.camera == camera


def test_a_camera_that_repeats_its_last_frame_is_silent() -> None:
    now_s = [100.0]
    capture = PlateCapture(30.0, 1.0, now=lambda: now_s[0])
    now_s[0] += 29
    assert not capture.feed(shot(0)) and not capture.frames, "the countdown goes on"
    now_s[0] += module.START_LIMIT_S
    capture.feed(None)
    capture.feed(shot(0))
    now_s[0] += module.START_LIMIT_S - 1
    capture.feed(shot(0))
    now_s[0] += 2
    with pytest.raises(PlateError, match="delivers no frames"):
        capture.feed(shot(0))


def test_a_passer_by_is_not_in_the_plate() -> None:
    capture = PlateCapture(0.0, 1.0)
    with pytest.raises(PlateError):
        capture.plate()
    for index in range(31):
        frame = shot(index)
        frame.image[:, 4 * index : 4 * index + 30] = 255
        capture.feed(frame)

    assert (capture.plate() == 100).all()
    assert (median_plate([shot(0, value=value).image for value in (100, 200)]) == 100).all(), (
        "no mean of two views"
    )


@pytest.mark.parametrize("size", [(320, 240), (160, 96)])
def test_a_plate_is_stored_if_nobody_is_in_it_and_it_is_still_wanted(size: tuple[int, int]) -> None:
    occupied, empty = (
        DemoSource(*size, 30, empty_scene_s=s, motion=0).render(0) for s in (0.0, 3.0)
    )
    with closing(PersonFinder(*size)) as people:
        before = people.alpha(occupied)
        assert [people.finds_someone(image) for image in (empty, occupied)] == [False, True]
        np.testing.assert_array_equal(
            people.alpha(occupied), before, "the first image leaves nothing behind"
        )
    with pytest.raises(PlateError, match="Someone is still in view"):
        module.store_plate(occupied, "usb-1")
    with pytest.raises(PlateError, match="Mattecam stops"):
        module.store_plate(empty, "usb-1", wanted=always(False))
    assert not plate_path("usb-1", *size).exists()
    assert module.store_plate(empty, "usb-1") == plate_path("usb-1", *size)


def test_what_is_no_room_shows_nobody() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (12, 20, 3), np.uint8)
    for picture in (
        np.zeros((48, 64, 3), np.uint8),
        cv2.resize(noise, SIZE),
        np.full((20, 400, 3), 250, np.uint8),
    ):
        assert not module.shows_someone(np.asarray(picture, np.uint8))


def test_a_plate_comes_back_with_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "new" / "plate.png"
    stored = save_plate(path, shot(0).image, "usb-1")
    assert module.plate_info(path) == stored
    assert (stored.camera, stored.width, stored.height) == ("usb-1", *SIZE)
    np.testing.assert_array_equal(cv2.imread(str(path)), shot(0).image)
    assert sorted(file.name for file in path.parent.iterdir()) == ["plate.png", "plate.png.json"]
    with pytest.raises(PlateError, match=r"plate\.png"):
        save_plate(path / "plate.png", shot(0).image, "usb-1")


@pytest.mark.parametrize("note", ["of another camera", "damaged", "none"])
def test_a_plate_replaces_only_one_of_the_same_camera(
    tmp_path: Path, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Two cameras whose ids give one name, and a picture that the user put there, were overwritten."""
    path = tmp_path / "usb_1-64x48.png"
    record = tmp_path / "usb_1-64x48.png.json"
    save_plate(path, shot(0).image, "usb:1")
    earlier = path.read_bytes()
    if note == "damaged":
        record.write_text("{")
    if note == "none":
        record.unlink()

    for _ in range(2):
        save_plate(path, shot(1).image, "usb_1")

    kept = tmp_path / "usb_1-64x48 (2).png"
    assert kept.read_bytes() == earlier and str(kept) in caplog.text
    assert len([*tmp_path.glob("*.png")]) == 2, "the second one replaced the first of its camera"
    stored = module.plate_info(path)
    other = module.plate_info(kept)
    assert stored is not None and stored.camera == "usb_1"
    assert (other is not None and other.camera == "usb:1") is (note == "of another camera")


def test_cameras_have_their_own_files() -> None:
    one = plate_path("usb-1/../x y", 640, 480)
    other = plate_path("usb-2", 640, 480)
    assert one.parent == other.parent != one
    assert one.name == "usb-1_.._x_y-640x480.png"
    ports = "pci-0000:00:14.0-usb-0:2:1.0", "pci-0000:00:14.0-usb-0:3:1.0"
    twins = {
        plate_path(f"usb-Sonix_Technology_Co.__Ltd._USB_2.0_Camera-video-index0#{port}", 640, 480)
        for port in ports
    }
    assert len(twins) == 2, "their files had one name, which was cut off before the port"


@pytest.mark.long
@pytest.mark.parametrize("clip", ["asl_walk", "asl_book"])
def test_who_stands_still_stays_in_the_median_and_is_found_there(clip: str) -> None:
    frames = clip_frames(clip)
    capture = PlateCapture(0.0, 1.0)
    for index, image in enumerate(frames):
        capture.feed(Frame(image, index, index / (len(frames) - 1)))
    plate = capture.plate()
    still = np.ptp(np.stack(frames[::3]).astype(np.int16), axis=0).max(2) < 20

    assert still.mean() > 0.3
    assert np.abs(plate.astype(int) - frames[0])[still].mean() < 6, (
        "the room is as every frame shows it"
    )
    assert module.shows_someone(plate)
