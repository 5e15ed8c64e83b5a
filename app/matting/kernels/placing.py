"""Kernel for CPUs that lays a moved person over the backdrop; see `app.matting.kernels.composite`."""

from __future__ import annotations

import numpy as np

from app.matting.kernels.jit import READ, WRITE, Bytes, jit, rows

BLOCK = 64


@jit
def _any_visible(alpha: Bytes) -> bool:
    """Return whether any of N values is above 0."""
    seen = np.uint8(0)
    for x in range(alpha.shape[0]):
        seen |= alpha[x]
    return bool(seen)


@jit
def _lay(person: Bytes, alpha: Bytes, parts: Bytes, composite: Bytes, placed_alpha: Bytes) -> None:
    """Lay N pixels over the composite. The premultiplied person is limited to alpha, so that it never adds more."""
    for x in range(alpha.shape[0]):
        part = alpha[x]
        placed_alpha[x] = part
        parts[3 * x] = part
        parts[3 * x + 1] = part
        parts[3 * x + 2] = part
    for i in range(person.shape[0]):
        part = np.uint16(parts[i])
        background = np.uint16(np.uint16(composite[i]) * np.uint16(255 - part) + np.uint16(128))
        background = np.uint16((background + (background >> 8)) >> 8)
        composite[i] = np.uint8(min(np.uint16(person[i]), part) + background)


@rows(READ, READ, READ, WRITE, WRITE, int, int)
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
    """Composite a person whose image begins at column `left`, row `above` of the backdrop, and may overhang it.

    person: (h, 3 * w) premultiplied by alpha (h, w). backdrop, composite: (H, 3 * W). placed_alpha: (H, W), 0 beside
    the image.
    """
    first, last = max(left, 0), min(left + alpha.shape[1], placed_alpha.shape[1])
    parts = np.empty(3 * BLOCK, np.uint8)
    for y in range(top, bottom):
        whole, whole_alpha, backdrop_row = composite[y], placed_alpha[y], backdrop[y]
        for i in range(whole.shape[0]):
            whole[i] = backdrop_row[i]
        for x in range(whole_alpha.shape[0]):
            whole_alpha[x] = np.uint8(0)
        row = y - above
        if row < 0 or row >= alpha.shape[0]:
            continue
        begin = first
        while begin < last:
            end = min(begin + BLOCK, last)
            part = alpha[row, begin - left : end - left]
            if _any_visible(part):
                i, j = 3 * begin, 3 * end
                _lay(person[row, i - 3 * left : j - 3 * left], part, parts, whole[i:j], whole_alpha[begin:end])
            begin = end
