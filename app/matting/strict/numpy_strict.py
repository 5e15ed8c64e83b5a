"""Strict mode in numpy and OpenCV; `app.matting.strict.rules` explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.matting.region.place import Place
from app.matting.state import StateArrays
from app.matting.strict import rules

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Planes = list[Floats]
"""Red, green and blue, (h, w) each, in 0..1."""
_SQUARE = np.ones((3, 3), np.uint8)


@dataclass(slots=True)
class _Memory:
    """State of a stream, per cell."""

    background: Planes
    frames: Floats
    """Number of frames that `background` was learned from."""
    doubtful: Mask
    """Whether `background` was learned from cells that were hidden, but not empty."""
    moved: Mask
    reference: Planes
    """The mean of the recent frames."""
    empty: Mask
    """Cells around which the network saw nobody in the last frame."""
    age: int
    """Number of frames since the start or the last cut, up to `rules.WAIT_FRAMES`."""


class _Evidence(NamedTuple):
    """What a frame says about its cells, (h, w) each."""

    difference: Floats
    """From the learned background: the largest of the channels."""
    agreeing: Mask
    repeating: Mask
    """Agreeing cells at which a pattern of the background is seen."""
    moving: Mask


class StrictFilter:
    """Decides per frame which part of the matte is kept; holds the state of one stream."""

    def __init__(self) -> None:
        self._memory: _Memory | None = None
        self._seen: NDArray[np.uint8] | None = None

    def reset(self, seen: NDArray[np.uint8] | None = None) -> None:
        """Forget the stream. seen: alpha (H, W) of people who are shown at once, as if they had moved before."""
        self._memory = None
        self._seen = seen

    def state(self) -> StateArrays:
        """Return copies of the memory."""
        seen = {} if self._seen is None else {"seen": self._seen.copy()}
        memory = self._memory
        if memory is None:
            return seen
        return seen | {
            "background": np.stack(memory.background),
            "reference": np.stack(memory.reference),
            "frames": memory.frames.copy(),
            "doubtful": memory.doubtful.copy(),
            "moved": memory.moved.copy(),
            "empty": memory.empty.copy(),
            "age": np.array(memory.age),
        }

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the memory."""
        self._seen = arrays["seen"].copy() if "seen" in arrays else None
        self._memory = None
        if "frames" in arrays:
            self._memory = _Memory(
                background=[plane.copy() for plane in arrays["background"]],
                frames=arrays["frames"].copy(),
                doubtful=arrays["doubtful"].copy(),
                moved=arrays["moved"].copy(),
                reference=[plane.copy() for plane in arrays["reference"]],
                empty=arrays["empty"].copy(),
                age=int(arrays["age"]),
            )

    def apply(self, small: Floats, slope: Floats, offset: Floats, coarse: Floats, place: Place | None = None) -> None:
        """Change the coefficients of alpha (last plane of slope and offset, (4, h, w)) and coarse (h, w) in place.

        small: (3, h, w), RGB in 0..1. place: the part of the frame that slope and offset cover.
        """
        gain = self.gain(small, np.clip(coarse, 0, 1))
        coarse *= gain
        if place is not None:
            gain = place.from_frame(gain)
        gain *= np.float32(1 / (1 - rules.FLOOR))
        slope[3] *= gain
        offset[3] -= np.float32(rules.FLOOR)
        offset[3] *= gain

    def gain(self, small: Floats, alpha: Floats) -> Floats:
        """Return the factor for alpha (h, w), in 0..1, and update the state. alpha: (h, w) in 0..1."""
        height, width = alpha.shape
        cell = rules.cell_size(width, height)
        kept = self._kept([_pool(plane, cell) for plane in small], _pool(alpha, cell))
        rows, columns = kept.shape
        gain = np.empty_like(alpha)
        inner = gain[: rows * cell, : columns * cell]
        inner[:] = cv2.resize(kept, (columns * cell, rows * cell), interpolation=cv2.INTER_LINEAR)
        gain[rows * cell :, : columns * cell] = inner[-1]
        gain[:, columns * cell :] = gain[:, columns * cell - 1, None]
        return gain

    def _kept(self, image: Planes, alpha: Floats) -> Floats:
        """Return cells (h, w) float32: 1 where the matte is kept, else 0."""
        memory = self._memory
        if memory is None or memory.moved.shape != alpha.shape:
            memory = self._memory = _begun(image, self._seen)
        empty = np.asarray(cv2.dilate(alpha, _SQUARE)) < rules.EMPTY_ALPHA
        moving = _follow(memory, image, empty)
        evidence = _compare(memory, image, empty, moving)
        doubtful = evidence.agreeing & memory.doubtful
        memory.moved = (memory.moved | moving) & (alpha > rules.PRESENT_ALPHA) & ~doubtful

        translucent = np.where(memory.doubtful, alpha, cv2.erode(alpha, _SQUARE)) <= rules.OPAQUE_ALPHA
        removed = (evidence.agreeing & translucent) | evidence.repeating
        certain = removed & ~memory.doubtful
        core = np.asarray(cv2.erode(np.where(certain, np.float32(0), alpha), _SQUARE)) > rules.CORE_ALPHA
        people, beginning = _people((alpha > rules.BODY_ALPHA) & ~certain, core, memory, evidence.agreeing)
        if beginning.any():
            forgotten = _grown(beginning) & memory.doubtful
            memory.frames[forgotten] = 0
            memory.doubtful &= ~forgotten
            removed &= ~forgotten
        body = people & ~removed
        memory.moved |= body & core
        kept = _grown(body) & ~removed if memory.age == rules.WAIT_FRAMES else np.zeros_like(body)
        _learn(memory, image, evidence, kept)
        memory.age = min(memory.age + 1, rules.WAIT_FRAMES)
        return kept.astype(np.float32)


