"""The bookkeeping of the captured graphs: on a played GPU that does things as late and as mixed up as it may.

What is marked `gpu` runs on a real one.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from app.matting.core import Core
from app.matting.executors.base import NotAMatteError
from app.matting.executors.cuda_graph import CudaGraphExecutor
from app.matting.executors.eager import EagerExecutor
from app.matting.executors.graph_backend import CudaBackend, Mark, Tensors
from app.matting.geometry import StepGeometry
from app.matting.networks import load_core
from app.settings import EdgeSettings
from app.types import Backdrop, BgrImage, BlurredRoom, Matte
from models.student import StudentNetwork
from tests.golden.fill import fill
from tests.matting.conftest import frames

WIDTH, HEIGHT = 96, 64
GEOMETRY = StepGeometry(WIDTH, HEIGHT, 0.5)
OFF = EdgeSettings()
TREATED = EdgeSettings(contrast=0.4, steadiness=0.6, feather_px=2, despill=0.5)
PICTURES = frames(WIDTH, HEIGHT, 8)
BACKDROPS = frames(WIDTH, HEIGHT, 3, seed=9)


class PlayedMark:
    """After so many things of a queue."""

    def __init__(self, queue: PlayedQueue) -> None:
        self.queue = queue
        self.count = len(queue.things)

    @property
    def reached(self) -> bool:
        return self.queue.done >= self.count

    def wait(self) -> None:
        while not self.reached:
            self.queue.backend.go_on()


class PlayedQueue:
    """Keeps what is put in until the backend sees fit."""

    def __init__(self, backend: PlayedBackend) -> None:
        self.backend = backend
        self.things: list[Callable[[], None] | PlayedMark] = []
        self.done = 0

    def copy(self, target: Tensor, source: Tensor) -> None:
        self.backend.copies.append(target)
        self._put(lambda: ignore(target.copy_(source)))

    def run(self, work: Callable[[], None]) -> None:
        self._put(work)

    def mark(self) -> PlayedMark:
        return PlayedMark(self)

    def after(self, mark: Mark) -> None:
        assert isinstance(mark, PlayedMark)
        self._put(mark)

    @property
    def stuck(self) -> bool:
        """Whether there is nothing to do, or what comes has to wait for another queue."""
        if self.done == len(self.things):
            return True
        thing = self.things[self.done]
        return isinstance(thing, PlayedMark) and not thing.reached

    def do_one(self) -> None:
        thing = self.things[self.done]
        if not isinstance(thing, PlayedMark):
            with torch.inference_mode():
                thing()
        self.done += 1

    def _put(self, thing: Callable[[], None] | PlayedMark) -> None:
        self.things.append(thing)
        self.backend.maybe_go_on()


class PlayedBackend:
    """Runs the things of its queues in any order that the marks allow, a different one for each seed."""

    device = torch.device("cpu")

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.queues: list[PlayedQueue] = []
        self.copies: list[Tensor] = []
        """The target of every copy."""
        self.captures = 0
        self._eagerness = self._random.choice([0, 0, 1, 4])

    def queue(self) -> PlayedQueue:
        self.queues.append(PlayedQueue(self))
        return self.queues[-1]

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.full(shape, 77, dtype=dtype)

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        self.captures += 1
        places = work()

        def replay() -> None:
            for place, value in zip(places, work(), strict=True):
                place.copy_(value)

        return places, replay

    def settle(self) -> None:
        for queue in self.queues:
            queue.mark().wait()

    def go_on(self) -> None:
        """One thing of any queue."""
        self._random.choice([queue for queue in self.queues if not queue.stuck]).do_one()

    def maybe_go_on(self) -> None:
        """Some things, or none."""
        for _ in range(self._random.randint(0, self._eagerness)):
            if not all(queue.stuck for queue in self.queues):
                self.go_on()


def ignore(result: object) -> None:
    """Turns a call with a result into one without."""


def core(broken: bool = False) -> Core:
    """The student with filled weights."""
    network = StudentNetwork()
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
    (PICTURES[3], BlurredRoom(20), TREATED, False),
    (PICTURES[4], BlurredRoom(90), TREATED, True),
    (PICTURES[5], BACKDROPS[1], TREATED, False),
    (PICTURES[6], BACKDROPS[2], OFF, False),
    (PICTURES[7], BlurredRoom(90), OFF, False),
]


def pipelined(executor: CudaGraphExecutor, asks: list[Ask]) -> list[Matte]:
    """The mattes, where the next frame is submitted before the last is collected, from memory that is used again."""
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


@pytest.fixture(scope="module")
def expected() -> list[Matte]:
    """What the reference makes of ASKS."""
    reference = EagerExecutor(core(), GEOMETRY)
    return [reference.run(*ask) for ask in ASKS]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_order_the_pictures_are_the_references(seed: int, expected: list[Matte]) -> None:
    one_by_one = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(seed), "float32")
    assert_close([one_by_one.run(*ask) for ask in ASKS], expected)
    assert_close(pipelined(CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(seed), "float32"), ASKS), expected)


def test_a_backdrop_goes_up_once_for_each_turn() -> None:
    backend = PlayedBackend(0)
    executor = CudaGraphExecutor(core(), GEOMETRY, backend, "float32")

    def uploads(backdrops: list[Backdrop]) -> int:
        """How many copies there were beyond the frames'."""
        backend.copies.clear()
        for backdrop in backdrops:
            executor.run(PICTURES[0], backdrop, OFF, False)
        return len(backend.copies) - 4 * len(backdrops)  # a frame up; composite, alpha and the check down

    assert uploads([BACKDROPS[0]] * 6) == 2
    assert uploads([BACKDROPS[0]] * 4) == 0
    assert uploads([BACKDROPS[0].copy()] * 4) == 2, "another object is another picture"
    assert uploads([BlurredRoom(30)] * 4) == 2
    assert uploads([BlurredRoom(30)] * 4) == 0
    assert uploads([BlurredRoom(31)] * 4) == 2


