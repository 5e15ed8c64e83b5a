"""Fixtures of the matting tests: reproducible weights, engines and moving frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from app.core.settings import MattingSettings
from app.matting import build_engine
from app.matting.choice.hardware import torch_usable
from app.matting.interface import MattingEngine
from models import table
from tests.golden.fill import fill
from tests.matting.stubs import BuildEngine
from tests.toy.spec import TOY


class Weights(dict[str, Path]):
    """Files with generated weights by network, each made when a test asks for it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> Path:
        import torch

        from tests.matting.torch_stubs import NETWORKS

        self[name] = self._folder / f"{name}.pth"
        torch.save(fill(NETWORKS[name]().state_dict()), self[name])
        return self[name]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return Weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def engines() -> Iterator[BuildEngine]:
    """Yield `build_engine`; close the built engines at the end."""
    with ExitStack() as stack:

        def build(settings: MattingSettings, width: int, height: int) -> MattingEngine:
            return stack.enter_context(closing(build_engine(settings, width, height)))

        yield build


@pytest.fixture(autouse=True, scope="package")
def _small_networks() -> Iterator[None]:
    """Register the toy network; reduce the input size of U2-Net, which no test depends on: fifty times faster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(table.NETWORKS, TOY.name, TOY)
        if torch_usable():
            patch.setattr("models.u2net.TRAINED_SIZE", (48, 48))
        yield
