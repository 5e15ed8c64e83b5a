"""What consecutive frames tell of a stream: scene cuts, and frames so like the last ones that their
work is used again.

A cut must be told from changes within a scene, for which the recurrent state stays valid: exposure,
white balance, lights switched on or off, a person who enters or moves fast. Edges hardly change
with light, and a person leaves the edges around them in place.
"""

from __future__ import annotations

import cv2
import numpy as np

from app.core.settings import EdgeSettings, StrictLevel
from app.core.types import BgrImage, Floats
from app.matting.interface import Reuse

# Size of the thumbnails that are compared.
COLUMNS = 32
ROWS = 18
# Thumbnails are means of about this many rows of pixels.
_SAMPLED_ROWS = 90

# Correlation of gradients and of brightness, below which frames may belong to different scenes.
EDGES = 0.25
LAYOUT = 0.65
# A cut changes the colour of more than this share of the
# thumbnail by more than so many 8-bit levels.
CHANGED_LEVELS = 20.0
CHANGED_SHARE = 0.4
# Change of light that is compensated before colours are compared.
_LIGHT_RANGE = (0.3, 3.3)

# Largest change of a cell of the thumbnail, in 8-bit levels, since the frame that the network saw
# last. The noise of a webcam moves a cell by up to 3; a hand or a head that moves, by tens.
STILL_LEVELS = 4.0
# Frames of a stream that the network always sees: it settles in them.
FIRST_FRAMES = 10
# After so many still frames in a row the network looks more
# rarely: whoever talks or gestures is never still so long.
CALM_FRAMES = 30
# It then sees one of so many frames, before that one of two.
SELDOM = 12
# The picture is steady while at most this share of the cells has changed by more than so many
# 8-bit levels. Before a fixed camera it is, also with hands that move fast; with a moving camera
# it is not.
STEADY_LEVELS = 13.0
STEADY_SHARE = 0.05
# The network computes its coarse features for one of so many frames of a steady picture.
FEATURES_FRAMES = 3


def _gradients(grey: Floats) -> Floats:
    return np.stack([np.diff(grey, axis=0)[:, :-1], np.diff(grey, axis=1)[:-1]])


def _changed_share(one: Floats, other: Floats, levels: float) -> float:
    """Return the share of cells of two thumbnails that differ by more than so many levels in any
    colour.
    """
    alike = cv2.inRange(cv2.absdiff(one, other), (0, 0, 0), (levels, levels, levels))
    return 1 - cv2.countNonZero(alike) / alike.size


def _correlation(one: Floats, other: Floats) -> float:
    """Return Pearson's correlation; 0 for constant arrays."""
    one = one - one.mean()
    other = other - other.mean()
    variances = (one * one).sum() * (other * other).sum()
    return float((one * other).sum() / np.sqrt(variances + 1e-3))


class Motion:
    """Compares each frame of a stream with those before it: is it a cut, and what may the network
    skip?

    Motion ends skipping within the same frame.
    """

    def __init__(self, *, live: bool = False) -> None:
        """live: whether the network may skip anything."""
        self._live = live
        self.forget()

    def forget(self) -> None:
        """Forget the stream; its next frame is no cut."""
        # Thumbnail (18, 32, 3) of the last frame, in 0..255.
        self.thumbnail: Floats | None = None
        self.see_all()

    def see_all(self) -> None:
        """Let the network see all of the next frames, however still they are."""
        self._edges: EdgeSettings | None = None
        self._strict: StrictLevel | None = None
        self._inferred = 0
        # Thumbnail of the frame that the network saw last.
        self._seen: Floats | None = None
        # Still frames in a row.
        self._still = 0
        # Frames in a row that the network did not see.
        self._left_out = 0
        # Thumbnail of the frame of which the coarse features are.
        self._features_of: Floats | None = None
        # Frames since then.
        self._features_age = 0

    def is_cut(self, frame: BgrImage) -> bool:
        """Return whether the frame begins another scene, and remember it. frame: (H, W, 3) uint8
        BGR.
        """
        height, width = frame.shape[:2]
        stride = max(1, min(height, width) // _SAMPLED_ROWS)
        size = (width // stride, height // stride)
        sampled = cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST)
        means = cv2.resize(sampled, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        now = np.asarray(means, np.float32)
        last = self.thumbnail
        self.thumbnail = now
        if last is None:
            return False
        colour, last_colour = np.array([cv2.mean(now)[:3], cv2.mean(last)[:3]], np.float32)
        light = np.clip((colour + 1) / (last_colour + 1), *_LIGHT_RANGE)
        if _changed_share(now, last * light, CHANGED_LEVELS) <= CHANGED_SHARE:
            return False
        before = last.mean(2)
        after = now.mean(2)
        if _correlation(before, after) >= LAYOUT:
            return False
        if _correlation(_gradients(before), _gradients(after)) >= EDGES:
            return False
        self.see_all()
        return True

    def reuse(self, edges: EdgeSettings, strict: StrictLevel) -> Reuse:
        """Return what the step of the last frame may use again."""
        thumbnail = self.thumbnail
        if not self._live or thumbnail is None:
            return Reuse.NOTHING
        self._features_age += 1
        is_settled = self._inferred >= FIRST_FRAMES
        is_still = is_settled and self._is_still(thumbnail, edges, strict)
        if self._leaves_out(is_still=is_still):
            return Reuse.MATTE
        self._seen = thumbnail
        self._edges = edges
        self._strict = strict
        self._inferred += 1
        if is_settled and not is_still and self._is_steady(thumbnail):
            return Reuse.FEATURES
        self._features_of = thumbnail
        self._features_age = 0
        return Reuse.NOTHING

    def _is_still(self, thumbnail: Floats, edges: EdgeSettings, strict: StrictLevel) -> bool:
        """Return whether nothing has changed since the frame that the network saw last."""
        if edges != self._edges or strict != self._strict or self._seen is None:
            return False
        return cv2.norm(thumbnail, self._seen, cv2.NORM_INF) <= STILL_LEVELS

    def _leaves_out(self, *, is_still: bool) -> bool:
        """Return whether the network does not see this frame, and count it."""
        if not is_still:
            self._still = 0
            self._left_out = 0
            return False
        self._still += 1
        one_of = SELDOM if self._still > CALM_FRAMES else 2
        if self._left_out + 1 < one_of:
            self._left_out += 1
        else:
            self._left_out = 0
        return self._left_out > 0

    def _is_steady(self, thumbnail: Floats) -> bool:
        """Return whether the coarse features still belong to the picture."""
        features_of = self._features_of
        if features_of is None or self._features_age >= FEATURES_FRAMES:
            return False
        return _changed_share(thumbnail, features_of, STEADY_LEVELS) <= STEADY_SHARE
