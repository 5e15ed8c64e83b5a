"""Numpy and OpenCV fallback for `app.matting.kernels.composite`, for machines where numba does not run.

The functions process whole frames: `top` must be 0 and `bottom` the height.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.shaping import View, viewed
from app.core.types import Floats

Bytes = NDArray[np.uint8]


def shrink_rows(frame: Bytes, across: float, down: float, small: Floats, top: int, bottom: int) -> None:
    """See `kernels.shrink_rows`."""
    y0, y1, fy = _grid(small.shape[1], frame.shape[0], 1 / down)
    x0, x1, fx = _grid(small.shape[2], frame.shape[1], 1 / across)
    upper, lower = frame[y0].astype(np.float32), frame[y1].astype(np.float32)
    rows = upper + (lower - upper) * fy[:, None, None]
    columns = rows[:, x0] + (rows[:, x1] - rows[:, x0]) * fx[None, :, None]
    small[:] = (columns / 255).transpose(2, 0, 1)[::-1]


def halve_rows(picture: Floats, halved: Floats, top: int, bottom: int) -> None:
    """See `kernels.halve_rows`."""
    even = np.pad(picture, ((0, 0), (0, picture.shape[1] % 2), (0, picture.shape[2] % 2)), "edge")
    halved[:] = (even[:, ::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, ::2] + even[:, 1::2, 1::2]) / 4


def pixel_rows(cells: Floats, planes: Floats, top: int, bottom: int) -> None:
    """See `network_arrays.pixel_rows`."""
    count, height, width = planes.shape
    pixels = cells.reshape(*cells.shape[:2], count, 2, 2).transpose(2, 0, 3, 1, 4)
    planes[:] = pixels.reshape(count, 2 * cells.shape[0], -1)[:, :height, :width]


def view_rows(frame: Bytes, shown: Bytes, left: float, above: float, size: float, top: int, bottom: int) -> None:
    """See `view.view_rows`."""
    image = frame.reshape(len(frame), -1, 3)
    shown[:] = viewed(image, View(left, above, size)).reshape(frame.shape)


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


def place_rows(
    person: Bytes,
    alpha: Bytes,
    backdrop: Bytes,
    composite: Bytes,
    placed_alpha: Bytes,
    left: int,
    above: int,
    top: int,
    bottom: int,
) -> None:
    """See `kernels.place_rows`."""
    height, width = placed_alpha.shape
    composite[:], placed_alpha[:] = backdrop, 0
    first, last = max(left, 0), min(left + alpha.shape[1], width)
    begin, end = max(above, 0), min(above + alpha.shape[0], height)
    if first >= last or begin >= end:
        return
    part = alpha[begin - above : end - above, first - left : last - left]
    colours = person[begin - above : end - above, 3 * (first - left) : 3 * (last - left)]
    parts = np.repeat(part, 3, axis=1).astype(np.int32)
    behind = backdrop[begin:end, 3 * first : 3 * last] * (255 - parts) + 128
    composite[begin:end, 3 * first : 3 * last] = np.minimum(colours, parts) + ((behind + (behind >> 8)) >> 8)
    placed_alpha[begin:end, first:last] = part


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


def hold_rows(alpha: Bytes, previous_alpha: Bytes, steps: NDArray[np.int16], top: int, bottom: int) -> None:
    """See `kernels.hold_rows`."""
    previous_alpha[:] = previous_alpha + steps[alpha.astype(np.int16) - previous_alpha + 255]


def spread_rows(foreground: Bytes, beyond: Bytes, before: Bytes, after: Bytes, top: int, bottom: int) -> None:
    """See `kernels.spread_rows`."""
    height, width = after.shape
    own = np.square(before / np.maximum(after, 1).astype(np.float32))[..., None]
    own[after <= before] = 1
    outer = beyond.reshape(height, width, 3).astype(np.float32)
    inner = foreground.reshape(height, width, 3)
    foreground[:] = _bytes(outer + (inner - outer) * own).reshape(height, -1)


def relight_rows(
    slope: Floats, offset: Floats, maps: Floats, new_slope: Floats, new_offset: Floats, top: int, bottom: int
) -> None:
    """See `relight.relight_rows`."""
    gains, biases = resized_maps(maps, slope.shape[2], slope.shape[1])
    new_slope[:3], new_slope[3] = gains * (1 + slope[:3]) - 1, slope[3]
    new_offset[:3], new_offset[3] = gains * offset[:3] + biases, offset[3]


def relight_composite_rows(
    foreground: Bytes, alpha: Bytes, maps: Floats, composite: Bytes, top: int, bottom: int
) -> None:
    """See `relight.relight_composite_rows`."""
    height, width = alpha.shape
    gains, biases = (part[::-1].transpose(1, 2, 0) for part in resized_maps(maps, width, height))
    person, shown = foreground.reshape(height, width, 3), composite.reshape(height, width, 3)
    lit = np.clip(gains * person + biases * 255, 0, 255)
    mixed = np.clip(shown + (lit - person) * (alpha / np.float32(255))[..., None], 0, 255)
    seen = alpha > 0
    foreground.reshape(height, width, 3)[seen] = _bytes(lit[seen])
    composite.reshape(height, width, 3)[seen] = _bytes(mixed[seen])


def learned_filter_rows(
    small: Floats,
    hidden: Floats,
    project: Floats,
    box: Floats,
    first: Floats,
    second: Floats,
    third: Floats,
    slope: Floats,
    offset: Floats,
    coarse: Floats,
    top: int,
    bottom: int,
) -> None:
    """See `filter_kernels.learned_filter_rows`."""
    matte = _convolved(project, hidden)
    coarse[0] = np.clip(matte[3], 0, 1)
    sums = [_summed(group, box) for group in _paired(small, matte)]
    known = np.concatenate([sums[2] - sums[0] * sums[1], sums[3] - sums[0] * sums[0], hidden])
    inner = np.maximum(_convolved(first, known), 0)
    slope[:] = _convolved(third, np.maximum(_convolved(second, inner), 0))
    offset[:] = sums[1] - slope * sums[0]


def fast_filter_rows(
    small: Floats,
    matte: Floats,
    epsilon: float,
    within: bool,
    slope: Floats,
    offset: Floats,
    coarse: Floats,
    top: int,
    bottom: int,
) -> None:
    """See `filter_kernels.fast_filter_rows`."""
    coarse[0] = np.clip(matte[3], 0, 1)
    box = np.full((4, 9), 1 / 9, np.float32)
    weight = _summed(np.ones_like(matte), box) if within else np.float32(1)
    x, y, xy, xx = (_summed(group, box) / weight for group in _paired(small, matte))
    slope[:] = (xy - x * y) / (xx - x * x + np.float32(epsilon))
    offset[:] = y - slope * x


def _paired(small: Floats, matte: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return x, y, x * y and x * x, (4, h, w) each, of [R, G, B, mean of RGB] and the matte."""
    image = np.concatenate([small, small.mean(0, keepdims=True)])
    return image, matte, image * matte, image * image


