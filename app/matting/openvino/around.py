"""Arithmetic around a network that OpenVINO is slow at: cells, decision, forgetting, comparison with a plate."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from app.core.types import Floats
from app.matting.base.interface import StateArrays, copy_into
from app.matting.kernels.network_arrays import halve_rows, pixel_rows
from models.rules import NEAR, OTHER, REACH, SAME, DecisionRule, ForgettingRule


def unpack(cells: Floats, alpha_margin: float, matte: Floats) -> None:
    """Fill the matte (4, h, w) from cells (ceil(h / 2), ceil(w / 2), 16); see `models.export.Export`.

    OpenVINO takes 1 ms more of a step for it.
    """
    pixel_rows(cells, matte, 0, matte.shape[1])
    alpha = matte[3]
    # The sigmoid as a hyperbolic tangent, which cannot overflow.
    alpha *= 0.5
    np.tanh(alpha, out=alpha)
    alpha *= 0.5 / (1 - 2 * alpha_margin)
    alpha += 0.5
    np.clip(alpha, 0, 1, out=alpha)


class LastFrame:
    """What a stage remembers of the last frame of one stream."""

    def __init__(self, last: Floats) -> None:
        """last: before the first frame, zeros."""
        self._last = last

    def reset(self) -> None:
        """Forget the stream."""
        self._last.fill(0)

    def state(self) -> StateArrays:
        """Return a copy."""
        return {"last": self._last.copy()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore it. Raises KeyError or ValueError if the arrays do not fit."""
        copy_into(self._last, arrays["last"])


class CpuDecision(LastFrame):
    """The decision stage, which remembers its decisions; `models.rules` explains it.

    OpenVINO needs ten times as long for it as OpenCV, because it pads a single channel to sixteen.
    """

    def __init__(self, rule: DecisionRule, height: int, width: int) -> None:
        """height, width: of the small frame."""
        super().__init__(np.zeros((height, width), np.float32))
        self._rule = rule
        self._band = np.ones((2 * rule.band + 1,) * 2, np.uint8)

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


_SQUARE = np.ones((3, 3), np.uint8)


class CpuForgetting(LastFrame):
    """Clears memories where the picture changes; `models.rules` explains it."""

    def __init__(self, rule: ForgettingRule, height: int, width: int) -> None:
        """height, width: of the small frame."""
        super().__init__(_quartered(np.zeros((3, height, width), np.float32)))
        self._rule = rule

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


class SmallPlate:
    """The plate at the size of the small frame, to compare frames with; `models.mattecam.plate` explains it.

    What depends on the plate alone is computed once.
    """

    def __init__(self, plate: Floats, maps: Floats) -> None:
        """plate: (3, h, w), RGB in 0..1. maps: (5, h, w), see `models.names`; the plate is copied into it."""
        self._plate, self._maps = plate, maps
        maps[:3] = plate
        blurred = [_blurred(channel) for channel in plate]
        around = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
        self._highest = np.stack([cv2.dilate(channel, around) for channel in blurred])
        self._lowest = np.stack([cv2.erode(channel, around) for channel in blurred])
        self._near = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
        self._changed = np.ones(plate.shape[1:], np.float32)

    def compare(self, small: Floats) -> None:
        """Fill the differences in `maps` for a small frame (3, h, w)."""
        smooth = np.stack([_blurred(channel) for channel in small])
        away = np.maximum(smooth - self._highest, self._lowest - smooth).max(0)
        np.maximum(away, 0, out=away)
        self._maps[3] = away
        np.mean(np.abs(small - self._plate), axis=0, out=self._maps[4])
        near = np.asarray(cv2.dilate(away, self._near), np.float32)
        np.clip((near - SAME) / (OTHER - SAME), 0, 1, out=self._changed)

    def limit(self, alpha: Floats) -> None:
        """Set alpha (h, w) to 0 where the compared frame is the plate all around."""
        alpha *= self._changed


def _blurred(channel: Floats) -> Floats:
    return np.asarray(cv2.blur(channel, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
