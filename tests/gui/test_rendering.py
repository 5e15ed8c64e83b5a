"""Rendering of the preview's view modes, and conversion between arrays and QImage."""

from __future__ import annotations

import gc
import weakref
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtGui import QImage

from app.core.types import Frame, Picture, PictureKind
from app.gui.preview.qimage import from_qimage, to_qimage
from app.gui.preview.rendering import ViewMode, ViewRequest, render
from tests.gui.widgets import existing

WIDTH, HEIGHT = 40, 20


def picture(kind: PictureKind = PictureKind.COMPOSITE, *, foreground: bool = True) -> Picture:
    """A picture with a dark left and a bright right half; each of its images has its own blue value."""

    def image(blue: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        made = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        made[:, WIDTH // 2 :] = 200
        made[..., 0] = blue
        return made

    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, WIDTH // 2 :] = 255
    frame = Frame(image(20), 0, 0.0)
    return Picture(image(10), kind, alpha, image(30) if foreground else None, frame)


def shown(
    mode: ViewMode, *, mirror: bool = False, divider: float = 0.5, of: Picture | None = None
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return render(of or picture(), ViewRequest(WIDTH, HEIGHT, mode, mirror, divider))


def test_each_mode_shows_its_own_image() -> None:
    assert shown(ViewMode.COMPOSITE)[5, 5, 0] == 10
    assert shown(ViewMode.ORIGINAL)[5, 5, 0] == 20
    matte = shown(ViewMode.MATTE)
    assert tuple(matte[5, 5, :3]) == (0, 0, 0)
    assert tuple(matte[5, 35, :3]) == (255, 255, 255)
    person = shown(ViewMode.FOREGROUND)
    assert tuple(person[5, 35, :3]) == (30, 200, 200)
    assert person[5, 5, 0] == person[5, 5, 2] != 0, "checkerboard outside the person"
    assert shown(ViewMode.FOREGROUND, of=picture(foreground=False))[5, 35, 0] == 20, "the frame in its place"


def test_comparison_divider_uses_screen_direction() -> None:
    for mirror in (False, True):
        view = shown(ViewMode.COMPARE, mirror=mirror, divider=0.25)
        assert set(view[:, : WIDTH // 4, 0].ravel()) == {20}
        assert set(view[:, WIDTH // 4 :, 0].ravel()) == {10}


@pytest.mark.parametrize("mode", [ViewMode.COMPOSITE, ViewMode.ORIGINAL, ViewMode.MATTE])
def test_a_mirrored_view_shows_everything_the_other_way_round(mode: ViewMode) -> None:
    assert np.array_equal(shown(mode, mirror=True), shown(mode)[:, ::-1])


def test_rendering_leaves_the_picture_as_it_is() -> None:
    given, same = picture(), picture()
    for mode, mirror in product(ViewMode, (False, True)):
        shown(mode, mirror=mirror, of=given)
    assert np.array_equal(given.image, same.image)
    assert given.frame is not None and same.frame is not None and np.array_equal(given.frame.image, same.frame.image)


def test_a_stand_by_card_is_shown_in_every_mode_and_never_mirrored() -> None:
    card = Picture(picture().image, PictureKind.STANDBY)
    for mode in ViewMode:
        assert tuple(shown(mode, mirror=True, of=card)[5, 5, :3]) == (10, 0, 0)


@pytest.mark.parametrize("factor", [2, 2.4, 3, 4, 5.5])
def test_fine_stripes_do_not_alias_in_a_small_view(factor: float) -> None:
    stripes = np.zeros((241, 321, 3), np.uint8)
    stripes[::2] = 200
    view = render(Picture(stripes, PictureKind.COMPOSITE), ViewRequest(round(321 / factor), round(241 / factor)))
    assert np.abs(view[..., :3].astype(int) - 100).max() <= 1


@given(st.integers(1, 300), st.integers(1, 200))
def test_a_view_fills_one_side_and_keeps_the_aspect_ratio(room_width: int, room_height: int) -> None:
    height, width, channels = render(picture(), ViewRequest(room_width, room_height)).shape
    assert 1 <= width <= room_width and 1 <= height <= room_height and channels == 4
    assert width == room_width or height == room_height
    assert abs(width * HEIGHT - height * WIDTH) <= max(WIDTH, HEIGHT)


sides = st.integers(1, 40)


@given(sides, sides, st.integers(0, 2**32 - 1))
def test_round_trip_keeps_pixels_at_every_width(width: int, height: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert np.array_equal(from_qimage(to_qimage(image)), image)


def test_channels_are_read_as_blue_green_red() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    image[1, 2] = (1, 2, 3)
    colour = to_qimage(image).pixelColor(2, 1)
    assert (colour.red(), colour.green(), colour.blue()) == (3, 2, 1)
    padded = np.dstack([image, np.full((2, 3), 77, np.uint8)])
    assert to_qimage(padded).pixelColor(2, 1).getRgb() == (3, 2, 1, 255)


def test_a_contiguous_array_is_not_copied_and_lives_as_long_as_the_image() -> None:
    array = np.full((4, 6, 4), 9, np.uint8)
    alive = weakref.ref(array)
    image = to_qimage(array)
    bits = existing(image.constBits())
    assert int(bits) == array.ctypes.data
    del array
    copied = QImage(image)
    del image, bits
    gc.collect()
    assert copied.pixelColor(5, 3).red() == 9
    del copied
    gc.collect()
    assert alive() is None


def test_an_image_of_a_part_owns_its_pixels() -> None:
    whole = np.full((8, 8, 4), 9, np.uint8)
    image = to_qimage(whole[1:5, 2:6])
    whole[:] = 200
    assert image.pixelColor(0, 0).red() == 9
    assert (image.width(), image.height()) == (4, 4)
