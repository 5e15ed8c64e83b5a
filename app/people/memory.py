"""What is remembered of the selected person and of everybody else, and whose a part of the matte is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.people.appearance import Codes, Histogram, Mask, divergence, histogram, leaning, similarity

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


@dataclass(slots=True)
class Memory:
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


def divisible(memory: Memory) -> bool:
    """Return whether the colours tell the person from somebody who touches the person."""
    return memory.other_colours is not None and divergence(memory.colours, memory.other_colours) >= DIVISIBLE


def is_alone(memory: Memory, part: Mask, codes: Codes) -> bool:
    """Return whether a part has the size and the colours of the person alone."""
    return bool(part.sum() <= WARY_GROWTH * memory.area) and looks_like(memory, histogram(codes, part), ALONE)


def other_apart(memory: Memory, labels: NDArray[np.int32], main: int, count: int, codes: Codes) -> bool:
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


def looks_like(memory: Memory, colours: Histogram, least: float = LEANING) -> bool:
    """Return whether these are the person's colours, and clearly not those of anybody else who was seen."""
    if similarity(colours, memory.colours) < OWN:
        return False
    others = memory.other_colours
    if others is None:
        return True
    return divergence(memory.colours, others) >= DISTINCT and leaning(colours, memory.colours, others) >= least
