"""What surrounds a network in OpenVINO is as in torch: cells of its matte, the decision stage, cleared memories."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.openvino.around import decide, forget_changed, quartered, unpack
from models.mattecam.network import ALPHA_MARGIN, MattecamNetwork, stretched
from models.mattecam.parts import Decision, Forgetting
from models.rules import DecisionRule, ForgettingRule

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("size", [(6, 8), (7, 9), (1, 1)])
def test_cells_become_the_matte_of_the_network(size: tuple[int, int]) -> None:
    height, width = size
    shape = (-(-height // 2), -(-width // 2), 16)
    cells = np.random.default_rng(1).normal(0, 4, shape).astype(np.float32)
    cells[0, 0, 12:] = 1000, -1000, 0, 5  # no overflow
    matte = np.full((4, height, width), np.nan, np.float32)
    unpack(cells, ALPHA_MARGIN, matte)

    raw = functional.pixel_shuffle(torch.from_numpy(cells).permute(2, 0, 1)[None], 2)[:, :, :height, :width]
    wanted = torch.cat([raw[:, :3], stretched(raw[:, 3:])], 1)[0].numpy()
    np.testing.assert_array_equal(matte[:3], wanted[:3])
    np.testing.assert_allclose(matte[3], wanted[3], atol=1e-6)


def test_a_broken_logit_stays_broken() -> None:
    """The step then refuses the matte; see `NotAMatteError`."""
    matte = np.zeros((4, 2, 2), np.float32)
    unpack(np.full((1, 1, 16), np.nan, np.float32), ALPHA_MARGIN, matte)
    assert np.isnan(matte).all()


DECIDING = DecisionRule()


def changing_alphas(height: int, width: int, count: int) -> list[Floats]:
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
    reference, last, known = Decision(DECIDING), np.zeros(size, np.float32), torch.zeros(1, 1, *size)
    for alpha in changing_alphas(*size, 6):
        wanted, known = reference(torch.from_numpy(alpha)[None, None], known)
        found = alpha.copy()
        decide(found, last, DECIDING)
        np.testing.assert_allclose(found, wanted[0, 0].numpy(), atol=1e-4)


FORGETTING = ForgettingRule()


def frames_with_disc(height: int, width: int, count: int) -> list[NDArray[np.float32]]:
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
    reference, last = Forgetting(FORGETTING), quartered(np.zeros((3, *size), np.float32))
    state = MattecamNetwork().initial_state(1, *size)
    seen = state[3]
    for frame in frames_with_disc(*size, 4):
        memories = [np.ones((1, *memory.shape[2:], 5), np.float32) for memory in state[:3]]
        forget_changed(frame, last, FORGETTING, memories)
        shares, seen = reference(torch.from_numpy(frame)[None], seen, 1)
        assert shares is not None
        for memory, share in zip(memories, shares, strict=True):
            np.testing.assert_allclose(memory, share[0, 0, :, :, None].expand(memory.shape[1:])[None], atol=1e-4)
    assert 0.01 < np.mean(memories[0] < 0.5) < 0.7
