"""What the checks of `benchmarks.gpu` run on: a GPU, or in a rehearsal the CPU with small frames.

Imports only torch, numpy, OpenCV, pydantic and safetensors, also indirectly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from app.core.types import BgrImage
from app.matting.geometry import StepGeometry
from app.matting.step.core import Core
from app.matting.step.full_size import FullSize
from app.matting.torch_backend.cuda_backend import CudaBackend
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from app.matting.torch_backend.eager import DTYPES, EagerExecutor
from app.matting.torch_backend.graph_backend import GraphBackend, Mark, Tensors
from app.matting.torch_backend.networks import place
from app.matting.torch_backend.nvrtc import full_size_on
from models.rvm.network import MattingNetwork
from models.table import NETWORKS

ROOT = Path(__file__).resolve().parents[1]


class HostMark:
    """All work of a `HostQueue` is done when it is enqueued."""

    def wait(self) -> None:
        """See `Mark.wait`."""


class HostQueue:
    """Does its work at once."""

    def copy(self, target: Tensor, source: Tensor) -> None:
        """See `Queue.copy`."""
        target.copy_(source)

    def run(self, work: Callable[[], None]) -> None:
        """See `Queue.run`."""
        work()

    def mark(self) -> HostMark:
        """See `Queue.mark`."""
        return HostMark()

    def after(self, mark: Mark) -> None:
        """See `Queue.after`."""


class HostBackend:
    """Stands in for a GPU in a rehearsal."""

    device = torch.device("cpu")

    def queue(self) -> HostQueue:
        """See `GraphBackend.queue`."""
        return HostQueue()

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """See `GraphBackend.pinned`."""
        return torch.empty(shape, dtype=dtype)

    def capture(self, work: Callable[[], Tensors], pool: int) -> tuple[Tensors, Callable[[], None]]:
        """See `GraphBackend.capture`; a replay runs the work again."""
        places = tuple(tensor.clone() for tensor in work())

        def replay() -> None:
            for place_, value in zip(places, work(), strict=True):
                place_.copy_(value)

        return places, replay

    def settle(self) -> None:
        """See `GraphBackend.settle`."""

    def close(self) -> None:
        """See `GraphBackend.close`."""


@dataclass(frozen=True)
class Bench:
    """The device, and the scale of the work."""

    rehearsal: bool

    @property
    def device(self) -> str:
        """Device of torch."""
        return "cpu" if self.rehearsal else "cuda"

    @property
    def precision(self) -> str:
        """Precision of the networks."""
        return "float32" if self.rehearsal else "float16"

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of the frames to use for a nominal size."""
        return (width // 10, height // 10) if self.rehearsal else (width, height)

    def seconds(self, wanted: float) -> float:
        """Return how long to measure."""
        return min(wanted, 0.3) if self.rehearsal else wanted

    def full_size(self) -> FullSize:
        """Return the arithmetic at the frame's size."""
        return full_size_on(self.device)

    def backend(self) -> GraphBackend:
        """Return a new backend."""
        return HostBackend() if self.rehearsal else CudaBackend(self.device)

    def network(self, model: str) -> nn.Module:
        """Return the bundled network, or RVM with random weights: its speed does not depend on them."""
        torch.manual_seed(1)
        if model == "student":
            tensors = safetensors.torch.load_file(ROOT / "models/student/student.safetensors")
            network = NETWORKS["student"].load(tensors, "auto")
        else:
            network = MattingNetwork()
        return network.eval().requires_grad_(False)

    def core(self, model: str) -> Core:
        """Return a core on the device."""
        fuse = NETWORKS["student" if model == "student" else "rvm-mobilenetv3"].fuse
        return Core(place(self.network(model), self.device, DTYPES[self.precision], fuse)).eval()

    def eager(self, model: str, geometry: StepGeometry) -> EagerExecutor:
        """Return an eager executor."""
        return EagerExecutor(self.core(model), geometry, self.device, self.precision, self.full_size())

    def graph(self, model: str, geometry: StepGeometry, turns: int = 1) -> CudaGraphExecutor:
        """Return an executor of captured graphs."""
        core = self.core(model)
        return CudaGraphExecutor(core, geometry, self.backend(), self.precision, turns, self.full_size())

    def wait(self) -> None:
        """Wait for the device."""
        if not self.rehearsal:
            torch.cuda.synchronize()

    def reserved_mb(self) -> float | None:
        """Return the GPU memory that torch holds."""
        return None if self.rehearsal else round(torch.cuda.memory_reserved() / 1e6, 1)


def frames(width: int, height: int, count: int) -> list[BgrImage]:
    """Return frames with a moving shape before noise, (H, W, 3) uint8 BGR."""
    generator = np.random.default_rng(1)
    found = []
    for index in range(count):
        image = generator.integers(60, 120, (height, width, 3), dtype=np.uint8)
        left = width // 4 + index * width // 40
        image[height // 4 :, left : left + width // 3] = 200
        found.append(image)
    return found
