"""Arithmetic around a network that OpenVINO is slow at: cells, decision, forgetting, comparison with a plate."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from app.core.types import Floats
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


def decide(alpha: Floats, last: Floats, rule: DecisionRule) -> None:
    """Limit alpha (h, w), in 0..1, in place to what the decisions nearby allow; `models.rules` explains it.

    last: (h, w) the decisions of the frame before, zeros before the first one; replaced by those of this frame.
    OpenVINO needs ten times as long for it as OpenCV, because it pads a single channel to sixteen.
    """
    foreground = _mean(alpha, 1)
    foreground -= np.float32(0.5)
    foreground += np.float32(rule.hysteresis) * last
    foreground /= np.float32(rule.width)
    foreground += np.float32(0.5)
    np.clip(foreground, 0, 1, out=foreground)
    band = np.ones((2 * rule.band + 1,) * 2, np.uint8)
    lowest = _mean(np.asarray(cv2.erode(foreground, band), np.float32), rule.ramp)
    highest = _mean(np.asarray(cv2.dilate(foreground, band), np.float32), rule.ramp)
    np.minimum(np.maximum(alpha, lowest, out=alpha), highest, out=alpha)
    np.multiply(foreground, 2, out=last)
    last -= 1


def _mean(plane: Floats, radius: int) -> Floats:
    size = 2 * radius + 1
    return np.asarray(cv2.blur(plane, (size, size), borderType=cv2.BORDER_REPLICATE), np.float32)


_SQUARE = np.ones((3, 3), np.uint8)


def forget_changed(small: Floats, last: Floats, rule: ForgettingRule, memories: Sequence[Floats]) -> None:
    """Clear the memories, (1, h, w, C) at 1/4, 1/8 and 1/16, in place where the picture changes; see `models.rules`.

    small: (3, H, W) the next frame. last: (3, h, w) `quartered` of the frame before, zeros before the first one;
    replaced by that of this frame.
    """
    means = quartered(small)
    change = np.abs(means - last).max(0)
    np.copyto(last, means)
    if float(change.max()) <= rule.change:
        return
    change /= np.float32(rule.change)
    change -= 1
    keep = 1 - np.asarray(cv2.dilate(np.clip(change, 0, 1), _SQUARE), np.float32)
    for memory in memories:
        memory *= keep[None, :, :, None]
        keep = _halved(keep[None])[0]


def quartered(picture: Floats) -> Floats:
    """Return means of 4x4 pixels of planes (n, H, W), rounded up at the borders."""
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
        blurred = [_mean(channel, 1) for channel in plate]
        around = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
        self._highest = np.stack([cv2.dilate(channel, around) for channel in blurred])
        self._lowest = np.stack([cv2.erode(channel, around) for channel in blurred])
        self._near = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
        self._changed = np.ones(plate.shape[1:], np.float32)

    def compare(self, small: Floats) -> None:
        """Fill the differences in `maps` for a small frame (3, h, w)."""
        smooth = np.stack([_mean(channel, 1) for channel in small])
        away = np.maximum(smooth - self._highest, self._lowest - smooth).max(0)
        np.maximum(away, 0, out=away)
        self._maps[3] = away
        np.mean(np.abs(small - self._plate), axis=0, out=self._maps[4])
        near = np.asarray(cv2.dilate(away, self._near), np.float32)
        np.clip((near - SAME) / (OTHER - SAME), 0, 1, out=self._changed)

    def limit(self, alpha: Floats) -> None:
        """Set alpha (h, w) to 0 where the compared frame is the plate all around."""
        alpha *= self._changed
