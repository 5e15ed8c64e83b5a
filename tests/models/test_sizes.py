"""Sizes of RVM's frames, features and states."""

import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given, settings
from hypothesis import strategies as st

from models.blocks import make_divisible
from models.rvm.sizes import feature_sizes, small_size

pytestmark = pytest.mark.torch


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 500), st.floats(0.05, 1))
def test_small_size_is_what_torch_makes_of_the_ratio(height: int, width: int, ratio: float) -> None:
    try:
        size = small_size(height, width, ratio)
    except ValueError:
        assert min(height, width) * ratio < 1
        return
    resized = functional.interpolate(
        torch.zeros(1, 1, height, width), scale_factor=ratio, mode="bilinear", recompute_scale_factor=False
    )
    assert resized.shape[2:] == size


@pytest.mark.parametrize("ratio", [0, -0.5, 1.01, float("nan")])
def test_a_ratio_out_of_range_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="downsample ratio"):
        small_size(720, 1280, ratio)


def test_a_frame_that_would_vanish_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        small_size(3, 3, 0.25)


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(1, 1000))
def test_features_halve_rounding_up(height: int, width: int) -> None:
    assert feature_sizes(height, width) == [(-(-height // 2**i), -(-width // 2**i)) for i in range(1, 5)]


@settings(deadline=None)
@given(st.integers(1, 2000))
def test_widths_are_multiples_of_eight_near_the_wish(width: int) -> None:
    rounded = make_divisible(width)
    assert rounded % 8 == 0
    assert rounded >= 0.9 * width
    assert rounded <= max(8, width + 8)
