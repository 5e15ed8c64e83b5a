"""Loads and exports the networks whose weights ship with the program.

The inference core is exported up to the cells of the matte, without forgetting.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from models.exchange import PLATE_CHANNELS, FastFilterWeights, state_names
from models.export import Export, ExportStage, Method, example_inputs
from models.mattecam.network import (
    ALPHA_MARGIN,
    DECISION,
    EPS,
    FORGETTING,
    MattecamNetwork,
    PlateNetwork,
    Trunk,
)
from models.mattecam.quantized import load_quantized
from models.table import BUNDLED, BUNDLED_WITH_PLATE


def load(path: Path = BUNDLED) -> MattecamNetwork:
    """Return Mattecam's network with weights from a file that `training.saving` wrote, in
    evaluation mode.

    Raises OSError if the file is missing, RuntimeError if it does not match the network exactly.
    """
    return network_of(load_file(path)).eval()


def load_with_plate() -> PlateNetwork:
    """Return the network that also sees a plate, with its bundled weights; see `load`."""
    return network_with_plate_of(load_file(BUNDLED_WITH_PLATE)).eval()


def network_of(tensors: Mapping[str, Tensor], refiner: str = "auto") -> MattecamNetwork:
    """Return the network with these weights, in float or int8.

    Raises RuntimeError if they do not match exactly.
    It has one refiner.
    """
    if any(tensor.dtype == torch.int8 for tensor in tensors.values()):
        return load_quantized(tensors)
    network = MattecamNetwork.for_weights(tensors)
    network.load_state_dict(tensors, strict=True)
    return network


def network_with_plate_of(tensors: Mapping[str, Tensor], refiner: str = "auto") -> PlateNetwork:
    """Return the network that also sees a plate with these weights; RuntimeError as in
    `network_of`.
    """
    network = PlateNetwork.for_weights(tensors)
    network.load_state_dict(tensors, strict=True)
    return network


class Beginning(nn.Module):
    """The trunk up to 1/8.

    Like RVM's first layers, it would cause most of the error in bfloat16.
    """

    def __init__(self, network: MattecamNetwork, trunk: Trunk) -> None:
        super().__init__()
        self.mean = network.mean
        self.deviation = network.deviation
        self.encoder = trunk.encoder

    def forward(self, small: Tensor) -> Tensor:
        """Return the features at 1/8, (1, 40, ceil(h / 8), ceil(w / 8))."""
        return self.encoder.begin((small - self.mean) / self.deviation)


class MattecamExport(nn.Module):
    """The network at the small size, up to the cells of its matte."""

    def __init__(self, network: MattecamNetwork, reads: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.reads = reads

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the cells (1, 16, ceil(h / 2), ceil(w / 2)), r1, r2, r3; a plate does not limit
        alpha yet.
        """
        x = dict(zip(self.reads, inputs, strict=True))
        small = x["small"]
        if "plate" in x:
            small = torch.cat([small, x["plate"]], 1)
        before, _ = state_names(3)
        r1, r2, r3 = (x[name] for name in before)
        cells, _, memories = self.network.cells(small, r1, r2, r3, deep=x.get("deep"))
        return cells, *memories


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export the bundled network."""
    return export_images(("small",), network)


def export_images(images: tuple[str, ...], network: nn.Module, direct: bool = False) -> Export:
    """Export a bundled network that sees these images: `small`, also with `plate`."""
    network = cast("MattecamNetwork", network)
    examples, states = example_inputs(network)
    examples["plate"] = examples["small"].new_zeros(1, PLATE_CHANNELS, *examples["small"].shape[2:])
    # The last ones are what was seen and decided.
    states = states[:-2]
    before, after = state_names(len(states))
    deep: tuple[str, ...] = ()
    stages: tuple[ExportStage, ...] = ()
    if network.trunk is not None:
        begun = ("begun",)
        deep = ("deep",)
        beginning = Beginning(network, network.trunk)
        trunk = Method(network.trunk, "finish")
        stages = (
            ExportStage(
                "beginning",
                beginning,
                ("small",),
                begun,
                begun,
                float32=True,
                steady=True,
            ),
            ExportStage("trunk", trunk, begun, deep, (*begun, *deep), steady=True),
        )
    reads = (*images, *deep, *before)
    body = ExportStage(
        "body",
        MattecamExport(network, reads),
        reads,
        ("cells", *after),
        ("cells", *deep, *before, *after),
    )
    weights = FastFilterWeights(EPS, renormalize_borders=True)
    return Export((*stages, body), examples, states, weights, DECISION, FORGETTING, ALPHA_MARGIN)
