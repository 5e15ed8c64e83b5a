"""People drawn as mattes and in colour, who walk before a wall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from app.core.types import Floats

ROWS = 180
COLUMNS = 320
FPS = 30

Colour = tuple[float, float, float]
RED = (0.8, 0.2, 0.15)
GREEN = (0.2, 0.8, 0.15)
BLUE = (0.15, 0.25, 0.7)
DARK_BLUE = (0.2, 0.2, 0.65)
JEANS = (0.25, 0.3, 0.4)
SKIN = (0.8, 0.6, 0.5)
WALL = (0.6, 0.62, 0.6)

# Rolled by another distance in each frame and channel: new noise took most of the tests' time.
NOISE = 0.03 * np.random.default_rng(3).standard_normal((ROWS, COLUMNS)).astype(np.float32)


def silhouette(x: float, top: float, head: float, *, raised_arm: bool = False) -> Floats:
    """Return a matte (ROWS, COLUMNS) of one person: a head, a neck, shoulders and a body.

    x, top, head: centre and upper edge of the head, and height of head and neck, in fractions of
    the frame.
    """
    alpha = nobody()
    height = head * ROWS
    middle = round(x * COLUMNS)
    y = top * ROWS
    radius = round(0.4 * height)
    neck = round(0.15 * height)
    shoulder = round(0.95 * height)
    arm = round(0.2 * height)
    centre = (middle, round(y + radius))
    cv2.ellipse(alpha, centre, (round(0.33 * height), radius), 0, 0, 360, 1, -1)
    boxes = [(-neck, y + radius, neck, y + height), (-shoulder, y + height, shoulder, ROWS)]
    if raised_arm:
        boxes.append((shoulder - arm, y - 0.5 * height, shoulder, y + height))
    for left, upper, right, lower in boxes:
        cv2.rectangle(alpha, (middle + left, round(upper)), (middle + right, round(lower)), 1, -1)
    return alpha


def nobody() -> Floats:
    return np.zeros((ROWS, COLUMNS), np.float32)


def wall() -> Floats:
    return np.array(WALL, np.float32).repeat(ROWS * COLUMNS).reshape(3, ROWS, COLUMNS)


Path = Callable[[float], float]
"""Where somebody is along the frame's width, by the time in seconds."""


def at(x: float) -> Path:
    def stay(_: float) -> float:
        return x

    return stay


def walking(start: float, speed: float) -> Path:
    """Return the path of somebody who never stops. speed: widths of the frame per second."""

    def walk(time_s: float) -> float:
        return start + speed * time_s

    return walk


def walking_to(end: float, start: float, speed: float) -> Path:
    """Return the path of somebody who stops at `end`."""
    walking_s = (end - start) / speed

    def walk(time_s: float) -> float:
        return start + speed * min(time_s, walking_s)

    return walk


@dataclass(frozen=True)
class Walker:
    """A person with clothes of one colour, who walks along `x` over time."""

    x: Path
    clothes: Colour
    top: float = 0.3
    head: float = 0.14
    jeans: bool = False
    """Whether the lower part of the body has a colour that others have, too."""

    def paint(self, image: Floats, time_s: float, rng: np.random.Generator) -> Floats:
        """Draw the person into (3, ROWS, COLUMNS); return the matte, empty beyond the frame."""
        alpha = self._matte(time_s)
        chest = round((self.top + self.head) * ROWS)
        waist = round(0.72 * ROWS)
        for channel in range(3):
            colour = np.full((ROWS, COLUMNS), self.clothes[channel], np.float32)
            colour[:chest] = SKIN[channel]
            if self.jeans:
                colour[waist:] = JEANS[channel]
            colour += np.roll(NOISE, int(rng.integers(NOISE.size)))
            image[channel] += alpha * (colour - image[channel])
        return alpha

    def _matte(self, time_s: float) -> Floats:
        x = self.x(time_s)
        if -0.3 < x < 1.3:
            return silhouette(x, self.top, self.head)
        return nobody()
