"""What the recurrent networks have in common: clips, streams, states, sizes, and the two stages of a step."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork
from tests.models.golden import clip, filled, frame

pytestmark = pytest.mark.torch
Network = MattingNetwork | MattecamNetwork


def lively(**layers: bool) -> MattecamNetwork:
    """Return a network with random weights, whose output depends on its recurrent state."""
    torch.manual_seed(0)
    network = MattecamNetwork(**layers).eval()
    for memory in (network.memory2, network.memory3, network.memory4):
        torch.nn.init.normal_(memory.gates.weight, std=0.1)
        torch.nn.init.normal_(memory.candidate.weight, std=0.1)
    return network


NETWORKS: dict[str, Callable[[], Network]] = {
    "rvm": lambda: filled(MattingNetwork()),
    "rvm-fast": lambda: filled(MattingNetwork(deep=False)),
    "mattecam": lively,
    "mattecam-as-shipped": lambda: lively(trunk=True, wide=True),
}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    return NETWORKS[request.param]().requires_grad_(False)


@pytest.mark.parametrize("network", ["mattecam", "mattecam-as-shipped"], indirect=True)
@pytest.mark.parametrize("ratio", [1, 0.5])
def test_a_clip_is_its_frames_and_goes_on_from_the_state_before_it(network: Network, ratio: float) -> None:
    frames = clip(45, 70, 4)
    fgr, pha, *state = network(frames, downsample_ratio=ratio)
    after: list[Tensor] = []
    for at, piece in ((0, frames[:, 0]), (1, frames[:, 1]), (slice(2, 4), frames[:, 2:])):
        fgr_t, pha_t, *after = network(piece, *after, downsample_ratio=ratio)
        torch.testing.assert_close(fgr[:, at], fgr_t, atol=1e-5, rtol=0)
        torch.testing.assert_close(pha[:, at], pha_t, atol=1e-5, rtol=0)
    for a, b in zip(state, after, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_a_batch_is_its_streams(network: Network) -> None:
    alone: list[list[Tensor]] = [[], []]
    both: list[Tensor] = []
    for t in range(2):
        streams = [frame(48, 64, seed, t) for seed in (2, 3)]
        together = network(torch.cat(streams), *both, downsample_ratio=0.5)
        both = [*together[2:]]
        for index, stream in enumerate(streams):
            outputs = network(stream, *alone[index], downsample_ratio=0.5)
            alone[index] = [*outputs[2:]]
            for a, b in zip(together, outputs, strict=True):
                torch.testing.assert_close(a[index : index + 1], b, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("height", "width", "ratio"), [(33, 47, 1), (91, 151, 0.37), (17, 200, 0.9), (5, 3, 1)])
def test_any_size_works_and_no_state_is_the_zero_state(network: Network, height: int, width: int, ratio: float) -> None:
    src = torch.cat([frame(height, width, seed) for seed in (1, 2)])
    state = network.initial_state(2, int(height * ratio), int(width * ratio))
    fgr, pha, *after = network(src, *state, downsample_ratio=ratio)
    for a, b in zip((fgr, pha, *after), network(src, downsample_ratio=ratio), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)
    assert fgr.shape == (2, 3, height, width)
    assert pha.shape == (2, 1, height, width)
    assert [r.shape for r in after] == [r.shape for r in state]
    assert len(state) == (4 if isinstance(network, MattingNetwork) else 5)
    assert all(x.isfinite().all() for x in (fgr, pha, *after))
    assert min(fgr.min(), pha.min()) >= 0
    assert max(fgr.max(), pha.max()) <= 1
