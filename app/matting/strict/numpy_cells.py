"""The rules of strict mode per cell in numpy and OpenCV; `app.matting.strict.rules` explains them.

The compiled kernels do the same in fewer passes; these functions serve machines without numba.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.matting.strict import rules
from app.matting.strict.memory import Floats, Mask, Memory, Planes

_SQUARE = np.ones((3, 3), np.uint8)
_CODES = np.arange(32)[:, None] >> np.arange(5) & 1
"""The five bits of each code of `_people`."""


class _Evidence(NamedTuple):
    """What a frame says about its cells, (h, w) each."""

    difference: Floats
    """From the learned background: the largest of the channels."""
    agreeing: Mask
    repeating: Mask
    """Agreeing cells at which a pattern of the background that was seen empty is seen."""
    uncovered: Mask
    """Agreeing cells that have just changed to exactly the background that was seen empty."""
    moving: Mask


def pooled(planes: Planes, cell: int) -> Planes:
    """Return the means of the cells of planes (n, H, W); incomplete cells at the right and bottom are left out."""
    height, width = planes.shape[1] // cell, planes.shape[2] // cell
    whole = planes[:, : height * cell, : width * cell]
    columns = sum(whole[..., inner::cell] for inner in range(cell))
    rows = sum(np.asarray(columns)[:, inner::cell] for inner in range(cell))
    return np.asarray(rows * (np.float32(1) / np.float32(cell * cell)), np.float32)


def kept_cells(memory: Memory, image: Planes, alpha: Floats) -> Floats:
    """Return cells (h, w): 1 where the matte is kept, else 0; update the state, but not its age."""
    largest = np.asarray(cv2.dilate(alpha, _SQUARE))
    empty, certain = largest < rules.EMPTY_ALPHA, largest > rules.OPAQUE_ALPHA
    moving = _follow(memory, image, empty)
    same = _same(image, memory.last)
    resting = same & ~certain & (np.count_nonzero(moving & same) <= rules.REPEATED_SHARE * np.count_nonzero(moving))
    memory.last = image.copy()
    evidence = _compare(memory, image, empty, moving)
    memory.unmoved &= _unmoved(memory, image)
    doubtful = evidence.agreeing & memory.doubtful
    memory.moved = (memory.moved | moving) & (alpha > rules.PRESENT_ALPHA) & ~doubtful

    translucent = np.asarray(cv2.erode(alpha, _SQUARE)) <= rules.OPAQUE_ALPHA
    translucent &= ~memory.doubtful | (alpha <= rules.OPAQUE_ALPHA)
    removed = (evidence.agreeing & translucent) | evidence.repeating
    if (evidence.uncovered & ~removed).any():
        for _ in range(rules.UNCOVERED_CELLS):
            removed |= evidence.uncovered & _grown(removed)
    uncertain = ~removed | memory.doubtful
    core = np.asarray(cv2.erode(alpha * uncertain, _SQUARE)) > rules.CORE_ALPHA
    people, beginning = _people((alpha > rules.BODY_ALPHA) & uncertain, core, memory, evidence.agreeing)
    if beginning is not None:
        remembered = ~(_grown(beginning) & memory.doubtful & (certain | ~evidence.agreeing))
        memory.frames *= remembered
        memory.doubtful &= remembered
        removed &= remembered
    if np.count_nonzero(people & memory.unmoved) <= rules.UNMOVED_SHARE * np.count_nonzero(people):
        removed |= _grown(_clustered(memory.unmoved))
    body = people & ~removed
    memory.moved |= body & core
    kept = _grown(body) & ~removed if memory.age == rules.WAIT_FRAMES else np.zeros_like(body)
    _learn(memory, image, evidence, kept)
    if np.count_nonzero(body & moving) > rules.MOVING_SHARE * np.count_nonzero(body):
        kept &= ~resting
    return kept.astype(np.float32)


def _follow(memory: Memory, image: Planes, empty: Mask) -> Mask:
    """Return where the frame differs from the recent ones, and update their mean; a cut resets the state.

    The change of light is that of the cells that stay empty, because a person who enters changes the mean of the frame.
    """
    reference, still_empty = memory.reference, (empty & memory.empty).view(np.uint8)
    changes = image - reference * _light(_averages(image), _averages(reference))
    whole = float(cv2.norm(changes.reshape(-1), cv2.NORM_L1)) / changes.size
    light = _light_at(image, reference, still_empty)
    if light is not None:
        changes = image - reference * light
    reference += np.float32(rules.REFERENCE_RATE) * (image - reference)
    memory.empty = empty
    change = _largest([_mean(plane) for plane in changes])
    if whole > rules.CUT and _average((change > rules.CUT_CHANGE).view(np.uint8)) > rules.CUT_SHARE:
        memory.background = image.copy()
        memory.reference = image.copy()
        memory.first = image.copy()
        memory.unmoved = np.ones_like(memory.unmoved)
        memory.frames = np.zeros_like(memory.frames)
        memory.doubtful = np.zeros_like(memory.doubtful)
        memory.moved = np.zeros_like(memory.moved)
        memory.age = 0
        return memory.moved
    moving: Mask = change > rules.MOTION
    return moving


def _compare(memory: Memory, image: Planes, empty: Mask, moving: Mask) -> _Evidence:
    """Compare the frame with the learned background, after following the light."""
    known = memory.frames >= rules.LEAST_FRAMES
    witnesses = (known & empty & ~moving).view(np.uint8)
    light = _light_at(image, memory.background, witnesses)
    if light is not None:
        memory.background *= light
    known |= ~memory.doubtful & (memory.frames > 0)
    difference = _largest(image - memory.background)
    agreeing: Mask = known & (_mean(difference) < rules.AGREEMENT)
    pattern = _contrast(memory.background) > rules.PATTERN
    exact = known & ~memory.doubtful & (np.asarray(cv2.dilate(difference, _SQUARE)) < rules.EXACT)
    repeating, uncovered = (_grown(exact & cells) & agreeing for cells in (pattern, moving))
    return _Evidence(difference, agreeing, repeating, uncovered, moving)


def _unmoved(memory: Memory, image: Planes) -> Mask:
    """Return where the frame shows a strong pattern of the first frame."""
    first, empty = memory.first, memory.empty.view(np.uint8)
    light = _light_at(image, first, empty)
    return _same(image, first if light is None else first * light) & (_contrast(memory.first) > rules.STRONG_PATTERN)


def _same(image: Planes, before: Planes) -> Mask:
    """Return where 3x3 cells differ by little more than noise."""
    same: Mask = np.asarray(cv2.dilate(_largest(image - before), _SQUARE)) < rules.UNMOVED
    return same


def _learn(memory: Memory, image: Planes, evidence: _Evidence, kept: Mask) -> None:
    """Learn the background from the empty cells, and from those that are hidden and do not change."""
    empty, difference = memory.empty, evidence.difference
    hidden = ~_grown(kept) & ~empty
    if memory.age < rules.WAIT_FRAMES:
        memory.frames *= ~(hidden & evidence.moving & memory.doubtful)
    hidden &= ~evidence.moving
    changed = difference > rules.CHANGED
    anew = hidden & (changed | (memory.frames == 0))
    memory.frames *= ~anew
    stale = empty & changed
    memory.frames -= np.minimum(memory.frames, stale * np.float32(rules.CHANGE_COST))
    free = empty & ~(stale & (memory.frames > 0))
    memory.doubtful = (memory.doubtful & ~free) | anew
    learned = free | (hidden & (memory.doubtful | (difference < rules.AGREEMENT)))
    most = np.float32(rules.MOST_FRAMES)
    memory.background += learned / np.minimum(memory.frames + 1, most) * (image - memory.background)
    memory.frames = np.minimum(memory.frames + learned, most)


def _people(mask: Mask, core: Mask, memory: Memory, agreeing: Mask) -> tuple[Mask, Mask | None]:
    """Return the cells of the components that are people, and those of people who begin to move, if there are any."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    # One histogram over components and codes of five bits counts all combinations at once.
    keys = np.asarray(labels, np.int32) << 5
    for bit, cells in enumerate((core, _grown(memory.moved), memory.moved, agreeing, agreeing & memory.doubtful)):
        keys |= cells.view(np.uint8) << np.uint8(bit)
    counted = np.bincount(keys.reshape(-1), minlength=32 * count).reshape(-1, 32)
    total = counted.sum(1)
    cores, near, moved, agreed, doubtful = (counted @ _CODES).T
    people = (cores > 0) & (near > rules.MOVED_SHARE * total) & (agreed - doubtful <= rules.AGREEING_SHARE * total)
    people[0] = False
    beginning = people & (doubtful > rules.BEGINNING_SHARE * total)
    if not beginning.any():
        return people.take(labels), None
    least = rules.FIRST_MOVED_SHARE if (people & ~beginning).any() else rules.MOVED_SHARE
    people &= ~beginning | (moved > least * total)
    return people.take(labels), (beginning & people).take(labels)


