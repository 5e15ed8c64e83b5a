"""State of strict mode for one stream, per cell."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.matting.state import StateArrays
from app.matting.strict import rules

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Planes = NDArray[np.float32]
"""Red, green and blue, (3, h, w), in 0..1."""


@dataclass(slots=True)
class Memory:
    """Background and motion, (h, w) each."""

    background: Planes
    frames: Floats
    """Number of frames that `background` was learned from."""
    doubtful: Mask
    """Whether `background` was learned from cells that were hidden, but not empty."""
    moved: Mask
    reference: Planes
    """The mean of the recent frames."""
    last: Planes
    empty: Mask
    """Cells around which the network saw nobody in the last frame."""
    first: Planes
    """The first frame of the scene."""
    unmoved: Mask
    """Cells with a strong pattern that has not changed since the first frame."""
    age: int
    """Number of frames since the start or the last cut, up to `rules.WAIT_FRAMES`."""

    @classmethod
    def begun(cls, image: Planes, seen: NDArray[np.uint8] | None) -> Memory:
        """Return the state before the first frame. seen: alpha (H, W) of people who are shown at once."""
        shape = image.shape[1:]
        return cls(
            background=image.copy(),
            frames=np.zeros(shape, np.float32),
            doubtful=np.zeros(shape, np.bool_),
            moved=_seen_cells(seen, shape),
            reference=image.copy(),
            last=image.copy(),
            empty=np.ones(shape, np.bool_),
            first=image.copy(),
            unmoved=np.ones(shape, np.bool_),
            age=0 if seen is None else rules.WAIT_FRAMES,
        )

    @classmethod
    def of(cls, arrays: StateArrays) -> Memory:
        """Return the state of `arrays`. Raises KeyError if one is missing."""
        return cls(
            background=arrays["background"].copy(),
            frames=arrays["frames"].copy(),
            doubtful=arrays["doubtful"].copy(),
            moved=arrays["moved"].copy(),
            reference=arrays["reference"].copy(),
            last=arrays["last"].copy(),
            empty=arrays["empty"].copy(),
            first=arrays["first"].copy(),
            unmoved=arrays["unmoved"].copy(),
            age=int(arrays["age"]),
        )

    def arrays(self) -> StateArrays:
        """Return copies of all arrays."""
        return {
            "background": self.background.copy(),
            "reference": self.reference.copy(),
            "last": self.last.copy(),
            "frames": self.frames.copy(),
            "doubtful": self.doubtful.copy(),
            "moved": self.moved.copy(),
            "empty": self.empty.copy(),
            "first": self.first.copy(),
            "unmoved": self.unmoved.copy(),
            "age": np.array(self.age),
        }

    def grow_older(self) -> None:
        """Count one more frame."""
        self.age = min(self.age + 1, rules.WAIT_FRAMES)


def _seen_cells(seen: NDArray[np.uint8] | None, shape: tuple[int, ...]) -> Mask:
    if seen is None:
        return np.zeros(shape, np.bool_)
    cells = cv2.resize(seen, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(cells > 255 * rules.BODY_ALPHA, np.bool_)
