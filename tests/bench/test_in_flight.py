"""Two batches in flight, on a simulated GPU that reorders work as far as the queues allow."""

from __future__ import annotations

import pytest
import torch

from benchmarks.in_flight import BATCHES, BatchesInFlight
from tests.matting.torch_backend.played_gpu import PlayedBackend


@pytest.mark.parametrize("seed", range(12))
def test_every_batch_gets_its_own_result(seed: int) -> None:
    backend = PlayedBackend(seed)
    frames, results = torch.zeros(4), torch.zeros(4)

    def work() -> tuple[torch.Tensor]:
        return (torch.mul(frames, 2, out=results),)

    _, replay = backend.capture(work, 0)
    batches = BatchesInFlight(backend, frames, results, replay)
    found = []
    for index in range(9):
        lane = batches.free(index)
        if index >= BATCHES:
            found.append(lane.arrived.clone())
        lane.sent.fill_(index)
        batches.submit(index)
    found += [batches.free(index).arrived.clone() for index in (9, 10)]
    for index, result in enumerate(found):
        assert torch.equal(result, torch.full((4,), 2.0 * index))


def test_two_batches_are_submitted_before_one_has_arrived() -> None:
    backend = PlayedBackend(0)
    frames, results = torch.zeros(1), torch.zeros(1)
    batches = BatchesInFlight(backend, frames, results, lambda: None)
    batches.submit(0)
    batches.submit(1)
    first, second = (lane.done for lane in batches.lanes)
    assert first is not None
    assert second is not None
    assert first is not second
