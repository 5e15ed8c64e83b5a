"""Sizes of RVM's frames, features and states."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.blocks import make_divisible
from models.rvm.network import feature_sizes

pytestmark = pytest.mark.torch


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
