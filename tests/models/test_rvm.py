"""RVM: golden outputs, segmentation, precision."""

import json
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from models.rvm.guided_filter import fast_guided_filter
from models.rvm.network import MattingNetwork, Variant
from tests.models.golden import TOLERANCE, assert_golden, filled, frame
from tests.paths import GOLDEN

pytestmark = pytest.mark.torch

CASES = [
    case
    for case in json.loads((GOLDEN / "index.json").read_text())
    if case["net"] == "rvm" and case["case"] != "rvm_mobilenetv3_sequence"
]


TOLERANCES = {"rvm_mobilenetv3_fast_guided_filter_0.5": 5e-6}
"""Variances of nearly flat regions amplify rounding errors: a 3x3 pooling has an alpha error of 1.2e-5 here."""


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return filled(MattingNetwork())


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_golden(case: dict[str, object]) -> None:
    network = filled(MattingNetwork(case["variant"], case["refiner"] == "deep_guided_filter"))  # type: ignore[arg-type]
    _, _, height, width = case["arrays"]["fgr"]  # type: ignore[index]
    state: list[Tensor] = []
    for t in range(3):
        fgr, pha, *state = network(frame(height, width, 1, t), *state, downsample_ratio=case["downsample_ratio"])
    outputs = dict(zip(("fgr", "pha", "r1", "r2", "r3", "r4"), (fgr, pha, *state), strict=True))
    name = str(case["case"])
    assert_golden(name, outputs, TOLERANCES.get(name, TOLERANCE))


def test_golden_batch_and_segmentation(network: MattingNetwork) -> None:
    state: list[Tensor] = []
    segmented: list[Tensor] = []
    for t in range(3):
        streams = torch.cat([frame(64, 96, seed, t) for seed in (2, 3)])
        fgr, pha, *state = network(streams, *state, downsample_ratio=0.5)
        seg, *segmented = network.segment(streams, *segmented)
    assert_golden("rvm_mobilenetv3_sequence", {"fgr": fgr, "pha": pha, "seg": seg, "r4": state[3]})


@pytest.mark.parametrize("variant", ["mobilenetv3", pytest.param("resnet50", marks=pytest.mark.long)])
def test_matting_and_segmentation_pass_the_same_states(variant: Variant) -> None:
    network = filled(MattingNetwork(variant))
    logits, *segmented = network.segment(frame(48, 64, 1))
    _, _, *matted = network(frame(48, 64, 1))
    assert logits.shape == (1, 1, 48, 64)
    for one, other in zip(segmented, matted, strict=True):
        assert torch.equal(one, other)


def test_training_of_both_passes_reaches_every_parameter() -> None:
    network = MattingNetwork().train()
    frames = [torch.cat([frame(32, 48, seed, t) for seed in (1, 2)]) for t in range(2)]
    with torch.enable_grad():
        _, _, *state = network(frames[0], downsample_ratio=0.5)
        fgr, pha, *_ = network(frames[1], *state, downsample_ratio=0.5)
        seg, *_ = network.segment(frames[1], *network.segment(frames[0])[1:])
        (fgr.mean() + pha.mean() + seg.mean()).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


def test_the_guided_filter_survives_half_precision() -> None:
    """float16 cannot represent the variance of a nearly flat image (1e-6), although the image itself is exact."""
    generator = torch.Generator().manual_seed(0)
    image = (0.5 + torch.randint(-2, 3, (1, 3, 24, 32), generator=generator) / 1024).half()
    matte = torch.rand(1, 4, 24, 32, generator=generator).half()
    for single, half in zip(
        fast_guided_filter(image.float(), matte.float()),
        fast_guided_filter(image, matte),
        strict=True,
    ):
        torch.testing.assert_close(half, single, rtol=1e-5, atol=1e-5)


def test_half_precision_stays_near(network: MattingNetwork) -> None:
    half = filled(MattingNetwork()).half()
    src = frame(64, 96, 1)
    for got, want in zip(half(src.half(), downsample_ratio=0.5), network(src, downsample_ratio=0.5), strict=True):
        assert got.dtype == torch.float16
        assert (got.float() - want).abs().max() < 2e-2
