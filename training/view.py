"""Cropping a photo of people as by a webcam, and what such a crop shows."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

_ABOVE = 1 / 12
"""Space above the head as a fraction of the frame's height, if the photo has it."""
_FEWEST_PIXELS = 3
"""Person's pixels in a row below which it is not the top of a head."""
_ONE_PIECE = 0.95
_LEAST_HEIGHT = 0.35
_HEADS, _ONE_HEAD = 0.4, 0.15
"""Largest share of pixels beside the longest run of each row if there is one head."""
_SHOULDERS = 1.35
"""Least width of shoulders relative to the head."""


def filling(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Return the image (H, W, C <= 4) scaled to fill `size` (width, height), cropped mostly at the
    bottom.
    """
    scaled = _covering(image, size)
    return _cut(scaled, size, (scaled.shape[0] - size[1]) // 5)


def head_in_view(layers: Pixels, size: tuple[int, int]) -> Pixels:
    """Return the photo scaled to fill `size` (width, height) and cropped as by a webcam: the head
    is in view.

    layers: uint8 (H, W, C), the last channel the alpha of the people.
    """
    scaled = _covering(layers, size)
    top = min(
        max(0, top_of_head(scaled[..., -1]) - round(size[1] * _ABOVE)), scaled.shape[0] - size[1]
    )
    return _cut(scaled, size, top)


def top_of_head(alpha: Pixels) -> int:
    """Return the first row in which a matte, uint8 (H, W), shows a person; 0 if there is none."""
    rows = np.flatnonzero((alpha > 127).sum(1) > _FEWEST_PIXELS)
    return int(rows[0]) if rows.size else 0


def shows_head_and_shoulders(alpha: Pixels) -> bool:
    """Return whether a matte, uint8 (H, W), shows one person with head and shoulders or more.

    False for faces that fill the frame, cropped heads, several heads and distant people.
    """
    height = alpha.shape[0]
    _, labels, pieces, _ = cv2.connectedComponentsWithStats((alpha > 127).astype(np.uint8))
    if len(pieces) < 2:
        return False
    largest = 1 + int(np.argmax(pieces[1:, cv2.CC_STAT_AREA]))
    if pieces[largest, cv2.CC_STAT_AREA] < _ONE_PIECE * pieces[1:, cv2.CC_STAT_AREA].sum():
        return False
    widths = (labels == largest).sum(1)
    first, last = np.flatnonzero(widths)[[0, -1]]
    tall = height - int(first)
    if first == 0 or last < height - 2 or tall < _LEAST_HEIGHT * height:
        return False
    head = float(np.median(widths[first + int(0.12 * tall) : first + int(0.4 * tall)]))
    if _beside_the_longest(labels[first : first + int(_HEADS * tall)] == largest) > _ONE_HEAD:
        return False
    return bool(widths[-max(1, int(0.15 * tall)) :].max() >= _SHOULDERS * head)


def _beside_the_longest(shown: npt.NDArray[np.bool_]) -> float:
    """Return the share of pixels of `shown` (H, W) outside the longest run of their row."""
    longest = 0
    for row in shown:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
        longest += int(np.diff(edges)[::2].max(initial=0))
    return 1 - longest / max(1, int(shown.sum()))


def _covering(image: Pixels, size: tuple[int, int]) -> Pixels:
    height, width = image.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    scaled = max(size[0], round(width * scale)), max(size[1], round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(np.ascontiguousarray(image), scaled, interpolation=method), np.uint8
    )


def _cut(scaled: Pixels, size: tuple[int, int], top: int) -> Pixels:
    left = (scaled.shape[1] - size[0]) // 2
    return scaled[top : top + size[1], left : left + size[0]]
