"""Frames that need no matting because they equal the last one: a still video, a source that repeats frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.compositing.overlay import Overlay
from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Frame, Picture

SETTLED_STEPS = 30
"""Steps after a reset until the recurrent state has settled; before, even equal frames improve the matte."""
SAMPLED_ROWS = 32
"""Every 32nd row is compared first, which tells nearly all frames of a camera apart."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a composite depends on besides its frame."""

    sequence: tuple[int, int]
    """As in `Run`: of the source and the engine."""
    backdrop: Backdrop
    edges: EdgeSettings
    want_foreground: bool
    edited: bool = False
    """Whether the matte is edited, which depends on the frames before."""
    overlay: Overlay | None = None
    hides: tuple[object, ...] = ()
    """As in `Settings`; whether a composite that is shown already may stay."""

    def equal(self, other: Conditions) -> bool:
        """Return whether these are the same; images of a background and overlays by identity."""
        return (
            not (self.edited or other.edited)
            and self.sequence == other.sequence
            and _same_backdrop(self.backdrop, other.backdrop)
            and self.edges == other.edges
            and self.want_foreground == other.want_foreground
            and self.overlay is other.overlay
        )


def _same_backdrop(backdrop: Backdrop, other: Backdrop) -> bool:
    if isinstance(backdrop, BlurredBackground) and isinstance(other, BlurredBackground):
        return backdrop == other
    return backdrop is other


def same_image(image: BgrImage, other: BgrImage) -> bool:
    """Return whether both images are equal."""
    if image.shape != other.shape:
        return False
    return np.array_equal(image[::SAMPLED_ROWS], other[::SAMPLED_ROWS]) and np.array_equal(image, other)


class UnchangedFrames:
    """Keeps the last composite and returns it for a frame that would give the same one."""

    def __init__(self) -> None:
        self._last: tuple[Conditions, Picture] | None = None
        self._steps = 0

    def composite(self, conditions: Conditions, frame: Frame) -> Picture | None:
        """Return the last composite if this frame and its conditions equal the last ones, else None."""
        if self._last is None or self._steps < SETTLED_STEPS:
            return None
        last, picture = self._last
        if picture.frame is None or not last.equal(conditions):
            return None
        return picture if same_image(frame.image, picture.frame.image) else None

    def note(self, conditions: Conditions, picture: Picture) -> None:
        """Keep a composite that was shown."""
        settled = self._last is not None and self._last[0].sequence == conditions.sequence
        self._steps = self._steps + 1 if settled else 1
        self._last = conditions, picture

    def forget(self) -> None:
        """Forget the last composite: it was not shown, or the engine was reset."""
        self._last = None
