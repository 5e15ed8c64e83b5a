"""A sequence of frame steps for the tests of executors, and the comparison of their mattes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.geometry import StepGeometry
from app.matting.step.core import Core
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from models.student.network import StudentNetwork
from tests.golden.fill import fill
from tests.matting.conftest import frames

WIDTH, HEIGHT = 96, 64
GEOMETRY = StepGeometry(WIDTH, HEIGHT, 0.5)
OFF = EdgeSettings(strict="off")
STRICT = EdgeSettings()
TREATED = EdgeSettings(contrast=0.4, temporal_smoothing=0.6, feather_px=2, despill=0.5, strict="off")
PICTURES = frames(WIDTH, HEIGHT, 8)
BACKDROPS = frames(WIDTH, HEIGHT, 3, seed=9)


def core(broken: bool = False, make: Callable[[], nn.Module] = StudentNetwork) -> Core:
    """Return the core of the bundled or another network, with generated weights."""
    network = make()
    tensors = fill(network.state_dict())
    if broken:
        tensors["project.weight"] = torch.full_like(tensors["project.weight"], torch.nan)
    network.load_state_dict(tensors)
    return Core(network.requires_grad_(False)).eval()


Ask = tuple[BgrImage, Backdrop, EdgeSettings, bool]
ASKS: list[Ask] = [
    (PICTURES[0], BACKDROPS[0], OFF, False),
    (PICTURES[1], BACKDROPS[0], OFF, False),
    (PICTURES[2], BACKDROPS[1], OFF, True),
    (PICTURES[3], BlurredBackground(20), TREATED, False),
    (PICTURES[4], BlurredBackground(90), TREATED, True),
    (PICTURES[5], BACKDROPS[1], TREATED, False),
    (PICTURES[6], BACKDROPS[2], OFF, False),
    (PICTURES[7], BlurredBackground(90), OFF, False),
    (PICTURES[0], BACKDROPS[0], STRICT, False),
    (PICTURES[1], BACKDROPS[0], STRICT, True),
    (PICTURES[2], BlurredBackground(90), OFF, False),
]


def pipelined(executor: CudaGraphExecutor, asks: list[Ask]) -> list[Matte]:
    """Return the mattes of pipelined steps: submit each frame before collecting the last, and reuse its memory."""
    mattes: list[Matte] = []
    for index, (frame, backdrop, edges, foreground) in enumerate(asks):
        once = frame.copy()
        executor.submit(once, backdrop, edges, foreground)
        once.fill(0)
        if index:
            mattes.append(executor.collect())
    mattes.append(executor.collect())
    return mattes


def assert_close(found: list[Matte], expected: list[Matte], steps: int = 1) -> None:
    for index, (one, other) in enumerate(zip(found, expected, strict=True)):
        for name in ("alpha", "composite", "foreground"):
            have, want = getattr(one, name), getattr(other, name)
            assert (have is None) == (want is None)
            if have is not None:
                off = np.abs(have.astype(int) - want).max()
                assert off <= steps, f"{name} of frame {index} is off by {off}"
