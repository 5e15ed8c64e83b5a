"""Two people on one path each, with known truth, and their silhouettes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.matte_edit import Plane
from app.core.types import AlphaImage, Floats
from app.people.only_me import OnlyMe
from app.people.regions import Region

ASPECT = 16 / 9
ROWS, COLUMNS = 180, 320


def person(x: float, top: float = 0.25, head: float = 0.12) -> Region:
    """Return a person whose head is at `x`, with head and neck of this height."""
    half = 1.1 * head / ASPECT
    return Region(x - half, top, x + half, 1.0, x, top, top + head, 2 * half * (1 - top))


def silhouette(x: float, top: float, head: float, *, raised_arm: bool = False, below: float = 1.0) -> Floats:
    """Return a matte (ROWS, COLUMNS) of one person: a head, a neck, shoulders and a body down to `below`.

    x, top, head: centre and upper edge of the head, and height of head and neck, in fractions of the frame.
    """
    alpha = np.zeros((ROWS, COLUMNS), np.uint8)
    height = head * ROWS
    cx, y = round(x * COLUMNS), top * ROWS
    radius = round(0.4 * height)
    cv2.ellipse(alpha, (cx, round(y + radius)), (round(0.33 * height), radius), 0, 0, 360, 255, -1)
    cv2.rectangle(
        alpha, (cx - round(0.15 * height), round(y + radius)), (cx + round(0.15 * height), round(y + height)), 255, -1
    )
    shoulder = round(0.95 * height)
    cv2.rectangle(alpha, (cx - shoulder, round(y + height)), (cx + shoulder, round(below * ROWS)), 255, -1)
    if raised_arm:
        arm = round(0.2 * height)
        left = cx + shoulder - arm
        cv2.rectangle(alpha, (left, round(y - 0.5 * height)), (left + arm, round(y + height)), 255, -1)
    return np.asarray(alpha / 255, np.float32)


def head_and_shoulders(x: float) -> AlphaImage:
    """Return the matte of one person whose head is at `x`, in the levels of an image."""
    return np.asarray(255 * silhouette(x, 0.25, 0.25), np.uint8)


RED, BLUE, DARK_BLUE = (0.8, 0.2, 0.15), (0.15, 0.25, 0.7), (0.2, 0.2, 0.65)
JEANS = (0.25, 0.3, 0.4)
SKIN, WALL = (0.8, 0.6, 0.5), (0.6, 0.62, 0.6)

WAIST = 0.72
NOISE = 0.03 * np.random.default_rng(3).standard_normal((ROWS, COLUMNS)).astype(np.float32)
"""Rolled by another distance in each frame and channel: new noise took most of the time of the tests."""


@dataclass(frozen=True)
class Walker:
    """A person with clothes of one colour, who walks along `x` over time."""

    x: Callable[[float], float]
    clothes: tuple[float, float, float]
    top: float = 0.3
    head: float = 0.14
    jeans: bool = False
    """Whether the lower part of the body has a colour that others have, too."""

    def alpha(self, time_s: float) -> Plane:
        """Return the matte; empty beyond the frame."""
        x = self.x(time_s)
        return silhouette(x, self.top, self.head) if -0.3 < x < 1.3 else np.zeros((ROWS, COLUMNS), np.float32)

    def paint(self, image: Plane, alpha: Plane, rng: np.random.Generator) -> None:
        """Draw the person into (3, ROWS, COLUMNS)."""
        chest = round((self.top + self.head) * ROWS)
        for channel in range(3):
            colour = np.full((ROWS, COLUMNS), self.clothes[channel], np.float32)
            colour[:chest] = SKIN[channel]
            if self.jeans:
                colour[round(WAIST * ROWS) :] = JEANS[channel]
            colour += np.roll(NOISE, int(rng.integers(NOISE.size)))
            image[channel] += alpha * (colour - image[channel])


@dataclass
class Outcome:
    """What was shown of both, per frame."""

    own: NDArray[np.float64]
    """Share of the visible selected person that is shown."""
    bystander: NDArray[np.float64]
    """Part of the frame in which the bystander is shown."""
    shown: list[bool]
    """Whether the selected person is known well enough to be shown."""


def watch(behind: Walker, front: Walker, seconds: float, *, select: Walker, rate_hz: int = 30) -> Outcome:
    """Track one of two people."""
    rng = np.random.default_rng(3)
    tracker, own, bystander, shown = OnlyMe(), [], [], []
    tracker.select((select.x(0.0), select.top + 2 * select.head))
    for index in range(round(seconds * rate_hz)):
        time_s = index / rate_hz
        image = np.empty((3, ROWS, COLUMNS), np.float32)
        image[:] = np.array(WALL, np.float32)[:, None, None]
        back, near = behind.alpha(time_s), front.alpha(time_s)
        behind.paint(image, back, rng)
        front.paint(image, near, rng)
        gain = tracker.gain(image, np.maximum(back, near), 1 / rate_hz)
        visible = {id(behind): back * (1 - near), id(front): near}
        other = front if select is behind else behind
        own.append(_shown(gain, visible[id(select)]))
        bystander.append(float((gain * visible[id(other)]).mean()))
        shown.append(tracker.shown)
    return Outcome(np.array(own), np.array(bystander), shown)


def _shown(gain: Plane, visible: Plane) -> float:
    total = float(visible.sum())
    return float((gain * visible).sum()) / total if total else 0.0
