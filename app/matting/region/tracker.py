"""Decides which part of the frame the network looks at: around people with a margin, rarely moved."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage, Floats
from app.matting.base.interface import StateArrays
from app.matting.kernels.network_arrays import AREA, BOTTOM, CERTAIN, LEFT, RIGHT, TOP, components

FULL_FRAME_EVERY = 15
"""The network looks at the whole frame every so many frames: twice a second at 30 fps, once at 15."""
SETTLE_FRAMES = 15
"""So long must people stay within a part of the frame before it is looked at."""
MOST_SETTLE_FRAMES = 240
"""The same after the part proved too small again and again."""
STEADY_FRAMES = 150
"""A part that was large enough for so long ends that."""
PERSON_ALPHA = 0.2
"""Alpha that belongs to a person; hair and motion blur count."""
MIN_SHARE = 0.0006
"""Least share of the looked-at part that a component of alpha must cover: less is noise."""
LEAST_PERSON = 0.006
"""Least share of the frame that is opaque where there are people: a region is no closer look at furniture."""
CERTAIN_ALPHA, CERTAIN_SHARE = 0.9, 0.4
"""Alpha of which the network is certain, and the least share of a component that is a person: furniture, of which it is
unsure, would become a person if it were looked at closer."""
FOUND_ALPHA, FOUND_SHARE = 0.5, 0.002
"""The same for somebody who is found outside the present region, by a network without memory."""
MARGIN = 0.18
"""Space planned around people, relative to the size of the part. None is needed at borders of the frame."""
LEAST_MARGIN = 0.05
"""The part is moved when less is left."""
TOUCH = 0.008
"""The part is too small when less is left."""
SMALLEST = 0.3
"""Least width and height of the part, relative to the frame."""
MAX_ASPECT = 1.5
"""The network's input shows the part at most this much wider or narrower than it is."""
LARGEST = 0.64
"""Largest area of the part, relative to the frame: instead of a larger one the whole frame is taken."""
SMALLER = 0.64
"""People must fit a part of this area, relative to the present one, before it shrinks."""
STEPS = 32
"""Sizes, but for the aspect ratio, and positions are multiples of the frame's size divided by this."""
DAMPING = 0.04
"""How far the bounding box shrinks per frame towards the people; it grows at once."""


Sides = tuple[float, float, float, float]
"""Left, top, width and height of a part of the frame, in fractions of it."""


