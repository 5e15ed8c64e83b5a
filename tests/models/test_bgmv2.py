"""Background Matting V2: golden outputs, modes of refinement, invalid input, synchronization, cost."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from models.bgmv2 import refiner
from models.bgmv2.network import MattingRefine
from models.bgmv2.refiner import RefineMode
from models.blocks import resize
from tests.models.golden import assert_golden, filled, frame
from tests.paths import GOLDEN

pytestmark = pytest.mark.torch

CASES = [case for case in json.loads((GOLDEN / "index.json").read_text()) if case["net"] == "bgmv2"]
SIZE = 64, 96


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def network() -> MattingRefine:
    """Return a network in sampling mode with 40 cells."""
    return filled(MattingRefine("mobilenetv2", sample_pixels=640))


def inputs(seed: int = 4) -> tuple[Tensor, Tensor]:
    """Return a frame and a plate."""
    return frame(*SIZE, seed), frame(*SIZE, seed + 1)


def expecting(error: Literal[0, 1], network: MattingRefine) -> MattingRefine:
    """Return the golden network with its predicted error set to a constant."""
    filled(network).decoder.conv4.get_parameter("bias")[4] = 200 * error - 100
    return network


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case["case"], marks=pytest.mark.long if "resnet" in case["case"] else ()) for case in CASES],
)
def test_golden(case: dict[str, Any]) -> None:
    network = filled(
        MattingRefine(
            case["backbone"],
            case["backbone_scale"],
            case["refine_mode"],
            sample_pixels=case.get("refine_sample_pixels", 80_000),
            threshold=case.get("refine_threshold", 0.1),
            kernel_size=case["kernel_size"],
        )
    )
    pha, fgr, pha_sm, _, err_sm, ref_sm = network(frame(192, 320, 4), frame(192, 320, 5))
    got = {"pha": pha, "fgr": fgr, "pha_sm": pha_sm, "err_sm": err_sm, "ref_sm": ref_sm}
    assert_golden(case["case"], got)


@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize("scale", [1 / 2, 1 / 4, 0.3, 1 / 8])
def test_refining_every_cell_is_full_refinement(
    scale: float, kernel_size: Literal[1, 3], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refiner, "CELLS_AT_ONCE", 100)
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
    network = filled(MattingRefine("mobilenetv2", 1 / 4, mode, sample_pixels=640, threshold=0.3))
    pha, _, pha_sm, _, err_sm, ref_sm = network(*inputs())
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
    network = expecting(0, MattingRefine("mobilenetv2", refine_mode=mode, threshold=threshold))
    pha, _, pha_sm, _, _, ref_sm = network(*inputs())
    assert torch.equal(ref_sm, torch.zeros(1, 1, 16, 24))
    assert torch.equal(pha, resize(pha_sm, SIZE))


@pytest.mark.parametrize(
    ("frame_size", "plate_size", "words"),
    [((62, 96), (62, 96), "multiples of 4"), ((64, 97), (64, 97), "multiples of 4"), (SIZE, (64, 64), "same shape")],
)
def test_sizes_that_do_not_fit_are_refused(
    network: MattingRefine, frame_size: tuple[int, int], plate_size: tuple[int, int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        network(frame(*frame_size, 4), frame(*plate_size, 5))


@pytest.mark.parametrize("scale", [0, -1, 0.51, 1])
def test_a_scale_above_one_half_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="backbone scale"):
        MattingRefine("mobilenetv2", scale)


def test_sampling_never_waits_for_the_device(network: MattingRefine) -> None:
    """What would have to wait for values fails on tensors without them."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        network(*inputs())


def test_the_refiners_cost_grows_with_the_pixels() -> None:
    def operations(pixels: int) -> int:
        network = MattingRefine("mobilenetv2", sample_pixels=pixels).eval()
        with FlopCounterMode(display=False) as whole:
            network(*inputs())
        with FlopCounterMode(display=False) as base:
            network.coarse(torch.zeros(1, 3, 16, 24), torch.zeros(1, 3, 16, 24))
        return int(whole.get_total_flops() - base.get_total_flops())

    assert operations(16 * 90) == 3 * operations(16 * 30) > 0
