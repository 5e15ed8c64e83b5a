"""Fixtures of the matting tests: reproducible weights, engines and moving frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import MattingSettings
from app.matting import build_engine
from app.matting.base.interface import MattingEngine
from app.matting.choice.hardware import torch_usable
from models import table
from tests.golden.fill import fill
from tests.matting.networks import BuildEngine
from tests.toy.spec import TOY


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a file with generated weights for each network."""
    import torch

    from tests.matting.torch_stubs import NETWORKS

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


@pytest.fixture(autouse=True, scope="package")
def _small_networks() -> Iterator[None]:
    """Register the toy network; reduce the input size of U2-Net, which no test depends on: fifty times faster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(table.NETWORKS, TOY.name, TOY)
        if torch_usable():
            patch.setattr("models.u2net.TRAINED_SIZE", (48, 48))
        yield