def _light(now: NDArray[np.float64], before: NDArray[np.float64]) -> Floats:
    """Return the ratios of brightness of the channels, (3, 1, 1), clipped to `rules.LIGHT_RANGE`."""
    ratios = np.clip(now / np.maximum(before, 1e-3), *rules.LIGHT_RANGE)
    return ratios.astype(np.float32)[:, None, None]


def _light_at(now: Planes, before: Planes, cells: NDArray[np.uint8]) -> Floats | None:
    """Return the change of light per channel, measured at these cells; None where they are too few."""
    if _average(cells) <= rules.LIGHT_SHARE:
        return None
    return _light(_averages(now, cells), _averages(before, cells))


def _averages(planes: Planes, mask: NDArray[np.uint8] | None = None) -> NDArray[np.float64]:
    """Return the mean of each channel, (3,)."""
    return np.array(cv2.mean(cv2.merge(tuple(planes)), mask)[:3])


def _average(plane: NDArray[np.uint8]) -> float:
    return float(cv2.mean(plane)[0])


def _largest(planes: Iterable[Floats]) -> Floats:
    """Return the largest magnitude of the channels, per cell."""
    first, second, third = (np.abs(plane) for plane in planes)
    return np.maximum(np.maximum(first, second), third)


def _contrast(planes: Planes) -> Floats:
    """Return the range of brightness of 3x3 cells."""
    red, green, blue = planes
    return np.asarray(cv2.morphologyEx((red + green + blue) * np.float32(1 / 3), cv2.MORPH_GRADIENT, _SQUARE))


def _grown(mask: Mask) -> Mask:
    """Return the mask dilated by one cell."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), _SQUARE)).view(np.bool_)


def _clustered(mask: Mask) -> Mask:
    """Return the cells of the mask around which at least `rules.UNMOVED_CELLS` of 3x3 cells belong to it."""
    near = cv2.boxFilter(mask.view(np.uint8), cv2.CV_8U, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return mask & (np.asarray(near) >= rules.UNMOVED_CELLS)


def _mean(plane: Floats) -> Floats:
    """Return the means over 3x3 cells."""
    return np.asarray(cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
