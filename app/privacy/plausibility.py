"""Checks every matte before it is shown: the composite against its parts, and alpha over time."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from app.core.errors import ModelError, t
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Frame, Matte

MAX_ROUNDING = 2
"""Largest error of a composite by rounding, of 255."""
MAX_BACKGROUND_ALPHA = 8
"""Up to this alpha, of 255, a pixel of a blurred room counts as background."""
IMAGE_ROW_STEP, ROOM_ROW_STEP = 4, 16
"""Of a composite over an image every fourth row is compared, over the blurred room every 16th, beginning with another
one in each frame."""
STRIP_ROWS = 48
"""Rows compared at a time: what is computed of them stays in the cache."""
ALPHA_ROW_STEP = 4
"""The mean of alpha is taken from every fourth row: no person hides between them."""
TILES = (3, 4)
"""Rows and columns of the tiles that are compared where the background is the blurred room."""
MIN_DETAIL = 2.0
"""Mean difference (of 255) of neighbouring pixels below which a tile shows nothing that could be read."""
MIN_CHANGE = 0.25
"""A blurred tile differs from the frame by at least this fraction of the frame's detail; a copy by 0."""
MIN_TILE_BACKGROUND = 0.25
"""Fraction of a tile that must be background for it to be compared."""
SATURATED = 0.985
"""Mean alpha (0..1) from which nothing is hidden: the engine fails, or a face fills the frame."""
UNSATURATED = 0.95
"""Below this mean alpha a frame-filling face counts as gone."""
JUMP = 0.6
"""Rise of the mean alpha between two frames that no person can cause at a usual frame rate."""
TEST_VALID_S = 30.0
"""For this long after a passed self-test a rise is believed: the test resets the engine, and strict mode then hides
people until they move, so that they appear suddenly again."""


HOLD_S = 0.5
"""How long a suspicious alpha must last before it is believed."""
STALE_S = 2.0
"""The age of the last composite from which the stand-by card is shown instead. A fixed bound, also where a step takes
longer: the documents promise it."""


