"""The usual loop around a published network, with which `bench` compares the frame step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from app.core.types import BgrImage


def usual_loop(
    network: Callable[..., Any], backdrop: BgrImage, ratio: float, device: str, precision: str = "float32"
) -> Callable[[BgrImage], BgrImage]:
    """Return the straightforward step around a published network: float RGB in numpy, network in torch, back in numpy.

    It turns frames into composites, (H, W, 3) uint8 BGR like the backdrop. precision: dtype of the network.
    """
    import torch

    behind = cv2.cvtColor(backdrop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
    state: list[torch.Tensor] = []

    def step(frame: BgrImage) -> BgrImage:
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        source = torch.from_numpy(rgb).permute(2, 0, 1).unsqueeze(0).to(device, getattr(torch, precision))
        with torch.no_grad():
            foreground, alpha, *state[:] = network(source, *state, downsample_ratio=ratio)
        person, part = (each[0].permute(1, 2, 0).float().cpu().numpy() for each in (foreground, alpha))
        composite = person * part + behind * (1 - part)
        return np.asarray(cv2.cvtColor((composite * 255).astype(np.uint8), cv2.COLOR_RGB2BGR), np.uint8)

    return step
