"""Inference core of U2-Net: everything but the guided filter, in one part."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from models.export import Export, ExportStage, example_inputs
from models.filter_weights import FastFilterWeights
from models.names import state_names
from models.rvm.guided_filter import EPS
from models.u2net.saliency import SalientNetwork


class SaliencyExport(nn.Module):
    """The network at the small size, before the guided filter."""

    def __init__(self, network: SalientNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, small: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Return the matte (1, 4, h, w) and the new state."""
        return self.network.matte(small, last)


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export U2-Net."""
    examples, states = example_inputs(network)
    before, after = state_names(len(states))
    body = SaliencyExport(cast("SalientNetwork", network))
    stage = ExportStage("body", body, ("small", *before), ("matte", *after), (*before, *after))
    return Export((stage,), examples, states, FastFilterWeights(EPS, renormalize_borders=False))
