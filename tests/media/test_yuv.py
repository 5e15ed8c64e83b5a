"""Conversion to the planes of video encoders, against the arithmetic of the standards."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.media.yuv import BT601, BT709, YuvConverter

WIDTH, HEIGHT = 64, 48


def reference(image: NDArray[np.uint8], red: float, blue: float) -> NDArray[np.float64]:
    """Return (height, width, 3) Y, U, V in limited range."""
    b, g, r = (image[:, :, channel] / 255 for channel in range(3))
    luma = red * r + (1 - red - blue) * g + blue * b
    chroma = [(b - luma) / (2 - 2 * blue), (r - luma) / (2 - 2 * red)]
    return np.stack([16 + 219 * luma, *(128 + 224 * part for part in chroma)], axis=2)


def halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(plane.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean((1, 3)))


@pytest.mark.parametrize("weights", [BT601, BT709])
def test_planes_match_the_standard(weights: tuple[float, float]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    planes = YuvConverter("I420", WIDTH, HEIGHT, weights).convert(image)
    wanted = reference(image, *weights)
    assert np.abs(planes[:HEIGHT] - wanted[:, :, 0]).max() < 1
    u, v = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    assert np.abs(u - halved(wanted[:, :, 1])).max() < 1.2
    assert np.abs(v - halved(wanted[:, :, 2])).max() < 1.2


def test_grey_frames_have_no_colour() -> None:
    grey = np.arange(WIDTH * HEIGHT, dtype=np.uint32).reshape(HEIGHT, WIDTH).astype(np.uint8)
    planes = YuvConverter("I420", WIDTH, HEIGHT, BT709).convert(grey)
    assert np.abs(planes[:HEIGHT] - (16 + grey * (219 / 255))).max() <= 0.5
    assert (planes[HEIGHT:] == 128).all()


@pytest.mark.parametrize("weights", [BT601, BT709])
def test_greys_of_a_colour_frame_stay_grey_up_to_black_and_white(weights: tuple[float, float]) -> None:
    grey = np.resize(np.arange(256, dtype=np.uint8), (WIDTH, HEIGHT)).T
    planes = YuvConverter("I420", WIDTH, HEIGHT, weights).convert(np.repeat(grey[..., None], 3, 2))
    assert (planes[HEIGHT:] == 128).all()
    assert (planes[:HEIGHT].min(), planes[:HEIGHT].max()) == (16, 235)


def test_a_colour_frame_after_a_grey_one_is_converted_anew() -> None:
    converter = YuvConverter("I420", WIDTH, HEIGHT, BT601)
    blue = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    blue[:, :, 0] = 255
    first = converter.convert(blue).copy()
    converter.convert(np.zeros((HEIGHT, WIDTH), np.uint8))
    assert (converter.convert(blue) == first).all()
