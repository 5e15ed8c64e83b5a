"""Data types of the pipeline: how a camera is turned, frames, mattes and what effects do to them,
outgoing pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal, NewType, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

# (H, W, 3) uint8, 0..255, blue-green-red, C-contiguous, in host memory.
BgrImage = NDArray[np.uint8]
# (H, W) uint8, 0 is background and 255 is the person, C-contiguous, in host memory.
AlphaImage = NDArray[np.uint8]
# Planes or coefficients, such as alpha in 0..1.
Floats = NDArray[np.float32]
# Images or planes in any shape, 0..255.
Bytes = NDArray[np.uint8]
# (H, W)
Mask = NDArray[np.bool_]

# Degrees, clockwise.
Rotation = Literal[0, 90, 180, 270]
_CODES = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Orientation:
    """The turn that brings the pictures of a camera upright.

    By `rotate`, then `flip` swaps left and right.

    Positions are (x, y) in fractions of width and height.
    """

    rotate: Rotation = 0
    flip: bool = False

    def __str__(self) -> str:
        """Return words for a sentence or a name, such as `rotated 90 flipped`.

        Empty for no turn.
        """
        words = []
        if self.rotate:
            words.append(f"rotated {self.rotate}")
        if self.flip:
            words.append("flipped")
        return " ".join(words)

    @property
    def is_sideways(self) -> bool:
        """Whether width and height are exchanged."""
        return self.rotate in (90, 270)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of an upright picture. width, height: of the camera's."""
        if self.is_sideways:
            return height, width
        return width, height

    def upright(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image of the camera, (H, W) or (H, W, channels), upright.

        The same one if there is no turn.
        """
        if self.rotate:
            image = np.asarray(cv2.rotate(image, _CODES[self.rotate]), np.uint8)
        if self.flip:
            image = _mirrored(image)
        return image

    def to_upright(self, x: float, y: float) -> tuple[float, float]:
        """Return where a position of the camera's picture is in the upright one."""
        for _ in range(self.rotate // 90):
            x, y = 1 - y, x
        if self.flip:
            x = 1 - x
        return x, y

    def from_upright(self, x: float, y: float) -> tuple[float, float]:
        """Return where a position of the upright picture is in the camera's.

        The inverse of `to_upright`.
        """
        if self.flip:
            x = 1 - x
        for _ in range(self.rotate // 90):
            x, y = y, 1 - x
        return x, y


UNTURNED = Orientation()


def check_bgr(image: object) -> None:
    """Raise TypeError or ValueError unless `image` is a BgrImage.

    Sources call it once for each array.
    """
    if not isinstance(image, np.ndarray):
        raise TypeError(f"an image must be a NumPy array, not {type(image).__name__}")
    if image.dtype != np.uint8:
        raise TypeError(f"an image must be uint8, not {image.dtype}")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"an image must have the shape (height, width, 3), not {image.shape}")


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """The actual format of a source, read back after it was opened."""

    # `camera`, `file`, or the name of its row in `app.capture.table`.
    kind: str
    name: str
    # Identifier that survives restarts and reconnection; settings are stored under it.
    id: str
    width: int
    height: int
    fps: float
    pixel_format: str
    """Format before conversion to BGR, such as `MJPG`; empty if there is none."""
    # Another program sends the frames to this device.
    is_virtual: bool = False
    # How its frames are turned; `width` and `height` are those of turned frames.
    orientation: Orientation = UNTURNED

    @property
    def viewpoint(self) -> str:
        """What its frames show, as far as the program can tell: the id, and how they are turned."""
        return f"{self.id} {self.orientation}".rstrip()

    def turned(self, orientation: Orientation) -> SourceInfo:
        """Return the description of turned frames. Of a source as it opened."""
        width, height = orientation.size(self.width, self.height)
        return replace(self, width=width, height=height, orientation=orientation)


# Of frames outside the live pipeline.
UNKNOWN_SOURCE = SourceInfo("", "", "", 0, 0, 0.0, "")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a source. Its image must not be modified."""

    image: BgrImage
    # Frame number, from 0 for each opened source; a gap means that the source dropped frames.
    index: int
    captured_at_s: float
    """time.perf_counter() at the arrival of the frame, in seconds."""
    # The uncropped image of the source if `image` is a crop of it.
    whole: BgrImage | None = None
    # True for frames of the demo source: they do not show
    # the user and may be written to disk without a request.
    synthetic: bool = False
    # What it was captured from, which may not be the source in use any more.
    source: SourceInfo = UNKNOWN_SOURCE
    # Changes whenever a source is opened: frames of two generations do not belong to one sequence.
    generation: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, slots=True)
class BlurredBackground:
    """The camera's background, blurred.

    The person is inpainted before the blur, which avoids a halo.
    """

    # Strength from 0 to 100 (only colours remain). Engines
    # raise it to what the level of strict mode allows.
    strength: float
    # Blur with discs that keep highlights, like a lens; executors that cannot do it blur as usual.
    bokeh: bool = False
    # Pixels of the frame per pixel of the camera. The strength is that of the camera's
    # frame, which is magnified.
    zoom: float = 1.0


# Background of the frame step: an image of the frame's size, or the blurred camera background.
Backdrop = BgrImage | BlurredBackground


def magnified(backdrop: Backdrop, times: float) -> Backdrop:
    """Return the backdrop for a part of the camera's frame that is enlarged so many times."""
    if times == 1 or not isinstance(backdrop, BlurredBackground):
        return backdrop
    return replace(backdrop, zoom=backdrop.zoom * times)


@dataclass(frozen=True, slots=True)
class Matte:
    """The result of one frame step."""

    composite: BgrImage
    alpha: AlphaImage
    # Estimated foreground colours; only if requested.
    foreground: BgrImage | None = None
    # The image that the composite shows, if not the whole
    # frame: the part that auto-framing chose, enlarged.
    frame: BgrImage | None = None
    # Whether the network left the frame out, because little has moved.
    still: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A part of the frame with the frame's aspect ratio, in fractions of the frame's width and
    height.
    """

    left: float = 0.0
    top: float = 0.0
    # Of both sides: 1 is the whole frame, 0.5 a zoom of 2.
    size: float = 1.0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is cropped."""
        return self.size >= 1

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """Convert a position in the view to one in the frame, both in fractions."""
        return self.left + x * self.size, self.top + y * self.size

    def from_frame(self, x: float, y: float) -> tuple[float, float]:
        """Convert a position in the frame to one in the view; the inverse of `to_frame`."""
        return (x - self.left) / self.size, (y - self.top) / self.size


WHOLE_VIEW = View()


@dataclass(frozen=True, slots=True, eq=False)
class MatteEdit:
    """The change of one matte between the network and the composite."""

    gain: Floats | None = None
    """(h, w) factor of alpha, at the size of the network's input, in 0..1; None: 1."""
    # The part of the frame that the composite shows; None: the whole frame.
    view: View | None = None
    # Gains (3) and biases (3), RGB, (6, h', w') each and C-contiguous, applied in turn:
    # the person's colours in 0..1 become gain * colour + bias.
    lights: tuple[Floats, ...] = ()


UNCHANGED = MatteEdit()


class MatteEditor(Protocol):
    """Decides per frame what is done to the matte between the network and the composite."""

    def start_scene(self) -> None:
        """Forget what belongs to one scene.

        The next frame comes after a cut, or has another size.
        """

    def edit(self, small: Floats, alpha: Floats) -> MatteEdit:
        """Return the change of this frame's matte.

        Called once per step, on the thread that runs it.

        small: (3, h, w) the network's input, RGB in 0..1. alpha: (h, w) in 0..1. Neither may be
        modified.
        """


class PictureKind(Enum):
    """Content of an outgoing picture; the privacy rule depends on it."""

    # The stand-by card; contains no camera image.
    STANDBY = "standby"
    # The person in front of the selected background.
    COMPOSITE = "composite"
    # The camera's unmatted frame; only if the user selected the background "none".
    UNMATTED = "unmatted"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for the outputs and the preview."""

    image: BgrImage
    kind: PictureKind
    alpha: AlphaImage | None = None
    foreground: BgrImage | None = None
    # The frame that it was made from; None for the stand-by card.
    frame: Frame | None = None
    # As in `Settings`, of the settings that it was made under; None for the stand-by card.
    hides: tuple[object, ...] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]

    def mirrored(self) -> Picture:
        """Return it with left and right exchanged."""
        alpha = None if self.alpha is None else _mirrored(self.alpha)
        foreground = None if self.foreground is None else _mirrored(self.foreground)
        return replace(self, image=_mirrored(self.image), alpha=alpha, foreground=foreground)


def _mirrored(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.flip(image, 1), np.uint8)


# A picture approved for output: only the runtime's
# privacy gate creates one, and sinks accept nothing else.
Outgoing = NewType("Outgoing", Picture)
