"""Inference core of Background Matting V2: the base network, and the refiner on windows around single cells."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from models.bgmv2.network import MattingRefine
from models.bgmv2.windows import CONTEXT_CHANNELS, IMAGE_CHANNELS, WINDOW
from models.export import PROBE, Export, ExportStage, Method


class Base(nn.Module):
    """The base network with outputs in the layout that the executor reads."""

    def __init__(self, network: MattingRefine) -> None:
        super().__init__()
        self.network = network

    def forward(self, small: Tensor, small_plate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return matte (1, 4, h, w): residual, alpha; error (1, 1, h, w); [hidden, alpha, residual] (1, 36, h, w)."""
        alpha, residual, error, hidden = self.network.coarse(small, small_plate)
        return torch.cat([residual, alpha], 1), error, torch.cat([hidden, alpha, residual], 1)


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export both networks. Between them the executor selects the cells and cuts their windows."""
    network = cast("MattingRefine", network)
    examples = {name: torch.zeros(1, 3, PROBE, PROBE) for name in ("small", "small_plate")}
    examples["context"] = torch.zeros(2, CONTEXT_CHANNELS, WINDOW, WINDOW)
    examples["images"] = torch.zeros(2, IMAGE_CHANNELS, WINDOW, WINDOW)
    windows = ("context", "images")
    return Export(
        (
            ExportStage("base", Base(network), ("small", "small_plate"), ("matte", "error", "features"), ("features",)),
            ExportStage("refiner", Method(network.refiner, "solve"), windows, ("refined",), (*windows, "refined")),
        ),
        examples,
    )
