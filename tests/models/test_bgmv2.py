"""Background Matting V2: golden outputs, refinement, invalid input, synchronization, cost."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from models.bgmv2 import refiner
from models.bgmv2.network import MattingRefine
from models.bgmv2.refiner import BORDER, CONTEXT_BORDER
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
    """The published refiner without borders is not used: of that case only the base network is compared."""
    network = filled(MattingRefine(case["backbone"], case["backbone_scale"], case["refine_sample_pixels"]))
    pha, fgr, pha_sm, _, err_sm, ref_sm = network(frame(192, 320, 4), frame(192, 320, 5))
    got = {"pha": pha, "fgr": fgr, "pha_sm": pha_sm, "err_sm": err_sm, "ref_sm": ref_sm}
    unused = ("pha", "fgr") if case["kernel_size"] == 1 else ()
    assert_golden(case["case"], {name: value for name, value in got.items() if name not in unused}, unused=unused)


def everywhere(network: MattingRefine) -> tuple[Tensor, Tensor]:
    """Return alpha and foreground of the refiner that sees the whole image as one window."""
    src, bgr = inputs()
    small = [resize(image, tuple(int(side * network.backbone_scale) for side in SIZE)) for image in (src, bgr)]  # type: ignore[arg-type]
    pha_sm, residual_sm, _, hidden = network.coarse(*small)
    half, images = (SIZE[0] // 2, SIZE[1] // 2), torch.cat([src, bgr], 1)
    context = torch.cat([resize(torch.cat([hidden, pha_sm, residual_sm], 1), half), resize(images, half)], 1)
    borders = (functional.pad(x, (n,) * 4) for x, n in ((context, CONTEXT_BORDER), (images, BORDER)))
    matte = network.refiner.solve(*borders)
    return matte[:, :1].clamp(0, 1), (src + matte[:, 1:]).clamp(0, 1)


@pytest.mark.parametrize("scale", [1 / 2, 1 / 4, 0.3, 1 / 8])
def test_sampling_every_cell_is_full_refinement(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refiner, "CELLS_AT_ONCE", 100)
    network = expecting(1, MattingRefine("mobilenetv2", scale, SIZE[0] * SIZE[1]))
    for a, b in zip(network(*inputs()), everywhere(network), strict=False):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_without_expected_error_nothing_is_refined() -> None:
    pha, _, pha_sm, _, _, ref_sm = expecting(0, MattingRefine("mobilenetv2"))(*inputs())
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
