"""The bundled network: weights and outputs, decision stage, memories cleared where frames
change; its int8 version.
"""

from __future__ import annotations

import math
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.torch import load_file
from torch import Tensor, nn

from app.matting.openvino.conversion import core, ov
from models.exchange import DecisionRule, ForgettingRule
from models.mattecam.bundled import export, load
from models.mattecam.network import MattecamNetwork, Shares, decide, shares_to_keep
from models.mattecam.quantized import load_quantized, quantized
from models.quantization import (
    PAIR_LIMIT,
    SIGNED,
    UNSIGNED,
    WEIGHT_LIMIT,
    Limits,
    QuantizedConv,
    Quantizer,
    best_scales,
    round_weights,
    rounded,
)
from models.table import BUNDLED
from models.weights import SOURCE, find_int8, int8_file, sha256_of
from tests.golden.fill import fill
from tests.paths import GOLDEN
from training.export import expected_outputs, portrait
from training.saving import save_quantized

pytestmark = pytest.mark.torch


def test_the_bundled_network_is_small_enough_to_ship() -> None:
    assert sum(p.numel() for p in load().parameters()) <= 3_500_000
    assert BUNDLED.stat().st_size <= 7_000_000
    assert int8_file(BUNDLED).stat().st_size <= 4_000_000


def test_the_bundled_weights_give_the_expected_outputs() -> None:
    with np.load(GOLDEN / "student.npz") as golden:
        outputs = expected_outputs(load())
        assert set(golden) == set(outputs)
        for name, value in outputs.items():
            np.testing.assert_allclose(value, golden[name], atol=1e-3, err_msg=name)


@torch.no_grad()
def test_the_coarse_alpha_is_the_one_before_the_decision() -> None:
    """Strict mode tells people from ghosts by it."""
    student = load()
    image = portrait(0)
    undecided, *_ = student.undecided_matte(image)
    _, _, coarse, *_ = student.coefficients(image)

    assert torch.equal(coarse, undecided[:, 3:])
    assert not torch.equal(coarse, student.matte(image)[0][:, 3:])


def test_a_trunk_runs_in_float32_up_to_an_eighth_and_its_features_fit_the_next_frames() -> None:
    """Its first layers would cause most of the error in bfloat16."""
    stages = export(MattecamNetwork(trunk=True).eval()).stages
    beginning, trunk, body = stages

    assert [(stage.float32, stage.steady) for stage in stages] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    assert beginning.module(torch.rand(1, 3, 45, 75)).shape == (1, 40, 6, 10) and trunk.reads == (
        "begun",
    )
    assert set(body.reads) & {*beginning.writes, *trunk.writes} == {"deep"}
    assert [stage.name for stage in export(MattecamNetwork().eval()).stages] == ["body"]


SIZE = 60, 80
# First column of the background in `person`.
EDGE = 30
# Ghosts may remain so near to the contour.
REACH = 2 * (DecisionRule().band + DecisionRule().ramp)


def person(value: float = 1.0) -> Tensor:
    """Return an alpha whose left columns are a person with a soft edge."""
    column = torch.arange(SIZE[1], dtype=torch.float32)
    return (value * ((EDGE - column) / 4 + 0.5).clamp(0, 1)).expand(1, 1, *SIZE).clone()


def decided(*alphas: Tensor) -> list[Tensor]:
    """Return the alphas of a stream after the decision stage."""
    last = torch.zeros_like(alphas[0])
    results = list[Tensor]()
    for alpha in alphas:
        result, last = decide(alpha, last)
        results.append(result)
    return results


