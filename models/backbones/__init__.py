"""Image encoders with output stride 16 that return features at 1/2, 1/4, 1/8 and 1/16."""

from collections.abc import Iterable

from torch import Tensor, nn

Features = tuple[Tensor, Tensor, Tensor, Tensor]
"""Features (B, C_i, ceil(H / 2^i), ceil(W / 2^i)) for i = 1, 2, 3, 4, finest first."""


def features_of(layers: Iterable[nn.Module], image: Tensor, taps: tuple[int, ...]) -> Features:
    """Return the outputs of the four layers with these indices, which run one after the other."""
    x, found = image, list[Tensor]()
    for index, layer in enumerate(layers):
        x = layer(x)
        if index in taps:
            found.append(x)
    f1, f2, f3, f4 = found
    return f1, f2, f3, f4
