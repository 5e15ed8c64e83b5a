"""In a dark frame the network sees a brighter one, and its matte is that of the frame as it is."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import EdgeSettings
from app.core.types import BgrImage, Matte
from app.matting.base.interface import Backend, StepGeometry
from app.matting.base.parameters import DARK, MOST_GAIN, network_gain
from app.matting.openvino import openvino_backend
from tests.clips import demo
from tests.matting.networks import bundled_backend

SIZE = 320, 180
GEOMETRY = StepGeometry(*SIZE, 1.0)
EDGES = EdgeSettings(strict="off")
FRAMES = demo(*SIZE, range(6), motion=0.2)
DARK_FRAMES = [(frame * 0.25).astype(np.uint8) for frame in FRAMES]


def last_of(backend: Backend, frames: list[BgrImage]) -> Matte:
    """Return the matte of the last frame, with its foreground."""
    return [backend.step(frame, np.zeros_like(frame), EDGES, want_foreground=True) for frame in frames][-1]


@given(mean=st.floats(0, 1), more=st.floats(0, 0.01))
def test_the_gain_is_bounded_and_has_no_jumps(mean: float, more: float) -> None:
    gain, next_gain = network_gain(mean), network_gain(mean + more)
    assert 1 <= gain <= MOST_GAIN
    assert abs(gain - next_gain) < 41 * more + 1e-9
    if mean >= DARK:
        assert gain == 1


def test_the_matte_of_a_dark_frame_is_nearer_to_that_of_a_lit_one(monkeypatch: pytest.MonkeyPatch) -> None:
    errors, foregrounds = [], []
    for gain in (network_gain, lambda mean: 1.0):
        monkeypatch.setattr(openvino_backend, "network_gain", gain)
        with closing(bundled_backend(GEOMETRY)) as lit, closing(bundled_backend(GEOMETRY)) as dark:
            expected, found = last_of(lit, FRAMES), last_of(dark, DARK_FRAMES)
        errors.append(np.abs(found.alpha / 255.0 - expected.alpha / 255.0).mean())
        opaque = (found.alpha == 255) & (expected.alpha == 255)
        assert found.foreground is not None
        foregrounds.append(np.abs(found.foreground[opaque].astype(int) - DARK_FRAMES[-1][opaque]).mean())
    assert errors[0] < 0.9 * errors[1]
    assert foregrounds[0] < 2, "the person keeps the colours of the frame"


@pytest.mark.torch
def test_torch_gives_the_same_matte_of_a_dark_frame() -> None:
    from app.matting.torch.frame_step import Core
    from app.matting.torch.torch_backend import TorchBackend
    from models.mattecam.bundled import load_bundled

    torch_backend = TorchBackend(Core(load_bundled()).eval(), GEOMETRY)
    with closing(bundled_backend(GEOMETRY)) as one, closing(torch_backend) as other:
        first, second = last_of(one, DARK_FRAMES), last_of(other, DARK_FRAMES)
    assert np.abs(first.alpha.astype(int) - second.alpha).max() <= 3
    assert np.abs(first.composite.astype(int) - second.composite).max() <= 3
