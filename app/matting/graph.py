"""Cuts an OpenVINO model of a core where its precision has to change.

In bfloat16 nearly all of the error comes from two small places: the first convolutions of the encoder, whose input is
the picture itself, and RVM's deep guided filter, which subtracts nearly equal means. With these in float32 and all else
in bfloat16 the alpha stays within a few steps of 255, for a few percent of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.matting.silent_openvino import opset13, ov, preprocess

COEFFICIENTS = ("slope", "offset", "coarse")
PLANAR = ("small", *COEFFICIENTS)
"""These are (1, C, h, w); all else is (1, h, w, C), the order the CPU's convolutions work in."""

CUTS = {
    "fine_features": "backbone.features.1/",
    "middle_features": "backbone.features.3/",
    "decoded_features": "decoder.decode0.conv.5/",
}
"""Names for the outputs of modules: of what the last operation gives that has this in its name."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a core; it reads and writes named arrays."""

    model: ov.Model
    exact: bool
    reads: tuple[str, ...]
    writes: tuple[str, ...]


def stages(model: ov.Model, mixed: bool) -> list[Stage]:
    """The parts of a core of fixed size, to be run one after the other; one part unless `mixed` precision is wanted.

    The names are those of `PLANAR`, `state0` ... and, for the states after the step, `next0` ...
    """
    count = len(model.inputs) - 1
    states = tuple(f"state{index}" for index in range(count))
    after = tuple(f"next{index}" for index in range(count))
    cut = [name for name, words in CUTS.items() if _output(model, words) is not None] if mixed else []
    front, back = [name for name in cut if name != "decoded_features"], cut[-1:] == ["decoded_features"]
    plans: list[tuple[bool, tuple[str, ...], tuple[str, ...]]] = []
    if front:
        plans.append((True, ("small",), tuple(front)))
    plans.append((False, ("small", *front, *states), ("decoded_features", *after) if back else (*COEFFICIENTS, *after)))
    if back:
        plans.append((True, ("small", "decoded_features"), COEFFICIENTS))
    return [Stage(_part(model, reads, writes), exact, reads, writes) for exact, reads, writes in plans]


def _part(model: ov.Model, reads: Sequence[str], writes: Sequence[str]) -> ov.Model:
    """What computes `writes` from `reads`."""
    part = model.clone()
    tensors = _named(part)
    outputs = [tensors[name] for name in writes]
    parameters = []
    for name in reads:
        tensor = tensors[name]
        if name in CUTS:
            parameter = opset13.parameter(list(tensor.shape), tensor.element_type)
            for target in list(tensor.get_target_inputs()):
                target.replace_source_output(parameter.output(0))
            parameters.append(parameter)
        else:
            parameters.append(tensor.get_node())
    return _channels_last(ov.Model(outputs, parameters), _wide(reads), _wide(writes))


def _named(model: ov.Model) -> dict[str, ov.Output]:
    small, *states = (parameter.output(0) for parameter in model.get_parameters())
    results = [result.input_value(0) for result in model.get_results()]
    tensors = {"small": small, **dict(zip(COEFFICIENTS, results, strict=False))}
    for index, (before, after) in enumerate(zip(states, results[len(COEFFICIENTS) :], strict=True)):
        tensors |= {f"state{index}": before, f"next{index}": after}
    for name, words in CUTS.items():
        output = _output(model, words)
        if output is not None:
            tensors[name] = output
    return tensors


def _output(model: ov.Model, words: str) -> ov.Output | None:
    named = [operation for operation in model.get_ordered_ops() if words in operation.get_friendly_name()]
    return named[-1].output(0) if named else None


def _wide(names: Sequence[str]) -> list[int]:
    return [index for index, name in enumerate(names) if name not in PLANAR]


def _channels_last(model: ov.Model, inputs: Iterable[int], outputs: Iterable[int]) -> ov.Model:
    steps = preprocess.PrePostProcessor(model)
    for place in [*(steps.input(index) for index in inputs), *(steps.output(index) for index in outputs)]:
        place.tensor().set_layout(ov.Layout("NHWC"))
        place.model().set_layout(ov.Layout("NCHW"))
    return steps.build()