def test_far_from_the_contour_a_region_becomes_background_or_person_as_a_whole() -> None:
    for ghost in (0.15, 0.3):
        alpha = torch.maximum(person(), torch.full((1, 1, *SIZE), ghost))
        result = decided(alpha)[0]
        assert result[..., EDGE + REACH :].max() == 0
        assert torch.equal(result[..., :EDGE], alpha[..., :EDGE])
    for hole in (0.7, 0.85):
        assert decided(person(hole))[0][..., : EDGE - REACH].min() == 1
    hair = person()
    hair[..., EDGE : EDGE + 3] = 0.3
    assert torch.equal(decided(hair)[0], hair), (
        "hair and motion blur reach some pixels beyond the contour"
    )


def test_a_region_that_wavers_stays_as_it_was_decided() -> None:
    """Its alpha swings about 0.5 from frame to frame."""
    wavering = [torch.full((1, 1, *SIZE), 0.5 + 0.07 * math.sin(2.1 * t)) for t in range(20)]
    shown, hidden = (decided(torch.full((1, 1, *SIZE), first), *wavering) for first in (0.9, 0.1))

    assert all(result.min() > 0.7 for result in shown)
    assert all(result.max() < 0.5 for result in hidden)


def shares_kept(before: Tensor, after: Tensor) -> Shares:
    """Return the shares kept at 1/4, 1/8 and 1/16 in the second of two frames."""
    _, seen = shares_to_keep(before, None, 1)
    shares, _ = shares_to_keep(after, seen, 1)
    assert shares is not None
    return shares


def test_noise_and_slow_changes_of_light_keep_every_memory() -> None:
    image = 0.2 + 0.5 * torch.rand(1, 3, 90, 160)
    noisy = (
        1.1 * image + torch.randn(image.shape, generator=torch.Generator().manual_seed(0)) * 0.03
    )

    assert min(float(share.min()) for share in shares_kept(image, noisy)) > 0.9


