"""Image encoders with output stride 16 that return features at 1/2, 1/4, 1/8 and 1/16."""

from torch import Tensor

Features = tuple[Tensor, Tensor, Tensor, Tensor]
"""Features (B, C_i, ceil(H / 2^i), ceil(W / 2^i)) for i = 1, 2, 3, 4, finest first."""
