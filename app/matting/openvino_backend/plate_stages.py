"""Background Matting V2 as two OpenVINO models: the base network, and the refiner on windows of a fixed number."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from app.matting.openvino_backend.conversion import kept_model
from app.matting.openvino_backend.runtime import ov, preprocess

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.bgmv2 import MattingRefine

PROBE = 64
WINDOW = 8
"""The refiner sees a cell as so many pixels a side, at half size and at full size."""
CONTEXT_CHANNELS, IMAGE_CHANNELS = 42, 6
"""Hidden features, coarse matte, frame and plate; frame and plate."""


class PlateStages(NamedTuple):
    """Both models; they must not be changed by the caller."""

    base: ov.Model
    """Small frame and small plate (1, 3, h, w), RGB in 0..1, to matte (1, 4, h, w): residual, alpha; the expected error
    (1, 1, h, w); and what the refiner takes (1, h, w, 36): hidden, alpha, residual."""
    refiner: ov.Model
    """Windows (N, 8, 8, 42) at half size and (N, 8, 8, 6) at full size to the matte (N, 4, 4, 4): alpha, residual."""


def load_stages(model: str, weights: Path) -> PlateStages:
    """Converted once, kept as in `conversion`. Raises ModelError where the file is not these weights."""
    return PlateStages(
        kept_model(f"{model}-base", weights, lambda: _convert_base(_network(model, weights))),
        kept_model(f"{model}-refiner", weights, lambda: _convert_refiner(_network(model, weights))),
    )


def _network(model: str, weights: Path) -> MattingRefine:
    from app.matting.torch_backend.networks import load_core
    from models.bgmv2 import MattingRefine

    network = load_core(model, weights, "auto", 1.0, "cpu", "float32").network
    assert isinstance(network, MattingRefine)
    return network


def _convert_base(network: MattingRefine) -> ov.Model:
    import torch
    from torch import nn

    class Base(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, small: Tensor, plate: Tensor) -> tuple[Tensor, ...]:
            alpha, residual, error, hidden = self.network.coarse(small, plate)
            return torch.cat([residual, alpha], 1), error, torch.cat([hidden, alpha, residual], 1)

    image = torch.zeros(1, 3, PROBE, PROBE)
    return _channels_last(_traced(Base().eval(), (image, image)), inputs=(), outputs=(2,))


def _convert_refiner(network: MattingRefine) -> ov.Model:
    import torch
    from torch import nn

    class Solver(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.refiner = network.refiner

        def forward(self, context: Tensor, images: Tensor) -> Tensor:
            return self.refiner.solve(context, images)

    windows = tuple(torch.zeros(2, channels, WINDOW, WINDOW) for channels in (CONTEXT_CHANNELS, IMAGE_CHANNELS))
    return _channels_last(_traced(Solver().eval(), windows), inputs=(0, 1), outputs=(0,))


def _traced(module: nn.Module, example: tuple[Tensor, ...]) -> ov.Model:
    import torch

    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of sizes taken as constants; the contract test covers other sizes
        # As in `app.matting.openvino_backend.conversion`: without running everything again to compare.
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        return ov.convert_model(traced, example_input=example)


def _channels_last(model: ov.Model, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> ov.Model:
    steps = preprocess.PrePostProcessor(model)
    for place in [*(steps.input(index) for index in inputs), *(steps.output(index) for index in outputs)]:
        place.tensor().set_layout(ov.Layout("NHWC"))
        place.model().set_layout(ov.Layout("NCHW"))
    return steps.build()
