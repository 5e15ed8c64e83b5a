"""Decides where the camera should look: a dead zone, patience, and a size that does not pump."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.people.regions import Region

FramingStyle = Literal["calm", "close"]


@dataclass(frozen=True, slots=True)
class StyleValues:
    """The values of one style."""

    head_share: float
    """Height of head and neck relative to the view."""
    headroom: float
    """Space above the head relative to the view."""
    min_size: float
    """Of the view relative to the frame: the largest zoom is its inverse."""
    dead_zone: float
    """How far the subject may leave its place before the camera moves, relative to the view."""
    resize_zone: float
    """The same for the size: difference of the logarithms."""
    patience_s: float
    """How long the subject must be outside before the camera moves."""


STYLES: dict[str, StyleValues] = {
    "calm": StyleValues(0.26, 0.15, 1 / 2.2, 0.10, 0.20, 0.5),
    "close": StyleValues(0.38, 0.11, 1 / 3.0, 0.07, 0.16, 0.35),
}
MARGIN = 1.25
"""Width of the view relative to that of all heads and shoulders."""
SHOULDERS_OF_HEAD = 1.3
"""Half the width of the shoulders relative to the height of head and neck."""
SETTLED = 0.3
"""A move ends when the subject has stayed within this fraction of the dead zone for the patience."""
LOST_S = 2.0
"""The view is held for this long after the last person was seen; then it widens to the whole frame."""


@dataclass(frozen=True, slots=True)
class Shot:
    """Where to look: centre of the view, in fractions of the frame, and the logarithm of its size."""

    x: float
    y: float
    log_size: float

    @property
    def size(self) -> float:
        """Size of the view relative to the frame."""
        return math.exp(self.log_size)

    def inside(self) -> Shot:
        """Return the nearest shot that shows nothing beyond the frame."""
        log_size = min(0.0, self.log_size)
        half = math.exp(log_size) / 2
        x, y = (min(max(value, half), 1 - half) for value in (self.x, self.y))
        return Shot(x, y, log_size)


WHOLE_SHOT = Shot(0.5, 0.5, 0.0)


def wanted_shot(people: Sequence[Region], style: StyleValues, aspect: float) -> Shot:
    """Return the shot that shows head and shoulders of all people.

    aspect: width of the frame divided by its height.
    """
    tallest = max(person.head_height for person in people)
    half_widths = [SHOULDERS_OF_HEAD * person.head_height / aspect for person in people]
    left = min(person.head_x - half for person, half in zip(people, half_widths, strict=True))
    right = max(person.head_x + half for person, half in zip(people, half_widths, strict=True))
    top = min(person.head_top for person in people)
    lowest = max(person.shoulders for person in people)
    size = max(
        tallest / style.head_share,
        (right - left) * MARGIN if len(people) > 1 else 0.0,
        (lowest - top) / (1 - style.headroom) if len(people) > 1 else 0.0,
        style.min_size,
    )
    size = min(size, 1.0)
    return Shot((left + right) / 2, top + size * (0.5 - style.headroom), math.log(size)).inside()


class Operator:
    """Holds the shot until the subject has left its place for a while, then follows it until it rests."""

    def __init__(self, style: StyleValues) -> None:
        self._style = style
        self._shot = WHOLE_SHOT
        self._moving = self._resizing = False
        self._outside_s = self._wrong_size_s = self._settled_s = self._lost_s = 0.0
        self._anchor = WHOLE_SHOT
        """Where the subject was when it last began to rest."""
        self._seen = False

    @property
    def shot(self) -> Shot:
        """The shot to take."""
        return self._shot

    def look(self, wanted: Shot | None, step_s: float) -> Shot:
        """Take note of where the subject is, `step_s` after the last call; return the shot to take.

        wanted: None while nobody is seen.
        """
        if wanted is None:
            self._lost_s += step_s
            if self._lost_s >= LOST_S:
                self._shot, self._seen, self._moving, self._resizing = WHOLE_SHOT, False, False, False
            return self._shot
        self._lost_s = 0.0
        if not self._seen:
            self._seen = self._moving = self._resizing = True
        self._decide(wanted, step_s)
        if self._resizing or self._moving:
            log_size = wanted.log_size if self._resizing else self._shot.log_size
            x, y = (wanted.x, wanted.y) if self._moving else (self._shot.x, self._shot.y)
            self._shot = Shot(x, y, log_size).inside()
        return self._shot

    def _decide(self, wanted: Shot, step_s: float) -> None:
        style, held = self._style, self._shot
        distance = max(abs(wanted.x - held.x), abs(wanted.y - held.y)) / held.size
        wrong_size = abs(wanted.log_size - held.log_size)
        self._outside_s = self._outside_s + step_s if distance > style.dead_zone else 0.0
        self._wrong_size_s = self._wrong_size_s + step_s if wrong_size > style.resize_zone else 0.0
        anchor = self._anchor
        left = max(abs(wanted.x - anchor.x), abs(wanted.y - anchor.y)) > SETTLED * style.dead_zone * held.size
        if left or abs(wanted.log_size - anchor.log_size) > SETTLED * style.resize_zone:
            self._anchor, self._settled_s = wanted, 0.0
        else:
            self._settled_s += step_s
        if self._settled_s >= style.patience_s:
            self._moving = self._resizing = False
        if self._outside_s >= style.patience_s:
            self._moving, self._settled_s = True, 0.0
        if self._wrong_size_s >= 2 * style.patience_s:
            self._resizing = self._moving = True
            self._settled_s = 0.0
