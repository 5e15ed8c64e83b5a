"""Synchronization of captured graphs, on a simulated GPU that delays and reorders work.

Tests marked `gpu` run on a real GPU.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from app.core.types import Backdrop, BlurredBackground, Matte
from app.matting.base import NotAMatteError
from app.matting.geometry import StepGeometry
from app.matting.step.full_size import TorchFullSize
from app.matting.torch_backend.cuda_backend import CudaBackend
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from app.matting.torch_backend.eager import EagerExecutor
from app.matting.torch_backend.networks import load_core
from tests.matting.asks import ASKS, BACKDROPS, GEOMETRY, OFF, PICTURES, STRICT, Ask, assert_close, core, pipelined
from tests.matting.conftest import frames
from tests.matting.torch_backend.played_gpu import PlayedBackend
from tests.toy.network import ToyNetwork


@pytest.fixture(scope="module")
def expected() -> list[Matte]:
    """Return the mattes of the reference executor for ASKS."""
    reference = EagerExecutor(core(), GEOMETRY)
    return [reference.run(*ask) for ask in ASKS]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_order_the_pictures_are_the_references(seed: int, expected: list[Matte]) -> None:
    for turns in (1, 2):
        one_by_one = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(seed), "float32", turns)
        assert_close([one_by_one.run(*ask) for ask in ASKS], expected)
    assert_close(pipelined(CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(seed), "float32", 2), ASKS), expected)


def test_the_toy_network_can_be_captured() -> None:
    reference = EagerExecutor(core(make=ToyNetwork), GEOMETRY)
    captured = CudaGraphExecutor(core(make=ToyNetwork), GEOMETRY, PlayedBackend(0), "float32")
    assert_close([captured.run(*ask) for ask in ASKS], [reference.run(*ask) for ask in ASKS])


def test_a_backdrop_goes_up_once_for_each_turn() -> None:
    backend = PlayedBackend(0)
    executor = CudaGraphExecutor(core(), GEOMETRY, backend, "float32", 2)

    def uploads(backdrops: list[Backdrop]) -> int:
        """Return the number of copies, without those of the frames."""
        backend.copies.clear()
        for backdrop in backdrops:
            executor.run(PICTURES[0], backdrop, OFF, False)
        return len(backend.copies) - 4 * len(backdrops)  # 1 upload and 3 downloads per frame

    assert uploads([BACKDROPS[0]] * 6) == 2
    assert uploads([BACKDROPS[0]] * 4) == 0
    assert uploads([BACKDROPS[0].copy()] * 4) == 2, "another object is another picture"
    assert uploads([BlurredBackground(30)] * 4) == 2
    assert uploads([BlurredBackground(30)] * 4) == 0
    assert uploads([BlurredBackground(31)] * 4) == 2


def test_everything_is_captured_before_the_first_frame() -> None:
    backend = PlayedBackend(1)
    executor = CudaGraphExecutor(core(), GEOMETRY, backend, "float32", 2)
    captures = backend.captures
    assert captures == 8, "a picture or a blur, with and without strict mode, in two turns"
    pipelined(executor, ASKS)
    assert backend.captures == captures


def test_a_captured_step_runs_strict_mode_only_where_it_is_on() -> None:
    class Counted(TorchFullSize):
        labelled = 0

        def components(self, mask: torch.Tensor) -> torch.Tensor:
            self.labelled += 1
            return super().components(mask)

    full_size = Counted()
    executor = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(0), "float32", full_size=full_size)
    for backdrop in (BACKDROPS[0], BlurredBackground(50)):
        for edges, labelled in ((STRICT, 1), (OFF, 0)):
            before = full_size.labelled
            executor.run(PICTURES[0], backdrop, edges, False)
            assert full_size.labelled - before == labelled
            assert bool(executor.state()["state5"].any()) == (edges.strict != "off"), (
                "without strict mode nothing is remembered"
            )


@pytest.mark.parametrize("seed", range(4))
def test_reset_begins_anew_even_while_a_frame_is_under_way(seed: int, expected: list[Matte]) -> None:
    executor = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(seed), "float32", 2)
    executor.run(*ASKS[3])
    executor.submit(*ASKS[4])
    executor.reset()
    executor.submit(*ASKS[0])
    executor.collect()
    assert_close([executor.collect(), executor.run(*ASKS[1])], expected[:2])


def test_a_third_frame_has_to_wait() -> None:
    executor = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(0), "float32", 2)
    executor.submit(*ASKS[0])
    executor.submit(*ASKS[1])
    with pytest.raises(RuntimeError, match="under way"):
        executor.submit(*ASKS[2])
    executor.collect()
    executor.submit(*ASKS[2])
    executor.close()
    executor.close()


def test_pictures_stay_as_they_are_given() -> None:
    executor = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(2), "float32")
    mattes = [executor.run(*ask) for ask in ASKS[:2]]
    copies = [matte.composite.copy() for matte in mattes]
    later = [executor.run(*ask) for ask in ASKS]
    for matte, kept in zip(mattes, copies, strict=True):
        np.testing.assert_array_equal(matte.composite, kept)
        assert not any(np.shares_memory(matte.composite, other.composite) for other in later)


def test_numbers_that_are_none_are_seen() -> None:
    executor = CudaGraphExecutor(core(broken=True), GEOMETRY, PlayedBackend(0), "float32")
    with pytest.raises(NotAMatteError):
        executor.run(*ASKS[0])


def test_the_given_network_is_left_as_it_was() -> None:
    given = core()
    CudaGraphExecutor(given, GEOMETRY, PlayedBackend(0), "float32")
    assert all(p.is_contiguous() for p in given.parameters())


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_on_a_gpu_the_pictures_are_the_references(precision: str, weights: dict[str, Path]) -> None:
    model, size = "rvm-mobilenetv3", (640, 360)
    geometry = StepGeometry(*size, 0.5)
    pictures, behind = frames(*size, 40), frames(*size, 1, seed=3)[0]
    asks: list[Ask] = [
        (p, behind if n % 20 < 10 else BlurredBackground(50), OFF, n % 7 == 0) for n, p in enumerate(pictures)
    ]
    reference = EagerExecutor(load_core(model, weights[model], "auto", 0.5, "cuda", "float32"), geometry, "cuda")
    wanted = [reference.run(*ask) for ask in asks]

    def make(turns: int) -> CudaGraphExecutor:
        cast = load_core(model, weights[model], "auto", 0.5, "cuda", precision)
        return CudaGraphExecutor(cast, geometry, CudaBackend("cuda"), precision, turns)

    executor, other = make(1), make(2)
    one_by_one = [executor.run(*ask) for ask in asks]
    assert_close(one_by_one, wanted, 6)
    assert_close(pipelined(other, asks), one_by_one, 1)  # two captures may use different algorithms of cuDNN
    for found, want in zip(one_by_one, wanted, strict=True):
        assert np.abs(found.alpha.astype(int) - want.alpha).mean() < 0.51


@pytest.mark.gpu
@needs_gpu
def test_on_a_gpu_another_size_is_captured_beside_the_running_graph(weights: dict[str, Path]) -> None:
    def make(ratio: float) -> CudaGraphExecutor:
        cast = load_core("student", weights["student"], "auto", ratio, "cuda", "float16")
        return CudaGraphExecutor(cast, StepGeometry(640, 360, ratio), CudaBackend("cuda"))

    pictures, behind = frames(640, 360, 8), frames(640, 360, 1, seed=3)[0]
    asks: list[Ask] = [(picture, behind, OFF, False) for picture in pictures]
    running = make(0.5)
    alone = [running.run(*ask) for ask in asks]
    built: list[CudaGraphExecutor] = []
    builder = threading.Thread(
        target=lambda: built.extend(make(ratio) for ratio in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.6, 0.7))
    )
    builder.start()
    rounds = 0
    while builder.is_alive() or not rounds:
        running.reset()
        assert_close([running.run(*ask) for ask in asks], alone, 0)
        rounds += 1
    builder.join()
    assert [executor.run(*asks[0]).alpha.shape for executor in built] == [(360, 640)] * 8
