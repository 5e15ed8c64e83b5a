"""The decision stage on a CPU is the one in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from app.core.types import Floats
from app.matting.openvino.around import CpuDecision
from models.mattecam.parts import Decision
from models.rules import DecisionRule

pytestmark = pytest.mark.torch

RULE = DecisionRule()


def stream(height: int, width: int, count: int) -> list[Floats]:
    """Return alphas with regions that are certain, unsure, and that change."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    alphas = []
    for t in range(count):
        body = 1 / (1 + np.exp((np.hypot(x - width / 2 - 3 * t, y - height) - height / 2) / 1.5))
        ghost = 0.25 + 0.35 * (np.sin(x / 9 + t / 2) * np.cos(y / 7) > 0)
        alphas.append(np.clip(np.maximum(body, ghost * (x < width / 3)) + random.normal(0, 0.02, x.shape), 0, 1))
    return [alpha.astype(np.float32) for alpha in alphas]


@pytest.mark.parametrize("size", [(45, 80), (37, 51), (8, 9)])
def test_every_frame_of_a_stream_is_as_in_torch(size: tuple[int, int]) -> None:
    cpu, reference, last = CpuDecision(RULE, *size), Decision(RULE), torch.zeros(1, 1, *size)
    for alpha in stream(*size, 6):
        wanted, last = reference(torch.from_numpy(alpha)[None, None], last)
        found = alpha.copy()
        cpu.apply(found)
        np.testing.assert_allclose(found, wanted[0, 0].numpy(), atol=1e-4)


def test_a_reset_forgets_the_stream() -> None:
    cpu = CpuDecision(RULE, 45, 80)
    first, second = stream(45, 80, 2)
    fresh = second.copy()
    CpuDecision(RULE, 45, 80).apply(fresh)

    cpu.apply(first)
    used = second.copy()
    cpu.apply(used)
    cpu.reset()
    cpu.apply(second)

    assert not np.array_equal(used, fresh)
    np.testing.assert_array_equal(second, fresh)
