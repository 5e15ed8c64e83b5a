"""The networks of the tests in torch, and a backend whose coefficients a test chooses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from app.matting.cpu.cpu_backend import Coefficients
from app.matting.interface import StepGeometry
from app.matting.torch.frame_step import Core
from app.matting.torch.torch_backend import TorchBackend
from models.bgmv2 import MattingRefine
from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork
from models.u2net import U2Net
from tests.toy.network import ToyNetwork
from tests.toy.spec import TOY

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "rvm-mobilenetv3": MattingNetwork,
    "mattecam": MattecamNetwork,
    "bgmv2-mobilenetv2": partial(MattingRefine, "mobilenetv2"),
    "u2netp": partial(U2Net, small=True),
    TOY.name: ToyNetwork,
}


class StubNetwork(nn.Module):
    """Returns the coefficients of its backend for each stream of a batch."""

    def __init__(self, coefficients_now: Callable[[], Coefficients]) -> None:
        super().__init__()
        self._coefficients_now = coefficients_now

    def initial_state(self, batch: int, height_small: int, width_small: int) -> tuple[Tensor, ...]:
        return ()

    def coefficients(self, small: Tensor) -> tuple[Tensor, ...]:
        now = self._coefficients_now()
        tensors = (
            torch.from_numpy(array.copy()) for array in (now.slope, now.offset, now.coarse[None])
        )
        return tuple(tensor.expand(len(small), *tensor.shape) for tensor in tensors)


class StubTorch(TorchBackend):
    """The same as `StubCpu` in torch."""

    def __init__(self, geometry: StepGeometry, coefficients: Coefficients | None = None) -> None:
        super().__init__(Core(StubNetwork(lambda: self.coefficients)), geometry)
        if coefficients is not None:
            self.coefficients = coefficients
