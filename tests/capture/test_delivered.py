"""What cameras deliver becomes whole frames of the wanted size, without combs; closed shutters are told apart."""

from __future__ import annotations

from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.capture.delivered import (
    LOOK_INTERVAL,
    RARE_LOOK_INTERVAL,
    SURE_VOTES,
    Deinterlacer,
    comb,
    fields,
    fitted,
    is_blank,
    without_combs,
    without_padding,
)
from app.core.types import BgrImage
from tests.clips import demo

WIDTH = 640
HEIGHT = 360


def noise(
    level: float,
    spread: float,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    seed: int = 0,
) -> BgrImage:
    """Return what a sensor without light delivers."""
    width, height = size
    values = np.random.default_rng(seed).normal(level, spread, (height, width, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


def dimmed(image: BgrImage, share: float) -> BgrImage:
    """Return an image as a sensor with little light delivers it."""
    return np.clip(
        image * share + np.random.default_rng(1).normal(0, 3, image.shape), 0, 255
    ).astype(np.uint8)


@pytest.fixture(scope="module")
def moving() -> list[BgrImage]:
    return demo(WIDTH, HEIGHT, range(80))


def interlaced(frames: list[BgrImage], first: int = 0) -> list[BgrImage]:
    """Return frames of two fields that are half a frame apart. first: 0 where the even rows are the earlier ones."""
    woven = []
    for earlier, later in zip(frames[0::2], frames[1::2], strict=True):
        image = earlier.copy()
        image[1 - first :: 2] = later[1 - first :: 2]
        woven.append(image)
    return woven


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0, 0, 0), True),
        ((2, 1, 0), True),
        ((0, 135, 0), True),
        ((0, 154, 0), True),
        ((0, 255, 0), False),
        ((30, 30, 30), False),
        ((255, 255, 255), False),
    ],
)
def test_frames_of_one_colour_are_blank_if_they_are_black_or_green(
    colour: tuple[int, int, int], expected: bool
) -> None:
    assert is_blank(np.full((48, 64, 3), colour, np.uint8)) is expected


@pytest.mark.parametrize(("level", "spread"), [(1, 1), (6, 2.5), (0, 12), (12, 6)])
@pytest.mark.parametrize("size", [(1280, 720), (WIDTH, HEIGHT), (160, 120)])
def test_the_noise_of_a_closed_shutter_is_blank(
    level: float,
    spread: float,
    size: tuple[int, int],
) -> None:
    """It was taken for an image, because no two pixels are the same."""
    assert is_blank(noise(level, spread, size))


@pytest.mark.parametrize("share", [0.3, 0.1, 0.06])
def test_a_dim_room_is_not_blank(moving: list[BgrImage], share: float) -> None:
    assert not is_blank(dimmed(moving[0], share))


def test_a_small_light_in_the_dark_is_not_blank() -> None:
    image = noise(3, 2, (1280, 720))
    image[300:340, 600:640] = 200

    assert not is_blank(image)


@pytest.mark.parametrize(
    ("delivered", "asked", "size"),
    [
        pytest.param((1920, 1088), (1920, 1080), (1920, 1080), id="1080 rows in blocks of 16"),
        pytest.param(
            (1920, 1088), (1280, 720), (1920, 1080), id="1080 rows, which were not asked for"
        ),
        pytest.param((640, 368), (640, 360), (640, 360), id="360 rows"),
        pytest.param((864, 480), (854, 480), (854, 480), id="854 columns"),
        pytest.param((1920, 1080), (1920, 1080), (1920, 1080), id="nothing to cut"),
        pytest.param((640, 480), (1280, 720), (640, 480), id="another size"),
        pytest.param((1280, 736), (1280, 720), (1280, 736), id="more than a block"),
    ],
)
def test_padding_of_the_encoder_is_cut(
    delivered: tuple[int, int], asked: tuple[int, int], size: tuple[int, int]
) -> None:
    """The last 8 rows were green."""
    image = noise(100, 30, delivered)

    whole = without_padding(image, asked)

    assert whole.shape == (size[1], size[0], 3)
    assert np.array_equal(whole, image[: size[1], : size[0]])
    assert whole.flags.c_contiguous


