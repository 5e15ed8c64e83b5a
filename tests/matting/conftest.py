"""Fixtures of the matting tests: reproducible weights, engines and moving frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from app.core.settings import MattingSettings
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.base import MattingEngine
from models import table
from models.rvm.network import MattingNetwork
from models.student.network import StudentNetwork
from models.u2net.network import U2Net
from tests.golden.fill import fill, image
from tests.toy.network import ToyNetwork
from tests.toy.spec import TOY

NETWORKS: dict[str, Callable[[], torch.nn.Module]] = {
    "rvm-mobilenetv3": MattingNetwork,
    "student": StudentNetwork,
    "u2netp": lambda: U2Net(small=True),
    TOY.name: ToyNetwork,
}

BuildEngine = Callable[[MattingSettings, int, int], MattingEngine]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a file with generated weights for each network."""
    folder = tmp_path_factory.mktemp("weights")
    files = {}
    for name, make in NETWORKS.items():
        files[name] = folder / f"{name}.pth"
        torch.save(fill(make().state_dict()), files[name])
    return files


@pytest.fixture
def engines() -> Iterator[BuildEngine]:
    """Yield `build_engine`; close the built engines at the end."""
    built: list[MattingEngine] = []

    def build(settings: MattingSettings, width: int, height: int) -> MattingEngine:
        built.append(build_engine(settings, width, height))
        return built[-1]

    yield build
    for engine in built:
        engine.close()


def frames(width: int, height: int, count: int, seed: int = 0) -> list[BgrImage]:
    """Return (height, width, 3) uint8 frames with motion between them."""
    return [
        np.ascontiguousarray(
            (image(height, width, seed, t) * 255).round().astype(np.uint8).transpose(1, 2, 0)[..., ::-1]
        )
        for t in range(count)
    ]


@pytest.fixture(autouse=True, scope="package")
def _small_networks() -> Iterator[None]:
    """Register the toy network; reduce the input size of U2-Net, which no test depends on: fifty times faster.

    Use one torch thread: the frames are too small to parallelize.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(table.NETWORKS, TOY.name, TOY)
        patch.setattr("models.u2net.saliency.TRAINED_SIZE", (48, 48))
        yield
    torch.set_num_threads(before)
