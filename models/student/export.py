"""Inference core of the bundled network: everything but the guided filter, in one part."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from models.export import Export, ExportStage, example_inputs
from models.filter_weights import FastFilterWeights
from models.names import state_names
from models.student.network import EPS, StudentNetwork


class Body(nn.Module):
    """The network at the small size, before the guided filter."""

    def __init__(self, network: StudentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, small: Tensor, r1: Tensor, r2: Tensor, r3: Tensor) -> tuple[Tensor, ...]:
        """Return the matte (1, 4, h, w) and the new states."""
        return self.network.matte(small, r1, r2, r3)


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export the bundled network."""
    examples, states = example_inputs(network)
    before, after = state_names(len(states))
    body = Body(cast("StudentNetwork", network))
    stage = ExportStage("body", body, ("small", *before), ("given", *after), (*before, *after))
    return Export((stage,), examples, states, FastFilterWeights(EPS, renormalize_borders=True))
