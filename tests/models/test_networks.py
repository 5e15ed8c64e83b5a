"""The networks: names and golden outputs of the published implementations, states, sizes, precision, refinement."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode

from models import bgmv2
from models.bgmv2 import MattingRefine, RefineMode
from models.blocks import fast_guided_filter, resize
from models.checkpoint import WRAPPERS
from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork
from models.u2net import U2Net
from tests.golden.fill import fill, image
from tests.golden.make import FULL_SIZE, STEP
from tests.paths import GOLDEN

TOLERANCE = 3e-5

AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


def outputs(name: str) -> dict[str, NDArray[np.float32]]:
    """Return the expected outputs of a case; full-size outputs hold every third row and column."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)


def names(network: nn.Module) -> dict[str, list[int]]:
    """Return name and shape of every entry of a network's state dict."""
    return {name: list(value.shape) for name, value in network.state_dict().items()}


def filled(network: AnyNetwork) -> AnyNetwork:
    """Fill the network with the golden weights and set it to evaluation mode."""
    network.load_state_dict(fill(network.state_dict()), strict=True)
    return network.eval()


def frame(height: int, width: int, seed: int, t: int = 0) -> Tensor:
    """Return a golden image as (1, 3, height, width)."""
    return torch.from_numpy(image(height, width, seed, t))[None]


def clip(height: int, width: int, frames: int, seed: int = 1) -> Tensor:
    """(1, frames, 3, height, width)"""
    return torch.stack([frame(height, width, seed, t) for t in range(frames)], 1)


def assert_golden(name: str, got: dict[str, Tensor], tolerance: float = TOLERANCE) -> None:
    """Assert that the outputs match every array of the case within the tolerance."""
    expected = outputs(name)
    assert set(got) == set(expected)
    for key, want in expected.items():
        value = got[key][..., ::STEP, ::STEP] if key in FULL_SIZE else got[key]
        np.testing.assert_allclose(value.numpy(), want, atol=tolerance, rtol=0, err_msg=f"{name}: {key}")


pytestmark = pytest.mark.torch

RVM_CASES = [
    case
    for case in json.loads((GOLDEN / "index.json").read_text())
    if case["net"] == "rvm" and case["case"] != "rvm_mobilenetv3_sequence"
]


TOLERANCES = {"rvm_mobilenetv3_fast_guided_filter_0.5": 5e-6}
"""Variances of nearly flat regions amplify rounding errors: a 3x3 pooling has an alpha error of 1.2e-5 here."""


@pytest.fixture(scope="module")
def rvm() -> MattingNetwork:
    return filled(MattingNetwork())


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.mark.parametrize("case", RVM_CASES, ids=lambda case: case["case"])
def test_golden_outputs_of_rvm(case: dict[str, object]) -> None:
    rvm = filled(MattingNetwork(case["variant"], case["refiner"] == "deep_guided_filter"))  # type: ignore[arg-type]
    _, _, height, width = case["arrays"]["fgr"]  # type: ignore[index]
    state: list[Tensor] = []
    for t in range(3):
        fgr, pha, *state = rvm(frame(height, width, 1, t), *state, downsample_ratio=case["downsample_ratio"])
    outputs = dict(zip(("fgr", "pha", "r1", "r2", "r3", "r4"), (fgr, pha, *state), strict=True))
    name = str(case["case"])
    assert_golden(name, outputs, TOLERANCES.get(name, TOLERANCE))


def test_golden_batch_and_segmentation(rvm: MattingNetwork) -> None:
    state: list[Tensor] = []
    segmented: list[Tensor] = []
    for t in range(3):
        streams = torch.cat([frame(64, 96, seed, t) for seed in (2, 3)])
        fgr, pha, *state = rvm(streams, *state, downsample_ratio=0.5)
        seg, *segmented = rvm.segment(streams, *segmented)
    assert_golden("rvm_mobilenetv3_sequence", {"fgr": fgr, "pha": pha, "seg": seg, "r4": state[3]})


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


def test_half_precision_stays_near(rvm: MattingNetwork) -> None:
    half = filled(MattingNetwork()).half()
    src = frame(64, 96, 1)
    for got, want in zip(half(src.half(), downsample_ratio=0.5), rvm(src, downsample_ratio=0.5), strict=True):
        assert got.dtype == torch.float16
        assert (got.float() - want).abs().max() < 2e-2


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


BGMV2_CASES = [case for case in json.loads((GOLDEN / "index.json").read_text()) if case["net"] == "bgmv2"]
SIZE = 64, 96


@pytest.fixture(scope="module")
def refining() -> MattingRefine:
    """Return a network in sampling mode with 40 cells."""
    return filled(MattingRefine("mobilenetv2", sample_pixels=640))


def inputs(seed: int = 4) -> tuple[Tensor, Tensor]:
    """Return a frame and a plate."""
    return frame(*SIZE, seed), frame(*SIZE, seed + 1)


