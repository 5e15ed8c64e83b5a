"""Strict mode on a CPU for one stream: `rules` explains it, and `torch_strict` has the same
arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import AlphaImage, Floats, Mask
from app.matting.strict import rules

SQUARE = np.ones((3, 3), np.uint8)


@dataclass(slots=True)
class StrictMemory:
    """The learned background and motion, in cells (h, w) each; images are (3, h, w), RGB in 0..1."""

    # Side of a cell, in pixels of the small frame.
    cell: int
    background: Floats
    # Number of frames that `background` was learned from.
    frames: Floats
    # Whether `background` was learned from cells that were hidden, but not empty.
    hidden: Mask
    moved: Mask
    # The mean of the recent frames.
    recent: Floats
    # Cells around which the network saw nobody in the last frame.
    empty: Mask
    # (), number of frames since the start, up to `rules.WAIT_FRAMES`;
    # -1 before a first frame with known people.
    age: NDArray[np.int64]


def initial_memory(
    small_height: int, small_width: int, seen: AlphaImage | None = None
) -> StrictMemory:
    """Return the memory before the first small frame of this size.

    seen: alpha (H, W) of people who are shown at once, as if they had moved before.
    """
    cell = rules.cell_size(small_width, small_height)
    shape = small_height // cell, small_width // cell
    moved = np.zeros(shape, np.bool_)
    if seen is not None:
        moved = cv2.resize(seen, shape[::-1], interpolation=cv2.INTER_AREA) > 255 * rules.BODY_ALPHA
    return StrictMemory(
        cell=cell,
        background=np.zeros((3, *shape), np.float32),
        frames=np.zeros(shape, np.float32),
        hidden=np.zeros(shape, np.bool_),
        moved=moved,
        recent=np.zeros((3, *shape), np.float32),
        empty=np.ones(shape, np.bool_),
        age=np.array(0 if seen is None else -1),
    )


def strict_matte(
    small: Floats,
    slope: Floats,
    offset: Floats,
    coarse: Floats,
    memory: StrictMemory,
) -> None:
    """Remove from alpha in place what is not kept: of the coefficients (4, h, w), and of coarse (h,
    w) in 0..1.

    small: (3, h, w), RGB in 0..1.
    """
    gain = strict_gain(small, np.clip(coarse, 0, 1), memory)
    coarse *= gain
    gain *= np.float32(1 / (1 - 2 * rules.FLOOR))
    slope[3] *= gain
    offset[3] -= np.float32(rules.FLOOR)
    offset[3] *= gain


def strict_gain(small: Floats, coarse: Floats, memory: StrictMemory) -> Floats:
    """Return the factor for alpha, (h, w) in 0..1, and update the memory. coarse: alpha (h, w) in
    0..1.
    """
    cell = memory.cell
    image = pooled(small, cell)
    alpha = pooled(coarse[None], cell)[0]
    if memory.age <= 0:
        memory.background[:] = image
        memory.recent[:] = image
    empty = np.asarray(cv2.dilate(alpha, SQUARE)) < rules.EMPTY_ALPHA
    centres = np.asarray(cv2.erode(alpha, SQUARE)) > rules.CERTAIN_ALPHA
    certain = _grown(centres)
    moving = _follow_motion(memory, image, empty)

    # `np.where` takes ten times as long as masks do.
    is_new = memory.hidden & (memory.frames < rules.HIDDEN_FRAMES)
    known = (memory.frames >= 1) & ~is_new
    memory.background *= _light_of(image, memory.background, known & empty & ~moving)
    difference = np.abs(image - memory.background).max(0)
    agreeing = known & (blurred(difference, 1) < rules.AGREEMENT)
    is_present = (alpha > rules.PRESENT_ALPHA) & ~(agreeing & memory.hidden)
    memory.moved = (memory.moved | moving) & is_present

    # Without its translucent part a ghost would pass for a person: what was hidden stays a
    # candidate.
    removed = agreeing & ~certain & ~memory.hidden
    candidates = (alpha > rules.BODY_ALPHA) & ~removed
    body = _people(candidates, centres, certain, _grown(memory.moved))
    memory.moved |= body & centres
    kept = _grown(body & ~removed) & ~removed
    if 0 <= memory.age < rules.WAIT_FRAMES:
        kept[:] = False
        memory.age += 1
    else:
        memory.age[...] = rules.WAIT_FRAMES
    _learn(memory, image, difference, ~_grown(kept) & ~empty & ~moving)
    return soft_gain(kept, coarse, cell)


def _follow_motion(memory: StrictMemory, image: Floats, empty: Mask) -> Mask:
    """Return the cells that have changed, and remember the image as the newest one."""
    # Light is measured where cells stay empty: a person who enters changes the mean of the frame.
    light = _light_of(image, memory.recent, empty & memory.empty)
    change = image - memory.recent * light
    largest = np.zeros_like(change[0])
    for plane in change:
        np.maximum(largest, np.abs(blurred(plane, 1)), out=largest)
    columns = image.shape[2]
    cv2.accumulateWeighted(
        image.reshape(-1, columns), memory.recent.reshape(-1, columns), rules.REFERENCE_RATE
    )
    memory.empty = empty
    return np.asarray(largest > rules.MOTION)


def _people(candidates: Mask, centres: Mask, certain: Mask, moved: Mask) -> Mask:
    """Return the candidates that belong to people: each component of them is a person, or none of
    it is.
    """
    found = np.zeros_like(candidates)
    left, top, across, down = cv2.boundingRect(candidates.view(np.uint8))
    if not across:
        return found
    # Beside the candidates there is nothing to count.
    part = (slice(top, top + down), slice(left, left + across))
    count, components = cv2.connectedComponents(candidates[part].view(np.uint8), connectivity=4)
    labels = np.asarray(components, np.int32)

    def cells_in(mask: Mask) -> NDArray[np.int64]:
        """Return how many cells of the mask each component has, (count,)."""
        return np.bincount(labels[mask[part]], minlength=count)

    size = cells_in(candidates)
    has_moved = cells_in(moved) > rules.MOVED_SHARE * size
    least_share = np.where(has_moved, rules.MOVED_CERTAIN_SHARE, rules.CERTAIN_SHARE)
    has_core = cells_in(centres) >= rules.CERTAIN_CELLS
    people = has_core & (cells_in(certain) >= least_share * size)
    people[0] = False  # the cells of no component
    found[part] = people[labels]
    return found


def _learn(memory: StrictMemory, image: Floats, difference: Floats, unshown: Mask) -> None:
    """Learn the background where cells are empty, and where they are not shown and do not change."""
    changed = difference > rules.CHANGED
    empty = memory.empty
    anew = unshown & (changed | (memory.frames == 0))
    stale = empty & changed
    free = empty & ~(stale & (memory.frames > 1))
    learned = free | (unshown & (memory.hidden | anew | (difference < rules.AGREEMENT)))
    frames = np.maximum(memory.frames * ~anew - stale, 0)
    memory.background += (
        learned / np.minimum(frames + 1, rules.MOST_FRAMES) * (image - memory.background)
    )
    memory.frames = np.minimum(frames + learned, rules.MOST_FRAMES)
    memory.hidden = (memory.hidden & ~free) | anew


def _light_of(now: Floats, before: Floats, cells: Mask) -> Floats:
    """Return the change of light of each channel at these cells, (3, 1, 1); 1 where they are too
    few.
    """
    count = np.count_nonzero(cells)
    if count <= rules.LIGHT_SHARE * cells.size:
        return np.ones((3, 1, 1), np.float32)
    weights = cells.ravel().astype(np.float32)
    mean_now = now.reshape(3, -1) @ weights / count
    mean_before = before.reshape(3, -1) @ weights / count
    change = np.clip(mean_now / np.maximum(mean_before, 1e-3), *rules.LIGHT_RANGE)
    return np.asarray(change, np.float32)[:, None, None]


def blurred(plane: Floats, radius: int) -> Floats:
    """Return means over squares of this radius, (h, w); borders are replicated."""
    size = 2 * radius + 1
    return np.asarray(cv2.blur(plane, (size, size), borderType=cv2.BORDER_REPLICATE), np.float32)


def _grown(mask: Mask) -> Mask:
    """Return the mask dilated by one cell."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), SQUARE)).view(np.bool_)


