"""The compiled step: the same pictures, compiled once and never while it runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from app.core.errors import ModelError
from app.matting.step.core import Core
from app.matting.torch_backend.compiled import CompiledExecutor
from app.matting.torch_backend.eager import EagerExecutor
from tests.golden.fill import fill
from tests.matting.asks import ASKS, GEOMETRY, assert_close, core

compiled_graphs: list[torch.fx.GraphModule] = []


class SmallNetwork(nn.Module):
    """Has a state and all that a core gives, in few operations: tracing takes its time for each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 10, 3, padding=1)
        self.conv.load_state_dict(fill(self.conv.state_dict()))

    def initial_state(self, batch: int, height_small: int, width_small: int) -> tuple[Tensor, ...]:
        return (self.conv.weight.new_zeros(batch, 1, height_small, width_small),)

    def coefficients(self, src_small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        values = self.conv(torch.cat([src_small, *state], 1))
        return values[:, :4], values[:, 4:8], values[:, 8:9].sigmoid(), values[:, 9:].tanh()


def small_core() -> Core:
    return Core(SmallNetwork().requires_grad_(False)).eval()


def counting(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., object]:
    """A compiler that leaves what it is given as it is."""
    compiled_graphs.append(graph)
    return graph.forward


def refusing(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., object]:
    """A compiler that is not there."""
    raise RuntimeError("No working C++ compiler found")


def test_the_step_is_one_graph_and_nothing_compiles_while_it_runs() -> None:
    reference = EagerExecutor(small_core(), GEOMETRY)
    expected = [reference.run(*ask) for ask in ASKS]
    compiled_graphs.clear()
    executor = CompiledExecutor(small_core(), GEOMETRY, compiler=counting)
    count = len(compiled_graphs)
    assert count >= 2, "one for pictures, one for the blurred room"
    for _ in range(2):
        assert_close([executor.run(*ask) for ask in ASKS], expected)
        executor.reset()
    assert len(compiled_graphs) == count


def test_without_a_compiler_it_says_so() -> None:
    with pytest.raises(ModelError, match=r"No working C\+\+ compiler found.*choose the executor eager"):
        CompiledExecutor(small_core(), GEOMETRY, compiler=refusing)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler g++")
def test_torchs_own_compiler_gives_the_same_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config

    monkeypatch.setattr(config, "compile_threads", 1)  # its helper processes outlive the test
    reference = EagerExecutor(core(), GEOMETRY)
    executor = CompiledExecutor(core(), GEOMETRY)
    assert_close([executor.run(*ask) for ask in ASKS], [reference.run(*ask) for ask in ASKS])
