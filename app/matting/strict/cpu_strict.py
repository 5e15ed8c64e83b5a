"""Strict mode on a CPU for one stream: `rules` explains it, and `torch_strict` has the same arithmetic."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.compiling import Array
from app.core.edits import StateArrays, copy_into, saved
from app.core.types import Floats, Mask
from app.matting.kernels import PLANES, READ_PLANES, exact, whole
from app.matting.strict import rules

F32, U64 = np.float32, np.uint64
_MASK, _FLOATS = Array("bool", 2, writable=True), Array("float32", 2, writable=True)
MOTION, AGREEMENT, CHANGED = F32(rules.MOTION), F32(rules.AGREEMENT), F32(rules.CHANGED)
DARKEST, BRIGHTEST = F32(rules.LIGHT_RANGE[0]), F32(rules.LIGHT_RANGE[1])
RATE, MOST_FRAMES = F32(rules.REFERENCE_RATE), F32(rules.MOST_FRAMES)


@exact
def _means(planes: Floats, c: int, y: int, sums: Floats, means: Floats) -> None:
    """Average squares of 3x3 cells around row y; borders are repeated. sums: (w + 2,), scratch."""
    width, above, below = U64(planes.shape[2]), max(y - 1, 0), min(y + 1, planes.shape[1] - 1)
    for x in range(width):
        sums[x + U64(1)] = planes[c, above, x] + planes[c, y, x] + planes[c, below, x]
    sums[0], sums[width + U64(1)] = sums[1], sums[width]
    for x in range(width):
        means[x] = (sums[x] + sums[x + U64(1)] + sums[x + U64(2)]) * F32(1 / 9)


@exact
def _light_of(now: Floats, before: Floats, cells: Mask) -> Floats:
    """Return the change of light of each channel (3, h, w) at these cells, (3,); 1 where they are too few."""
    channels, height, width = now.shape
    chosen, sums = np.zeros(width, np.int64), np.zeros((2, channels, width), np.float32)
    for y in range(height):
        for x in range(U64(width)):
            chosen[x] += cells[y, x]
        for c in range(channels):
            for x in range(U64(width)):
                sums[0, c, x] += now[c, y, x] * F32(cells[y, x])
            for x in range(U64(width)):
                sums[1, c, x] += before[c, y, x] * F32(cells[y, x])
    enough = chosen.sum() > rules.LIGHT_SHARE * height * width
    light = np.ones(channels, np.float32)
    for c in range(channels):
        if enough:
            light[c] = min(max(sums[0, c].sum() / max(sums[1, c].sum(), F32(1e-3)), DARKEST), BRIGHTEST)
    return light


@whole(READ_PLANES, PLANES, _MASK, _MASK)
def find_motion(image: Floats, recent: Floats, steady: Mask, moving: Mask) -> None:
    """Find where the frame (3, h, w) differs from the mean of the recent ones, and update that.

    The change of light is measured where the frame is `steady` (h, w).
    """
    channels, height, width = image.shape
    light = _light_of(image, recent, steady)
    changes, sums, means = np.empty_like(image), np.empty(width + 2, np.float32), np.empty(width, np.float32)
    for c in range(channels):
        factor = light[c]
        for y in range(height):
            for x in range(U64(width)):
                changes[c, y, x] = image[c, y, x] - recent[c, y, x] * factor
            for x in range(U64(width)):
                recent[c, y, x] += RATE * (image[c, y, x] - recent[c, y, x])
    for y in range(height):
        for x in range(U64(width)):
            moving[y, x] = False
        for c in range(channels):
            _means(changes, c, y, sums, means)
            for x in range(U64(width)):
                moving[y, x] |= abs(means[x]) > MOTION


@whole(READ_PLANES, PLANES, _MASK, _FLOATS)
def compare_cells(image: Floats, background: Floats, steady: Mask, difference: Floats) -> None:
    """Find the largest difference (h, w) of the channels (3, h, w) from the background, which gets the light of now.

    The change of light is measured where the frame is `steady` (h, w).
    """
    width = image.shape[2]
    light = _light_of(image, background, steady)
    for y in range(image.shape[1]):
        for x in range(U64(width)):
            difference[y, x] = F32(0)
        for c in range(image.shape[0]):
            factor = light[c]
            for x in range(U64(width)):
                background[c, y, x] *= factor
            for x in range(U64(width)):
                difference[y, x] = max(difference[y, x], abs(image[c, y, x] - background[c, y, x]))


@whole(READ_PLANES, PLANES, _FLOATS, _MASK, _FLOATS, _MASK, _MASK)
def learn_cells(
    image: Floats,
    background: Floats,
    frames: Floats,
    was_hidden: Mask,
    difference: Floats,
    empty: Mask,
    hidden: Mask,
) -> None:
    """Learn the background where cells are empty, and where they are hidden and do not change.

    Updates background (3, h, w), frames and was_hidden (h, w).
    """
    width = image.shape[2]
    weights = np.empty(width, np.float32)
    for y in range(image.shape[1]):
        for x in range(U64(width)):
            changed = difference[y, x] > CHANGED
            anew = hidden[y, x] & (changed | (frames[y, x] == F32(0)))
            stale = empty[y, x] & changed
            free = empty[y, x] & (not (stale & (frames[y, x] > F32(1))))
            agrees = was_hidden[y, x] | anew | (difference[y, x] < AGREEMENT)
            learned = free | (hidden[y, x] & agrees)
            count = max((F32(0) if anew else frames[y, x]) - F32(stale), F32(0))
            weights[x] = F32(learned) / min(count + F32(1), MOST_FRAMES)
            was_hidden[y, x] = (was_hidden[y, x] & (not free)) | anew
            frames[y, x] = min(count + F32(learned), MOST_FRAMES)
        for c in range(image.shape[0]):
            for x in range(U64(width)):
                background[c, y, x] += weights[x] * (image[c, y, x] - background[c, y, x])


@whole(Array("int32", 2, writable=True), int, _MASK, _MASK, _MASK, result=Array("int64", 2, writable=True))
def count_cells(labels: NDArray[np.int32], count: int, centres: Mask, certain: Mask, moved: Mask) -> NDArray[np.int64]:
    """Return the cells of each component, and how many of them are centres, certain and moved, (count, 4).

    The component 0, which is none, has none.
    """
    counts = np.zeros((count, 4), np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label > 0:
                counts[label, 0] += 1
                counts[label, 1] += centres[y, x]
                counts[label, 2] += certain[y, x]
                counts[label, 3] += moved[y, x]
    return counts


SQUARE = np.ones((3, 3), np.uint8)


@dataclass(slots=True)
class BackgroundModel:
    """The learned background and motion, (h, w) each; images are (3, h, w), RGB in 0..1."""

    background: Floats
    frames: Floats
    """Number of frames that `background` was learned from."""
    hidden: Mask
    """Whether `background` was learned from cells that were hidden, but not empty."""
    moved: Mask
    recent: Floats
    """The mean of the recent frames."""
    empty: Mask
    """Cells around which the network saw nobody in the last frame."""
    age: NDArray[np.int64]
    """(), number of frames since the start, up to `rules.WAIT_FRAMES`."""

    @classmethod
    def initial(cls, image: Floats, seen: NDArray[np.uint8] | None = None) -> BackgroundModel:
        """Return the state before the first frame. seen: alpha (H, W) of people who are shown at once."""
        shape = image.shape[1:]
        moved = np.zeros(shape, np.bool_)
        if seen is not None:
            moved = cv2.resize(seen, shape[::-1], interpolation=cv2.INTER_AREA) > 255 * rules.BODY_ALPHA
        return cls(
            background=image.copy(),
            frames=np.zeros(shape, np.float32),
            hidden=np.zeros(shape, np.bool_),
            moved=moved,
            recent=image.copy(),
            empty=np.ones(shape, np.bool_),
            age=np.array(0 if seen is None else rules.WAIT_FRAMES),
        )


def pooled(planes: Floats, cell: int) -> Floats:
    """Return the means of the cells of planes (n, H, W); incomplete cells at the right and bottom are left out."""
    count, height, width = planes.shape
    rows, columns = height // cell, width // cell
    cells = np.empty((count, rows, columns), np.float32)
    for plane, means in zip(planes, cells, strict=True):
        cv2.resize(plane[: rows * cell, : columns * cell], (columns, rows), dst=means, interpolation=cv2.INTER_AREA)
    return cells


def grown(mask: Mask) -> Mask:
    """Return the mask dilated by one cell."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), SQUARE)).view(np.bool_)


