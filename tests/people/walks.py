"""Synthetic people: regions along a path, and silhouettes in mattes."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.types import Floats
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
