"""Background Matting V2 as a core of the frame step: the plate is part of it."""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from app.matting.core import Core, State
from app.types import BgrImage
from models.bgmv2 import MattingRefine

CELL = 4
HD_PIXELS = 1920 * 1080
HD_SAMPLES = 80_000


class PlateCore(Core):
    """Sees the whole frame; its matte is the offset, and there is no slope and no state.

    Frame and plate are padded to multiples of 4 pixels, as the refiner needs them.
    """

    plate: Tensor
    gain: Tensor

    def __init__(self, network: nn.Module, plate: BgrImage, scale: float) -> None:
        """network: a MattingRefine; plate: (H, W, 3) of the frame's size; scale: of its small frame, at most 1/2."""
        assert isinstance(network, MattingRefine)
        network = copy.deepcopy(network)  # Others may run the same weights at another scale.
        network.backbone_scale = scale
        height, width = plate.shape[:2]
        network.refiner.sample_pixels = sample_pixels(width, height)
        super().__init__(network)
        self.scale = scale
        self.size = height, width
        like = next(network.parameters())
        image = torch.from_numpy(plate[..., ::-1].copy()).permute(2, 0, 1)[None].to(like) / 255
        self.register_buffer("plate", _padded(image), persistent=False)
        self.register_buffer("gain", torch.ones(1, 3, 1, 1).to(like), persistent=False)

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """The light of the moment: the plate is multiplied by this, (3,) BGR. In place, so that a graph sees it."""
        self.gain.copy_(torch.from_numpy(gain[::-1].copy()).view(1, 3, 1, 1))

    def initial_state(self, height: int, width: int) -> State:
        """None."""
        return ()

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """slope (zero), offset and alpha of the whole frame (1, 3, H, W)."""
        height, width = small.shape[2:]
        alpha, foreground, *_ = self.network(_padded(small), (self.plate * self.gain).clamp(0, 1))
        alpha, foreground = alpha[:, :, :height, :width], foreground[:, :, :height, :width]
        offset = torch.cat([foreground - small, alpha], 1)
        return torch.zeros_like(offset), offset, alpha


def sample_pixels(width: int, height: int) -> int:
    """How many pixels the refiner works on: the paper's 80,000 for HD, and in proportion."""
    return round(HD_SAMPLES * width * height / HD_PIXELS / 16) * 16


def _padded(image: Tensor) -> Tensor:
    height, width = image.shape[2:]
    if height % CELL == 0 and width % CELL == 0:
        return image
    return functional.pad(image, (0, -width % CELL, 0, -height % CELL), mode="replicate")
