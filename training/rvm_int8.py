"""RVM in int8 as a network in torch: for calibration, and for measurements of its quality."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.blocks import halve
from models.exchange import state_names
from models.export import Export
from models.rvm.network import MattingNetwork, State, export, parts_of, quantized
from training.saving import input_scales

LAYERS: tuple[str, ...] = (
    "decoder.deepest.0.block.0.0",
    "decoder.deepest.0.block.3.0",
    "decoder.deepest.1.block.0.0",
    "decoder.deepest.1.block.3.0",
    "decoder.deepest.2.0",
    "decoder.aspp.aspp1.0",
    "decoder.decode4.gru.ih.0",
    "decoder.decode4.gru.hh.0",
    "decoder.decode3.conv.0",
    "decoder.decode3.gru.ih.0",
    "decoder.decode3.gru.hh.0",
    "decoder.decode2.coarser",
    "decoder.decode2.block.gru.ih.0",
    "decoder.decode2.block.gru.hh.0",
    "decoder.decode1.coarser",
    "decoder.decode1.block.gru.ih.0",
    "decoder.decode1.block.gru.hh.0",
    "decoder.decode0.coarser",
    "decoder.decode0.rest.1",
)
"""Convolutions in int8: the 1x1 ones of the encoder's last layers, and those of the decoder that
take most time.
"""


class ExportedNetwork(MattingNetwork):
    """RVM MobileNetV3 that computes its features with exported parts, one frame at a time."""

    def __init__(self, network: MattingNetwork, exported: Export) -> None:
        super().__init__()
        self.load_state_dict(network.state_dict())
        self.stages = exported.stages
        self.parts = parts_of(exported)
        self.eval()

    def _decode(self, src_small: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, State]:
        arrays = {"small": src_small, **dict(zip(state_names(4)[0], state, strict=True))}
        image = src_small
        for name in ("half1", "half2", "half3"):
            arrays[name] = image = halve(image)
        for stage in self.stages:
            outputs = self.parts[stage.name](*(arrays[name] for name in stage.reads))
            arrays |= zip(stage.writes, outputs, strict=True)
        return arrays["matte"], (arrays["next0"], arrays["next1"], arrays["next2"], arrays["next3"])


def in_int8(network: MattingNetwork, layers: tuple[str, ...] = LAYERS) -> ExportedNetwork:
    """Return RVM with these convolutions in int8; `training.calibration` sets the scales. Takes the
    deep filter.
    """
    with torch.no_grad():
        return ExportedNetwork(network, quantized(export(network, direct=False), layers))


def scales_of(network: ExportedNetwork) -> dict[str, Tensor]:
    """Return the content of the file with the scales."""
    return input_scales(network.parts)
