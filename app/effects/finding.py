"""Find people in a matte: head and shoulder line of each connected component."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from app.core.types import Bytes, Floats

# Rows of the grid on which people are looked for, if the matte has as many.
GRID_HEIGHT = 90
# Mean alpha from which a cell belongs to a person.
PERSON_ALPHA = 0.5
# Least share of the frame that a component must cover to be a person.
MIN_SHARE = 0.004
# Least size of a component relative to the largest one.
MIN_RELATIVE = 0.12
# Half the width of an arm, as a fraction of the
# body's width: what is thinner is not the head.
ARM = 0.13
# The shoulders begin where the body is this much wider than the head.
WIDENS = 1.6
# Height of head and neck relative to the body's width, where no shoulders are seen.
HEAD_OF_BODY = 0.6


@dataclass(frozen=True, slots=True)
class Person:
    """A person, in fractions of the frame's width (x) and height (y)."""

    # Centre of the head.
    head_x: float
    # The line above the head. Raised arms do not count.
    head_top: float
    # The line at which the body becomes wider than the head.
    shoulders: float

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
    # Component 0 is what is around the people.
    found = [index for index in range(1, count) if areas[index] >= least]
    found.sort(key=lambda index: -areas[index])
    people = []
    for index in found:
        left, top, width, height, _area = map(int, boxes[index])
        part = (labels[top : top + height, left : left + width] == index).astype(np.uint8)
        head_x, head_top, shoulders = _head(part)
        person = Person(
            head_x=(left + head_x) / columns,
            head_top=(top + head_top) / rows,
            shoulders=(top + shoulders) / rows,
        )
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
    """Return of one person's mask the centre column and top row of the head, and the shoulders."""
    body_width = float(np.median(part.sum(1)))
    arm = max(0, round(ARM * body_width))
    core = _without_arms(part, arm)
    filled = np.flatnonzero(core.any(1))
    if not filled.size:
        # Nothing is thicker than an arm, as in a ragged mask: all of it counts.
        core = part
        arm = 0
        filled = np.flatnonzero(part.any(1))
    first = int(filled[0])
    head_top = max(0, first - arm)
    centre, widest = _run(core[first], None)
    # Downwards along the head, until the body is clearly wider than it.
    for row in range(first + 1, int(filled[-1]) + 1):
        found, run = _run(core[row], centre)
        if run == 0:
            break
        is_shoulder = run + 2 * arm > WIDENS * (widest + 2 * arm)
        if is_shoulder and row - first > widest / 2:
            return centre, head_top, float(row)
        # A head is about as high as it is wide: what is below tells nothing of its width.
        if row - first <= max(2, widest):
            widest = max(widest, run)
            centre = found
    shoulders = first - arm + max(2.0, HEAD_OF_BODY * body_width)
    return centre, head_top, min(float(part.shape[0]), shoulders)


def _without_arms(part: Bytes, arm: int) -> Bytes:
    """Return a mask without what is thinner than an arm. arm: half its width, in cells."""
    if arm == 0:
        return part
    # The body continues below the frame.
    padded = cv2.copyMakeBorder(part, 0, arm, 0, 0, cv2.BORDER_REPLICATE)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * arm + 1,) * 2)
    eroded = cv2.erode(padded, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(eroded, np.uint8)[: part.shape[0]]


def _run(row: Bytes, near: float | None) -> tuple[float, int]:
    """Return centre and width of the run of cells that holds `near`, or else of the longest one.

    The width is 0 where there is none.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row, [0]))))
    runs = [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
    if near is not None:
        runs = [run for run in runs if run[0] - 1 <= near <= run[1] + 1]
    if not runs:
        return 0.0, 0
    begin, end = max(runs, key=lambda run: run[1] - run[0])
    return (begin + end) / 2, end - begin
