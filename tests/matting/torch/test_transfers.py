"""Networks and uploads on a GPU: folded normalization, what is uploaded once, and the cache of networks."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from app.core.settings import EdgeSettings
from app.core.types import BgrImage
from app.matting.base.edges import plan
from app.matting.plate.picture import lit_plate
from app.matting.torch import torch_edges
from app.matting.torch.core import PlateCore
from app.matting.torch.networks import fold_batch_norms, forget_networks, load_core, load_network, place
from app.matting.torch.torch_backend import Transfers
from models.bgmv2.network import MattingRefine
from models.mattecam.network import MattecamNetwork
from models.mattecam.spec import BUNDLED
from models.rvm.network import MattingNetwork
from tests.golden.fill import fill
from tests.matting.networks import frames

pytestmark = pytest.mark.torch


def filled(network: nn.Module) -> nn.Module:
    network.load_state_dict(fill(network.state_dict()))
    return network.eval().requires_grad_(False)


def test_on_the_cpu_a_network_keeps_its_normalization() -> None:
    assert any(
        isinstance(module, nn.BatchNorm2d) for module in place(MattecamNetwork(), "cpu", torch.float32).modules()
    )


def plate_core(plate: BgrImage) -> PlateCore:
    return PlateCore(filled(MattingRefine("mobilenetv2")), plate, 0.5, 640).eval()


@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (0.83, 1.0, 1.21), (2.5, 0.4, 1.003)])
def test_the_light_of_a_plate_is_set_on_the_device_as_on_the_cpu(gain: tuple[float, float, float]) -> None:
    plate = frames(62, 45, 1)[0]
    core = plate_core(plate)
    core.set_gain(np.array(gain, np.float32))
    lit = core.plate[0, :, :45, :62].mul(255).round().to(torch.uint8).permute(1, 2, 0).flip(2).numpy()
    np.testing.assert_array_equal(lit, lit_plate(plate, np.array(gain, np.float32)))


def step_of(name: str, weights: dict[str, Path]) -> tuple[nn.Module, Callable[[torch.Tensor], Sequence[torch.Tensor]]]:
    """Return a network, and what computes its outputs for a first frame of 64x48 pixels."""
    if name == "bgmv2":
        core = plate_core(frames(64, 48, 1)[0])
        return core, core
    if name == "u2netp":
        saliency = copy.deepcopy(load_core(name, weights[name], "auto", 0.5, "cpu", "float32"))
        return saliency, lambda image: saliency(image, *saliency.initial_state(48, 64))
    made = MattecamNetwork(trunk=True, wide=True) if name == "mattecam" else MattingNetwork(name)  # type: ignore[arg-type]
    network: Any = filled(made)
    return network, lambda image: network.coefficients(image, *network.initial_state(1, 48, 64))


@pytest.mark.parametrize(
    "name", ["mobilenetv3", pytest.param("resnet50", marks=pytest.mark.long), "mattecam", "u2netp", "bgmv2"]
)
def test_a_folded_network_returns_the_same(name: str, weights: dict[str, Path]) -> None:
    network, step = step_of(name, weights)
    image = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = step(image)
        fold_batch_norms(network)
        assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
        for one, other in zip(step(image), wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=2e-4)


def test_tables_of_the_edge_controls_are_uploaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    uploads: list[object] = []
    real = torch.from_numpy

    def counted(array: BgrImage) -> torch.Tensor:
        uploads.append(array)
        return real(array)

    monkeypatch.setattr(torch, "from_numpy", counted)
    alpha = torch.zeros(1, 1, 4, 4)
    for _ in range(3):
        edges = plan(EdgeSettings(contrast=0.37, temporal_smoothing=0.73))
        torch_edges.steady(alpha, edges, alpha)
    assert len(uploads) == 2


def test_an_unchanged_backdrop_is_uploaded_once() -> None:
    class Counted(Transfers):
        uploads = 0

        def up(self, name: str, array: BgrImage) -> torch.Tensor:  # type: ignore[override]
            self.uploads += 1
            return super().up(name, array)

    transfers = Counted(torch.device("cpu"))
    one, other = frames(32, 16, 2)
    for key, total in ((one, 1), (one, 1), (other, 2), (other.copy(), 3)):
        assert torch.equal(transfers.up_once("backdrop", key, key), torch.from_numpy(key))
        assert transfers.uploads == total, "another object is another picture"


def loaded(device: str) -> nn.Module:
    return load_network("mattecam", BUNDLED, "auto", device, "float32")


def test_networks_of_a_device_are_dropped_and_those_of_others_stay() -> None:
    # "meta" stands in for a GPU
    here, there = loaded("cpu"), weakref.ref(loaded("meta"))
    assert loaded("cpu") is here
    first = there()
    assert first is not None
    assert loaded("meta") is first
    del first
    forget_networks("meta")
    assert there() is None, "nothing else keeps the network, so that its memory is returned"
    assert loaded("cpu") is here


def test_the_third_network_replaces_the_oldest() -> None:
    forget_networks("cpu")
    oldest = weakref.ref(loaded("cpu"))
    for dtype in ("float16", "bfloat16"):
        network = load_network("mattecam", BUNDLED, "auto", "cpu", dtype)
        assert next(network.parameters()).dtype == getattr(torch, dtype)
        del network
    assert oldest() is None
