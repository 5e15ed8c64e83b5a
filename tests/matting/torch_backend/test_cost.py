"""Work of a step on a GPU: launches, bytes, folded normalization, uploads."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from app.core.settings import EdgeSettings
from app.core.types import BgrImage
from app.matting.geometry import StepGeometry
from app.matting.plate.plate import lit_plate
from app.matting.step import torch_edges
from app.matting.step.edges import plan
from app.matting.step.plate_core import PlateCore
from app.matting.torch_backend.captured_plate import CapturedPlate
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from app.matting.torch_backend.eager import EagerExecutor
from app.matting.torch_backend.fold import fold_batch_norms
from app.matting.torch_backend.networks import load_core, place
from app.matting.torch_backend.transfers import Transfers
from benchmarks.launches import count
from models.bgmv2.network import MattingRefine
from models.rvm.network import MattingNetwork
from models.student.network import StudentNetwork
from tests.golden.fill import fill
from tests.matting.asks import OFF, assert_close
from tests.matting.conftest import frames
from tests.matting.torch_backend.played_gpu import PlayedBackend

BOUNDS = {
    ("rvm-mobilenetv3", False): (103, 0.25),
    ("rvm-mobilenetv3", True): (440, 0.304),
    ("student", False): (101, 0.181),
    ("student", True): (438, 0.239),
}
"""Launches and gigabytes of a step at 1080p, ratio 0.25, with strict mode off and on."""


@pytest.mark.parametrize(("name", "strict"), BOUNDS)
def test_a_step_on_cuda_launches_and_moves_at_most(name: str, strict: bool) -> None:
    after = count(name, (1920, 1080), 0.25, strict=strict, fused=True)
    before = count(name, (1920, 1080), 0.25, strict=strict, fused=False)
    launches, gigabytes = BOUNDS[name, strict]
    assert after.launches <= launches < before.launches
    assert after.bytes <= gigabytes * 1e9 < 0.5 * before.bytes


def filled(network: nn.Module) -> nn.Module:
    network.load_state_dict(fill(network.state_dict()))
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MattingNetwork("mobilenetv3"),
        lambda: MattingNetwork("resnet50"),
        StudentNetwork,
    ],
)
def test_folded_networks_return_the_same(make: type[nn.Module]) -> None:
    network, folded = filled(make()), fold_batch_norms(filled(make()))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    size = (96, 160)
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        states = network.initial_state(1, *size)  # type: ignore[operator]
        for one, other in zip(
            network.coefficients(image, *states),  # type: ignore[operator]
            folded.coefficients(image, *states),  # type: ignore[operator]
            strict=True,
        ):
            torch.testing.assert_close(other, one, rtol=1e-3, atol=2e-4)


def test_a_folded_network_of_saliency_returns_the_same(weights: dict[str, Path]) -> None:
    network, folded = (load_core("u2netp", weights["u2netp"], "auto", 0.5, "cpu", "float32") for _ in range(2))
    folded = fold_batch_norms(copy.deepcopy(folded))  # type: ignore[assignment]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        state = network.initial_state(64, 96)
        for one, other in zip(folded(image, *state), network(image, *state), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=2e-4)


def test_on_the_cpu_a_network_keeps_its_normalization() -> None:
    assert any(isinstance(module, nn.BatchNorm2d) for module in place(StudentNetwork(), "cpu", torch.float32).modules())


def plate_core(plate: BgrImage) -> PlateCore:
    return PlateCore(filled(MattingRefine("mobilenetv2")), plate, 0.5, 640).eval()


@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (0.83, 1.0, 1.21), (2.5, 0.4, 1.003)])
def test_the_light_of_a_plate_is_set_on_the_device_as_on_the_cpu(gain: tuple[float, float, float]) -> None:
    plate = frames(62, 45, 1)[0]
    core = plate_core(plate)
    core.set_gain(np.array(gain, np.float32))
    lit = core.plate[0, :, :45, :62].mul(255).round().to(torch.uint8).permute(1, 2, 0).flip(2).numpy()
    np.testing.assert_array_equal(lit, lit_plate(plate, np.array(gain, np.float32)))


def test_a_folded_network_with_a_plate_returns_the_same() -> None:
    core = plate_core(frames(64, 48, 1)[0])
    image = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = core(image)
        fold_batch_norms(core)
        for one, other in zip(core(image), wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=2e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in core.modules())


def test_a_plate_can_be_captured_and_its_light_changed() -> None:
    geometry = StepGeometry(64, 48, 1.0)
    plate, *pictures = frames(64, 48, 4)
    core = plate_core(plate)
    gain = np.array([0.8, 1.1, 1.3], np.float32)
    captured = CudaGraphExecutor(core, geometry, PlayedBackend(5), "float32")
    lit = CapturedPlate(captured, core)
    assert (lit.scale, lit.size) == (core.scale, core.size)
    reference = EagerExecutor(core, geometry)
    for change in (False, True):
        if change:
            lit.set_gain(gain)
            core.set_gain(gain)
        found = [captured.run(picture, plate, OFF, False) for picture in pictures]
        assert_close(found, [reference.run(picture, plate, OFF, False) for picture in pictures])
    captured.close()


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


def test_the_part_of_a_step_that_the_ratio_does_not_change_is_small() -> None:
    """torch's own operations at the frame's size would be 0.65 to 0.88 of the bytes."""
    hd = count("rvm-mobilenetv3", (1920, 1080), 0.25, strict=True, fused=True).bytes
    uhd = count("rvm-mobilenetv3", (3840, 2160), 0.125, strict=True, fused=True).bytes
    fixed = (uhd - hd) / 3  # both have the same small frame, and 4K four times the pixels
    assert fixed / hd < 0.12
    assert 4 * fixed / uhd < 0.35