@pytest.mark.parametrize(
    ("delivered", "wanted", "size"),
    [
        pytest.param((3840, 2160), (1280, 720), (1280, 720), id="a grabber that knows one size"),
        pytest.param((1920, 1080), (1280, 720), (1280, 720), id="no whole factor"),
        pytest.param((1600, 1200), (1280, 720), (960, 720), id="other proportions"),
        pytest.param((1080, 1920), (1280, 720), (720, 1280), id="upright"),
        pytest.param((1280, 960), (1280, 720), (1280, 960), id="a little larger"),
        pytest.param((640, 480), (1280, 720), (640, 480), id="smaller"),
    ],
)
def test_what_is_far_larger_than_wanted_is_scaled(
    delivered: tuple[int, int], wanted: tuple[int, int], size: tuple[int, int]
) -> None:
    left_bright = np.zeros((delivered[1], delivered[0], 3), np.uint8)
    left_bright[:, : delivered[0] // 2] = 200

    image = fitted(left_bright, wanted)

    assert image.shape == (size[1], size[0], 3)
    assert image[:, : size[0] // 2 - 1].min() == 200
    assert image[:, size[0] // 2 + 1 :].max() == 0


def pass_through(deinterlacer: Deinterlacer, frames: list[BgrImage]) -> list[BgrImage]:
    return [deinterlacer.image(frame) for frame in frames]


@pytest.mark.parametrize("first", [0, 1], ids=["upper field first", "lower field first"])
def test_interlaced_frames_are_found_and_lose_their_combs(
    moving: list[BgrImage],
    first: int,
) -> None:
    """Those of grabbers were shown as they are; films were deinterlaced."""
    frames = interlaced(moving, first)
    deinterlacer = Deinterlacer()

    shown = pass_through(deinterlacer, frames)

    assert deinterlacer.is_active
    assert comb(*fields(frames[-1])) > 20 * comb(*fields(shown[-1]))


def test_what_does_not_move_keeps_all_rows() -> None:
    wall = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    frames = [
        cv2.circle(wall.copy(), (60 + 8 * number, 200), 40, (60, 120, 200), -1)
        for number in range(60)
    ]
    deinterlacer = Deinterlacer("on")

    shown = pass_through(
        deinterlacer,
        interlaced([np.asarray(frame, np.uint8) for frame in frames]),
    )

    assert np.array_equal(shown[-1][:150], wall[:150])
    assert np.array_equal(shown[-1][:, : WIDTH // 2], wall[:, : WIDTH // 2])


@pytest.mark.parametrize("step", [1, 3], ids=["slow", "fast"])
def test_progressive_frames_pass_unchanged(moving: list[BgrImage], step: int) -> None:
    deinterlacer = Deinterlacer()

    for frame in moving[::step]:
        assert deinterlacer.image(frame) is frame

    assert not deinterlacer.is_active


def test_a_striped_shirt_that_moves_is_not_interlaced() -> None:
    stripes = np.zeros((HEIGHT, WIDTH + 200, 3), np.uint8)
    stripes[0::2] = 200
    stripes[:, ::40] = 90
    frames = [
        np.ascontiguousarray(stripes[:, 4 * number : 4 * number + WIDTH]) for number in range(48)
    ]
    deinterlacer = Deinterlacer()

    pass_through(deinterlacer, frames)

    assert not deinterlacer.is_active


def test_a_source_that_becomes_progressive_is_left_alone_again(moving: list[BgrImage]) -> None:
    deinterlacer = Deinterlacer()

    pass_through(deinterlacer, interlaced(moving))
    assert deinterlacer.is_active
    pass_through(deinterlacer, moving)

    assert not deinterlacer.is_active


def test_a_progressive_source_costs_little_and_may_become_interlaced(
    moving: list[BgrImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search took half a millisecond of every frame of every camera."""
    searched = Mock(wraps=fields)
    monkeypatch.setattr("app.capture.delivered.fields", searched)
    progressive = [*moving, *moving[::-1]]
    deinterlacer = Deinterlacer()
    pass_through(deinterlacer, progressive)

    searched.reset_mock()
    pass_through(deinterlacer, progressive[:RARE_LOOK_INTERVAL])
    assert searched.call_count == 2

    for _ in range(3):
        pass_through(deinterlacer, interlaced(progressive))
    assert deinterlacer.is_active


def test_frames_before_and_after_a_gap_are_not_compared(moving: list[BgrImage]) -> None:
    """Of interlaced frames with others between them, both pairs of fields are far apart, as of progressive ones."""
    deinterlacer = Deinterlacer()
    pass_through(deinterlacer, interlaced(moving))

    for frame in interlaced(moving)[::LOOK_INTERVAL]:
        for _ in range(LOOK_INTERVAL):
            deinterlacer.skip()
            deinterlacer.image(frame)

    assert deinterlacer.is_active


def test_the_driver_or_the_user_decides_without_a_search(moving: list[BgrImage]) -> None:
    frame = interlaced(moving[:2])[0]

    assert Deinterlacer("off", is_announced=True).image(frame) is frame
    assert np.array_equal(Deinterlacer("on").image(frame), without_combs(frame))
    assert np.array_equal(
        Deinterlacer("auto", is_announced=True).image(frame), without_combs(frame)
    )


@pytest.mark.parametrize("size", [(1, 1), (64, 3), (7, 33)])
def test_frames_of_odd_sizes_and_changes_of_size_are_survived(size: tuple[int, int]) -> None:
    deinterlacer = Deinterlacer()
    small = noise(100, 40, size)

    for _ in range(LOOK_INTERVAL * SURE_VOTES):
        assert deinterlacer.image(small).shape == small.shape
        assert deinterlacer.image(noise(100, 40)).shape == (HEIGHT, WIDTH, 3)

    assert without_combs(cv2.resize(small, (8, 33))).shape == (33, 8, 3)  # type: ignore[arg-type]
