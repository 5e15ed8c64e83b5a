"""Tell two people apart by the colours of their clothes, a histogram each; it recognises nobody."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.matte_edit import Plane
from app.core.types import Mask

Codes = NDArray[np.intp]
Histogram = NDArray[np.float64]
"""(BINS,) with the sum 1."""

FLOOR = 1e-3
"""Share of a colour that nobody was seen with."""
LEVELS = 6
BINS = LEVELS**3
DIVISIBLE = 2.5
"""Least divergence of colours with which people who touch can be told apart."""
OWN = 0.7
"""Least similarity of colours with which a hidden person is shown again."""
DISTINCT = 0.5
"""Least divergence of colours with which a person can be told from somebody else who is seen apart."""
LEANING = 0.75
"""How much more the colours must be those of the person than of anybody else: 1 where they are the person's."""
ALONE = 0.9
"""Least similarity of colours of a part that holds nothing of anybody else."""
WARY_GROWTH = 1.1
"""Largest growth while somebody may come out from behind the person."""
SHRINKAGE = 0.3
"""A part that is smaller than the person was by more than this factor is not believed."""


def colour_codes(image: Plane) -> Codes:
    """Return the bin of each cell's colour, (rows, columns), of an image (3, rows, columns) in 0..1."""
    levels = np.clip(image * LEVELS, 0, LEVELS - 1).astype(np.intp)
    codes: Codes = (levels[0] * LEVELS + levels[1]) * LEVELS + levels[2]
    return codes


def histogram(codes: Codes, mask: Mask) -> Histogram:
    """Return the colours under the mask; neighbouring bins share, since light and noise shift colours."""
    counts = np.bincount(codes[mask], minlength=BINS).astype(np.float64).reshape((LEVELS,) * 3)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)], mode="edge")
        before, after = (np.take(padded, np.arange(start, start + LEVELS), axis) for start in (0, 2))
        counts = 0.6 * counts + 0.2 * (before + after)
    total = counts.sum()
    flat: Histogram = counts.ravel() / total if total > 0 else np.full(BINS, 1 / BINS)
    return flat


def similarity(one: Histogram, other: Histogram) -> float:
    """Return the Bhattacharyya coefficient: 1 for equal colours, 0 for none in common."""
    return float(np.sqrt(one * other).sum())


def divergence(one: Histogram, other: Histogram) -> float:
    """Return the Jeffreys divergence: 0 for equal colours; above 3 for filmed people in different clothes.

    Colours that everybody has, such as skin and hair, count for nothing, unlike in `similarity`.
    """
    return float(((one - other) * _log_ratio(one, other)).sum())


def leaning(seen: Histogram, own: Histogram, others: Histogram) -> float:
    """Return whose colours are seen, by likelihood: about 1 for `own`, 0 for `others`. These two must differ."""
    ratio = _log_ratio(own, others)
    return float(((seen - others) * ratio).sum() / ((own - others) * ratio).sum())


def advantage(codes: Codes, own: Histogram, others: Histogram) -> Plane:
    """Return for each cell how much more its colours are those of `own` than of `others`, as a log ratio in -3..3."""
    ratio = _log_ratio(own, others)
    return np.asarray(cv2.blur(ratio[codes].astype(np.float32), (3, 3)), np.float32).clip(-3, 3)


def _log_ratio(own: Histogram, others: Histogram) -> Histogram:
    ratio: Histogram = np.log((own + FLOOR) / (others + FLOOR))
    return ratio


@dataclass(slots=True)
class PersonMemory:
    """What is remembered of the last frames."""

    own: Mask
    others: Mask
    anchor: Mask
    """The person's cells while last touching nobody."""
    area: float
    """Cells of the person while touching nobody."""
    colours: Histogram
    other_colours: Histogram | None
    wary_s: float = 0.0
    """Remaining time during which somebody who vanished while touching the person may be behind them."""


def divisible(memory: PersonMemory) -> bool:
    """Return whether the colours tell the person from somebody who touches the person."""
    return memory.other_colours is not None and divergence(memory.colours, memory.other_colours) >= DIVISIBLE


def is_alone(memory: PersonMemory, part: Mask, codes: Codes) -> bool:
    """Return whether a part has the size and the colours of the person alone."""
    return bool(part.sum() <= WARY_GROWTH * memory.area) and looks_like(memory, histogram(codes, part), ALONE)


def other_apart(memory: PersonMemory, labels: NDArray[np.int32], main: int, count: int, codes: Codes) -> bool:
    """Return whether somebody else is seen in a part of their own."""
    for index in range(1, count):
        part: Mask = labels == index
        if index == main or part.sum() < SHRINKAGE * memory.area:
            continue
        others = memory.other_colours
        if others is None or not divisible(memory):
            return True
        if leaning(histogram(codes, part), memory.colours, others) <= 1 - LEANING:
            return True
    return False


def looks_like(memory: PersonMemory, colours: Histogram, least: float = LEANING) -> bool:
    """Return whether these are the person's colours, and clearly not those of anybody else who was seen."""
    if similarity(colours, memory.colours) < OWN:
        return False
    others = memory.other_colours
    if others is None:
        return True
    return divergence(memory.colours, others) >= DISTINCT and leaning(colours, memory.colours, others) >= least
