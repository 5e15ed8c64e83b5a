"""Chooses the frames to matte at a reduced matting rate, as evenly spaced as the frames of the source allow."""

from __future__ import annotations

import copy
from fractions import Fraction

AHEAD = 6
"""The source chooses what it does with the next frame before the last one has been looked at."""


class MattingPattern:
    """Phase accumulator over frame indexes. At 2/3 of the frames it selects 0, 1, 3, 4, 6, 7 and so on."""

    def __init__(self) -> None:
        self.generation = -1
        """Source generation of the last matted frame; -1 before the first."""
        self._last_index = -1
        self._due = Fraction(0)
        """Ideal index of the next frame."""

    def skips(self, generation: int, index: int, matted: Fraction) -> bool:
        """Return whether to skip frame `index` of the source's `generation`. matted: fraction of frames to matte."""
        if matted == 1 or generation != self.generation or index <= self._last_index:
            return False
        return index <= self._due - 1

    def note(self, generation: int, index: int, matted: Fraction) -> None:
        """Note that this frame was matted."""
        continues = generation == self.generation and index > self._last_index
        # A late frame moves the phase, so that the following ones are not closer together than the interval.
        self._due = (max(self._due, Fraction(index)) if continues else Fraction(index)) + 1 / matted
        self.generation, self._last_index = generation, index

    def skipped_after(self, generation: int, index: int, matted: Fraction) -> frozenset[int]:
        """Return which of the next `AHEAD` frames are skipped, if this one is matted and none is late."""
        if matted == 1:
            return frozenset()
        ahead = copy.copy(self)
        skipped = set()
        ahead.note(generation, index, matted)
        for later in range(index + 1, index + 1 + AHEAD):
            if ahead.skips(generation, later, matted):
                skipped.add(later)
            else:
                ahead.note(generation, later, matted)
        return frozenset(skipped)
