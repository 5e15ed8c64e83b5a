"""The toy network's row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.table import NetworkSpec, WeightSpec, late

if TYPE_CHECKING:
    from torch import Tensor, nn


def _load(tensors: Mapping[str, Tensor], refiner: str) -> nn.Module:
    from tests.toy.network import ToyNetwork

    network = ToyNetwork()
    network.load_state_dict(tensors, strict=True)
    return network


TOY = NetworkSpec(
    title="Toy",
    weights=WeightSpec("toy", "toy.pth", "GPL-3.0"),
    load=_load,
    export=late("export", "export_whole"),
    short_side=180,
)