class MatteCheck:
    """The checks that a matte must pass before it is shown: its composite, and an alpha that hides nothing or rises.

    A real cause of such an alpha, like a face that fills the frame, lasts, and the engine passes its self-test: it is
    then shown. An alpha that rises because another engine is used is suspicious as well.

    Keeps its buffers, so that checks allocate little; used on one thread.
    """

    def __init__(self, hold_s: float = HOLD_S) -> None:
        """hold_s: how long a suspicious alpha must last before it is believed."""
        self._buffers: tuple[BgrImage, BgrImage] = np.empty((0, 0, 3), np.uint8), np.empty((0, 0, 3), np.uint8)
        self._frames = 0
        self._hold_s = hold_s
        self._sequence: tuple[int, int] | None = None
        self._last: float | None = None
        """The mean alpha of the last matte that was shown."""
        self._suspect_since_s: float | None = None
        self._tested_at_s: float | None = None
        """When the engine last passed its self-test."""
        self._accepts_saturated = False
        """A saturated alpha was found to be real and has lasted since."""

    def check(self, matte: Matte, frame: Frame, backdrop: Backdrop) -> None:
        """Raise ModelError unless the composite is a person before this backdrop.

        A composite a·F + (1-a)·B differs from the backdrop B by at most a·255, at every pixel. A blurred room is not
        known here: it must differ from the frame where there is no person, in every tile with detail.

        Compares a part of the rows: what exceeds the bound in as many rows as the step is found in the same frame, in
        fewer within as many frames.
        """
        height, width = frame.image.shape[:2]
        fits = matte.composite.shape == (height, width, 3) and matte.alpha.shape == (height, width)
        if not fits or matte.composite.dtype != np.uint8 or matte.alpha.dtype != np.uint8:
            found_height, found_width = matte.composite.shape[:2]
            raise ModelError(
                t(
                    "The network returned {width}×{height} pixels for a frame of {frame_width}×{frame_height}; choose "
                    "another model or executor.",
                    width=found_width,
                    height=found_height,
                    frame_width=width,
                    frame_height=height,
                )
            )
        if np.may_share_memory(matte.composite, frame.image):
            raise ModelError(t("The network returned the camera's own frame; choose another model or executor."))
        step = ROOM_ROW_STEP if isinstance(backdrop, BlurredBackground) else IMAGE_ROW_STEP
        self._frames += 1
        rows = slice(self._frames % step, None, step)
        composite, alpha = matte.composite[rows], matte.alpha[rows]
        if isinstance(backdrop, BlurredBackground):
            shows_room = _has_copied_tile(composite, alpha, frame.image[rows])
        else:
            shows_room = self._excess(composite, alpha, backdrop[rows]) > MAX_ROUNDING
        if shows_room:
            raise ModelError(
                t(
                    "The network's frame shows the real background where there is no person; choose another model or "
                    "executor."
                )
            )

    def _excess(self, composite: BgrImage, alpha: AlphaImage, backdrop: BgrImage) -> float:
        """Return by how much, of 255, the composite differs more from the backdrop than alpha permits."""
        height, width = alpha.shape
        if self._buffers[0].shape[1] != width:
            shape = STRIP_ROWS, width, 3
            self._buffers = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        excess = 0.0
        for top in range(0, height, STRIP_ROWS):
            rows = slice(top, min(top + STRIP_ROWS, height))
            difference, permitted = self._buffers[0][: rows.stop - top], self._buffers[1][: rows.stop - top]
            cv2.absdiff(composite[rows], backdrop[rows], difference)
            cv2.cvtColor(alpha[rows], cv2.COLOR_GRAY2BGR, permitted)
            cv2.subtract(difference, permitted, difference)
            excess = max(excess, cv2.norm(difference, cv2.NORM_INF))
        return excess

    def accepts_alpha(
        self, share: float, now_s: float, sequence: tuple[int, int], self_test: Callable[[], None]
    ) -> bool:
        """Return whether a matte with this mean alpha may be shown; raise ModelError if the engine has failed.

        sequence: (source generation, engine number) as in `MatteFrame`. self_test: raises ModelError if the engine
        fails on a known frame; called before a suspicious alpha is believed.
        """
        if sequence != self._sequence:
            if self._sequence is None or sequence[0] != self._sequence[0]:
                self._last = None  # another source may show anything
            self._suspect_since_s = self._tested_at_s = None
            self._accepts_saturated = False
            self._sequence = sequence
        if share < UNSATURATED:
            self._accepts_saturated = False
        saturated = share >= SATURATED and not self._accepts_saturated
        jumped = share - (self._last or 0.0) >= JUMP if self._last is not None or saturated else False
        if self._tested_at_s is not None and now_s - self._tested_at_s < TEST_VALID_S and not saturated:
            jumped = False
        if jumped:
            if self._suspect_since_s is None:
                self._suspect_since_s = now_s
            if now_s - self._suspect_since_s < self._hold_s:
                return False
        if jumped or saturated:
            self_test()
            self._tested_at_s = now_s
            self._accepts_saturated = True
        self._suspect_since_s = None
        self._last = share
        return True


def _has_copied_tile(composite: BgrImage, alpha: AlphaImage, frame: BgrImage) -> bool:
    """Return whether a tile with detail shows the frame itself where there is no person."""
    background = (alpha <= MAX_BACKGROUND_ALPHA).view(np.uint8)
    rows, columns = TILES
    height, width = background.shape
    for row in range(rows):
        for column in range(columns):
            tile = (
                slice(row * height // rows, (row + 1) * height // rows),
                slice(column * width // columns, (column + 1) * width // columns),
            )
            mask = background[tile]
            pixels = cv2.countNonZero(mask)
            if pixels <= MIN_TILE_BACKGROUND * mask.size:
                continue
            change = cv2.norm(composite[tile], frame[tile], cv2.NORM_L1, mask) / (3 * pixels)
            neighbours = cv2.absdiff(frame[tile][:, 1:], frame[tile][:, :-1])
            detail = sum(cv2.mean(neighbours, mask[:, 1:])[:3]) / 3
            if detail >= MIN_DETAIL and change < MIN_CHANGE * detail:
                return True
    return False


def mean_alpha(alpha: AlphaImage) -> float:
    """Return the mean of alpha, 0..1, from a part of the rows: the share of the frame that shows the person."""
    return cv2.mean(alpha[::ALPHA_ROW_STEP])[0] / 255