def expecting(error: Literal[0, 1], refining: MattingRefine) -> MattingRefine:
    """Return the golden network with its predicted error set to a constant."""
    filled(refining).decoder.conv4.get_parameter("bias")[4] = 200 * error - 100
    return refining


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["case"], marks=pytest.mark.long if "resnet" in case["case"] else ())
        for case in BGMV2_CASES
    ],
)
def test_golden_outputs_of_bgmv2(case: dict[str, Any]) -> None:
    refining = filled(
        MattingRefine(
            case["backbone"],
            case["backbone_scale"],
            case["refine_mode"],
            sample_pixels=case.get("refine_sample_pixels", 80_000),
            threshold=case.get("refine_threshold", 0.1),
            kernel_size=case["kernel_size"],
        )
    )
    pha, fgr, pha_sm, _, err_sm, ref_sm = refining(frame(192, 320, 4), frame(192, 320, 5))
    got = {"pha": pha, "fgr": fgr, "pha_sm": pha_sm, "err_sm": err_sm, "ref_sm": ref_sm}
    assert_golden(case["case"], got)


@pytest.mark.parametrize(("scale", "kernel_size"), [(1 / 2, 3), (1 / 4, 1), (0.3, 3), (1 / 8, 1)])
def test_refining_every_cell_is_full_refinement(
    scale: float, kernel_size: Literal[1, 3], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bgmv2, "CELLS_AT_ONCE", 100)
    modes: tuple[RefineMode, ...] = ("full", "sampling", "thresholding")
    full, *others = (
        expecting(1, MattingRefine("mobilenetv2", scale, mode, SIZE[0] * SIZE[1], kernel_size=kernel_size))(*inputs())
        for mode in modes
    )
    for other in others:
        for a, b in zip(other, full, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["sampling", "thresholding"])
def test_cells_that_are_not_chosen_keep_the_coarse_matte(mode: RefineMode) -> None:
    refining = filled(MattingRefine("mobilenetv2", 1 / 4, mode, sample_pixels=640, threshold=0.3))
    pha, _, pha_sm, _, err_sm, ref_sm = refining(*inputs())
    chosen = ref_sm.repeat_interleave(4, 2).repeat_interleave(4, 3) == 1
    coarse = resize(pha_sm, SIZE)
    assert torch.equal(pha[~chosen], coarse[~chosen])
    assert (pha - coarse)[chosen].abs().min() > 0
    if mode == "sampling":
        assert ref_sm.sum() == 640 / 16
        assert err_sm[ref_sm == 1].min() >= err_sm[ref_sm == 0].max()
    else:
        assert 0 < ref_sm.sum() < ref_sm.numel()
        assert torch.equal(ref_sm == 1, err_sm > 0.3)


@pytest.mark.parametrize(("mode", "threshold"), [("sampling", 0.1), ("thresholding", 0.1), ("thresholding", 0.0)])
def test_without_expected_error_nothing_is_refined(mode: RefineMode, threshold: float) -> None:
    refining = expecting(0, MattingRefine("mobilenetv2", refine_mode=mode, threshold=threshold))
    pha, _, pha_sm, _, _, ref_sm = refining(*inputs())
    assert torch.equal(ref_sm, torch.zeros(1, 1, 16, 24))
    assert torch.equal(pha, resize(pha_sm, SIZE))


@pytest.mark.parametrize(
    ("frame_size", "plate_size", "words"),
    [((62, 96), (62, 96), "multiples of 4"), ((64, 97), (64, 97), "multiples of 4"), (SIZE, (64, 64), "same shape")],
)
def test_sizes_that_do_not_fit_are_refused(
    refining: MattingRefine, frame_size: tuple[int, int], plate_size: tuple[int, int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        refining(frame(*frame_size, 4), frame(*plate_size, 5))


@pytest.mark.parametrize("scale", [0, -1, 0.51, 1])
def test_a_scale_above_one_half_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="backbone scale"):
        MattingRefine("mobilenetv2", scale)


def test_sampling_never_waits_for_the_device(refining: MattingRefine) -> None:
    """What would have to wait for values fails on tensors without them."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        refining(*inputs())


@pytest.mark.parametrize(("name", "small"), [("u2netp", True), pytest.param("u2net", False, marks=pytest.mark.long)])
def test_golden_outputs_of_u2net(name: str, small: bool) -> None:
    network = filled(U2Net(small))
    with torch.no_grad():
        maps = network(frame(96, 128, 6) * 2 - 1)
    assert len(maps) == 7
    assert_golden(name, {"d0": maps[0], "d1": maps[1], "d6": maps[6]})


PUBLISHED: dict[str, Callable[[], nn.Module]] = {
    "rvm_mobilenetv3_deep_guided_filter": MattingNetwork,
    "rvm_resnet50_deep_guided_filter": lambda: MattingNetwork("resnet50"),
    "bgmv2_mobilenetv2": lambda: MattingRefine("mobilenetv2"),
    "bgmv2_resnet50": lambda: MattingRefine("resnet50"),
    "bgmv2_resnet101": lambda: MattingRefine("resnet101"),
    "u2netp": lambda: U2Net(small=True),
    "u2net": lambda: U2Net(small=False),
}


def test_names_and_shapes_are_the_published_ones() -> None:
    published = json.loads((GOLDEN / "state_dicts.json").read_text())
    with torch.device("meta"):
        assert {name: names(make()) for name, make in PUBLISHED.items()} == published
        layers = [*names(MattecamNetwork()), *(layer for network in published.values() for layer in network)]
    assert not any(layer.startswith(WRAPPERS) for layer in layers), "what is removed as a prefix of trainers"