@dataclass(frozen=True, slots=True)
class Roi:
    """A rectangle of the frame in pixels."""

    left: int
    top: int
    width: int
    height: int
    frame_width: int
    frame_height: int

    @classmethod
    def whole(cls, frame_width: int, frame_height: int) -> Roi:
        """Return the whole frame."""
        return cls(0, 0, frame_width, frame_height, frame_width, frame_height)

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole frame."""
        return self.width == self.frame_width and self.height == self.frame_height

    @property
    def fractions(self) -> Sides:
        """Left, top, width and height in fractions of the frame."""
        return (
            self.left / self.frame_width,
            self.top / self.frame_height,
            self.width / self.frame_width,
            self.height / self.frame_height,
        )

    @property
    def area(self) -> float:
        """The share of the frame that it covers."""
        _, _, across, down = self.fractions
        return across * down

    def cut(self, image: BgrImage) -> BgrImage:
        """Return the rectangle of an image (H, W, 3), contiguous."""
        if self.is_whole:
            return image
        return np.ascontiguousarray(image[self.top : self.top + self.height, self.left : self.left + self.width])


class PeopleBox(NamedTuple):
    """A bounding box in fractions of the frame."""

    left: float
    top: float
    right: float
    bottom: float

    def united(self, other: PeopleBox) -> PeopleBox:
        """Return the smallest box around both."""
        return PeopleBox(*map(min, self[:2], other[:2]), *map(max, self[2:], other[2:]))

    def damped(self, now: PeopleBox) -> PeopleBox:
        """Return the box one frame later: grown to hold `now` at once, shrunk slowly."""
        rest = 1 - DAMPING
        shrunk = PeopleBox(*(value + rest * (last - value) for last, value in zip(self, now, strict=True)))
        return shrunk.united(now)

    def margin_in(self, roi: Roi) -> float:
        """Return the least distance to a border of the region that is none of the frame, relative to its size."""
        left, top, width, height = roi.fractions
        free = [math.inf]
        if roi.left > 0:
            free.append((self.left - left) / width)
        if roi.top > 0:
            free.append((self.top - top) / height)
        if roi.left + roi.width < roi.frame_width:
            free.append((left + width - self.right) / width)
        if roi.top + roi.height < roi.frame_height:
            free.append((top + height - self.bottom) / height)
        return min(free)


def people_box(
    alpha: Floats,
    roi: Roi,
    least_alpha: float = PERSON_ALPHA,
    least_share: float = MIN_SHARE,
    certain_share: float = 0.0,
) -> PeopleBox | None:
    """Return the box around all people in alpha (h, w) of a region; None: nobody.

    Parts of people are at least `least_alpha`, and `least_share` of the region; the network is certain of at least
    `certain_share` of them.
    """
    found = components(np.ascontiguousarray(alpha), least_alpha, CERTAIN_ALPHA)
    areas, certain = found[:, AREA], found[:, CERTAIN]
    large = found[(certain >= certain_share * areas) & (areas >= least_share * alpha.size)]
    if not len(large):
        return None
    rows, columns = alpha.shape
    left, top, across, down = roi.fractions
    if across * down * np.count_nonzero(alpha > 0.5) < LEAST_PERSON * alpha.size:
        return None
    return PeopleBox(
        left + across * float(large[:, LEFT].min()) / columns,
        top + down * float(large[:, TOP].min()) / rows,
        left + across * float(large[:, RIGHT].max()) / columns,
        top + down * float(large[:, BOTTOM].max()) / rows,
    )


class RegionTracker:
    """Follows the people of one stream. `roi` is what the network sees in the next frame, `seen` what it saw last."""

    def __init__(self, frame_size: tuple[int, int]) -> None:
        """frame_size: (width, height); the network's input has the same shape."""
        self._frame = frame_size
        self.whole = self.seen = Roi.whole(*frame_size)
        self.reset()

    def reset(self) -> None:
        """Forget the stream: the next frame is looked at as a whole."""
        self.roi = self.whole
        self._people: PeopleBox | None = None
        self._small_frames = self._frames = 0
        self._settle = SETTLE_FRAMES

    @property
    def full_frame_due(self) -> bool:
        """Whether the whole frame is to be looked at besides the region; see `found`."""
        return not self.roi.is_whole and self._frames % FULL_FRAME_EVERY == FULL_FRAME_EVERY - 1

    def lost(self, people: PeopleBox | None) -> bool:
        """Return whether people continue beyond the region or are not in it any more: look at the whole frame at once.

        people: found in the region.
        """
        if self.roi.is_whole or (people is not None and people.margin_in(self.roi) >= TOUCH):
            return False
        self._go(self.whole)
        return True

    def found(self, people: PeopleBox | None) -> None:
        """Take the people that were found in the whole frame outside the region; the region grows to hold them."""
        if people is None or people.margin_in(self.roi) >= TOUCH:
            return
        self._people = people if self._people is None else self._people.united(people)
        self._go(self._planned(self._people))

    def follow(self, people: PeopleBox | None) -> None:
        """Take the people who are shown in a frame, and choose the region for the next one; nobody: the whole frame."""
        self._frames += 1
        if self._frames == STEADY_FRAMES and not self.roi.is_whole:
            self._settle = SETTLE_FRAMES
        self._people = people if people is None or self._people is None else self._people.damped(people)
        if people is None or self._people is None:
            self._go(self.whole)
            return
        planned = self._planned(self._people)
        if people.margin_in(self.roi) < LEAST_MARGIN:
            self._go(planned)
        elif planned.area <= SMALLER * self.roi.area:
            self._small_frames += 1
            if self._small_frames >= self._settle:
                self._go(planned)
        else:
            self._small_frames = 0

    def state(self) -> StateArrays:
        """Return everything that the next decision depends on."""
        people = self._people or (np.nan,) * 4
        counts = self._small_frames, self._frames, self._settle
        return {"tracker": np.array([*astuple(self.roi)[:4], *astuple(self.seen)[:4], *counts, *people])}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if it does not fit."""
        values = arrays["tracker"]
        if values.shape != (15,):
            raise ValueError(f"a saved region is {values.shape} in place of (15,)")
        if not np.isfinite(values[: 11 if np.isnan(values[11:]).all() else 15]).all():
            raise ValueError("a saved region is not finite")
        self.roi, self.seen = (self._checked(values[first : first + 4]) for first in (0, 4))
        self._small_frames, self._frames, self._settle = (int(value) for value in values[8:11])
        self._people = None if np.isnan(values[11]) else PeopleBox(*map(float, values[11:]))

    def _checked(self, sides: NDArray[np.float64]) -> Roi:
        left, top, width, height = (int(value) for value in sides)
        if not (0 <= left <= self._frame[0] - width and 0 <= top <= self._frame[1] - height and min(width, height) > 0):
            raise ValueError("a saved region is outside the frame")
        return Roi(left, top, width, height, *self._frame)

    def _go(self, roi: Roi) -> None:
        self._small_frames = 0
        if roi.area > self.roi.area:
            self._settle = min(MOST_SETTLE_FRAMES, 2 * self._settle)
        if roi.area > self.roi.area or self.roi.is_whole:
            self._frames = 0
        self.roi = roi

    def _planned(self, people: PeopleBox) -> Roi:
        """Return the region for these people."""
        across, down = _size(people.left, people.right), _size(people.top, people.bottom)
        across, down = max(across, down / MAX_ASPECT), max(down, across / MAX_ASPECT)
        if across * down > LARGEST:
            return self.whole
        frame_width, frame_height = self._frame
        width, height = round(across * frame_width), round(down * frame_height)
        return Roi(
            _start(people.left, people.right, width, frame_width),
            _start(people.top, people.bottom, height, frame_height),
            width,
            height,
            frame_width,
            frame_height,
        )


def _size(first: float, last: float) -> float:
    """Return the size of the region along one axis, with margins at the borders that are none of the frame."""
    free = (first > TOUCH) + (last < 1 - TOUCH)
    size = (last - first) / (1 - free * MARGIN)
    return min(1, max(SMALLEST, math.ceil(size * STEPS) / STEPS))


def _start(first: float, last: float, length: int, frame: int) -> int:
    """Return the first pixel of a region of `length` pixels, with the people in its middle."""
    start = round(((first + last) / 2 - length / frame / 2) * STEPS) / STEPS
    return min(max(0, round(start * frame)), frame - length)