def _summed(planes: Floats, box: Floats) -> Floats:
    """Return 3x3 sums of (4, h, w) weighted by (4, 9), zero-padded."""
    kernels = box.reshape(-1, 3, 3)
    sums = [
        cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_CONSTANT)
        for plane, kernel in zip(planes, kernels, strict=True)
    ]
    return np.stack(sums).astype(np.float32)


def _convolved(weights: Floats, planes: Floats) -> Floats:
    """Apply a 1x1 convolution (M, N + 1), bias last, to (N, h, w)."""
    result: Floats = np.tensordot(weights[:, :-1], planes, 1) + weights[:, -1, None, None]
    return result


def _grid(count: int, size: int, step: float) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Return the two source pixels of each of `count` samples, and the weight of the second."""
    source = np.maximum((np.arange(count) + 0.5) * step - 0.5, 0)
    first = np.minimum(source.astype(np.intp), size - 1)
    return first, np.minimum(first + 1, size - 1), (source - first).astype(np.float32)


def _resize(planes: Floats, width: int, height: int) -> Floats:
    """Resize (4, h, w) to (H, W, 4), bilinear."""
    resized: Floats = cv2.resize(planes.transpose(1, 2, 0), (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return resized


def resized_maps(maps: Floats, width: int, height: int) -> tuple[Floats, Floats]:
    """Return gains and biases (3, height, width) of maps (6, h, w), bilinear."""
    planes = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in maps]
    stacked = np.stack(planes).astype(np.float32, copy=False)
    return stacked[:3], stacked[3:]


def _bytes(values: NDArray[np.floating]) -> Bytes:
    return (values + 0.5).astype(np.uint8)
