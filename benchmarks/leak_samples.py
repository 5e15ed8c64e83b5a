"""Frames with known truth for `bench_leak`, the sequences they form, and the pictures they are made
from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import AlphaImage, BgrImage

NOISE_SIGMA = 2.5
"""Standard deviation of the simulated sensor noise, in 8-bit levels."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame with its truth."""

    image: BgrImage
    person: AlphaImage
    """(H, W) uint8: true alpha; 255 also where the truth is unknown."""
    case: str
    """The row of the report that the frame belongs to."""
    exact: bool = True
    """Whether `person` is a true alpha, so that the error of a matte can be measured."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A named sequence; `samples` renders it anew on each call, with the same result."""

    name: str
    samples: Callable[[], Iterator[Sample]]


def filling(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale and crop, mostly from the bottom, to (width, height)."""
    width, height = size
    scale = max(width / image.shape[1], height / image.shape[0])
    scaled = np.asarray(
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8
    )
    scaled = (
        scaled
        if scaled.shape[0] >= height and scaled.shape[1] >= width
        else np.asarray(cv2.resize(scaled, size))
    )
    top, left = (scaled.shape[0] - height) // 4, (scaled.shape[1] - width) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])


def read_image(path: Path) -> BgrImage:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} cannot be read as an image; take it out of the data folder.")
    return np.asarray(image, np.uint8)


def files(folder: Path, suffix: str) -> list[Path]:
    """Return the files of a folder with this suffix, sorted; none where there is no folder."""
    return sorted(folder.glob(f"*{suffix}")) if folder.is_dir() else []
