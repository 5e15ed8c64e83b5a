"""Charts without a plotting library: lines over logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 960, 600
LEFT, RIGHT, TOP, BOTTOM = 90, 40, 40, 80
COLOURS = ((180, 90, 20), (60, 140, 230), (70, 160, 70), (150, 60, 150))
INK, PALE = (40, 40, 40), (225, 225, 225)


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis."""

    least: float
    most: float
    begin: int
    end: int

    def at(self, value: float) -> int:
        """Return the pixel of a value."""
        part = math.log(value / self.least) / math.log(self.most / self.least)
        return round(self.begin + part * (self.end - self.begin))

    def ticks(self) -> list[float]:
        """Return 1, 2, 5, 10 ... within the axis."""
        powers = range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.most)) + 1)
        values = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        return [value for value in values if self.least <= value <= self.most]


def chart(path: Path, x_name: str, y_name: str, lines: Sequence[Line]) -> None:
    """Write a chart of the lines."""
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    x = Axis(*_range([value for line in lines for value in line.x]), LEFT, WIDTH - RIGHT)
    y = Axis(*_range([value for line in lines for value in line.y]), HEIGHT - BOTTOM, TOP)
    for tick in x.ticks():
        cv2.line(picture, (x.at(tick), TOP), (x.at(tick), HEIGHT - BOTTOM), PALE, 1)
        _write(picture, f"{tick:g}", (x.at(tick) - 12, HEIGHT - BOTTOM + 24), INK)
    for tick in y.ticks():
        cv2.line(picture, (LEFT, y.at(tick)), (WIDTH - RIGHT, y.at(tick)), PALE, 1)
        _write(picture, f"{tick:g}", (LEFT - 56, y.at(tick) + 5), INK)
    _write(picture, x_name, (WIDTH // 2 - 80, HEIGHT - 24), INK)
    _write(picture, y_name, (14, TOP - 14), INK)
    for index, line in enumerate(lines):
        colour = COLOURS[index % len(COLOURS)]
        points = np.array([(x.at(a), y.at(b)) for a, b in zip(line.x, line.y, strict=True)], np.int32)
        cv2.polylines(picture, [points], False, colour, 2, cv2.LINE_AA)
        for point in points:
            cv2.circle(picture, (int(point[0]), int(point[1])), 5, colour, -1, cv2.LINE_AA)
        _write(picture, line.name, (LEFT + 24, TOP + 28 + 26 * index), colour)
    cv2.imwrite(str(path), picture)


def _range(values: Sequence[float]) -> tuple[float, float]:
    return min(values) / 1.3, max(values) * 1.3


def _write(picture: np.ndarray, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)
