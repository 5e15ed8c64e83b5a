"""The networks with kernels of their own, compiled for the CPU, against the networks in torch."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from app.matting.step.core import Core, DirectCore
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from app.matting.torch_backend.eager import EagerExecutor
from app.matting.torch_backend.fold import fold_batch_norms
from app.matting.torch_backend.fused import FusedFullSize
from app.matting.torch_backend.nvrtc import network_kernels_on
from models.cuda.launch import Launch
from models.cuda.source import PRECISIONS, network_source
from models.rvm.network import MattingNetwork
from models.student.network import StudentNetwork
from models.table import NETWORKS
from tests.golden.fill import fill
from tests.matting.asks import ASKS, GEOMETRY, assert_close
from tests.matting.torch_backend.emulated import COMPILER, EmulatedKernels
from tests.matting.torch_backend.played_gpu import PlayedBackend

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler")
MAKES: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "rvm": ("rvm-mobilenetv3", MattingNetwork),
    "rvm-fast-filter": ("rvm-mobilenetv3", lambda: MattingNetwork("mobilenetv3", "fast_guided_filter")),
    "student": ("student", StudentNetwork),
    "student-trunk": ("student", lambda: StudentNetwork(trunk=True)),
}
OFF_BY = {
    ("rvm", torch.float32): 1e-5,
    ("rvm", torch.float16): 5e-3,
    ("rvm-fast-filter", torch.float32): 5e-4,
    ("student", torch.float32): 2e-3,
    ("student", torch.float16): 0.02,
    ("student-trunk", torch.float32): 2e-3,
    ("student-trunk", torch.float16): 0.02,
}
"""Largest difference of slope and offset; both guided filters without layers divide by variances of almost zero."""
ODD = [(1, 90, 163), (2, 67, 101)]
LAUNCHES = {"rvm": 53, "rvm-fast-filter": 53, "student": 36, "student-trunk": 45}


@pytest.fixture(scope="module")
def kernels() -> dict[torch.dtype, EmulatedKernels]:
    return {dtype: EmulatedKernels(network_source(dtype)) for dtype in PRECISIONS}


def made(name: str) -> nn.Module:
    network = MAKES[name][1]()
    network.load_state_dict(fill(network.state_dict()))
    return network.eval().requires_grad_(False)


def fused(name: str, network: nn.Module, launch: Launch, dtype: torch.dtype) -> nn.Module:
    fuse = NETWORKS[MAKES[name][0]].fuse
    assert fuse is not None
    found = fuse(fold_batch_norms(copy.deepcopy(network)), launch, dtype)
    assert found is not None
    return found


def images(batch: int, height: int, width: int, count: int = 3) -> list[Tensor]:
    generator = torch.Generator().manual_seed(height)
    return [torch.rand(batch, 3, height, width, generator=generator) for _ in range(count)]


def run(network: nn.Module, pictures: list[Tensor]) -> list[tuple[Tensor, ...]]:
    """Return the outputs of `coefficients` for consecutive frames."""
    outputs = []
    with torch.inference_mode():
        state = network.initial_state(len(pictures[0]), *pictures[0].shape[2:])  # type: ignore[operator]
        for picture in pictures:
            outputs.append(network.coefficients(picture, *state))  # type: ignore[operator]
            state = outputs[-1][3:]
    return outputs


@needs_compiler
@pytest.mark.parametrize(("name", "dtype"), OFF_BY)
@pytest.mark.parametrize("size", ODD)
def test_fused_networks_return_the_same(
    kernels: dict[torch.dtype, EmulatedKernels], name: str, dtype: torch.dtype, size: tuple[int, int, int]
) -> None:
    network, pictures = made(name), images(*size)
    launch = kernels[dtype]
    launch.launches.clear()
    found = run(fused(name, network, launch, dtype), pictures)
    assert len(launch.launches) == LAUNCHES[name] * len(pictures)
    for one, other in zip(found, run(network, pictures), strict=True):
        for index, (have, want) in enumerate(zip(one, other, strict=True)):
            assert have.shape == want.shape
            bound = OFF_BY[name, dtype] if index < 2 else 1e-5 if dtype == torch.float32 else 2e-3
            torch.testing.assert_close(have.float(), want, rtol=0, atol=bound)


@needs_compiler
def test_a_fused_network_runs_without_its_guided_filter(kernels: dict[torch.dtype, EmulatedKernels]) -> None:
    network, pictures = made("rvm"), images(1, 61, 83)
    cores = DirectCore(network), DirectCore(fused("rvm", network, kernels[torch.float32], torch.float32))
    with torch.inference_mode():
        wanted, found = (core(pictures[0], *core.initial_state(61, 83)) for core in cores)
    for have, want in zip(found, wanted, strict=True):
        torch.testing.assert_close(have, want, rtol=0, atol=1e-5)


@needs_compiler
@pytest.mark.parametrize("name", ["rvm", "student"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_no_numbers_reach_the_coefficients(
    kernels: dict[torch.dtype, EmulatedKernels], name: str, value: float
) -> None:
    network = made(name)
    first = network.encode1 if name == "student" else network.backbone.features[0]  # type: ignore[index, union-attr]
    first[0].weight.fill_(value)  # type: ignore[index, union-attr]
    slope, offset, *_ = run(fused(name, network, kernels[torch.float32], torch.float32), images(1, 48, 64, 1))[0]
    assert not torch.isfinite(slope.sum() + offset.sum())


@needs_compiler
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_whole_sequence_is_the_references(kernels: dict[torch.dtype, EmulatedKernels], precision: str) -> None:
    network = made("student")
    reference = EagerExecutor(Core(network).eval(), GEOMETRY)
    expected = [reference.run(*ask) for ask in ASKS]
    dtype = getattr(torch, precision)
    core = Core(fused("student", network, kernels[dtype], dtype)).eval()
    full_size = FusedFullSize(EmulatedKernels())
    eager = EagerExecutor(core, GEOMETRY, "cpu", precision, full_size)
    captured = CudaGraphExecutor(core, GEOMETRY, PlayedBackend(3), precision, full_size=full_size)
    steps = 2 if precision == "float32" else 3  # the edge controls amplify differences
    assert_close([eager.run(*ask) for ask in ASKS], expected, steps)
    assert_close([captured.run(*ask) for ask in ASKS], expected, steps)


@needs_compiler
def test_a_saved_state_is_restored(kernels: dict[torch.dtype, EmulatedKernels]) -> None:
    core = Core(fused("rvm", made("rvm"), kernels[torch.float32], torch.float32)).eval()
    one, other = EagerExecutor(core, GEOMETRY), EagerExecutor(core, GEOMETRY)
    mattes = [one.run(*ask) for ask in ASKS[:2]]
    other.run(*ASKS[0])
    other.load_state(other.state())
    assert_close([other.run(*ASKS[1])], mattes[1:], 0)


def test_without_a_gpu_torch_runs_the_networks() -> None:
    assert network_kernels_on("cpu", torch.float32) is None
    assert network_kernels_on("cuda", torch.bfloat16) is None, "there are no kernels for this precision"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")
@pytest.mark.parametrize(("name", "dtype"), OFF_BY)
def test_on_a_gpu_fused_networks_return_the_same(name: str, dtype: torch.dtype) -> None:
    launch = network_kernels_on("cuda", dtype)
    assert launch is not None
    network, pictures = made(name), images(2, 135, 241)
    found = run(fused(name, network, launch, dtype).cuda(), [picture.cuda() for picture in pictures])
    for one, other in zip(found, run(network, pictures), strict=True):
        for index, (have, want) in enumerate(zip(one, other, strict=True)):
            bound = OFF_BY[name, dtype] if index < 2 else 2e-3  # TF32 in cuDNN
            torch.testing.assert_close(have.float().cpu(), want, rtol=0, atol=2 * bound)
