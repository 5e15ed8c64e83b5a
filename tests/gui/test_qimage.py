"""Conversion between arrays and QImage."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtGui import QImage

from app.gui.preview.qimage import from_qimage, to_qimage

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
    bits = image.constBits()
    assert bits is not None
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


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (0, 4, 3), (4, 0, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be"):
        to_qimage(np.zeros(shape, np.uint8))


def test_an_empty_image_has_no_pixels() -> None:
    with pytest.raises(ValueError, match="empty"):
        from_qimage(QImage())
