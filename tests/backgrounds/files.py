"""Image and video files for tests, intact and damaged."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.clips import write_clip

COLOURS = ((40, 60, 200), (60, 200, 40), (200, 60, 40), (50, 190, 190))
"""One colour a frame: blue, green, red."""


def flat(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def write_video(
    path: Path,
    *,
    frames: int = 8,
    fps: int = 20,
    size: tuple[int, int] = (64, 48),
    rotation: int = 0,
    mirrored: bool = False,
    top_red: bool = False,
) -> Path:
    """Frame k has the colour COLOURS[k % 4]; top_red: all frames red above and blue below instead."""

    def image(number: int) -> NDArray[np.uint8]:
        if top_red:
            return np.vstack(
                [
                    flat((30, 30, 220), size[0], size[1] // 2),
                    flat((220, 30, 30), size[0], size[1] // 2),
                ]
            )
        return flat(COLOURS[number % len(COLOURS)], *size)

    return write_clip(
        path, frames, fps, size=size, rotation=rotation, mirrored=mirrored, image=image
    )


def colour_number(image: NDArray[np.uint8]) -> int:
    """Which of COLOURS the middle of the picture shows."""
    middle = image[image.shape[0] // 2, image.shape[1] // 2].astype(int)
    return int(np.abs(np.array(COLOURS) - middle).sum(1).argmin())


def cut(path: Path, share: float, to: Path) -> Path:
    """Write the first part of a file, as an interrupted download leaves it."""
    data = path.read_bytes()
    to.write_bytes(data[: int(len(data) * share)])
    return to


def photo(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """Something that fills a file: smooth colours with noise."""
    ramp = np.linspace(0, 200, width, dtype=np.float32)[None, :, None] + np.random.default_rng(
        3
    ).uniform(0, 50, (height, width, 3))
    return ramp.astype(np.uint8)


def write(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> Path:
    """An image file of the kind the name says."""
    assert cv2.imwrite(str(path), image)
    return path
