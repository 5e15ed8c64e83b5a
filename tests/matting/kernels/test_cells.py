"""Means of cells, compared with numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from app.matting.kernels.network_arrays import average_cells


@pytest.mark.parametrize("size", [(180, 320), (270, 480), (184, 326), (12, 20), (5, 13), (1, 1)])
def test_every_pixel_counts_in_one_cell(size: tuple[int, int]) -> None:
    planes = np.random.default_rng(0).random((3, *size), np.float32)
    means = np.empty((3, 12, 20), np.float32)
    average_cells(planes, means)
    for c, row, column in np.ndindex(means.shape):
        top, left = row * size[0] // 12, column * size[1] // 20
        bottom, right = max(top + 1, (row + 1) * size[0] // 12), max(left + 1, (column + 1) * size[1] // 20)
        assert means[c, row, column] == pytest.approx(planes[c, top:bottom, left:right].mean(), abs=1e-6)