def _begun(image: Planes, seen: NDArray[np.uint8] | None) -> _Memory:
    shape = image[0].shape
    return _Memory(
        background=[plane.copy() for plane in image],
        frames=np.zeros(shape, np.float32),
        doubtful=np.zeros(shape, np.bool_),
        moved=_seen_cells(seen, shape),
        reference=[plane.copy() for plane in image],
        empty=np.ones(shape, np.bool_),
        age=0 if seen is None else rules.WAIT_FRAMES,
    )


def _seen_cells(seen: NDArray[np.uint8] | None, shape: tuple[int, ...]) -> Mask:
    if seen is None:
        return np.zeros(shape, np.bool_)
    cells = cv2.resize(seen, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(cells > 255 * rules.BODY_ALPHA, np.bool_)


def _follow(memory: _Memory, image: Planes, empty: Mask) -> Mask:
    """Return where the frame differs from the recent ones, and update their mean; a cut resets the state.

    The change of light is that of the cells that stay empty, because a person who enters changes the mean of the frame.
    """
    both = (empty & memory.empty).view(np.uint8)
    still_empty = both if _average(both) > rules.LIGHT_SHARE else None
    changes, whole = [], 0.0
    for now, before in zip(image, memory.reference, strict=True):
        whole += _average(np.abs(now - before * _light(_average(now), _average(before))))
        changes.append(now - before * _light(_average(now, still_empty), _average(before, still_empty)))
        before += np.float32(rules.REFERENCE_RATE) * (now - before)
    memory.empty = empty
    if whole > rules.CUT * len(changes):
        memory.background = [plane.copy() for plane in image]
        memory.reference = [plane.copy() for plane in image]
        memory.frames = np.zeros_like(memory.frames)
        memory.doubtful = np.zeros_like(memory.doubtful)
        memory.moved = np.zeros_like(memory.moved)
        memory.age = 0
        return memory.moved
    moving: Mask = _largest([_mean(change) for change in changes]) > rules.MOTION
    return moving


def _compare(memory: _Memory, image: Planes, empty: Mask, moving: Mask) -> _Evidence:
    """Compare the frame with the learned background, after following the light."""
    known = memory.frames >= rules.LEAST_FRAMES
    witnesses = (known & empty).view(np.uint8)
    if _average(witnesses) > rules.LIGHT_SHARE:
        for now, background in zip(image, memory.background, strict=True):
            background *= _light(_average(now, witnesses), _average(background, witnesses))
    difference = _largest([now - background for now, background in zip(image, memory.background, strict=True)])
    agreeing: Mask = known & (_mean(difference) < rules.AGREEMENT)
    red, green, blue = memory.background
    brightness = (red + green + blue) * np.float32(1 / 3)
    pattern = np.asarray(cv2.morphologyEx(brightness, cv2.MORPH_GRADIENT, _SQUARE)) > rules.PATTERN
    exact = known & pattern & (np.asarray(cv2.dilate(difference, _SQUARE)) < rules.EXACT)
    return _Evidence(difference, agreeing, _grown(exact) & agreeing, moving)


def _learn(memory: _Memory, image: Planes, evidence: _Evidence, kept: Mask) -> None:
    """Learn the background from the empty cells, and from those that are hidden and do not change."""
    empty, difference = memory.empty, evidence.difference
    hidden = ~_grown(kept) & ~empty
    if memory.age < rules.WAIT_FRAMES:
        memory.frames[hidden & evidence.moving & memory.doubtful] = 0
    hidden &= ~evidence.moving
    changed = difference > rules.CHANGED
    anew = hidden & (changed | (memory.frames == 0))
    memory.frames[anew | (empty & (changed | (memory.doubtful & (difference > rules.AGREEMENT))))] = 0
    memory.doubtful = (memory.doubtful & ~empty) | anew
    learned = empty | (hidden & (memory.doubtful | (difference < rules.AGREEMENT)))
    rate = learned / np.minimum(memory.frames + 1, np.float32(rules.MOST_FRAMES))
    for now, background in zip(image, memory.background, strict=True):
        background += rate * (now - background)
    memory.frames += learned


def _people(mask: Mask, core: Mask, memory: _Memory, agreeing: Mask) -> tuple[Mask, Mask]:
    """Return the cells of the components that are people, and those of people who begin to move."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)

    def cells(of: Mask) -> NDArray[np.intp]:
        return np.bincount(labels[of & mask], minlength=count)

    total, doubtful = cells(mask), cells(agreeing & memory.doubtful)
    people = (
        (cells(core) > 0)
        & (cells(_grown(memory.moved)) > rules.MOVED_SHARE * total)
        & (cells(agreeing) - doubtful <= rules.AGREEING_SHARE * total)
    )
    people[0] = False
    beginning = people & (doubtful > rules.AGREEING_SHARE * total)
    if beginning.any():
        least = rules.FIRST_MOVED_SHARE if (people & ~beginning).any() else rules.MOVED_SHARE
        people &= ~beginning | (cells(memory.moved) > least * total)
        beginning &= people
    return people[labels], beginning[labels]


def _light(now: float, before: float) -> np.float32:
    """Return the ratio of brightness of one channel, clipped to `rules.LIGHT_RANGE`."""
    darkest, brightest = rules.LIGHT_RANGE
    return np.float32(min(max(now / max(before, 1e-3), darkest), brightest))


def _average(plane: NDArray[np.float32] | NDArray[np.uint8], mask: NDArray[np.uint8] | None = None) -> float:
    return float(cv2.mean(plane, mask)[0])


def _largest(planes: Planes) -> Floats:
    """Return the largest magnitude of the channels, per cell."""
    first, second, third = (np.abs(plane) for plane in planes)
    return np.maximum(np.maximum(first, second), third)


def _grown(mask: Mask) -> Mask:
    """Return the mask dilated by one cell."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), _SQUARE)).view(np.bool_)


def _mean(plane: Floats) -> Floats:
    """Return the means over 3x3 cells."""
    return np.asarray(cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)


def _pool(plane: Floats, cell: int) -> Floats:
    """Return the mean of each cell; incomplete cells at the right and bottom are left out."""
    height, width = plane.shape[0] // cell, plane.shape[1] // cell
    whole = np.ascontiguousarray(plane[: height * cell, : width * cell])
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.float32)
