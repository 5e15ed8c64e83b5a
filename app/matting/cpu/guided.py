"""Runs a network's guided filter on the CPU.

OpenVINO makes thirty passes over memory for it; the kernels in `app.matting.kernels.guided_filter` make one.
"""

from __future__ import annotations

from app.matting.kernels.guided_filter import fast_filter_rows, learned_filter_rows
from models.filter_weights import FilterWeights, Floats, LearnedFilterWeights

Outputs = tuple[Floats, Floats, Floats]


def filter_rows(weights: FilterWeights, matte: Floats, small: Floats, outputs: Outputs, top: int, bottom: int) -> None:
    """Fill rows `top` to `bottom` of slope, offset (4, h, w) and coarse alpha (1, h, w).

    matte: the filter's input (C, h, w); small: (3, h, w), RGB in 0..1.
    """
    if isinstance(weights, LearnedFilterWeights):
        matrices = weights.project, weights.box, weights.first, weights.second, weights.third
        learned_filter_rows(small, matte, *matrices, *outputs, top, bottom)
    else:
        borders = weights.renormalize_borders
        fast_filter_rows(small, matte, weights.epsilon, borders, *outputs, top, bottom)
