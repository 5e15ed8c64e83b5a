"""Count the GPU launches and the bytes moved by one frame step, without a GPU.

    python -m benchmarks.launches [--size 1920x1080] [--ratio R]

Runs the step on the meta device, which has shapes but no memory. Each operation of torch that is not a view counts as
one launch that reads its inputs and writes its outputs once; the bias of a convolution counts as another one, which
reads and writes the output, as torch adds it after cuDNN. A kernel of the program counts as one launch, with each
tensor that it gets. What cuDNN and cuBLAS launch beyond one kernel is not known. Prints a Markdown table: torch's
operations as loaded from the file, and the step that runs on CUDA.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from app.config.parsing import parse_size
from app.core.settings import EdgeSettings
from app.matting.geometry import StepGeometry
from app.matting.step.core import Core
from app.matting.step.edges import plan
from app.matting.step.full_size import FullSize, TorchFullSize
from app.matting.step.step import FrameStep, StepMode
from app.matting.torch_backend.fold import fold_batch_norms
from app.matting.torch_backend.fused import FusedFullSize
from models.cuda.launch import Argument
from models.rvm.network import MattingNetwork
from models.student.network import StudentNetwork
from models.table import NETWORKS as SPECS

VIEWS = frozenset(("_unsafe_view", "reshape"))
"""Those that torch does not mark as views."""
ALLOCATIONS = frozenset(("empty", "empty_like", "empty_strided", "new_empty", "lift_fresh", "detach"))
CONVOLUTIONS = (torch.ops.aten.conv2d.default, torch.ops.aten.convolution.default)
"""Both have the bias as third argument; which one is seen depends on the mode of inference."""
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "rvm-mobilenetv3": MattingNetwork,
    "student": partial(StudentNetwork, trunk=True),
}


@dataclass
class Work:
    """Launches and bytes so far."""

    launches: int = 0
    bytes: int = 0

    def add(self, tensors: Sequence[object]) -> None:
        """Count a launch that reads or writes these tensors."""
        self.launches += 1
        self.bytes += sum(
            min(each.numel() * each.element_size(), each.untyped_storage().nbytes())
            for each in tensors
            if isinstance(each, Tensor)
        )


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, work: Work) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._work = work

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = function(*args, **(kwargs or {}))
        if not function.is_view and function.__name__.partition(".")[0] not in ALLOCATIONS | VIEWS:
            self._work.add(tree_leaves((args, kwargs, result)))
            if function in CONVOLUTIONS and len(args) > 2 and args[2] is not None:
                self._work.add((result, args[2], result))
        return result


def count(network_name: str, size: tuple[int, int], ratio: float, *, strict: bool, fused: bool) -> Work:
    """Return the work of one step in float16; fused: as it runs on CUDA, otherwise as torch runs it."""
    work = Work()

    def launch(
        name: str, grid: tuple[int, int, int], block: tuple[int, int, int], arguments: Sequence[Argument]
    ) -> None:
        work.add(arguments)

    network: nn.Module | None = NETWORKS[network_name]().eval().requires_grad_(False)
    if fused:
        fuse = SPECS[network_name].fuse
        assert network is not None and fuse is not None
        network = fuse(fold_batch_norms(network), launch, torch.float16)
    assert network is not None
    core = Core(network).eval().to("meta")
    if not fused:
        core = core.to(torch.float16)
    full_size: FullSize = FusedFullSize(launch) if fused else TorchFullSize()
    step = FrameStep(core, StepGeometry(*size, ratio), torch.float16, full_size)
    frame = torch.empty((size[1], size[0], 3), dtype=torch.uint8, device="meta")
    state = step.initial_state()
    with torch.inference_mode(), _Counter(work):
        step(frame, frame, state, StepMode(plan(EdgeSettings(strict="strict" if strict else "off"))))
    return work


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--ratio", type=float, default=0.25)
    words = parser.parse_args()
    print("| network | strict mode | launches, torch | GB, torch | launches, CUDA | GB, CUDA |")
    print("|---|---|---:|---:|---:|---:|")
    for name in NETWORKS:
        for strict in (False, True):
            before, after = (
                count(name, parse_size(words.size), words.ratio, strict=strict, fused=fused) for fused in (False, True)
            )
            print(
                f"| {name} | {'on' if strict else 'off'} | {before.launches} | {before.bytes / 1e9:.2f} "
                f"| {after.launches} | {after.bytes / 1e9:.2f} |"
            )


if __name__ == "__main__":
    main()
