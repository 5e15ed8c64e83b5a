"""The rules of the strict levels per cell; `app.matting.strict.rules` explains them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.strict import rules
from app.matting.strict.background_model import SQUARE, BackgroundModel, Mask, Planes, contrast


class Kept(NamedTuple):
    """The decision on one frame."""

    cells: Mask
    """(h, w) where the matte is kept."""
    hides_person: bool
    """Whether the network is certain of a person who is not shown, after the first frames."""


def pooled(planes: Planes, cell: int) -> Planes:
    """Return the means of the cells of planes (n, H, W); incomplete cells at the right and bottom are left out."""
    count, height, width = planes.shape
    rows, columns = height // cell, width // cell
    cells = np.empty((count, rows, columns), np.float32)
    for plane, means in zip(planes, cells, strict=True):
        cv2.resize(plane[: rows * cell, : columns * cell], (columns, rows), dst=means, interpolation=cv2.INTER_AREA)
    return cells


def kept_cells(model: BackgroundModel, image: Planes, alpha: Floats, strict: bool, unseen: Mask | None = None) -> Kept:
    """Decide on a frame and update the state. strict: the level; unseen: (h, w) where the network did not look."""
    empty = _largest(alpha) < rules.EMPTY_ALPHA
    certain = _smallest(alpha) > rules.CERTAIN_ALPHA
    sure = grown(certain)
    moving = _follow(model, image, empty)
    difference, agreeing = _compare(model, image, empty & ~moving)
    model.moved = (model.moved | moving) & (alpha > rules.PRESENT_ALPHA) & ~(agreeing & model.hidden)

    removed = agreeing & ~sure
    if not strict:
        removed &= ~model.hidden  # a ghost without its translucent part would pass for a person
    count, labels = _components((alpha > rules.BODY_ALPHA) & ~removed)
    marks = certain, sure, grown(model.moved), agreeing & ~model.hidden, agreeing & model.hidden
    total, blocks, surely, moving_cells, agreeing_cells, hidden_cells = _counted(labels, count, marks)
    moved = moving_cells > rules.MOVED_SHARE * total
    least = np.where(moved, rules.MOVED_CERTAIN_SHARE, rules.CERTAIN_SHARE)
    likely = (blocks >= rules.CERTAIN_CELLS) & (surely >= least * total)
    likely[0] = False
    people = likely
    if strict:
        people = likely & moved & (agreeing_cells <= rules.AGREEING_SHARE * total)
        beginning = people & (hidden_cells > rules.BEGINNING_SHARE * total)
        if beginning.any():
            forgotten = grown(beginning.take(labels)) & model.hidden
            model.frames[forgotten], model.hidden[forgotten] = 0, False
            removed &= ~forgotten
    body = people.take(labels)
    cut = removed
    if strict:
        cut = _repeated(model, difference, agreeing, moving, removed) | _furniture(model, image, empty, body)
    model.moved |= body & certain
    kept = grown(body & ~cut) & ~cut
    if strict:
        kept |= _enclosed(kept) & sure & body
    waits = int(model.age) < rules.WAIT_FRAMES
    if waits:
        kept[:] = False
    _learn(model, image, difference, empty, ~grown(kept) & ~empty & ~moving, unseen)
    model.age = np.minimum(model.age + 1, rules.WAIT_FRAMES)
    return Kept(kept, bool((likely & ~people).any()) and not waits)


def grown(mask: Mask) -> Mask:
    """Return the mask dilated by one cell."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), SQUARE)).view(np.bool_)


def _follow(model: BackgroundModel, image: Planes, empty: Mask) -> Mask:
    """Return where the frame differs from the recent ones, and update their mean.

    The change of light is that of the cells that stay empty, because a person who enters changes the mean of the frame.
    """
    recent, still_empty = model.recent, empty & model.empty
    light = _light(image, recent, still_empty)
    changes = image - recent if light is None else image - recent * light
    cv2.accumulateWeighted(_rows(image), _rows(recent), rules.REFERENCE_RATE)
    model.empty = empty
    moving: Mask = _range([_mean(plane) for plane in changes]) > rules.MOTION
    return moving


def _compare(model: BackgroundModel, image: Planes, witnesses: Mask) -> tuple[Floats, Mask]:
    """Return the difference from the learned background, after following the light, and where it agrees."""
    known = (model.frames >= rules.HIDDEN_FRAMES) | ((model.frames >= 1) & ~model.hidden)
    light = _light(image, model.background, known & witnesses)
    if light is not None:
        model.background *= light
    difference = _range(image - model.background)
    return difference, known & (_mean(difference) < rules.AGREEMENT)


