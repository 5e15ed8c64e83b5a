"""Memories are cleared on a CPU as in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from app.matting.openvino.around import CpuForgetting
from models.mattecam.network import MattecamNetwork
from models.mattecam.parts import Forgetting
from models.rules import ForgettingRule

pytestmark = pytest.mark.torch

RULE = ForgettingRule()


def stream(height: int, width: int, count: int) -> list[NDArray[np.float32]]:
    """Return noisy frames, (3, h, w), in which a dark disc rushes past."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width]
    frames = []
    for t in range(count):
        disc = np.hypot(x - width * t / count, y - height / 2) < height / 4
        frames.append(np.where(disc, 0.1, 0.7) + random.normal(0, 0.02, (3, height, width)))
    return [frame.astype(np.float32) for frame in frames]


@pytest.mark.parametrize("size", [(90, 160), (91, 163), (33, 50)])
def test_the_memories_keep_what_they_keep_in_torch(size: tuple[int, int]) -> None:
    cpu, reference = CpuForgetting(RULE, *size), Forgetting(RULE)
    state = MattecamNetwork().initial_state(1, *size)
    seen = state[3]
    for frame in stream(*size, 4):
        memories = [np.ones((1, *memory.shape[2:], 5), np.float32) for memory in state[:3]]
        cpu.apply(frame, memories)
        shares, seen = reference(torch.from_numpy(frame)[None], seen, 1)
        assert shares is not None
        for memory, share in zip(memories, shares, strict=True):
            np.testing.assert_allclose(memory, share[0, 0, :, :, None].expand(memory.shape[1:])[None], atol=1e-4)
    assert 0.01 < np.mean(memories[0] < 0.5) < 0.7


def test_a_state_resumes_the_stream_and_a_reset_forgets_it() -> None:
    size = 90, 160
    cpu, resumed = (CpuForgetting(RULE, *size) for _ in range(2))
    first, second = stream(*size, 2)

    def cleared(stage: CpuForgetting) -> NDArray[np.float32]:
        memory = np.ones((1, 23, 40, 1), np.float32)
        stage.apply(second, [memory])
        return memory

    cpu.apply(first, [])
    resumed.load_state(cpu.state())
    expected = cleared(cpu)

    np.testing.assert_array_equal(cleared(resumed), expected)
    assert 0 < expected.mean() < 1
    cpu.reset()
    assert cleared(cpu).mean() < 0.2
