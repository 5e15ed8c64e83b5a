"""Cutting a network for mixed precision: the parts together are the network."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from app.matting.kernels import composite, numpy_composite
from app.matting.openvino_backend.conversion import load_model, state_shapes
from app.matting.openvino_backend.graph import COEFFICIENTS, GIVEN, HALVES, Stage, fitted, stages
from app.matting.openvino_backend.guided import FastFilter, LearnedFilter, find_filter
from app.matting.openvino_backend.runtime import core

HEIGHT, WIDTH = 44, 60
SMALL = (1, 3, HEIGHT, WIDTH)


def random_inputs(states: list[tuple[int, int, int, int]]) -> dict[str, NDArray[np.float32]]:
    """A small frame and states, as the parts read them."""
    dice = np.random.default_rng(3)
    arrays = {"small": dice.random(SMALL, np.float32)}
    for index, (_, channels, height, width) in enumerate(states):
        arrays[f"state{index}"] = dice.random((1, height, width, channels), np.float32) - 0.5
    return arrays


def run(parts: list[Stage], arrays: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Everything that the parts write, each computed in float32."""
    for part in parts:
        network = core().compile_model(part.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        outputs = network([arrays[name] for name in part.reads])
        arrays = arrays | {name: np.array(outputs[index]) for index, name in enumerate(part.writes)}
    return arrays


@pytest.mark.parametrize(
    ("model", "exact"), [("rvm-mobilenetv3", [False, True]), ("student", [False])], ids=["rvm", "student"]
)
def test_the_parts_are_the_network(model: str, exact: list[bool], weights: dict[str, Path]) -> None:
    network = load_model(model, weights[model], "auto", False)
    shapes = state_shapes(network, HEIGHT, WIDTH)
    arrays = random_inputs(shapes)
    whole = fitted(stages(network, mixed=False), SMALL, shapes)
    parts = fitted(stages(network, mixed=True), SMALL, shapes)

    assert [part.exact for part in parts] == exact
    wanted, found = run(whole, arrays), run(parts, arrays)
    for name in (*COEFFICIENTS, *(f"next{index}" for index in range(len(shapes)))):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("arithmetic", [composite, numpy_composite], ids=["kernels", "plain"])
@pytest.mark.parametrize("mixed", [False, True], ids=["float32", "mixed"])
@pytest.mark.parametrize(
    ("model", "refiner"),
    [("rvm-mobilenetv3", "deep-guided-filter"), ("rvm-mobilenetv3", "fast-guided-filter"), ("student", "auto")],
)
def test_without_its_filter_and_with_ours_it_is_the_network(
    model: str, refiner: str, mixed: bool, arithmetic: ModuleType, weights: dict[str, Path]
) -> None:
    network = load_model(model, weights[model], refiner, False)
    shapes = state_shapes(network, HEIGHT, WIDTH)
    arrays = random_inputs(shapes)
    found_filter = find_filter(network)
    assert found_filter is not None
    assert isinstance(found_filter[0], LearnedFilter if refiner == "deep-guided-filter" else FastFilter)

    wanted = run(fitted(stages(network, mixed=False), SMALL, shapes), arrays)
    (body,) = fitted(stages(network, mixed=mixed, bare=True), SMALL, shapes)
    assert [name for name in body.reads if name in HALVES] == ([] if model == "student" else list(HALVES))
    assert (*body.writes,) == (GIVEN, *(f"next{index}" for index in range(len(shapes))))
    larger = arrays["small"][0]
    for name in (name for name in body.reads if name in HALVES):
        arrays[name] = np.full((1, 3, -(-larger.shape[1] // 2), -(-larger.shape[2] // 2)), np.nan, np.float32)
        arithmetic.halve_rows(larger, arrays[name][0], 0, arrays[name].shape[2])
        larger = arrays[name][0]
    found = run([body], arrays)
    outputs = tuple(np.full_like(wanted[name][0], np.nan) for name in COEFFICIENTS)
    found_filter[0].rows(arithmetic, found[GIVEN][0], arrays["small"][0], outputs, 0, HEIGHT)

    for name, output in zip(COEFFICIENTS, outputs, strict=True):
        np.testing.assert_allclose(output, wanted[name][0], rtol=2e-3, atol=5e-4, err_msg=name)
    for name in body.writes[1:]:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-3, atol=1e-4)


def test_a_network_that_sees_the_whole_frame_has_no_filter(weights: dict[str, Path]) -> None:
    assert find_filter(load_model("rvm-mobilenetv3", weights["rvm-mobilenetv3"], "auto", True)) is None


def test_marked_operations_run_in_float32_and_the_others_do_not(weights: dict[str, Path]) -> None:
    if "BF16" not in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bfloat16")
    network = load_model("rvm-mobilenetv3", weights["rvm-mobilenetv3"], "auto", False)
    (body,) = fitted(stages(network, mixed=True, bare=True), SMALL, state_shapes(network, HEIGHT, WIDTH))
    compiled = core().compile_model(body.model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    about = [operation.get_rt_info() for operation in compiled.get_runtime_model().get_ops()]
    kinds = [
        str(info["runtimePrecision"].astype(str)) for info in about if info["layerType"].astype(str) == "Convolution"
    ]
    assert len(kinds) == 80
    assert kinds.count("f32") == 53
