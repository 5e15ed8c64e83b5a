"""Checks every matte before it is shown: the composite against its parts, and alpha over time."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from app.core.errors import ModelError, t
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Frame, Matte

# Largest error of a composite by rounding, of 255.
MAX_ROUNDING = 2
# Up to this alpha, of 255, a pixel of a blurred room counts as background.
MAX_BACKGROUND_ALPHA = 8
# Of a composite over an image every fourth row is compared, over the blurred room every 16th,
# beginning with another one in each frame.
IMAGE_ROW_STEP = 4
ROOM_ROW_STEP = 16
# Rows compared at a time: what is computed of them stays in the cache.
STRIP_ROWS = 48
# The mean of alpha is taken from every fourth row: no person hides between them.
ALPHA_ROW_STEP = 4
# The tiles that are compared where the background is the blurred room.
TILE_ROWS = 3
TILE_COLUMNS = 4
# Mean difference (of 255) of neighbouring pixels below which a tile shows nothing that could be
# read.
MIN_DETAIL = 2.0
# A blurred tile differs from the frame by at least this fraction of the frame's detail; a copy by
# 0.
MIN_CHANGE = 0.25
# Fraction of a tile that must be background for it to be compared.
MIN_TILE_BACKGROUND = 0.25
# Mean alpha (0..1) from which nothing is hidden: the engine fails, or a face fills the frame.
SATURATED = 0.985
# Below this mean alpha a frame-filling face counts as gone.
UNSATURATED = 0.95
# Rise of the mean alpha between two frames that no person can cause at a usual frame rate.
JUMP = 0.6
# For this long after a passed self-test a rise is believed without another one. The test resets the
# engine, and strict mode then hides people until they move: they appear suddenly once more.
TEST_VALID_S = 30.0
# How long a sudden rise must last before the self-test decides whether it is believed.
HOLD_S = 0.5
# Age of the last composite from which the output clock shows the stand-by card in its place, also
# while a suspicious alpha is held. Fixed, however long a step takes: the documents promise it.
STALE_S = 2.0


class MatteCheck:
    """The checks that a matte must pass before it is shown: of its composite, and of its mean
    alpha.

    A mean alpha is suspicious if it hides nothing (it is saturated) or rises suddenly. A sudden
    rise must last for `hold_s` before the engine is tested; one that saturates slowly, as when a
    face comes closer, is tested at once. An engine that passes its self-test is believed. The first
    alpha of another engine is compared with the last one of the engine before it.

    Keeps its buffers, so that checks allocate little. Used on the thread of its `Stream`.
    """

    def __init__(self, hold_s: float = HOLD_S) -> None:
        """hold_s: see `HOLD_S`."""
        self._differences: BgrImage = np.empty((0, 0, 3), np.uint8)
        self._permitted: BgrImage = np.empty((0, 0, 3), np.uint8)
        # Composites checked so far: with them the rows change that are compared.
        self._frames = 0
        self._hold_s = hold_s
        # Of the last matte: (source generation, engine number).
        self._sequence: tuple[int, int] | None = None
        self._last_shown_mean: float | None = None
        self._suspect_since_s: float | None = None
        self._self_test_passed_at_s: float | None = None
        # A saturated alpha was found to be real and has lasted since.
        self._accepts_saturated = False

    def check(self, matte: Matte, frame: Frame, backdrop: Backdrop) -> None:
        """Raise ModelError unless the composite is a person before this backdrop.

        A composite a·F + (1-a)·B differs from the backdrop B by at most a·255, at every pixel. A
        blurred room is not known here: it must differ from the frame where there is no person, in
        every tile with detail.

        Compares every n-th row, in each frame from another one on; n is `IMAGE_ROW_STEP` or
        `ROOM_ROW_STEP`. A fault that is n rows high is found in its first frame, a lower one within
        n frames.
        """
        height, width = frame.image.shape[:2]
        has_size = matte.composite.shape == (height, width, 3) and matte.alpha.shape == (
            height,
            width,
        )
        has_type = matte.composite.dtype == np.uint8 and matte.alpha.dtype == np.uint8
        if not has_size or not has_type:
            found_height, found_width = matte.composite.shape[:2]
            raise ModelError(
                t(
                    "The network returned {width}×{height} pixels for a frame of "
                    "{frame_width}×{frame_height}; choose another model or executor.",
                    width=found_width,
                    height=found_height,
                    frame_width=width,
                    frame_height=height,
                )
            )
        if np.may_share_memory(matte.composite, frame.image):
            raise ModelError(
                t("The network returned the camera's own frame; choose another model or executor.")
            )
        self._frames += 1
        if isinstance(backdrop, BlurredBackground):
            rows = slice(self._frames % ROOM_ROW_STEP, None, ROOM_ROW_STEP)
            composite = matte.composite[rows]
            alpha = matte.alpha[rows]
            shows_room = _has_copied_tile(composite, alpha, frame.image[rows])
        else:
            rows = slice(self._frames % IMAGE_ROW_STEP, None, IMAGE_ROW_STEP)
            composite = matte.composite[rows]
            alpha = matte.alpha[rows]
            shows_room = self._excess(composite, alpha, backdrop[rows]) > MAX_ROUNDING
        if shows_room:
            raise ModelError(
                t(
                    "The network's frame shows the real background where there is no person; "
                    "choose another model or executor."
                )
            )

    def _excess(self, composite: BgrImage, alpha: AlphaImage, backdrop: BgrImage) -> float:
        """Return the largest excess, 0..255, of the difference from the backdrop over alpha.

        Takes the compared rows of each. alpha: 0..255.
        """
        height, width = alpha.shape
        if self._differences.shape[1] != width:
            self._differences = np.empty((STRIP_ROWS, width, 3), np.uint8)
            self._permitted = np.empty((STRIP_ROWS, width, 3), np.uint8)
        excess = 0.0
        for top in range(0, height, STRIP_ROWS):
            rows = slice(top, min(top + STRIP_ROWS, height))
            difference = self._differences[: rows.stop - top]
            permitted = self._permitted[: rows.stop - top]
            cv2.absdiff(composite[rows], backdrop[rows], difference)
            cv2.cvtColor(alpha[rows], cv2.COLOR_GRAY2BGR, permitted)
            # Subtraction of uint8 saturates at 0: differences within the bound leave nothing.
            cv2.subtract(difference, permitted, difference)
            excess = max(excess, cv2.norm(difference, cv2.NORM_INF))
        return excess

    def accepts_alpha(
        self,
        mean: float,
        now_s: float,
        sequence: tuple[int, int],
        self_test: Callable[[], None],
    ) -> bool:
        """Return whether a matte with this mean alpha may be shown; False while it is held.

        mean: from `mean_alpha`. now_s: on any monotonic clock. sequence: (source generation, engine
        number): the mattes of one pair follow one another. self_test: raises ModelError if the
        engine fails on a known frame; called before a suspicious alpha is believed.
        """
        if sequence != self._sequence:
            self._begin_sequence(sequence)
        if mean < UNSATURATED:
            self._accepts_saturated = False
        is_saturated = mean >= SATURATED and not self._accepts_saturated
        has_risen = self._has_risen(mean, now_s, is_saturated=is_saturated)
        if has_risen:
            if self._suspect_since_s is None:
                self._suspect_since_s = now_s
            if now_s - self._suspect_since_s < self._hold_s:
                return False
        if has_risen or is_saturated:
            self_test()
            self._self_test_passed_at_s = now_s
            self._accepts_saturated = True
        self._suspect_since_s = None
        self._last_shown_mean = mean
        return True

    def _begin_sequence(self, sequence: tuple[int, int]) -> None:
        """Forget what was known of another source, or of the same one with another engine."""
        if self._sequence is None or sequence[0] != self._sequence[0]:
            # Another source may show anything. Another engine may not: it is measured by the last
            # mean of the engine before it.
            self._last_shown_mean = None
        self._suspect_since_s = None
        self._self_test_passed_at_s = None
        self._accepts_saturated = False
        self._sequence = sequence

    def _has_risen(self, mean: float, now_s: float, *, is_saturated: bool) -> bool:
        """Return whether the mean alpha rose as no person can make it rise."""
        if not is_saturated:
            if self._last_shown_mean is None:
                return False
            tested_at_s = self._self_test_passed_at_s
            if tested_at_s is not None and now_s - tested_at_s < TEST_VALID_S:
                return False
        # Without an earlier matte, a saturated one rises from nothing.
        return mean - (self._last_shown_mean or 0.0) >= JUMP


def _has_copied_tile(composite: BgrImage, alpha: AlphaImage, frame: BgrImage) -> bool:
    """Return whether a tile with detail shows the frame itself where there is no person."""
    background = (alpha <= MAX_BACKGROUND_ALPHA).view(np.uint8)
    height, width = background.shape
    for row in range(TILE_ROWS):
        top = row * height // TILE_ROWS
        bottom = (row + 1) * height // TILE_ROWS
        for column in range(TILE_COLUMNS):
            left = column * width // TILE_COLUMNS
            right = (column + 1) * width // TILE_COLUMNS
            tile = (slice(top, bottom), slice(left, right))
            if _is_copied(composite[tile], frame[tile], background[tile]):
                return True
    return False


def _is_copied(composite: BgrImage, frame: BgrImage, background: AlphaImage) -> bool:
    """Return whether a tile shows the frame itself. background: 1 where there is no person."""
    pixels = cv2.countNonZero(background)
    if pixels <= MIN_TILE_BACKGROUND * background.size:
        return False
    change = cv2.norm(composite, frame, cv2.NORM_L1, background) / (3 * pixels)
    neighbours = cv2.absdiff(frame[:, 1:], frame[:, :-1])
    detail = sum(cv2.mean(neighbours, background[:, 1:])[:3]) / 3
    return detail >= MIN_DETAIL and change < MIN_CHANGE * detail


def mean_alpha(alpha: AlphaImage) -> float:
    """Return the mean of alpha, 0..1, measured in a part of the rows. alpha: 0..255."""
    return cv2.mean(alpha[::ALPHA_ROW_STEP])[0] / 255
