"""The networks of the tests, and moving frames for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from app.core.settings import MattingSettings
from app.core.types import BgrImage
from app.matting.base.interface import MattingEngine
from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork
from models.u2net.network import U2Net
from tests.golden.fill import image
from tests.toy.network import ToyNetwork
from tests.toy.spec import TOY

NETWORKS: dict[str, Callable[[], torch.nn.Module]] = {
    "rvm-mobilenetv3": MattingNetwork,
    "mattecam": MattecamNetwork,
    "u2netp": lambda: U2Net(small=True),
    TOY.name: ToyNetwork,
}

BuildEngine = Callable[[MattingSettings, int, int], MattingEngine]


def frames(width: int, height: int, count: int, seed: int = 0) -> list[BgrImage]:
    """Return (height, width, 3) uint8 frames with motion between them."""
    return [
        np.ascontiguousarray(
            (image(height, width, seed, t) * 255).round().astype(np.uint8).transpose(1, 2, 0)[..., ::-1]
        )
        for t in range(count)
    ]
