"""The decision stage on a CPU; `models.decision_rule` explains it.

OpenVINO needs ten times as long for it as OpenCV, because it pads a single channel to sixteen.
"""

from __future__ import annotations

import cv2
import numpy as np

from app.core.types import Floats
from app.matting.base.state import StateArrays, copy_into
from models.decision_rule import DecisionRule


class CpuDecision:
    """Holds the decisions of one stream."""

    def __init__(self, rule: DecisionRule, height: int, width: int) -> None:
        """height, width: of the small frame."""
        self._rule = rule
        self._band = np.ones((2 * rule.band + 1,) * 2, np.uint8)
        self._last: Floats = np.zeros((height, width), np.float32)

    def reset(self) -> None:
        """Forget the stream."""
        self._last.fill(0)

    def state(self) -> StateArrays:
        """Return a copy of the decisions."""
        return {"last": self._last.copy()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the decisions. Raises KeyError or ValueError if the arrays do not fit."""
        copy_into(self._last, arrays["last"])

    def apply(self, alpha: Floats) -> None:
        """Limit alpha (h, w), in 0..1, in place to what the decisions nearby allow."""
        rule = self._rule
        foreground = _mean(alpha, 1)
        foreground -= np.float32(0.5)
        foreground += np.float32(rule.hysteresis) * self._last
        foreground /= np.float32(rule.width)
        foreground += np.float32(0.5)
        np.clip(foreground, 0, 1, out=foreground)
        lowest = _mean(np.asarray(cv2.erode(foreground, self._band), np.float32), rule.ramp)
        highest = _mean(np.asarray(cv2.dilate(foreground, self._band), np.float32), rule.ramp)
        np.minimum(np.maximum(alpha, lowest, out=alpha), highest, out=alpha)
        foreground *= 2
        foreground -= 1
        self._last = foreground


def _mean(plane: Floats, radius: int) -> Floats:
    size = 2 * radius + 1
    return np.asarray(cv2.blur(plane, (size, size), borderType=cv2.BORDER_REPLICATE), np.float32)