def _repeated(model: BackgroundModel, difference: Floats, agreeing: Mask, moving: Mask, removed: Mask) -> Mask:
    """Return where a pattern of the empty background is seen, and where that background was just uncovered."""
    exact = agreeing & ~model.hidden & (_largest(difference) < rules.EXACT)
    repeating = grown(exact & (contrast(model.background) > rules.PATTERN)) & agreeing
    uncovered = grown(exact & moving) & agreeing
    found = removed | repeating
    if (uncovered & ~found).any():
        for _ in range(rules.UNCOVERED_CELLS):
            found |= uncovered & grown(found)
    return found


def _furniture(model: BackgroundModel, image: Planes, empty: Mask, body: Mask) -> Mask:
    """Return where the frame shows a strong pattern of the first frame that is furniture."""
    light = _light(image, model.first, empty)
    same = _largest(_range(image - (model.first if light is None else model.first * light))) < rules.UNMOVED
    model.unmoved &= same
    if np.count_nonzero(body & model.unmoved) > rules.UNMOVED_SHARE * np.count_nonzero(body):
        return np.zeros_like(body)
    near = cv2.boxFilter(
        model.unmoved.view(np.uint8), cv2.CV_8U, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return grown(model.unmoved & (np.asarray(near) >= rules.UNMOVED_CELLS))


def _learn(
    model: BackgroundModel, image: Planes, difference: Floats, empty: Mask, hidden: Mask, unseen: Mask | None
) -> None:
    """Learn the background from the empty cells, and from those that are hidden and do not change."""
    changed = difference > rules.CHANGED
    anew = hidden & (changed | (model.frames == 0))
    stale = empty & changed
    free = empty & ~(stale & (model.frames > 1))
    learned = free | (hidden & (model.hidden | anew | (difference < rules.AGREEMENT)))
    if unseen is not None:
        spared = ~grown(unseen)
        anew, stale, free, learned = (cells & spared for cells in (anew, stale, free, learned))
    frames = np.maximum(model.frames * ~anew - stale, 0)
    model.hidden = (model.hidden & ~free) | anew
    most = np.float32(rules.MOST_FRAMES)
    model.background += learned / np.minimum(frames + 1, most) * (image - model.background)
    model.frames = np.minimum(frames + learned, most)


def _components(mask: Mask) -> tuple[int, NDArray[np.int32]]:
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    return count, np.asarray(labels, np.int32)


def _counted(labels: NDArray[np.int32], count: int, marks: Sequence[Mask]) -> NDArray[np.int64]:
    """Return the numbers of cells of each component, and of those with each mark, (1 + len(marks), count)."""
    # One histogram over components and combinations of marks: to select the cells of a mark takes as long as this.
    codes = labels << len(marks)
    for bit, mark in enumerate(marks):
        codes |= np.left_shift(mark, bit, dtype=np.int32)
    combinations = np.arange(1 << len(marks))
    cells = np.bincount(codes.ravel(), minlength=count << len(marks)).reshape(count, -1)
    chosen = [np.ones_like(combinations), *(combinations >> bit & 1 for bit in range(len(marks)))]
    return np.stack(chosen) @ cells.T


def _enclosed(kept: Mask) -> Mask:
    """Return the holes of the mask."""
    outside = cv2.copyMakeBorder((~kept).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(outside, None, (0, 0), 0)
    return outside[1:-1, 1:-1].view(np.bool_)


def _light(now: Planes, before: Planes, cells: Mask) -> Floats | None:
    """Return the change of light per channel, (3, 1, 1), measured at these cells; None where they are too few."""
    if np.count_nonzero(cells) <= rules.LIGHT_SHARE * cells.size:
        return None
    weights = cells.reshape(-1).astype(np.float32)
    sums = (planes.reshape(3, -1) @ weights for planes in (now, before))
    after, earlier = sums
    ratios = np.clip(after / np.maximum(earlier, 1e-3), *rules.LIGHT_RANGE)
    return np.asarray(ratios, np.float32)[:, None, None]


def _rows(planes: Planes) -> Floats:
    """Return a view of the planes below each other."""
    return planes.reshape(-1, planes.shape[-1])


def _range(planes: Planes | list[Floats]) -> Floats:
    """Return the largest magnitude of the channels, per cell."""
    red, green, blue = (np.abs(plane) for plane in planes)
    return np.maximum(np.maximum(red, green), blue)


def _largest(cells: Floats) -> Floats:
    return np.asarray(cv2.dilate(cells, SQUARE))


def _smallest(cells: Floats) -> Floats:
    return np.asarray(cv2.erode(cells, SQUARE))


def _mean(plane: Floats) -> Floats:
    """Return the means over 3x3 cells."""
    return np.asarray(cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
