"""The values that travel between the parts: frames, mattes and what goes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

import numpy as np
from numpy.typing import NDArray

BgrImage = NDArray[np.uint8]
"""(H, W, 3) uint8, 0..255, blue-green-red, C-contiguous, in host memory."""

AlphaImage = NDArray[np.uint8]
"""(H, W) uint8, 0 is background and 255 is the person, C-contiguous, in host memory."""


def check_bgr(image: NDArray[np.generic]) -> None:
    """Raise TypeError or ValueError unless `image` is a BgrImage; called once, where an array enters."""
    if image.dtype != np.uint8:
        raise TypeError(f"an image must be uint8, not {image.dtype}")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"an image must have the shape (height, width, 3), not {image.shape}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source. The image is never written to after it was put into a frame."""

    image: BgrImage
    index: int
    """Counts up from 0 within one opened source; a gap means the source skipped pictures."""
    captured_at_s: float
    """time.perf_counter() when the picture had arrived."""
    whole: BgrImage | None = None
    """What the source gave, where `image` is an enlarged part of it."""
    synthetic: bool = False
    """True for frames of the demo source: they show no user's surroundings and may be written to disk unasked."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source really delivers, read back after it was opened."""

    kind: str
    """`camera`, `file` or `demo`."""
    name: str
    id: str
    """Stable over restarts and re-plugging; settings are kept under it."""
    width: int
    height: int
    fps: float
    pixel_format: str
    """The format the source delivers before conversion to BGR, such as `MJPG`; empty where there is none."""
    is_virtual: bool = False
    """Another program sends the frames to this device."""


@dataclass(frozen=True, slots=True)
class BlurredRoom:
    """The room itself as background, blurred; the person is filled in before the blur, so no halo shows."""

    strength: float
    """0 (just seen to be blurred) to 100 (only colours are left)."""


Backdrop = BgrImage | BlurredRoom
"""What the frame step puts behind the person: a picture of the frame's size, or the blurred room."""


@dataclass(frozen=True, slots=True)
class Matte:
    """What one frame step gives."""

    composite: BgrImage
    alpha: AlphaImage
    foreground: BgrImage | None = None
    """The person's own colours, estimated everywhere; given only when asked for."""


class PictureKind(Enum):
    """What an outgoing picture shows; the privacy rule is about this value."""

    STANDBY = "standby"
    """The stand-by card: nothing of the camera."""
    COMPOSITE = "composite"
    """The person before the chosen background."""
    UNMATTED = "unmatted"
    """The camera's picture as it is: only where the user chose the background "none"."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on its way to the outputs and the preview."""

    image: BgrImage
    kind: PictureKind
    alpha: AlphaImage | None = None
    foreground: BgrImage | None = None
    frame: Frame | None = None
    """The frame it was made from; None for the stand-by card."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]


Outgoing = NewType("Outgoing", Picture)
"""A picture that may leave: only the runtime's privacy gate makes one, and sinks accept nothing else."""
