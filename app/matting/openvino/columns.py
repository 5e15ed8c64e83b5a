"""Which columns of the frame a network sees: those around people while nothing moves beside them.

A network for fewer columns takes less time. It sees a window around what is shown; all columns are
looked at now and then, and at once where something beside the window changes: somebody may come.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from app.core.types import Floats
from app.matting.strict.cpu_strict import pooled

# Windows begin at multiples of this: networks remember at
# most this many columns of the small frame in one.
ALIGNMENT = 16
# Shares of the columns that windows have, whose
# widths are multiples of twice `ALIGNMENT`.
WIDEST = 0.7
NARROWEST = 0.4
# A survey is so many frames. A narrower window is wanted after
# two of them in which what was shown fits it.
SURVEY_FRAMES = 300
# Columns beside what is shown that a window has at first, but for
# the border of the frame, and those with which it is moved.
MARGIN = 8
LEAST_MARGIN = 4
# Alpha from which something is shown: with less of it in
# each pixel beside the window, nobody is there.
SHOWN_ALPHA = 0.1
# The window is too narrow once something is shown in this many columns at its border.
TOUCH = 2
# Frames in a row in which what is shown must fit a window before it is used. Their number
# is doubled, up to MOST_SETTLE_FRAMES, where a window proves too narrow: that costs a
# second look at a frame.
SETTLE_FRAMES = 15
MOST_SETTLE_FRAMES = 240
# Frames in a row with a window at most, and frames in which the network then looks at
# all columns; strict mode shows nobody in the first two of them.
WHOLE_EVERY = 90
WHOLE_FRAMES = 5
# Change of a square cell, of 1, that may be somebody who comes:
# the network sees all columns, of this frame too.
MOVED = 0.05
# Share of the contrast to its neighbours by which a
# cell changes before a camera in the hand.
SHIFT = np.float32(0.25)
# Share of the difference by which the cells to compare with move to those of
# each frame: light and a camera in the hand change them slowly.
CELL_RATE = np.float32(1 / 16)
_SQUARE = np.ones((3, 3), np.uint8)


class Columns(NamedTuple):
    """A range of columns of the small frame."""

    left: int
    """The first one."""
    right: int
    """The one after the last."""


def window_widths(small_width: int) -> list[int]:
    """Return the numbers of columns that windows may have, the widest first.

    There are none if the frame is too small for a window.
    """
    step = 2 * ALIGNMENT
    widest = int(WIDEST * small_width)
    narrowest = max(6 * ALIGNMENT, int(NARROWEST * small_width))
    return list(range(widest // step * step, narrowest - 1, -step))


class ColumnTracker:
    """Chooses the first column of the window for each frame of a stream."""

    def __init__(self, small_width: int, survey_frames: int = SURVEY_FRAMES) -> None:
        """small_width: number of columns."""
        self._width = small_width
        self._widths = window_widths(small_width)
        self._survey_frames = survey_frames
        # Side of a cell: one that leaves out few columns at the right.
        sides = range(max(1, small_width // 24), small_width // 16)
        self._cell = min(sides, key=lambda side: small_width % side, default=1)
        # Columns of the windows that are chosen, which `use` sets; and of those that
        # are wanted: a network for them takes a while to make.
        self.window = max(self._widths, default=0)
        self.wanted = self.window
        self._width_that_sufficed_last = self.wanted
        self.reset()

    def reset(self) -> None:
        """Forget the stream: the network looks at all columns."""
        # The first column of the window for the next frame; None: there is no window.
        self._first: int | None = None
        self._cells: Floats | None = None
        """(3, rows, columns), means of the last frames."""
        # Frames in a row with a window.
        self._frames_with_window = 0
        # Frames left in which the network looks at all columns.
        self._whole_frames_left = 0
        # Frames in a row that would fit a window, and how many of them it takes.
        self._fitting_frames = 0
        self._settle_frames = SETTLE_FRAMES
        self._begin_survey()

    def use(self, window: int) -> None:
        """Choose windows of so many columns from now on."""
        self.window = window
        self._leave_window()

    def choose(self, small: Floats) -> int | None:
        """Return the window's first column for a frame; None: all columns.

        small: (3, h, w) RGB in 0..1.
        """
        side = min(self._cell, small.shape[1])
        # Incomplete cells are left out at the top: people reach the bottom.
        cells = pooled(small[:, small.shape[1] % side :], side)
        last = self._cells
        if last is None:
            self._cells = cells
            return None
        self._cells = last + CELL_RATE * (cells - last)
        if self._first is None:
            return None
        self._whole_frames_left -= 1
        moved = self._moves_beside_window(cells, last, side)
        if moved:
            self._cells = cells
        if moved or self._frames_with_window == WHOLE_EVERY:
            self._frames_with_window = 0
            self._whole_frames_left = WHOLE_FRAMES
        if self._whole_frames_left > 0:
            return None
        self._frames_with_window += 1
        return self._first

    def is_too_narrow(self, alpha: Floats) -> bool:
        """Return whether somebody continues beyond the window of this frame.

        alpha: (h, w) of the window.
        """
        first = self._first
        assert first is not None
        touches_left = bool((alpha[:, :TOUCH] > SHOWN_ALPHA).any())
        touches_right = bool((alpha[:, -TOUCH:] > SHOWN_ALPHA).any())
        # At the border of the frame, nobody continues.
        is_beyond_left = touches_left and first > 0
        is_beyond_right = touches_right and first + self.window < self._width
        if not is_beyond_left and not is_beyond_right:
            return False
        self._leave_window()
        self._settle_frames = min(MOST_SETTLE_FRAMES, 2 * self._settle_frames)
        return True

    def track(self, alpha: Floats) -> None:
        """Choose the window for the next frame. alpha: (h, w) of a frame, as it is shown."""
        highest = np.asarray(cv2.reduce(alpha, 0, cv2.REDUCE_MAX))
        shown = np.flatnonzero(highest > SHOWN_ALPHA)
        if not shown.size:
            self._leave_window()
            return
        columns = Columns(int(shown[0]), int(shown[-1]) + 1)
        self._survey(columns)
        if self._first is not None:
            margin = self._margin(columns, self._first, self.window)
            if margin >= LEAST_MARGIN:
                return
        first = self._around(columns, self.window)
        if self._margin(columns, first, self.window) < MARGIN:
            self._leave_window()
            return
        self._fitting_frames += 1
        if self._first is not None or self._fitting_frames >= self._settle_frames:
            self._first = first

    def _leave_window(self) -> None:
        self._first = None
        self._fitting_frames = 0

    def _moves_beside_window(self, cells: Floats, last: Floats, side: int) -> bool:
        """Return whether a cell outside the window changes more than a camera in the hand does.

        side: of a cell, in columns.
        """
        assert self._first is not None
        end = self._first + self.window
        change = np.abs(cells - last)
        change[:, :, self._first // side : -(-end // side)] = 0
        if float(change.max()) <= MOVED:
            return False
        contrast = np.empty_like(last)
        for plane, contrast_of_plane in zip(last, contrast, strict=True):
            cv2.morphologyEx(plane, cv2.MORPH_GRADIENT, _SQUARE, dst=contrast_of_plane)
        return bool((change > MOVED + SHIFT * contrast).any())

    def _begin_survey(self) -> None:
        # Frames of this survey in which somebody was shown, and all columns that showed them.
        self._surveyed_frames = 0
        self._surveyed = Columns(self._width, 0)

    def _survey(self, columns: Columns) -> None:
        """Decide after a survey which window is wanted.

        It is the narrowest that suffices for this survey and the last.
        """
        left = min(columns.left, self._surveyed.left)
        right = max(columns.right, self._surveyed.right)
        self._surveyed = Columns(left, right)
        self._surveyed_frames += 1
        if self._surveyed_frames < self._survey_frames:
            return
        sufficed = self._widths[0]
        for width in self._widths:
            first = self._around(self._surveyed, width)
            if self._margin(self._surveyed, first, width) >= MARGIN:
                sufficed = width  # the widest come first
        self.wanted = max(sufficed, self._width_that_sufficed_last)
        self._width_that_sufficed_last = sufficed
        self._begin_survey()

    def _around(self, columns: Columns, window: int) -> int:
        """Return the first column of a window around these columns."""
        centred = (columns.left + columns.right) / 2 - window / 2
        last = (self._width - window) // ALIGNMENT
        return ALIGNMENT * min(max(0, round(centred / ALIGNMENT)), last)

    def _margin(self, columns: Columns, first: int, window: int) -> float:
        """Return the least number of columns between what is shown and a border of the window.

        A border of the frame does not count.
        """
        end = first + window
        margin = np.inf
        if first > 0:
            margin = min(margin, columns.left - first)
        if end < self._width:
            margin = min(margin, end - columns.right)
        return margin
