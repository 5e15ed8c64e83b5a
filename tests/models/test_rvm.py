"""RVM: golden outputs, recurrent states, sizes, stages, precision, export."""

import json
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from models.rvm.guided_filter import FastGuidedFilter
from models.rvm.network import MattingNetwork, Refiner
from tests.models.golden import assert_golden, filled, frame
from tests.paths import GOLDEN

pytestmark = pytest.mark.torch

CASES = [
    case
    for case in json.loads((GOLDEN / "index.json").read_text())
    if case["net"] == "rvm" and case["case"] != "rvm_mobilenetv3_sequence"
]


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return filled(MattingNetwork())


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def clip(height: int, width: int, frames: int, seed: int = 1) -> Tensor:
    """(1, frames, 3, height, width)"""
    return torch.stack([frame(height, width, seed, t) for t in range(frames)], 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_golden(case: dict[str, object]) -> None:
    network = filled(MattingNetwork(case["variant"], case["refiner"]))  # type: ignore[arg-type]
    _, _, height, width = case["arrays"]["fgr"]  # type: ignore[index]
    state: list[Tensor] = []
    for t in range(3):
        fgr, pha, *state = network(frame(height, width, 1, t), *state, downsample_ratio=case["downsample_ratio"])
    assert_golden(case["case"], dict(zip(("fgr", "pha", "r1", "r2", "r3", "r4"), (fgr, pha, *state), strict=True)))  # type: ignore[arg-type]


def test_the_fast_guided_filter_rounds_as_the_published_one() -> None:
    """Variances of nearly flat regions amplify rounding errors.

    A 3x3 pooling has an alpha error of 1.2e-5 here and up to 1.1e-4 at other sizes.
    """
    network = filled(MattingNetwork("mobilenetv3", "fast_guided_filter"))
    state: list[Tensor] = []
    for t in range(3):
        fgr, pha, *state = network(frame(90, 150, 1, t), *state, downsample_ratio=0.5)
    outputs = dict(zip(("fgr", "pha", "r1", "r2", "r3", "r4"), (fgr, pha, *state), strict=True))
    assert_golden("rvm_mobilenetv3_fast_guided_filter_0.5", outputs, 5e-6)


def test_golden_clips_and_segmentation(network: MattingNetwork) -> None:
    clips = torch.cat([clip(64, 96, 3, seed) for seed in (2, 3)])
    fgr, pha, _, _, _, r4 = network(clips, downsample_ratio=0.5)
    seg, *_ = network(clips, segmentation_pass=True)
    assert fgr.shape == (2, 3, 3, 64, 96)
    assert_golden("rvm_mobilenetv3_sequence", {"fgr": fgr[:, -1], "pha": pha[:, -1], "seg": seg[:, -1], "r4": r4})


@pytest.mark.parametrize("ratio", [1, 0.5])
def test_a_clip_is_its_frames_one_by_one(network: MattingNetwork, ratio: float) -> None:
    frames = clip(45, 70, 4)
    fgr, pha, *state = network(frames, downsample_ratio=ratio)
    single: list[Tensor] = []
    for t in range(4):
        fgr_t, pha_t, *single = network(frames[:, t], *single, downsample_ratio=ratio)
        torch.testing.assert_close(fgr[:, t], fgr_t, atol=1e-5, rtol=0)
        torch.testing.assert_close(pha[:, t], pha_t, atol=1e-5, rtol=0)
    for a, b in zip(state, single, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_a_clip_continues_from_the_state_before_it(network: MattingNetwork) -> None:
    frames = clip(48, 64, 4)
    whole = network(frames)
    first = network(frames[:, :2])
    second = network(frames[:, 2:], *first[2:])
    torch.testing.assert_close(whole[1][:, 2:], second[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(whole[2], second[2], atol=1e-5, rtol=0)


def test_the_memory_matters(network: MattingNetwork) -> None:
    first = network(frame(48, 64, 1))
    with_memory = network(frame(48, 64, 1, 1), *first[2:])[1]
    without = network(frame(48, 64, 1, 1))[1]
    assert (with_memory - without).abs().max() > 1e-3


@pytest.mark.parametrize(("height", "width", "ratio"), [(33, 47, 1), (91, 151, 0.37), (17, 200, 0.9), (5, 3, 1)])
def test_any_size_works_and_no_state_is_the_zero_state(
    network: MattingNetwork, height: int, width: int, ratio: float
) -> None:
    src = frame(height, width, 1)
    state = network.initial_state(1, int(height * ratio), int(width * ratio))
    fgr, pha, *after = network(src, *state, downsample_ratio=ratio)
    for a, b in zip((fgr, pha, *after), network(src, downsample_ratio=ratio), strict=True):
        assert torch.equal(a, b)
    assert fgr.shape == (1, 3, height, width)
    assert pha.shape == (1, 1, height, width)
    assert [r.shape for r in after] == [r.shape for r in state]
    assert all(x.isfinite().all() for x in (fgr, pha, *after))
    assert min(fgr.min(), pha.min()) >= 0
    assert max(fgr.max(), pha.max()) <= 1


@pytest.mark.parametrize("refiner", ["deep_guided_filter", "fast_guided_filter"])
def test_the_two_stages_are_the_whole(refiner: Refiner) -> None:
    network = filled(MattingNetwork("mobilenetv3", refiner))
    src = frame(80, 120, 1)
    small = torch.nn.functional.interpolate(src, scale_factor=0.5, mode="bilinear", recompute_scale_factor=False)
    slope, offset, coarse, *state = network.coefficients(small)
    outputs = (*network.apply_coefficients(src, slope, offset), *state)
    for a, b in zip(outputs, network(src, downsample_ratio=0.5), strict=True):
        assert torch.equal(a, b)
    assert slope.shape == offset.shape == (1, 4, 40, 60)
    assert torch.equal(coarse, network(small)[1])


def test_a_batch_is_its_streams(network: MattingNetwork) -> None:
    a, b = frame(48, 64, 2), frame(48, 64, 3)
    both = network(torch.cat([a, b]), downsample_ratio=0.5)
    for index, src in enumerate((a, b)):
        for x, y in zip(both, network(src, downsample_ratio=0.5), strict=True):
            torch.testing.assert_close(x[index : index + 1], y, atol=1e-5, rtol=0)


def test_the_guided_filter_survives_half_precision() -> None:
    """float16 cannot represent the variance of a nearly flat image (1e-6), although the image itself is exact."""
    generator = torch.Generator().manual_seed(0)
    image = (0.5 + torch.randint(-2, 3, (1, 3, 24, 32), generator=generator) / 1024).half()
    matte = torch.rand(1, 4, 24, 32, generator=generator).half()
    for single, half in zip(
        FastGuidedFilter(16)(image.float(), matte.float(), matte.float()),
        FastGuidedFilter(16)(image, matte, matte),
        strict=True,
    ):
        torch.testing.assert_close(half, single, rtol=1e-5, atol=1e-5)


def test_half_precision_stays_near(network: MattingNetwork) -> None:
    half = filled(MattingNetwork()).half()
    src = frame(64, 96, 1)
    for got, want in zip(half(src.half(), downsample_ratio=0.5), network(src, downsample_ratio=0.5), strict=True):
        assert got.dtype == torch.float16
        assert (got.float() - want).abs().max() < 2e-2


@pytest.mark.long
def test_the_step_can_be_exported() -> None:
    network = filled(MattingNetwork())
    state = network.initial_state(1, 25, 35)
    exported = torch.export.export(network, (frame(50, 70, 1), *state), {"downsample_ratio": 0.5}).module()
    first = network(frame(50, 70, 1), downsample_ratio=0.5)
    src = frame(50, 70, 1, 1)
    for got, want in zip(
        exported(src, *first[2:], downsample_ratio=0.5), network(src, *first[2:], downsample_ratio=0.5), strict=True
    ):
        torch.testing.assert_close(got, want, atol=1e-5, rtol=0)


def test_training_reaches_every_parameter() -> None:
    network = MattingNetwork().train()
    with torch.enable_grad():
        fgr, pha, *_ = network(clip(32, 48, 2), downsample_ratio=0.5)
        seg, *_ = network(clip(32, 48, 2), segmentation_pass=True)
        (fgr.mean() + pha.mean() + seg.mean()).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []
