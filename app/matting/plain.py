"""The same arithmetic as `app.matting.kernels` in numpy and OpenCV, for machines where numba does not run.

The functions take whole pictures: `top` must be 0 and `bottom` the height.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def shrink_rows(frame: Bytes, ratio: float, small: Floats, top: int, bottom: int) -> None:
    """See `kernels.shrink_rows`."""
    y0, y1, fy = _grid(small.shape[1], frame.shape[0], 1 / ratio)
    x0, x1, fx = _grid(small.shape[2], frame.shape[1], 1 / ratio)
    upper, lower = frame[y0].astype(np.float32), frame[y1].astype(np.float32)
    rows = upper + (lower - upper) * fy[:, None, None]
    columns = rows[:, x0] + (rows[:, x1] - rows[:, x0]) * fx[None, :, None]
    small[:] = (columns / 255).transpose(2, 0, 1)[::-1]


def finish_rows(
    frame: Bytes,
    slope: Floats,
    offset: Floats,
    backdrop: Bytes,
    composite: Bytes,
    alpha: Bytes,
    foreground: Bytes,
    top: int,
    bottom: int,
) -> None:
    """See `kernels.finish_rows`."""
    height, width = alpha.shape
    pixels = frame.reshape(height, width, 3).astype(np.float32)
    slopes, offsets = _resize(slope, width, height), _resize(offset, width, height) * 255
    part = np.clip(pixels.mean(2) * slopes[..., 3] + offsets[..., 3], 0, 255)
    alpha[:] = _bytes(part)
    person = np.clip(pixels * (1 + slopes[..., 2::-1]) + offsets[..., 2::-1], 0, 255)
    if foreground.shape[0]:
        foreground[:] = _bytes(person).reshape(height, -1)
    if composite.shape[0]:
        behind = backdrop.reshape(height, width, 3).astype(np.float32)
        composite[:] = _bytes(behind + (person - behind) * part[..., None] / 255).reshape(height, -1)


def blend_rows(
    foreground: Bytes, alpha: Bytes, backdrop: Bytes, despill: float, composite: Bytes, top: int, bottom: int
) -> None:
    """See `kernels.blend_rows`."""
    height, width = alpha.shape
    person = foreground.reshape(height, width, 3).astype(np.float32)
    part = alpha.astype(np.float32)[..., None] / 255
    if despill > 0:
        spill = np.maximum(person[..., 1] - np.maximum(person[..., 0], person[..., 2]), 0)
        person[..., 1] -= despill * spill * np.minimum(4 * (1 - part[..., 0]), 1)
        foreground[:] = _bytes(person).reshape(height, -1)
    behind = backdrop.reshape(height, width, 3).astype(np.float32)
    composite[:] = _bytes(behind + (person - behind) * part).reshape(height, -1)


def hold_rows(alpha: Bytes, held: Bytes, steps: NDArray[np.int16], top: int, bottom: int) -> None:
    """See `kernels.hold_rows`."""
    held[:] = held + steps[alpha.astype(np.int16) - held + 255]


def spread_rows(foreground: Bytes, beyond: Bytes, before: Bytes, after: Bytes, top: int, bottom: int) -> None:
    """See `kernels.spread_rows`."""
    height, width = after.shape
    own = np.square(before / np.maximum(after, 1).astype(np.float32))[..., None]
    own[after <= before] = 1
    outer = beyond.reshape(height, width, 3).astype(np.float32)
    inner = foreground.reshape(height, width, 3)
    foreground[:] = _bytes(outer + (inner - outer) * own).reshape(height, -1)


def _grid(count: int, size: int, step: float) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """The two source pixels of each of `count` samples, and the weight of the second."""
    source = np.maximum((np.arange(count) + 0.5) * step - 0.5, 0)
    first = np.minimum(source.astype(np.intp), size - 1)
    return first, np.minimum(first + 1, size - 1), (source - first).astype(np.float32)


def _resize(planes: Floats, width: int, height: int) -> Floats:
    """(4, h, w) to (H, W, 4), bilinear."""
    resized: Floats = cv2.resize(planes.transpose(1, 2, 0), (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return resized


def _bytes(values: NDArray[np.floating]) -> Bytes:
    return (values + 0.5).astype(np.uint8)
