"""Transparency of pictures: alpha in decoded frames, straight colours, and colours behind transparent parts.

Colours are straight unless they are called premultiplied: those of a pixel of alpha 0 mean nothing, and may hold
anything, also what a cut-out hides.
"""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from app.core.types import AlphaImage, BgrImage

BgraImage = NDArray[np.uint8]
"""(height, width, 4): blue, green, red and alpha."""
BLACK = (0, 0, 0)
SURE_ALPHA = 8
"""From here on a film keeps the colours of a pixel; below, those of its surroundings count as well."""


def has_alpha(frame: VideoFrame) -> bool:
    """Return whether the format of a frame has alpha."""
    return any(component.is_alpha for component in frame.format.components)


def over(image: BgraImage, colour: tuple[int, int, int] = BLACK) -> BgrImage:
    """Return the picture over a colour, (blue, green, red)."""
    weights = cv2.cvtColor(image[..., 3], cv2.COLOR_GRAY2BGR)
    shown = cv2.multiply(image[..., :3], weights, scale=1 / 255)
    if any(colour):
        behind = np.full_like(weights, colour)
        shown = cv2.add(shown, cv2.multiply(behind, cv2.bitwise_not(weights), scale=1 / 255))
    return np.asarray(shown, np.uint8)


def over_colour(frame: VideoFrame, matrix: int | None, colour: tuple[int, int, int] = BLACK) -> VideoFrame:
    """Return a frame with a colour behind its transparent parts; one without alpha as it is.

    matrix: that of its YUV; None for the one that the frame names. The result has no side data.
    """
    if not has_alpha(frame):
        return frame
    image = frame.reformat(format="bgra", src_colorspace=matrix).to_ndarray()
    return VideoFrame.from_ndarray(over(np.asarray(image, np.uint8), colour), "bgr24")


def straight(premultiplied: BgrImage, alpha: AlphaImage) -> BgrImage:
    """Return the colours of premultiplied ones, and black where alpha is 0.

    They tell no more of what lies behind a faint pixel than the picture over black does.
    """
    soft = (alpha > 0) & (alpha < 255)
    weights = alpha[soft].astype(np.uint32)[:, None]
    colours = premultiplied.copy()
    colours[soft] = np.minimum((premultiplied[soft] * np.uint32(255) + weights // 2) // weights, 255)
    return colours


def extended(image: BgraImage) -> BgraImage:
    """Return the picture with the colours of its opaque parts continued into the transparent ones.

    Codecs of video mix the colours of neighbours, so that black beside the person would darken the edge.
    """
    sure = np.maximum(image[..., 3].astype(np.float32) - SURE_ALPHA, 0) * np.float32(1 / (255 - SURE_ALPHA))
    colours = _continued(np.dstack([image[..., :3] * sure[..., None], sure]))
    share = np.minimum(image[..., 3].astype(np.float32) * np.float32(1 / SURE_ALPHA), 1)[..., None]
    mixed = image[..., :3] * share + colours[..., :3] * (1 - share)
    return np.dstack([np.rint(mixed).clip(0, 255).astype(np.uint8), image[..., 3]])


def _continued(weighted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the colours of weighted ones, (H, W, 4) with the weight last; where it is below 1, also those around."""
    height, width = weighted.shape[:2]
    if max(height, width) <= 1:
        return np.asarray(weighted / np.maximum(weighted[..., 3:], np.float32(1e-6)), np.float32)
    half = cv2.resize(weighted, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    around = cv2.resize(_continued(np.asarray(half)), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(weighted + (1 - weighted[..., 3:]) * around, np.float32)
