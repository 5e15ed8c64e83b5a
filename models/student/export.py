"""Inference core of the bundled network: all but forgetting, the decision stage and the guided filter."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from models.export import Export, ExportStage, example_inputs
from models.filter_weights import FastFilterWeights
from models.names import ROOM_CHANNELS, state_names
from models.student.network import EPS, StudentNetwork


class Body(nn.Module):
    """The network at the small size, before the decision stage."""

    def __init__(self, network: StudentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, small: Tensor, r1: Tensor, r2: Tensor, r3: Tensor) -> tuple[Tensor, ...]:
        """Return the matte (1, 4, h, w), r1, r2, r3."""
        return self.network.undecided_matte(small, r1, r2, r3, None)[:4]


class PlateBody(Body):
    """The same with a plate."""

    def forward(self, small: Tensor, room: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Return the matte (1, 4, h, w), not yet limited to what has changed, r1, r2, r3."""
        r1, r2, r3 = states
        return super().forward(torch.cat([small, room], 1), r1, r2, r3)


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export the bundled network."""
    return _export(network, Body, ("small",))


def export_with_plate(network: nn.Module, direct: bool = False) -> Export:
    """Export the bundled network that sees a plate."""
    return _export(network, PlateBody, ("small", "room"))


def _export(network: nn.Module, body: type[Body], images: tuple[str, ...]) -> Export:
    student = cast("StudentNetwork", network)
    examples, states = example_inputs(network)
    examples["room"] = examples["small"].new_zeros(1, ROOM_CHANNELS, *examples["small"].shape[2:])
    states = states[:-2]  # The last ones are what was seen and decided.
    before, after = state_names(len(states))
    stage = ExportStage("body", body(student), (*images, *before), ("given", *after), (*before, *after))
    weights = FastFilterWeights(EPS, renormalize_borders=True)
    return Export((stage,), examples, states, weights, student.decision.rule, student.forgetting.rule)
