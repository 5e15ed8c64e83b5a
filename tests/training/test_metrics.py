"""Metrics compared with values of the published implementation."""

from __future__ import annotations

import numpy as np
import pytest

from tests.golden.fill import image
from tests.paths import GOLDEN
from training import metrics
from training.metrics import Alpha


def _alpha(seed: int, t: int) -> Alpha:
    level = np.clip((image(144, 256, seed, t)[0] - 0.35) * 3, 0, 1)
    alpha: Alpha = (np.round(level * 255) / 255).astype(np.float32)
    return alpha


def _pair(t: int) -> tuple[Alpha, Alpha]:
    true = _alpha(30, t)
    return np.clip(0.9 * true + 0.1 * _alpha(31, t), 0, 1).astype(np.float32), true


@pytest.mark.parametrize("name", ["mad", "mse", "grad", "conn"])
@pytest.mark.parametrize("t", [0, 1, 2])
def test_a_frames_measure_matches_the_golden_value(name: str, t: int) -> None:
    with np.load(GOLDEN / "metrics.npz") as file:
        expected = float(file[name][t])
    pred, true = _pair(t)
    assert getattr(metrics, name)(pred, true) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("t", [1, 2])
def test_dtssd_matches_the_golden_value(t: int) -> None:
    with np.load(GOLDEN / "metrics.npz") as file:
        expected = float(file["dtssd"][t])
    pred, true = _pair(t)
    pred_before, true_before = _pair(t - 1)
    assert metrics.dtssd(pred, pred_before, true, true_before) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["mad", "mse", "grad", "conn"])
@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_equal_alphas_differ_by_nothing_even_where_they_are_flat(name: str, level: float) -> None:
    flat = np.full((20, 30), level, np.float32)
    assert getattr(metrics, name)(flat, flat) == 0