def pooled(planes: Floats, cell: int) -> Floats:
    """Return the means of the cells of planes (n, H, W); incomplete cells at the right and bottom
    are left out.
    """
    count, height, width = planes.shape
    rows, columns = height // cell, width // cell
    cells = np.empty((count, rows, columns), np.float32)
    for plane, means in zip(planes, cells, strict=True):
        complete = plane[: rows * cell, : columns * cell]
        cv2.resize(complete, (columns, rows), dst=means, interpolation=cv2.INTER_AREA)
    return cells


def soft_gain(kept: Mask, alpha: Floats, cell: int) -> Floats:
    """Return the factor (h, w) in 0..1: the share of the matte around each pixel that is kept, a
    little steeper.

    alpha: (h, w) in 0..1. It weighs the pixels: the factor falls where the matte is faint near the
    edge of the kept cells, and does not fall at the soft edge of a person.
    """
    gain = np.zeros_like(alpha)
    if not kept.any():
        return gain
    height, width = alpha.shape
    rows, columns = kept.shape
    mask = cv2.resize(
        kept.astype(np.float32),
        (columns * cell, rows * cell),
        interpolation=cv2.INTER_NEAREST,
    )
    if mask.shape != alpha.shape:
        missing = ((0, height - rows * cell), (0, width - columns * cell))
        mask = np.pad(mask, missing, mode="edge")
    # Beyond the kept cells the factor is 0.
    left, top, across, down = cv2.boundingRect(kept.view(np.uint8))
    part = (_span(top, down, rows, height, cell), _span(left, across, columns, width, cell))
    weights = alpha[part] + np.float32(rules.FAINT_ALPHA)
    kept_sums = _sums(mask[part] * weights, cell)
    all_sums = _sums(weights, cell)
    steeper = 1 / (1 - 2 * rules.EDGE_SHARE)
    shown = np.asarray(cv2.divide(kept_sums, all_sums, scale=steeper), np.float32)
    shown -= np.float32(rules.EDGE_SHARE * steeper)
    np.clip(shown, 0, 1, out=gain[part])
    return gain


def _span(first: int, count: int, cells: int, pixels: int, cell: int) -> slice:
    """Return the pixels of these cells, and those around them that the kept ones reach twice."""
    begin = max(0, first - 2) * cell
    last = first + count + 2
    if last >= cells:
        # Also the pixels beyond the last whole cell.
        return slice(begin, pixels)
    return slice(begin, last * cell)


def _sums(plane: Floats, reach: int) -> Floats:
    """Return the sums over squares that reach so many pixels to each side."""
    ones = np.ones(2 * reach + 1, np.float32)
    return np.asarray(cv2.sepFilter2D(plane, -1, ones, ones, borderType=cv2.BORDER_CONSTANT))
