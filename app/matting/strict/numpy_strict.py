"""Strict mode in numpy and OpenCV; `app.matting.strict.rules` explains it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

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
    moved: Mask
    reference: Planes
    """The mean of the recent frames."""


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
            "moved": memory.moved.copy(),
        }

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the memory."""
        self._seen = arrays["seen"].copy() if "seen" in arrays else None
        self._memory = None
        if "frames" in arrays:
            self._memory = _Memory(
                background=[plane.copy() for plane in arrays["background"]],
                frames=arrays["frames"].copy(),
                moved=arrays["moved"].copy(),
                reference=[plane.copy() for plane in arrays["reference"]],
            )

    def apply(self, small: Floats, slope: Floats, offset: Floats, coarse: Floats) -> None:
        """Change the coefficients of alpha (last plane of slope and offset, (4, h, w)) and coarse (h, w) in place.

        small: (3, h, w), RGB in 0..1.
        """
        gain = self.gain(small, np.clip(coarse, 0, 1))
        coarse *= gain
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
            memory = self._memory = _Memory(
                background=[plane.copy() for plane in image],
                frames=np.zeros_like(alpha),
                moved=_seen_cells(self._seen, alpha.shape),
                reference=[plane.copy() for plane in image],
            )
        empty = np.asarray(cv2.dilate(alpha, _SQUARE)) < rules.EMPTY_ALPHA
        moving = _follow(memory, image)
        agreeing = _learn(memory, image, empty)
        memory.moved = (memory.moved | moving) & (alpha > rules.PRESENT_ALPHA)

        removed = agreeing & (np.asarray(cv2.erode(alpha, _SQUARE)) <= rules.OPAQUE_ALPHA)
        core = np.asarray(cv2.erode(np.where(removed, np.float32(0), alpha), _SQUARE)) > rules.CORE_ALPHA
        body = _people((alpha > rules.BODY_ALPHA) & ~removed, core, memory.moved, agreeing)
        memory.moved |= body & core
        return (_grown(body) & ~removed).astype(np.float32)


def _seen_cells(seen: NDArray[np.uint8] | None, shape: tuple[int, ...]) -> Mask:
    if seen is None:
        return np.zeros(shape, np.bool_)
    cells = cv2.resize(seen, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(cells > 255 * rules.BODY_ALPHA, np.bool_)


def _follow(memory: _Memory, image: Planes) -> Mask:
    """Return where the frame differs from the recent ones, and update their mean; a cut resets the state."""
    changes = []
    for now, before in zip(image, memory.reference, strict=True):
        change = now - before * _light(_average(now), _average(before))
        changes.append(change)
        before += np.float32(rules.REFERENCE_RATE) * (now - before)
    if sum(_average(np.abs(change)) for change in changes) > rules.CUT * len(changes):
        memory.background = [plane.copy() for plane in image]
        memory.reference = [plane.copy() for plane in image]
        memory.frames = np.zeros_like(memory.frames)
        memory.moved = np.zeros_like(memory.moved)
        return memory.moved
    moving: Mask = _largest([_mean(change) for change in changes]) > rules.MOTION
    return moving


def _learn(memory: _Memory, image: Planes, empty: Mask) -> Mask:
    """Return where the frame agrees with the learned background, and learn from the empty cells."""
    known = memory.frames >= rules.LEAST_FRAMES
    witnesses = (known & empty).astype(np.uint8)
    if _average(witnesses) > rules.LIGHT_SHARE:
        for now, background in zip(image, memory.background, strict=True):
            background *= _light(_average(now, witnesses), _average(background, witnesses))
    difference = _largest([now - background for now, background in zip(image, memory.background, strict=True)])
    agreeing: Mask = known & (_mean(difference) < rules.AGREEMENT)
    memory.frames[empty & (difference > rules.CHANGED)] = 0
    rate = empty / np.minimum(memory.frames + 1, np.float32(rules.MOST_FRAMES))
    for now, background in zip(image, memory.background, strict=True):
        background += rate * (now - background)
    memory.frames += empty
    return agreeing


def _people(mask: Mask, core: Mask, moved: Mask, agreeing: Mask) -> Mask:
    """Return the cells of the components that are people."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    near_motion = _grown(moved)

    def cells(of: Mask) -> NDArray[np.intp]:
        return np.bincount(labels[of], minlength=count)

    total = cells(mask)
    people = (
        (cells(core & mask) > 0)
        & (cells(near_motion & mask) > rules.MOVED_SHARE * total)
        & (cells(agreeing & mask) <= rules.AGREEING_SHARE * total)
    )
    people[0] = False
    body: Mask = people[labels]
    return body


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
