"""Kernel that finds the connected components of a matte, compiled by numba."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.native_kernels import Array
from app.core.types import Floats
from app.matting.kernels.jit import exact, whole

AREA, CERTAIN, LEFT, TOP, RIGHT, BOTTOM = range(6)
"""Columns of the result of `components`."""
Integers = NDArray[np.int64]
_ALPHA = Array("float32", 2)


@exact
def _root(parents: Integers, run: int) -> int:
    while parents[run] != run:
        run = parents[run]
    return run


@exact
def _join(parents: Integers, run: int, other: int) -> None:
    one, two = _root(parents, run), _root(parents, other)
    parents[max(one, two)] = min(one, two)


@whole(_ALPHA, float, float, result=Array("int64", 2, writable=True))
def components(alpha: Floats, least: float, certain: float) -> Integers:
    """Return the components of pixels above `least`, which touch along edges or at corners, (N, 6).

    For each: its pixels, those of them above `certain`, and its bounding box.
    """
    height, width = alpha.shape
    most = height * ((width + 1) // 2)
    parents, runs = np.empty(most, np.int64), np.empty((most, 6), np.int64)
    count = above = here = 0  # runs in all; the first run of the row above and of this row
    for y in range(height):
        above, here = here, count
        row, x = alpha[y], 0
        while x < width:
            if not row[x] > least:
                x += 1
                continue
            begin, sure = x, 0
            while x < width and row[x] > least:
                sure += row[x] > certain
                x += 1
            parents[count] = count
            own = runs[count]
            own[AREA], own[CERTAIN], own[LEFT], own[TOP], own[RIGHT], own[BOTTOM] = x - begin, sure, begin, y, x, y + 1
            while above < here and runs[above, RIGHT] < begin:
                above += 1
            other = above
            while other < here and runs[other, LEFT] <= x:
                _join(parents, count, other)
                other += 1
            count += 1
    found = 0
    for run in range(count):
        root, own = _root(parents, run), runs[run]
        whole_component = runs[root]
        if root != run:
            whole_component[AREA] += own[AREA]
            whole_component[CERTAIN] += own[CERTAIN]
            whole_component[LEFT] = min(whole_component[LEFT], own[LEFT])
            whole_component[RIGHT] = max(whole_component[RIGHT], own[RIGHT])
            whole_component[BOTTOM] = own[BOTTOM]  # later runs lie lower, and none above the root
    for run in range(count):
        if parents[run] == run:
            runs[found] = runs[run]
            found += 1
    return runs[:found].copy()
