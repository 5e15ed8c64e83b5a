"""The toy network's row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.spec import NetworkSpec, WeightSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.export import Export


def _load(tensors: Mapping[str, Tensor], refiner: str) -> nn.Module:
    from tests.toy.network import ToyNetwork

    network = ToyNetwork()
    network.load_state_dict(tensors, strict=True)
    return network


def _export(network: nn.Module, direct: bool) -> Export:
    from models.export import export_whole

    return export_whole(network)


TOY = NetworkSpec(
    title="Toy", weights=WeightSpec("toy", "toy.pth", "GPL-3.0", "a toy"), load=_load, export=_export, short_side=180
)
