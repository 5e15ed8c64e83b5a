"""Changes to OpenVINO models that make them faster or more exact, without changing what they compute."""

from __future__ import annotations

from collections.abc import Iterable

from app.matting.silent_openvino import opset13, ov, preprocess

EXACT_FROM = "project_mat"
"""The convolution from which on RVM's deep guided filter needs float32: it subtracts nearly equal means."""


def split_exact(model: ov.Model, results: int) -> tuple[ov.Model, ov.Model] | None:
    """The model in two: (small, state ...) -> (features, state ...) and (small, features) -> the first `results`.

    None where the model has no part that needs to be exact although a convolution follows in it. `model` is used up.
    """
    cut = _input_of_convolution(model, EXACT_FROM)
    if cut is None:
        return None
    second = model.clone()
    first = ov.Model(
        [cut, *(result.input_value(0) for result in model.get_results()[results:])], model.get_parameters()
    )
    cut = _input_of_convolution(second, EXACT_FROM)
    assert cut is not None
    features = opset13.parameter(list(cut.shape), cut.element_type)
    for target in list(cut.get_target_inputs()):
        target.replace_source_output(features.output(0))
    outputs = [result.input_value(0) for result in second.get_results()[:results]]
    return first, ov.Model(outputs, [second.get_parameters()[0], features])


def channels_last(model: ov.Model, inputs: Iterable[int], outputs: Iterable[int]) -> ov.Model:
    """The model with these inputs and outputs as (B, H, W, C), the order the CPU's convolutions work in."""
    steps = preprocess.PrePostProcessor(model)
    for place in [*(steps.input(index) for index in inputs), *(steps.output(index) for index in outputs)]:
        place.tensor().set_layout(ov.Layout("NHWC"))
        place.model().set_layout(ov.Layout("NCHW"))
    return steps.build()


def _input_of_convolution(model: ov.Model, name: str) -> ov.Output | None:
    for operation in model.get_ordered_ops():
        if operation.get_type_name() == "Convolution" and name in operation.get_friendly_name():
            return operation.input_value(0)
    return None