def test_everything_is_captured_before_the_first_frame() -> None:
    backend = PlayedBackend(1)
    executor = CudaGraphExecutor(core(), GEOMETRY, backend, "float32")
    captures = backend.captures
    assert captures == 4
    pipelined(executor, ASKS)
    assert backend.captures == captures


@pytest.mark.parametrize("seed", range(4))
def test_reset_begins_anew_even_while_a_frame_is_under_way(seed: int, expected: list[Matte]) -> None:
    executor = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(seed), "float32")
    executor.run(*ASKS[3])
    executor.submit(*ASKS[4])
    executor.reset()
    executor.submit(*ASKS[0])
    executor.collect()
    assert_close([executor.collect(), executor.run(*ASKS[1])], expected[:2])


def test_a_third_frame_has_to_wait() -> None:
    executor = CudaGraphExecutor(core(), GEOMETRY, PlayedBackend(0), "float32")
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
    asks: list[Ask] = [(p, behind if n % 20 < 10 else BlurredRoom(50), OFF, n % 7 == 0) for n, p in enumerate(pictures)]
    reference = EagerExecutor(load_core(model, weights[model], "auto", 0.5, "cuda", "float32"), geometry, "cuda")
    wanted = [reference.run(*ask) for ask in asks]

    def make() -> CudaGraphExecutor:
        cast = load_core(model, weights[model], "auto", 0.5, "cuda", precision)
        return CudaGraphExecutor(cast, geometry, CudaBackend("cuda"), precision)

    executor, other = make(), make()
    one_by_one = [executor.run(*ask) for ask in asks]
    assert_close(one_by_one, wanted, 6)
    assert_close(pipelined(other, asks), one_by_one, 0)
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
    builder = threading.Thread(target=lambda: built.extend(make(ratio) for ratio in (0.25, 0.3, 0.4)))
    builder.start()
    rounds = 0
    while builder.is_alive() or not rounds:
        running.reset()
        assert_close([running.run(*ask) for ask in asks], alone, 0)
        rounds += 1
    builder.join()
    assert [executor.run(*asks[0]).alpha.shape for executor in built] == [(360, 640)] * 3
