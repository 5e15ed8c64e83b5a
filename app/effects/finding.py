"""Find people in a matte: head and shoulder line of each connected component."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from app.core.types import Bytes, Floats

GRID_HEIGHT = 90
"""Rows of the grid on which people are looked for, if the matte has as many."""
PERSON_ALPHA = 0.5
"""Mean alpha from which a cell belongs to a person."""
MIN_SHARE = 0.004
"""Least share of the frame that a component must cover to be a person."""
MIN_RELATIVE = 0.12
"""Least size of a component relative to the largest one."""
ARM = 0.13
"""Half the width of an arm, as a fraction of the body's width: what is thinner is not the head."""
WIDENS = 1.6
"""The shoulders begin where the body is this much wider than the head."""
HEAD_OF_BODY = 0.6
"""Height of head and neck relative to the body's width, where no shoulders are seen."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person, in fractions of the frame's width (x) and height (y)."""

    head_x: float
    """Centre of the head."""
    head_top: float
    """The line above the head. Raised arms do not count."""
    shoulders: float
    """The line at which the body becomes wider than the head."""

    @property
    def head_height(self) -> float:
        """Head and neck, as a fraction of the frame's height."""
        return self.shoulders - self.head_top


def find_people(alpha: Floats) -> tuple[Person, ...]:
    """Return the people in a matte (h, w), in 0..1, the largest first."""
    grid = on_grid(alpha)
    rows, columns = grid.shape
    mask = (grid > PERSON_ALPHA).astype(np.uint8)
    count, found_labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    labels = np.asarray(found_labels, np.int32)
    areas = boxes[:, cv2.CC_STAT_AREA].astype(np.float64)
    if count < 2:
        return ()
    least = max(MIN_SHARE * rows * columns, MIN_RELATIVE * areas[1:].max())
    found = [index for index in range(1, count) if areas[index] >= least]
    found.sort(key=lambda index: -areas[index])
    people = []
    for index in found:
        left, top, width, height, _area = (int(value) for value in boxes[index])
        part = (labels[top : top + height, left : left + width] == index).astype(np.uint8)
        head_x, head_top, shoulders = _head(part)
        person = Person((left + head_x) / columns, (top + head_top) / rows, min(1.0, (top + shoulders) / rows))
        people.append(person)
    return tuple(people)


def on_grid(plane: Floats) -> Floats:
    """Return the means of the cells of a plane (h, w)."""
    height, width = plane.shape
    scale = min(1.0, GRID_HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return plane
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _head(part: Bytes) -> tuple[float, float, float]:
    """Return the centre column of the head, its top row, and the row of the shoulders, of one person's mask."""
    body_width = float(np.median(part.sum(1)))
    arm = max(0, round(ARM * body_width))
    core = part
    if arm:
        padded = cv2.copyMakeBorder(part, 0, arm, 0, 0, cv2.BORDER_REPLICATE)  # the body continues below the frame
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * arm + 1,) * 2)
        eroded = np.asarray(cv2.erode(padded, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)
        core = eroded[: part.shape[0]]
    filled = np.flatnonzero(core.any(1))
    if not filled.size:
        core, arm, filled = part, 0, np.flatnonzero(part.any(1))
    first = int(filled[0])
    centre, width = _run(core[first], None)
    widest = width
    for row in range(first + 1, int(filled[-1]) + 1):
        found, run = _run(core[row], centre)
        if run == 0:
            break
        if run + 2 * arm > WIDENS * (widest + 2 * arm) and row - first > widest / 2:
            return centre, max(0, first - arm), float(row)
        if row - first <= max(2, widest):
            widest, centre = max(widest, run), found
    return centre, max(0, first - arm), min(float(part.shape[0]), first - arm + max(2.0, HEAD_OF_BODY * body_width))


def _run(row: Bytes, near: float | None) -> tuple[float, int]:
    """Return centre and width of the run of cells that holds `near`, or of the longest one; width 0: there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row, [0]))))
    runs = [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
    if near is not None:
        runs = [run for run in runs if run[0] - 1 <= near <= run[1] + 1]
    if not runs:
        return 0.0, 0
    begin, end = max(runs, key=lambda run: run[1] - run[0])
    return (begin + end) / 2, end - begin
