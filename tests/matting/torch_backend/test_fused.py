"""The source of the fused kernels, compiled for the CPU, against the arithmetic of torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from app.core.types import BlurredBackground
from app.matting.geometry import StepGeometry
from app.matting.step.core import no_slope
from app.matting.step.full_size import Coefficients, TorchFullSize
from app.matting.strict.torch_components import components
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from app.matting.torch_backend.eager import EagerExecutor
from app.matting.torch_backend.fused import FusedFullSize
from app.matting.torch_backend.fused_source import SOURCE
from app.matting.torch_backend.nvrtc import full_size_on, names
from tests.matting.asks import ASKS, GEOMETRY, PICTURES, assert_close, core
from tests.matting.torch_backend.emulated import COMPILER, EmulatedKernels
from tests.matting.torch_backend.played_gpu import PlayedBackend

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler")
SIZES = [(96, 64, 0.5), (131, 77, 0.3), (64, 48, 1.0), (33, 20, 0.7)]


@pytest.fixture(scope="module")
def kernels() -> EmulatedKernels:
    return EmulatedKernels()


def given(batch: int, geometry: StepGeometry, blurred: bool, wrap: Callable[[Tensor], Tensor]) -> Coefficients:
    """Return random coefficients, whose alpha is often below 0, near 0, or above 1."""
    torch.manual_seed(geometry.width)
    size = batch, 4, geometry.small_height, geometry.small_width
    slope, offset = torch.randn(size) * 0.6, torch.randn(size) * 0.4
    room = torch.rand(batch, 3, geometry.small_height // 2 + 1, geometry.small_width // 2 + 1) if blurred else None
    return Coefficients(wrap(slope), wrap(offset), room, torch.zeros(()), ())


def images(batch: int, geometry: StepGeometry, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    size = (geometry.height, geometry.width, 3) if batch == 1 else (batch, geometry.height, geometry.width, 3)
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)


def channels_last(tensor: Tensor) -> Tensor:
    return tensor.to(memory_format=torch.channels_last)


@needs_compiler
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("batch", [1, 3])
def test_the_small_frame_is_torchs(kernels: EmulatedKernels, size: tuple[int, int, float], batch: int) -> None:
    geometry = StepGeometry(*size)
    frame = images(batch, geometry, 1)
    torch.testing.assert_close(
        FusedFullSize(kernels).small(frame, geometry), TorchFullSize().small(frame, geometry), rtol=0, atol=1e-5
    )


@needs_compiler
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("blurred", [False, True])
@pytest.mark.parametrize("wrap", [lambda tensor: tensor, channels_last])
def test_the_pixels_are_torchs(
    kernels: EmulatedKernels,
    size: tuple[int, int, float],
    batch: int,
    blurred: bool,
    wrap: Callable[[Tensor], Tensor],
) -> None:
    geometry = StepGeometry(*size)
    frame, backdrop = images(batch, geometry, 1), images(batch, geometry, 2)
    coefficients = given(batch, geometry, blurred, wrap)
    picture = None if blurred else backdrop
    found = FusedFullSize(kernels).pixels(frame, coefficients, picture, foreground=True)
    wanted = TorchFullSize().pixels(frame, coefficients, picture, foreground=True)
    for one, other in zip(found, wanted, strict=True):
        assert one is not None
        assert other is not None
        assert one.shape == other.shape
        assert (one.int() - other.int()).abs().max() <= 1
        assert (one != other).float().mean() < 0.01, "rounding may differ in single pixels"


@needs_compiler
@pytest.mark.parametrize("blurred", [False, True])
def test_no_pixel_shows_more_of_the_room_than_its_alpha(kernels: EmulatedKernels, blurred: bool) -> None:
    geometry = StepGeometry(131, 77, 0.3)
    frame, backdrop = images(1, geometry, 1), images(1, geometry, 2)
    coefficients = given(1, geometry, blurred, lambda tensor: tensor)
    composite, alpha, _ = FusedFullSize(kernels).pixels(
        frame, coefficients, None if blurred else backdrop, foreground=False
    )
    nobody = Coefficients(
        no_slope(coefficients.offset), torch.full_like(coefficients.offset, -1), coefficients.room, torch.zeros(()), ()
    )
    behind, nothing, _ = FusedFullSize(kernels).pixels(frame, nobody, None if blurred else backdrop, foreground=False)
    assert not nothing.any()
    if not blurred:
        assert torch.equal(behind, backdrop)
    difference = (composite.int() - behind.int()).abs().amax(2)
    assert 0 < (alpha == 0).float().mean() < 1
    assert not difference[alpha == 0].any()
    assert (difference <= alpha.int() + 1).all()


@needs_compiler
def test_values_that_are_no_numbers_show_the_backdrop(kernels: EmulatedKernels) -> None:
    geometry = StepGeometry(64, 48, 0.5)
    frame, backdrop = images(1, geometry, 1), images(1, geometry, 2)
    broken = Coefficients(*(torch.full((1, 4, 24, 32), torch.nan),) * 2, None, torch.zeros(()), ())
    composite, alpha, _ = FusedFullSize(kernels).pixels(frame, broken, backdrop, foreground=False)
    assert not alpha.any()
    assert torch.equal(composite, backdrop)


@needs_compiler
def test_a_network_at_full_size_has_no_slope_to_read(kernels: EmulatedKernels) -> None:
    geometry = StepGeometry(64, 48, 1.0)
    frame, backdrop = images(1, geometry, 1), images(1, geometry, 2)
    offset = torch.rand(1, 4, 48, 64)
    coefficients = Coefficients(no_slope(offset), offset, None, torch.zeros(()), ())
    found = FusedFullSize(kernels).pixels(frame, coefficients, backdrop, foreground=False)
    wanted = TorchFullSize().pixels(frame, coefficients, backdrop, foreground=False)
    assert coefficients.slope.untyped_storage().nbytes() == 4
    assert (found.composite.int() - wanted.composite.int()).abs().max() <= 1


@needs_compiler
@pytest.mark.parametrize("density", [0.3, 0.5, 0.6, 0.9, 1.0])
def test_the_components_are_torchs(kernels: EmulatedKernels, density: float) -> None:
    mask = torch.rand(2, 1, 23, 41, generator=torch.Generator().manual_seed(7)) < density
    assert torch.equal(FusedFullSize(kernels).components(mask), components(mask))


@needs_compiler
def test_a_whole_sequence_with_the_kernels_is_the_references(kernels: EmulatedKernels) -> None:
    reference = EagerExecutor(core(), GEOMETRY)
    expected = [reference.run(*ask) for ask in ASKS]
    full_size = FusedFullSize(kernels)
    assert_close([EagerExecutor(core(), GEOMETRY, full_size=full_size).run(*ASKS[0])], expected[:1])
    captured = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(3), "float32", full_size=full_size)
    assert_close([captured.run(*ask) for ask in ASKS], expected)


@needs_compiler
def test_a_plain_frame_takes_two_launches_at_full_size() -> None:
    counted = EmulatedKernels()
    executor = EagerExecutor(core(), GEOMETRY, full_size=FusedFullSize(counted))
    executor.run(PICTURES[0], BlurredBackground(50), ASKS[0][2], True)
    assert counted.launches == ["small_frame", "pixels"]


def test_without_a_gpu_torch_does_the_work() -> None:
    assert isinstance(full_size_on("cpu"), TorchFullSize)
    assert names(SOURCE) == ["small_frame", "pixels", "components"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")
@pytest.mark.parametrize("size", [*SIZES, (1920, 1080, 0.25)])
def test_on_a_gpu_the_kernels_are_compiled_and_agree_with_torch(size: tuple[int, int, float]) -> None:
    geometry = StepGeometry(*size)
    fused = full_size_on("cuda")
    assert isinstance(fused, FusedFullSize)
    frame, backdrop = images(2, geometry, 1).cuda(), images(2, geometry, 2).cuda()
    small = TorchFullSize().small(frame, geometry)
    mask = torch.rand(2, 1, 90, 160, device="cuda") < 0.6
    assert torch.equal(fused.components(mask), components(mask))
    torch.testing.assert_close(fused.small(frame, geometry), small, rtol=0, atol=1e-5)
    for blurred in (False, True):
        host = given(2, geometry, blurred, channels_last)
        room = None if host.room is None else host.room.cuda()
        coefficients = Coefficients(host.slope.cuda(), host.offset.cuda(), room, host.finite.cuda(), ())
        picture = None if blurred else backdrop
        found = fused.pixels(frame, coefficients, picture, foreground=True)
        wanted = TorchFullSize().pixels(frame, coefficients, picture, foreground=True)
        for one, other in zip(found, wanted, strict=True):
            assert one is not None
            assert other is not None
            assert (one.int() - other.int()).abs().max() <= 1
