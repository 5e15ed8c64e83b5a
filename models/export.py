"""Export of a network's inference core as separate parts that other runtimes can convert.

The names of the arrays between the parts are in `models.exchange`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from models.blocks import halve
from models.exchange import COEFFICIENTS, DecisionRule, FilterWeights, ForgettingRule, state_names

# Height and width of the example inputs; a multiple of 32, so that each state's factor follows from
# its size.
PROBE = 64


class TwoStageNetwork(Protocol):
    """Interface of the networks without a plate; see `app.matting.torch.frame_step`."""

    def initial_state(self, batch: int, height_small: int, width_small: int) -> tuple[Tensor, ...]:
        """Return the recurrent states before the first small frame."""

    def coefficients(self, src_small: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Return slope, offset, coarse alpha and the new states."""

    def __call__(self, src: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Return foreground, alpha and the new states without the guided filter; only of a
        `direct` network.
        """


@dataclass(frozen=True, slots=True)
class ExportStage:
    """A part of the core that reads and writes named arrays."""

    name: str
    module: nn.Module
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    # Names of the arrays that are (1, h, w, C) outside PyTorch, the layout in which CPU
    # convolutions are fastest.
    channels_last: tuple[str, ...] = ()
    float32: bool = False
    """Whether this part runs in float32 regardless of the precision of the others."""
    # Whether what this part writes also fits the next frames, if these differ little.
    steady: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """The parts of a core in execution order."""

    stages: tuple[ExportStage, ...]
    # Example inputs for tracing, of any size.
    examples: Mapping[str, Tensor]
    # (channels, factor) of each state: its size is the small frame's size divided by the factor,
    # rounded up.
    states: tuple[tuple[int, int], ...] = ()
    guided_filter: FilterWeights | None = None
    # The decision stage between the last part and the guided filter, if there is one.
    decision: DecisionRule | None = None
    # The stage before the first part that clears the states, if there is one; these are at 1/4, 1/8
    # and 1/16.
    forgetting: ForgettingRule | None = None
    # If given, the last part writes `cells` in place of `matte`, and alpha is the sigmoid of its
    # logit, from this to 1 minus this, stretched to 0..1. Runtimes are slow at rearranging few
    # channels.
    alpha_margin: float | None = None


def example_inputs(
    network: nn.Module,
    halvings: int = 0,
) -> tuple[dict[str, Tensor], tuple[tuple[int, int], ...]]:
    """Return example arrays (small frame, its halvings, states), and (channels, factor) of each
    state.
    """
    states = cast("TwoStageNetwork", network).initial_state(1, PROBE, PROBE)
    arrays = {"small": torch.zeros(1, 3, PROBE, PROBE)}
    for index in range(halvings):
        larger = arrays["small" if index == 0 else f"half{index}"]
        arrays[f"half{index + 1}"] = halve(larger)
    arrays |= dict(zip(state_names(len(states))[0], states, strict=True))
    return arrays, tuple((state.shape[1], PROBE // state.shape[2]) for state in states)


class Method(nn.Module):
    """A method of a network as a module, which can be traced."""

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        self.network = network
        self.name = name

    def forward(self, *inputs: Tensor) -> Any:
        """Return what the method returns."""
        return getattr(self.network, self.name)(*inputs)


def export_whole(network: nn.Module, direct: bool = False) -> Export:
    """Export a network as a single part; enough for a network without a guided filter."""
    examples, states = example_inputs(network)
    before, after = state_names(len(states))
    core = Method(network, "coefficients")
    stage = ExportStage(
        "core",
        core,
        ("small", *before),
        (*COEFFICIENTS, *after),
        (*before, *after),
    )
    return Export((stage,), examples, states)
