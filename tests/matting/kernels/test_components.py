"""Connected components of a matte, compared with OpenCV's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.matting.kernels.network_arrays import components

LEAST, SURE = 0.3, 0.8


@pytest.mark.parametrize("smooth", [0.0, 0.8, 2.5])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (37, 1), (23, 31), (64, 64)])
def test_components_are_those_of_opencv(size: tuple[int, int], smooth: float) -> None:
    for seed in range(5):
        alpha = np.random.default_rng(seed).random(size, np.float32)
        if smooth:
            alpha = np.clip(np.asarray(cv2.GaussianBlur(alpha, (0, 0), smooth)).reshape(size) * 6 - 2.5, 0, 1)
        alpha = alpha.astype(np.float32)
        count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > LEAST).astype(np.uint8), connectivity=8)
        wanted = []
        for label in range(1, count):
            left, top, width, height, area = (int(value) for value in stats[label])
            sure = int(np.count_nonzero(alpha[labels == label] > SURE))
            wanted.append((area, sure, left, top, left + width, top + height))
        found = [tuple(int(value) for value in row) for row in components(alpha, LEAST, SURE)]
        assert sorted(found) == sorted(wanted)


def test_nothing_is_found_without_alpha() -> None:
    assert components(np.zeros((9, 16), np.float32), LEAST, SURE).shape == (0, 6)
    assert components(np.full((9, 16), np.nan, np.float32), LEAST, SURE).shape == (0, 6)