def test_memories_go_where_the_picture_changes() -> None:
    before = torch.full((1, 3, 96, 160), 0.4)
    after = before.clone()
    after[..., 32:64, 64:112] += 2.5 * ForgettingRule().change
    for share, factor in zip(shares_kept(before, after), (4, 8, 16), strict=True):
        assert share[..., 32 // factor : 64 // factor, 64 // factor : 112 // factor].max() == 0
        share[..., 16 // factor : 80 // factor, 48 // factor : 128 // factor] = 1
        assert share.min() == share.max() == 1, "far away"


def test_the_int8_version_gives_nearly_the_expected_outputs() -> None:
    outputs = expected_outputs(load(int8_file(BUNDLED)))
    with np.load(GOLDEN / "student.npz") as golden:
        for name in ("r1", "r2", "r3"):
            difference = np.abs(outputs[name] - golden[name]).mean()
            assert 0 < difference < 0.1 * golden[name].std(), name


def test_changed_weights_and_a_damaged_file_have_no_int8_version(tmp_path: Path) -> None:
    weights = Path(shutil.copy(BUNDLED, tmp_path))
    assert find_int8(weights) is None
    shutil.copy(int8_file(BUNDLED), int8_file(weights))
    assert find_int8(weights) == int8_file(weights), (
        "run `python -m training.quantize` for the new weights"
    )
    weights.write_bytes(b"other weights")
    assert find_int8(weights) is None
    shutil.copy(BUNDLED, weights)
    for content in (b"", b"no safetensors", b"\xff" * 64):
        int8_file(weights).write_bytes(content)
        assert find_int8(weights) is None


@torch.no_grad()
def test_a_saved_network_gives_the_same_outputs_and_without_its_scales_is_refused(
    tmp_path: Path,
) -> None:
    network = MattecamNetwork().eval()
    file = tmp_path / "int8.safetensors"
    network.load_state_dict(fill(network.state_dict()))
    random_int8 = quantized(network).eval()
    for module in random_int8.modules():
        if isinstance(module, Quantizer):
            module.scale.fill_(4 / module.limits[1])
    save_quantized(random_int8, file, {SOURCE: sha256_of(BUNDLED)})
    image = torch.rand(1, 3, 48, 64)
    before = random_int8(image)
    assert all(value.std() > 0 for value in before)
    torch.testing.assert_close(before, load(file)(image), rtol=1e-3, atol=1e-3)
    tensors = load_file(file)
    del tensors["project.1.scale"]
    with pytest.raises(RuntimeError, match="no scales"):
        load_quantized(tensors)


def test_all_but_the_first_convolutions_and_the_gate_by_context_are_int8_whose_pairs_cannot_overflow() -> (
    None
):
    """Without VNNI, OpenVINO adds the products of two neighbouring input channels in 16 bits."""
    weights = {
        name: value for name, value in load_file(int8_file(BUNDLED)).items() if value.ndim == 4
    }
    exact = {name for name, value in weights.items() if value.dtype != torch.int8}

    assert exact == {
        "detail1.0.weight",
        "encode1.0.weight",
        "trunk.encoder.stem.0.weight",
        "reduce1.0.weight",
    }
    assert any(name.startswith("memory2.gates") for name in weights)
    assert (
        max(
            largest_pair(weights[name])
            for name in weights.keys() - exact
            if weights[name].shape[1] > 1
        )
        <= PAIR_LIMIT
    )


LIMITS = (-WEIGHT_LIMIT, WEIGHT_LIMIT)


@given(arrays(np.float32, (3, 8), elements=st.floats(-10, 10, width=32)))
def test_pairs_of_weights_stay_within_the_limit_at_little_cost(values: np.ndarray) -> None:
    weights = torch.from_numpy(values)
    scale = best_scales(weights, LIMITS, paired=True)
    made = rounded(weights, scale, LIMITS, paired=True)
    steps = (made / scale[:, None]).round()
    assert float(steps.abs().max()) <= WEIGHT_LIMIT
    assert largest_pair(steps[..., None, None]) <= PAIR_LIMIT
    assert torch.equal(made.sign() * weights.sign(), made.abs().sign()), (
        "no weight changes its sign"
    )
    largest = weights.abs().amax(1, keepdim=True).clamp_min(1e-8)
    halved = rounded(weights, 2 * largest[:, 0] / WEIGHT_LIMIT, LIMITS, paired=False)
    error, plain = ((x - weights).square().mean(1) for x in (made, halved))
    assert bool((error <= plain).all()), "weights of 7 bits also stay within the limit"


@torch.no_grad()
@pytest.mark.parametrize("limits", [UNSIGNED, SIGNED])
@pytest.mark.parametrize("kernel", [1, 3])
def test_openvino_computes_what_the_simulation_computes_with_the_largest_weights(
    limits: Limits, kernel: int
) -> None:
    """Processors without VNNI add two products in 16 bits: results were off by a sixth on
    average.
    """
    torch.manual_seed(0)
    convolution = nn.Conv2d(32, 32, kernel, padding=kernel // 2)
    convolution.weight.copy_(torch.rand_like(convolution.weight))
    quantizer = Quantizer(limits)
    quantizer.scale.fill_(1 / limits[1])
    network = nn.Sequential(quantizer, QuantizedConv(convolution)).eval()
    round_weights(network)
    image = torch.rand(1, 32, 24, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about constants and old ways of torch
        converted = ov.convert_model(network, example_input=image, input=[tuple(image.shape)])
    compiled = core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    torch.testing.assert_close(
        torch.from_numpy(compiled(image.numpy())[0]), network(image), rtol=1e-3, atol=1e-3
    )


def largest_pair(steps: Tensor) -> float:
    """Return the largest sum, of one sign, of two neighbouring input channels of weights
    (O, I, H, W) in int8.
    """
    even = nn.functional.pad(steps.float(), (0, 0, 0, 0, 0, steps.shape[1] % 2))
    positive = even.clamp_min(0)
    negative = (-even).clamp_min(0)
    return max(float((part[:, ::2] + part[:, 1::2]).max()) for part in (positive, negative))
