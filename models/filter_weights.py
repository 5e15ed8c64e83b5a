"""Weights of a network's guided filter as plain arrays, for execution without torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LearnedFilterWeights:
    """RVM's deep guided filter with folded normalizations; its input is the decoder's features (C, h, w).

    1x1 convolutions are matrices (outputs, inputs + 1) whose last column is the bias.
    """

    project: Floats
    """(4, C + 1): from the features to [foreground residual (3), alpha]."""
    box: Floats
    """(4, 9): the 3x3 box filter of each channel."""
    first: Floats
    """(C, 8 + C + 1)"""
    second: Floats
    """(C, C + 1)"""
    third: Floats
    """(4, C + 1)"""


@dataclass(frozen=True, slots=True)
class FastFilterWeights:
    """The fast guided filter; its input is the matte (4, h, w): [foreground residual (3), alpha]."""

    epsilon: float
    renormalize_borders: bool
    """Whether means at the borders are those of the pixels inside the image; False: of zeros outside it."""


FilterWeights = LearnedFilterWeights | FastFilterWeights
