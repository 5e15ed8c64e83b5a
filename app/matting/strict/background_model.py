"""State of the strict filter for one stream, per cell."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.base.state import StateArrays
from app.matting.strict import rules

Mask = NDArray[np.bool_]
Planes = NDArray[np.float32]
"""Red, green and blue, (3, h, w), in 0..1."""
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(slots=True)
class BackgroundModel:
    """The learned background and motion, (h, w) each."""

    background: Planes
    frames: Floats
    """Number of frames that `background` was learned from."""
    hidden: Mask
    """Whether `background` was learned from cells that were hidden, but not empty."""
    moved: Mask
    recent: Planes
    """The mean of the recent frames."""
    empty: Mask
    """Cells around which the network saw nobody in the last frame."""
    first: Planes
    """The first frame of the stream."""
    unmoved: Mask
    """Cells with a strong pattern that has not changed since the first frame."""
    age: NDArray[np.int64]
    """(), number of frames since the start, up to `rules.WAIT_FRAMES`."""

    @classmethod
    def begun(cls, image: Planes, seen: NDArray[np.uint8] | None) -> BackgroundModel:
        """Return the state before the first frame. seen: alpha (H, W) of people who are shown at once."""
        shape = image.shape[1:]
        moved = np.zeros(shape, np.bool_)
        if seen is not None:
            moved = cv2.resize(seen, shape[::-1], interpolation=cv2.INTER_AREA) > 255 * rules.BODY_ALPHA
        return cls(
            background=image.copy(),
            frames=np.zeros(shape, np.float32),
            hidden=np.zeros(shape, np.bool_),
            moved=moved,
            recent=image.copy(),
            empty=np.ones(shape, np.bool_),
            first=image,
            unmoved=contrast(image) > rules.STRONG_PATTERN,
            age=np.array(0 if seen is None else rules.WAIT_FRAMES),
        )

    @classmethod
    def of(cls, arrays: StateArrays) -> BackgroundModel:
        """Return the state of `arrays`. Raises KeyError if one is missing."""
        return cls(**{field.name: arrays[field.name].copy() for field in fields(cls)})

    def arrays(self) -> StateArrays:
        """Return copies of all arrays."""
        return {field.name: getattr(self, field.name).copy() for field in fields(self)}


def contrast(planes: Planes) -> Floats:
    """Return the range of brightness of 3x3 cells."""
    red, green, blue = planes
    return np.asarray(cv2.morphologyEx((red + green + blue) * np.float32(1 / 3), cv2.MORPH_GRADIENT, SQUARE))
