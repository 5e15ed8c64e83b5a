"""Clears memories where the picture changes, on a CPU; `models.forgetting_rule` explains it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from app.core.types import Floats
from app.matting.base.state import StateArrays, copy_into
from app.matting.kernels.network_arrays import halve_rows
from models.forgetting_rule import ForgettingRule

_SQUARE = np.ones((3, 3), np.uint8)


class CpuForgetting:
    """Holds what one stream saw last."""

    def __init__(self, rule: ForgettingRule, height: int, width: int) -> None:
        """height, width: of the small frame."""
        self._rule = rule
        self._last = _quartered(np.zeros((3, height, width), np.float32))

    def reset(self) -> None:
        """Forget the stream."""
        self._last.fill(0)

    def state(self) -> StateArrays:
        """Return a copy of the means of the last frame."""
        return {"last": self._last.copy()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the means. Raises KeyError or ValueError if the arrays do not fit."""
        copy_into(self._last, arrays["last"])

    def apply(self, small: Floats, memories: Sequence[Floats]) -> None:
        """Clear the memories, (1, h, w, C) at 1/4, 1/8 and 1/16, in place for the next frame, small (3, H, W)."""
        means = _quartered(small)
        change = np.abs(means - self._last).max(0)
        self._last = means
        if float(change.max()) <= self._rule.change:
            return
        change /= np.float32(self._rule.change)
        change -= 1
        keep = 1 - np.asarray(cv2.dilate(np.clip(change, 0, 1), _SQUARE), np.float32)
        for memory in memories:
            memory *= keep[None, :, :, None]
            keep = _halved(keep[None])[0]


def _quartered(picture: Floats) -> Floats:
    return _halved(_halved(picture))


def _halved(picture: Floats) -> Floats:
    planes, height, width = picture.shape
    halved = np.empty((planes, -(-height // 2), -(-width // 2)), np.float32)
    halve_rows(picture, halved, 0, halved.shape[1])
    return halved
