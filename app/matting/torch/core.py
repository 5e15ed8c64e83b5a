"""Adapter from a network to the frame step: the part that runs at the small size, with a uniform interface.

A core is a module `core(small, *state) -> (slope, offset, coarse_alpha, *state)`. `small` is (1, 3, h, w), RGB in 0..1.
`slope` and `offset`, (1, 4, h, w), are resized to the frame's size, where they map [R, G, B, mean of RGB] to
[foreground residual (3), alpha]. `coarse_alpha` is (1, 1, h, w) in 0..1.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from app.core.types import BgrImage
from app.matting.base.interface import StepGeometry
from app.matting.torch.full_size import State, small_frame
from models.bgmv2.network import MattingRefine
from models.bgmv2.spec import CELL
from models.export import TwoStageNetwork


class Core(nn.Module):
    """Wraps a network's first stage; the frame step runs the second."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def initial_state(self, height: int, width: int) -> State:
        """Return the recurrent states before the first small frame of this size."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        return network.initial_state(1, height, width)

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope, offset, coarse alpha and the new states."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        return network.coefficients(small, *state)


def no_slope(offset: Tensor) -> Tensor:
    """Return zeros of the shape of `offset` without memory of that size."""
    return offset.new_zeros(1, 1, 1, 1).expand_as(offset)


class DirectCore(Core):
    """Core for a network that runs at full size: the matte is the offset, the slope is zero."""

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope (zero), offset, alpha and the new states."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        foreground, alpha, *new_state = network(small, *state)
        offset = torch.cat([foreground - small, alpha], 1)
        return no_slope(offset), offset, alpha, *new_state


class SeenPlateCore(Core):
    """Core of a recurrent network that sees frame and plate at the small size."""

    scale = None
    plate: Tensor
    unlit: Tensor
    """The plate as it was captured, (1, 3, h, w), RGB in 0..1."""

    def __init__(self, network: nn.Module, plate: BgrImage, geometry: StepGeometry) -> None:
        """plate: (H, W, 3) uint8 BGR, of the size of the frame."""
        super().__init__(network)
        self.size = plate.shape[0], plate.shape[1]
        small = small_frame(torch.from_numpy(plate.copy()), geometry).to(next(network.parameters()))
        self.register_buffer("unlit", small, persistent=False)
        self.register_buffer("plate", small.clone(), persistent=False)

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """See `LitPlate.set_gain`."""
        factors = torch.from_numpy(gain[::-1].astype(np.float32)).to(self.unlit).view(1, 3, 1, 1)
        self.plate.copy_((self.unlit * factors).clamp_(0, 1))

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """See `Core.forward`."""
        return super().forward(torch.cat([small, self.plate], 1), *state)


class PlateCore(Core):
    """Core of Background Matting V2 at full size: the matte is the offset; slope is zero, and there is no state.

    Frame and plate are padded to multiples of 4 pixels, as required by the refiner.
    """

    plate: Tensor
    unlit: Tensor
    """The plate as it was captured, (1, 3, H', W') uint8 RGB."""

    def __init__(self, network: nn.Module, plate: BgrImage, scale: float, sample_pixels: int) -> None:
        """Wrap a MattingRefine network.

        plate: (H, W, 3) uint8 BGR, same size as the frame. scale: of the base network's input, at most 1/2.
        sample_pixels: number of pixels to refine.
        """
        assert isinstance(network, MattingRefine)
        network = copy.deepcopy(network)  # Other engines may share these weights at another scale.
        network.backbone_scale = scale
        network.refiner.sample_pixels = sample_pixels
        super().__init__(network)
        self.scale = scale
        self.size = plate.shape[0], plate.shape[1]
        like = next(network.parameters())
        unlit = torch.from_numpy(plate[..., ::-1].copy()).permute(2, 0, 1)[None].to(like)
        self.register_buffer("unlit", _padded(unlit).to(torch.uint8), persistent=False)
        self.register_buffer("plate", self.unlit.to(like) / 255, persistent=False)

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """See `LitPlate.set_gain`; rounds as `lit_plate`."""
        factors = torch.from_numpy(gain[::-1].astype(np.float32)).to(self.unlit.device).view(1, 3, 1, 1)
        self.plate.copy_((self.unlit * factors + 0.5).clamp_(0, 255).floor_().div_(255))

    def initial_state(self, height: int, width: int) -> State:
        """Return no states: the network is not recurrent."""
        return ()

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope (zero), offset and alpha at full size; small: the whole frame (1, 3, H, W)."""
        height, width = small.shape[2:]
        alpha, foreground, *_ = self.network(_padded(small), self.plate)
        alpha, foreground = alpha[:, :, :height, :width], foreground[:, :, :height, :width]
        offset = torch.cat([foreground - small, alpha], 1)
        return no_slope(offset), offset, alpha


def _padded(image: Tensor) -> Tensor:
    height, width = image.shape[2:]
    if height % CELL == 0 and width % CELL == 0:
        return image
    return functional.pad(image, (0, -width % CELL, 0, -height % CELL), mode="replicate")
