"""Reference loop for the benchmark: a straightforward implementation around a published network.

Converts the frame to float RGB in numpy, runs the network in torch, composites in numpy and converts back to uint8.
Network, weights, frame size and ratio are those of the frame step that it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from app.core.types import BgrImage

Network = Callable[..., tuple[Tensor, ...]]


class UsualLoop:
    """Matting and compositing of one frame at a time, on host images."""

    def __init__(
        self,
        network: Network,
        backdrop: BgrImage,
        ratio: float,
        device: str,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Take the network and the background, (H, W, 3) uint8 BGR. dtype: dtype of the network."""
        self._network = network
        self._backdrop = cv2.cvtColor(backdrop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        self._ratio = ratio
        self._state: list[Tensor] = []
        self._device = device
        self._dtype = dtype

    def step(self, frame: BgrImage) -> BgrImage:
        """Return the composite of `frame`; both are (H, W, 3) uint8 BGR."""
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        source = torch.from_numpy(rgb).permute(2, 0, 1).unsqueeze(0).to(self._device, self._dtype)
        with torch.no_grad():
            foreground, alpha, *self._state = self._network(source, *self._state, downsample_ratio=self._ratio)
        person = foreground[0].permute(1, 2, 0).float().cpu().numpy()
        part = alpha[0].permute(1, 2, 0).float().cpu().numpy()
        composite = person * part + self._backdrop * (1 - part)
        return np.asarray(cv2.cvtColor((composite * 255).astype(np.uint8), cv2.COLOR_RGB2BGR), np.uint8)
