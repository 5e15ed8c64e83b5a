"""The bundled networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.mattecam.paths import BUNDLED, BUNDLED_WITH_PLATE
from models.spec import AutoRank, NetworkSpec, WeightSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.export import Export


def _load(tensors: Mapping[str, Tensor], refiner: str) -> nn.Module:
    from models.mattecam.bundled import network_of

    return network_of(tensors)


def _export(network: nn.Module, direct: bool) -> Export:
    from models.mattecam.export import export

    return export(network, direct)


def _load_with_plate(tensors: Mapping[str, Tensor], refiner: str) -> nn.Module:
    from models.mattecam.bundled import network_with_plate_of

    return network_with_plate_of(tensors)


def _export_with_plate(network: nn.Module, direct: bool) -> Export:
    from models.mattecam.export import export_with_plate

    return export_with_plate(network, direct)


STUDENT = NetworkSpec(
    title="Standard",
    weights=WeightSpec("mattecam", BUNDLED.name, "GPL-3.0", "Mattecam's own, ships with the program"),
    load=_load,
    export=_export,
    short_side=180,
    precisions=("float32", "float16", "bfloat16", "int8"),
    auto=AutoRank(cpu=5, gpu=6),
)
STUDENT_PLATE = NetworkSpec(
    title="Standard, with a photo of your empty room",
    weights=WeightSpec(
        "mattecam-plate",
        BUNDLED_WITH_PLATE.name,
        "GPL-3.0",
        "Mattecam's own, needs a picture of the empty room, ships with the program",
    ),
    load=_load_with_plate,
    export=_export_with_plate,
    needs_plate=True,
    short_side=180,
    auto=AutoRank(cpu=3, gpu=3),
)
