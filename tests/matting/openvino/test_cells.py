"""The matte of a network's cells is that of torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from app.matting.openvino.around import unpack
from models.mattecam.network import ALPHA_MARGIN, stretched

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
