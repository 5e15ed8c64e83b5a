"""The loop people write around a published network, to measure ours against.

Camera frame to float RGB by numpy, network in torch, composite in numpy, back to 8 bits: the same network, weights,
size and ratio as the frame step it stands beside.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from app.core.types import BgrImage

Network = Callable[..., tuple[Tensor, ...]]


class UsualLoop:
    """Frame (H, W, 3) uint8 BGR to composite of the same kind."""

    def __init__(
        self,
        network: Network,
        backdrop: BgrImage,
        ratio: float,
        states: int,
        device: str,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """dtype: the network's."""
        self._network = network
        self._backdrop = cv2.cvtColor(backdrop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        self._ratio = ratio
        self._state: list[Tensor | None] = [None] * states
        self._device = device
        self._dtype = dtype

    def step(self, frame: BgrImage) -> BgrImage:
        """One frame."""
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        source = torch.from_numpy(rgb).permute(2, 0, 1).unsqueeze(0).to(self._device, self._dtype)
        with torch.no_grad():
            foreground, alpha, *state = self._network(source, *self._state, self._ratio)
        self._state = list(state)
        person = foreground[0].permute(1, 2, 0).float().cpu().numpy()
        part = alpha[0].permute(1, 2, 0).float().cpu().numpy()
        composite = person * part + self._backdrop * (1 - part)
        return np.asarray(cv2.cvtColor((composite * 255).astype(np.uint8), cv2.COLOR_RGB2BGR), np.uint8)


def frozen(network: nn.Module, source: Tensor, states: tuple[Tensor, ...], ratio: float) -> Network:
    """The network traced and frozen by TorchScript for this size and ratio; called like the network."""

    class AtRatio(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
            outputs: tuple[Tensor, ...] = self.network(image, *state, downsample_ratio=ratio)
            return outputs

    with warnings.catch_warnings(), torch.no_grad():
        # Tracing warns of sizes taken as constants; here they are.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(AtRatio().eval(), (source, *states), check_trace=False)  # type: ignore[no-untyped-call]
        traced = torch.jit.freeze(traced)

    def call(image: Tensor, *rest: Tensor | float | None) -> tuple[Tensor, ...]:
        state = [before if isinstance(before, Tensor) else first for before, first in zip(rest, states, strict=False)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs: tuple[Tensor, ...] = traced(image, *state)
        return outputs

    return call
