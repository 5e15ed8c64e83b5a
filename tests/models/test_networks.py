"""The networks: names and golden outputs of the published implementations, states, sizes,
precision, refinement.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, TypeVar

import numpy as np
import pytest
import torch
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

AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


def filled(network: AnyNetwork) -> AnyNetwork:
    """Fill the network with the golden weights and set it to evaluation mode."""
    network.load_state_dict(fill(network.state_dict()), strict=True)
    return network.eval()


def frame(height: int, width: int, seed: int, t: int = 0) -> Tensor:
    """Return a golden image as (1, 3, height, width)."""
    return torch.from_numpy(image(height, width, seed, t))[None]


close = partial(torch.testing.assert_close, atol=1e-5, rtol=0)


def assert_golden(name: str, got: dict[str, Tensor], tolerance: float = 3e-5) -> None:
    """Assert that the outputs match every array of the case; those of full size hold every third
    row and column.
    """
    with np.load(GOLDEN / f"{name}.npz") as expected:
        assert set(got) == set(expected)
        for key, want in expected.items():
            value = got[key][..., ::STEP, ::STEP] if key in FULL_SIZE else got[key]
            np.testing.assert_allclose(
                value.numpy(), want, atol=tolerance, rtol=0, err_msg=f"{name}: {key}"
            )


pytestmark = pytest.mark.torch

LONG = "bgmv2_resnet50_sampling_k1_0.25", "u2net"


def cases(*nets: str) -> list[Any]:
    """Return the golden cases of these networks."""
    return [
        pytest.param(case, id=case["case"], marks=pytest.mark.long if case["case"] in LONG else ())
        for case in json.loads((GOLDEN / "index.json").read_text())
        if case["net"] in nets
    ]


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.mark.parametrize("case", cases("rvm"))
def test_golden_outputs_of_rvm(case: dict[str, Any]) -> None:
    rvm = filled(MattingNetwork(case["variant"], case["refiner"] == "deep_guided_filter"))
    batch, _, height, width = case["arrays"]["fgr"]
    state: list[Tensor] = []
    segmented: list[Tensor] = []
    found: dict[str, Tensor] = {}
    for t in range(3):
        streams = torch.cat(
            [frame(height, width, seed, t) for seed in ((1,) if batch == 1 else (2, 3))]
        )
        fgr, pha, *state = rvm(streams, *state, downsample_ratio=case["downsample_ratio"])
        if "seg" in case["arrays"]:
            found["seg"], *segmented = rvm.segment(streams, *segmented)
    found.update(zip(("fgr", "pha", "r1", "r2", "r3", "r4"), (fgr, pha, *state), strict=True))
    # Variances of nearly flat regions amplify rounding errors: a 3x3 pooling has an alpha error of
    # 1.2e-5 there.
    tolerance = 5e-6 if case["case"] == "rvm_mobilenetv3_fast_guided_filter_0.5" else 3e-5

    assert_golden(case["case"], {name: found[name] for name in case["arrays"]}, tolerance)


def test_the_guided_filter_survives_half_precision() -> None:
    """float16 cannot represent the variance of a nearly flat image (1e-6), although the image
    itself is exact.
    """
    generator = torch.Generator().manual_seed(0)
    image = (0.5 + torch.randint(-2, 3, (1, 3, 24, 32), generator=generator) / 1024).half()
    matte = torch.rand(1, 4, 24, 32, generator=generator).half()
    close(
        fast_guided_filter(image, matte),
        fast_guided_filter(image.float(), matte.float()),
        rtol=1e-5,
    )


def test_half_precision_stays_near() -> None:
    rvm = filled(MattingNetwork())
    src = frame(64, 96, 1)
    expected = rvm(src, downsample_ratio=0.5)
    got = rvm.half()(src.half(), downsample_ratio=0.5)
    assert {value.dtype for value in got} == {torch.float16}
    close(got, expected, atol=2e-2, check_dtype=False)


Network = MattingNetwork | MattecamNetwork


def lively(**layers: bool) -> MattecamNetwork:
    """Return a network with random weights, whose output depends on its recurrent state."""
    torch.manual_seed(0)
    network = MattecamNetwork(**layers).eval()
    for memory in (network.memory2, network.memory3, network.memory4):
        torch.nn.init.normal_(memory.gates.weight, std=0.1)
        torch.nn.init.normal_(memory.candidate.weight, std=0.1)
    return network


def filled_rvm(deep: bool = True) -> Network:
    return filled(MattingNetwork(deep=deep))


NETWORKS: dict[str, Callable[[], Network]] = {
    "rvm": filled_rvm,
    "rvm-fast": partial(filled_rvm, deep=False),
    "mattecam": lively,
    "mattecam-as-shipped": partial(lively, trunk=True, wide=True),
}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    return NETWORKS[request.param]().requires_grad_(False)


@pytest.mark.parametrize("network", ["mattecam", "mattecam-as-shipped"], indirect=True)
@pytest.mark.parametrize("ratio", [1, 0.5])
def test_a_clip_is_its_frames_and_goes_on_from_the_state_before_it(
    network: Network, ratio: float
) -> None:
    frames = torch.stack([frame(45, 70, 1, t) for t in range(4)], 1)
    fgr, pha, *state = network(frames, downsample_ratio=ratio)
    after: list[Tensor] = []
    for at, piece in ((0, frames[:, 0]), (1, frames[:, 1]), (slice(2, 4), frames[:, 2:])):
        fgr_t, pha_t, *after = network(piece, *after, downsample_ratio=ratio)
        close((fgr[:, at], pha[:, at]), (fgr_t, pha_t))
    close(state, after)


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
            close([value[index : index + 1] for value in together], outputs)


@pytest.mark.parametrize(
    ("height", "width", "ratio"), [(33, 47, 1), (91, 151, 0.37), (17, 200, 0.9), (5, 3, 1)]
)
def test_any_size_works_and_no_state_is_the_zero_state(
    network: Network, height: int, width: int, ratio: float
) -> None:
    src = torch.cat([frame(height, width, seed) for seed in (1, 2)])
    state = network.initial_state(2, int(height * ratio), int(width * ratio))
    fgr, pha, *after = network(src, *state, downsample_ratio=ratio)
    close((fgr, pha, *after), network(src, downsample_ratio=ratio))
    shapes = [(2, 3, height, width), (2, 1, height, width), *(each.shape for each in state)]

    assert [value.shape for value in (fgr, pha, *after)] == shapes
    assert len(state) == (4 if isinstance(network, MattingNetwork) else 5)
    assert all(x.isfinite().all() for x in (fgr, pha, *after))
    assert min(fgr.min(), pha.min()) >= 0 and max(fgr.max(), pha.max()) <= 1


SIZE = 64, 96
# A frame and a plate.
INPUTS = frame(*SIZE, 4), frame(*SIZE, 5)


def expecting(error: Literal[0, 1], refining: MattingRefine) -> MattingRefine:
    """Return the golden network with its predicted error set to a constant."""
    filled(refining).decoder.conv4.get_parameter("bias")[4] = 200 * error - 100
    return refining


@pytest.mark.parametrize("case", cases("bgmv2"))
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

    assert_golden(
        case["case"], {"pha": pha, "fgr": fgr, "pha_sm": pha_sm, "err_sm": err_sm, "ref_sm": ref_sm}
    )


@pytest.mark.parametrize(("scale", "kernel_size"), [(1 / 2, 3), (1 / 4, 1), (0.3, 3), (1 / 8, 1)])
def test_refining_every_cell_is_full_refinement(
    scale: float, kernel_size: Literal[1, 3], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bgmv2, "CELLS_AT_ONCE", 100)
    modes: tuple[RefineMode, ...] = ("full", "sampling", "thresholding")
    full, *others = (
        expecting(
            1, MattingRefine("mobilenetv2", scale, mode, SIZE[0] * SIZE[1], kernel_size=kernel_size)
        )(*INPUTS)
        for mode in modes
    )
    for other in others:
        close(other, full)


@pytest.mark.parametrize("mode", ["sampling", "thresholding"])
def test_cells_that_are_not_chosen_keep_the_coarse_matte(mode: RefineMode) -> None:
    refining = filled(MattingRefine("mobilenetv2", 1 / 4, mode, sample_pixels=640, threshold=0.3))
    pha, _, pha_sm, _, err_sm, ref_sm = refining(*INPUTS)
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


@pytest.mark.parametrize(
    ("mode", "threshold"), [("sampling", 0.1), ("thresholding", 0.1), ("thresholding", 0.0)]
)
def test_without_expected_error_nothing_is_refined(mode: RefineMode, threshold: float) -> None:
    refining = expecting(0, MattingRefine("mobilenetv2", refine_mode=mode, threshold=threshold))
    pha, _, pha_sm, _, _, ref_sm = refining(*INPUTS)

    assert torch.equal(ref_sm, torch.zeros(1, 1, 16, 24))
    assert torch.equal(pha, resize(pha_sm, SIZE))


def test_sizes_and_scales_that_do_not_fit_are_refused() -> None:
    refining = MattingRefine("mobilenetv2")
    for one, other, words in (
        ((62, 96), (62, 96), "multiples of 4"),
        ((64, 97), (64, 97), "multiples of 4"),
        (SIZE, (64, 64), "same shape"),
    ):
        with pytest.raises(ValueError, match=words):
            refining(frame(*one, 4), frame(*other, 5))
    for scale in (0, -1, 0.51, 1):
        with pytest.raises(ValueError, match="backbone scale"):
            MattingRefine("mobilenetv2", scale)


def test_sampling_never_waits_for_the_device() -> None:
    """What would have to wait for values fails on tensors without them."""
    refining = filled(MattingRefine("mobilenetv2", sample_pixels=640))
    with FakeTensorMode(allow_non_fake_inputs=True):
        refining(*INPUTS)


@pytest.mark.parametrize("case", cases("u2net", "u2netp"))
def test_golden_outputs_of_u2net(case: dict[str, Any]) -> None:
    maps = filled(U2Net(small=case["net"] == "u2netp"))(frame(96, 128, 6) * 2 - 1)
    assert len(maps) == 7
    assert_golden(case["case"], {"d0": maps[0], "d1": maps[1], "d6": maps[6]})


PUBLISHED: dict[str, Callable[[], nn.Module]] = {
    "rvm_mobilenetv3_deep_guided_filter": MattingNetwork,
    "rvm_resnet50_deep_guided_filter": partial(MattingNetwork, "resnet50"),
    "bgmv2_mobilenetv2": partial(MattingRefine, "mobilenetv2"),
    "bgmv2_resnet50": partial(MattingRefine, "resnet50"),
    "bgmv2_resnet101": partial(MattingRefine, "resnet101"),
    "u2netp": partial(U2Net, small=True),
    "u2net": partial(U2Net, small=False),
}


def test_names_and_shapes_are_the_published_ones() -> None:
    published = json.loads((GOLDEN / "state_dicts.json").read_text())
    with torch.device("meta"):
        states = {name: make().state_dict() for name, make in PUBLISHED.items()}
        layers = [
            *MattecamNetwork().state_dict(),
            *(layer for network in published.values() for layer in network),
        ]
    shapes = {
        name: {layer: list(value.shape) for layer, value in state.items()}
        for name, state in states.items()
    }

    assert shapes == published
    assert not any(layer.startswith(WRAPPERS) for layer in layers), (
        "what is removed as a prefix of trainers"
    )