class StrictFilter:
    """Decides per frame which part of the matte is kept; holds the state of one stream."""

    def __init__(self) -> None:
        self.reset()

    def reset(self, seen: NDArray[np.uint8] | None = None) -> None:
        """Forget the stream. seen: alpha (H, W) of people who are shown at once, as if they had moved before."""
        self._model: BackgroundModel | None = None
        self._seen = seen

    def state(self) -> StateArrays:
        """Return copies of the model."""
        arrays = {} if self._model is None else asdict(self._model)  # which copies
        return arrays if self._seen is None else arrays | {"seen": self._seen.copy()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the model. Raises KeyError, ValueError or TypeError if it does not fit."""
        self.reset(saved(arrays, "seen", np.atleast_2d(arrays.get("seen", ())).shape[:2], np.uint8))
        if "frames" in arrays:
            rows, columns = arrays["moved"].shape
            model = BackgroundModel.initial(np.zeros((3, rows, columns), np.float32))
            for field in fields(model):
                copy_into(getattr(model, field.name), arrays[field.name])
            if not 0 <= model.age <= rules.WAIT_FRAMES:
                raise ValueError(f"a saved age is {model.age}")
            self._model = model

    def apply(self, small: Floats, slope: Floats, offset: Floats, coarse: Floats) -> None:
        """Remove in place what is not kept from alpha: of the coefficients (4, h, w), and coarse, (h, w) in 0..1.

        small: (3, h, w), RGB in 0..1.
        """
        gain = self.gain(small, np.clip(coarse, 0, 1))
        coarse *= gain
        gain *= np.float32(1 / (1 - 2 * rules.FLOOR))
        slope[3] *= gain
        offset[3] -= np.float32(rules.FLOOR)
        offset[3] *= gain

    def gain(self, small: Floats, coarse: Floats) -> Floats:
        """Return the factor for alpha, (h, w) in 0..1, and update the state. coarse: alpha (h, w) in 0..1."""
        cell = rules.cell_size(coarse.shape[1], coarse.shape[0])
        image, alpha = pooled(small, cell), pooled(coarse[None], cell)[0]
        model = self._model
        if model is None or model.moved.shape != alpha.shape:
            model = self._model = BackgroundModel.initial(image, self._seen)
        empty = np.asarray(cv2.dilate(alpha, SQUARE)) < rules.EMPTY_ALPHA
        centres = np.asarray(cv2.erode(alpha, SQUARE)) > rules.CERTAIN_ALPHA
        certain = grown(centres)
        moving, difference = np.empty(alpha.shape, np.bool_), np.empty(alpha.shape, np.float32)
        # Light is measured where cells stay empty, because a person who enters changes the mean of the frame.
        find_motion(image, model.recent, empty & model.empty, moving)
        model.empty = empty
        known = (model.frames >= rules.HIDDEN_FRAMES) | ((model.frames >= 1) & ~model.hidden)
        compare_cells(image, model.background, known & empty & ~moving, difference)
        agreeing = known & (np.asarray(cv2.blur(difference, (3, 3), borderType=cv2.BORDER_REPLICATE)) < rules.AGREEMENT)
        model.moved = (model.moved | moving) & (alpha > rules.PRESENT_ALPHA) & ~(agreeing & model.hidden)

        removed = agreeing & ~certain & ~model.hidden  # a ghost without its translucent part would pass for a person
        candidates = (alpha > rules.BODY_ALPHA) & ~removed
        count, components = cv2.connectedComponents(candidates.view(np.uint8), connectivity=4)
        labels = np.asarray(components, np.int32)
        size, centre_count, certain_count, moved_count = count_cells(
            labels, count, centres, certain, grown(model.moved)
        ).T
        has_moved = moved_count > rules.MOVED_SHARE * size
        least_share = np.where(has_moved, rules.MOVED_CERTAIN_SHARE, rules.CERTAIN_SHARE)
        people = (centre_count >= rules.CERTAIN_CELLS) & (certain_count >= least_share * size)
        people[0] = False
        body = people.take(labels)
        model.moved |= body & centres
        kept = grown(body & ~removed) & ~removed
        if int(model.age) < rules.WAIT_FRAMES:
            kept[:] = False
        hidden = ~grown(kept) & ~empty & ~moving
        learn_cells(image, model.background, model.frames, model.hidden, difference, empty, hidden)
        model.age = np.minimum(model.age + 1, rules.WAIT_FRAMES)
        return soft_gain(kept, coarse, cell)


def soft_gain(kept: Mask, alpha: Floats, cell: int) -> Floats:
    """Return the factor (h, w) in 0..1: the share of the matte around each pixel that is kept, a little steeper.

    alpha: (h, w) in 0..1. It weighs the pixels, so that the factor falls where the matte is faint, if it is so near
    the edge of the kept cells, and does not fall at the soft edge of a person.
    """
    gain = np.zeros_like(alpha)
    if not kept.any():
        return gain
    height, width = alpha.shape
    rows, columns = kept.shape
    mask = cv2.resize(kept.astype(np.float32), (columns * cell, rows * cell), interpolation=cv2.INTER_NEAREST)
    if mask.shape != alpha.shape:
        mask = np.pad(mask, ((0, height - rows * cell), (0, width - columns * cell)), mode="edge")
    left, top, across, down = cv2.boundingRect(kept.view(np.uint8))
    part = _span(top, down, rows, height, cell), _span(left, across, columns, width, cell)
    weights = alpha[part] + np.float32(rules.FAINT_ALPHA)
    steeper = 1 / (1 - 2 * rules.EDGE_SHARE)
    shown = np.asarray(cv2.divide(_sums(mask[part] * weights, cell), _sums(weights, cell), scale=steeper), np.float32)
    shown -= np.float32(rules.EDGE_SHARE * steeper)
    np.clip(shown, 0, 1, out=gain[part])
    return gain


def _span(first: int, count: int, cells: int, pixels: int, cell: int) -> slice:
    """Return the pixels of these cells, and those around them that the kept ones reach twice."""
    last = first + count + 2
    return slice(max(0, first - 2) * cell, pixels if last >= cells else last * cell)


def _sums(plane: Floats, reach: int) -> Floats:
    """Return the sums over squares that reach so many pixels to each side."""
    ones = np.ones(2 * reach + 1, np.float32)
    return np.asarray(cv2.sepFilter2D(plane, -1, ones, ones, borderType=cv2.BORDER_CONSTANT))
