"""Edge-control kernels for CPUs, compiled by numba; see `app.matting.kernels.composite`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.kernels.jit import READ, READ_STEPS, WRITE, Bytes, jit, rows

F32 = np.float32


@jit
def _despill(person: Bytes, alpha: Bytes, amount: np.float32) -> None:
    for x in range(alpha.shape[0]):
        blue, green, red = F32(person[3 * x]), F32(person[3 * x + 1]), F32(person[3 * x + 2])
        edge = min(F32(4) * (F32(1) - F32(alpha[x]) * F32(1 / 255)), F32(1))
        spill = max(green - max(red, blue), F32(0)) * edge
        person[3 * x + 1] = np.uint8(np.int32(green - amount * spill + F32(0.5)))


@jit
def _parts(alpha: Bytes, parts: Floats) -> None:
    """Convert each alpha to 0..1, repeated for the three colours of its pixel."""
    for x in range(alpha.shape[0]):
        part = F32(alpha[x]) * F32(1 / 255)
        parts[3 * x] = part
        parts[3 * x + 1] = part
        parts[3 * x + 2] = part


@jit
def _mix(person: Bytes, backdrop: Bytes, parts: Floats, composite: Bytes) -> None:
    for i in range(person.shape[0]):
        background = F32(backdrop[i])
        composite[i] = np.uint8(np.int32(background + (F32(person[i]) - background) * parts[i] + F32(0.5)))


@rows(WRITE, READ, READ, float, WRITE)
def blend_rows(
    foreground: Bytes, alpha: Bytes, backdrop: Bytes, despill: float, composite: Bytes, top: int, bottom: int
) -> None:
    """Composite a foreground over the backdrop, after despilling half-transparent pixels by `despill` (0..1).

    foreground (despilled in place), backdrop, composite: (H, 3 * W); alpha: (H, W).
    """
    parts = np.empty(3 * alpha.shape[1], np.float32)
    for y in range(top, bottom):
        if despill > 0:
            _despill(foreground[y], alpha[y], F32(despill))
        _parts(alpha[y], parts)
        _mix(foreground[y], backdrop[y], parts, composite[y])


@rows(WRITE, READ, READ, READ)
def extend_colour_rows(foreground: Bytes, beyond: Bytes, before: Bytes, after: Bytes, top: int, bottom: int) -> None:
    """Blend the foreground (H, 3 * W) into `beyond` where feathering raised alpha (H, W)."""
    for y in range(top, bottom):
        for x in range(after.shape[1]):
            if after[y, x] > before[y, x]:
                own = F32(before[y, x]) / F32(after[y, x])
                own *= own
                for i in range(3 * x, 3 * x + 3):
                    outer = F32(beyond[y, i])
                    foreground[y, i] = np.uint8(np.int32(outer + (F32(foreground[y, i]) - outer) * own + F32(0.5)))


@rows(READ, WRITE, READ_STEPS)
def smooth_alpha_rows(alpha: Bytes, previous_alpha: Bytes, steps: NDArray[np.int16], top: int, bottom: int) -> None:
    """Move `previous_alpha` (H, W) towards `alpha` (H, W) by `steps` (511,), indexed by their difference + 255."""
    for y in range(top, bottom):
        for x in range(alpha.shape[1]):
            last = np.int32(previous_alpha[y, x])
            previous_alpha[y, x] = np.uint8(last + steps[np.int32(alpha[y, x]) - last + 255])
