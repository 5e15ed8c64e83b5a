"""The guided filter that a recurrent network's core ends with, taken out of its OpenVINO model.

Of the two filters of `models.rvm.guided_filter` and the bundled network's, OpenVINO makes thirty passes over memory; in
`app.matting.kernels.guided_filter` they are one. Here a model is asked which of them it has, with which weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.matting.openvino_backend.runtime import ov

Floats = NDArray[np.float32]
Outputs = tuple[Floats, Floats, Floats]
_BOX = (4, 1, 3, 3)
_PIXELS_AROUND = 9
_AT_ONCE = 4
"""Channels that the kernels convolve together."""


class GuidedFilter(Protocol):
    """Slope, offset (4, h, w) and coarse alpha (1, h, w) of the small frame (3, h, w) and what the network gives."""

    def rows(
        self, arithmetic: ModuleType, given: Floats, small: Floats, outputs: Outputs, top: int, bottom: int
    ) -> None:
        """Fill rows `top` to `bottom` of the outputs; arithmetic is `composite` or `numpy_composite` of the kernels."""
        ...


@dataclass(frozen=True, slots=True)
class LearnedFilter:
    """RVM's deep guided filter; it is given the decoder's features (C, h, w)."""

    project: Floats
    box: Floats
    first: Floats
    second: Floats
    third: Floats

    def rows(
        self, arithmetic: ModuleType, given: Floats, small: Floats, outputs: Outputs, top: int, bottom: int
    ) -> None:
        """As `GuidedFilter` has it."""
        weights = self.project, self.box, self.first, self.second, self.third
        arithmetic.learned_filter_rows(small, given, *weights, *outputs, top, bottom)


@dataclass(frozen=True, slots=True)
class FastFilter:
    """The fast guided filter; it is given the matte (4, h, w)."""

    epsilon: float
    within: bool
    """Whether the means at the borders are those of the pixels there are."""

    def rows(
        self, arithmetic: ModuleType, given: Floats, small: Floats, outputs: Outputs, top: int, bottom: int
    ) -> None:
        """As `GuidedFilter` has it."""
        arithmetic.fast_filter_rows(small, given, self.epsilon, self.within, *outputs, top, bottom)


def find_filter(model: ov.Model) -> tuple[GuidedFilter, ov.Output] | None:
    """The filter at the end of a core, and the output that it is given; None for a core without one."""
    slope = model.get_results()[0].input_value(0).get_node()
    if slope.get_type_name() == "Divide":
        return _fast(slope)
    if slope.get_type_name() == "Add":
        return _learned(slope)
    return None


def _fast(slope: ov.Node) -> tuple[GuidedFilter, ov.Output]:
    means = _before(slope, "AvgPool")
    variance_and_epsilon = slope.input_value(1).get_node()
    epsilon = float(_constant(variance_and_epsilon.input_value(1)).item())
    within = bool(means.get_attributes()["exclude-pad"])
    return FastFilter(epsilon, within), _paired(means)


def _learned(slope: ov.Node) -> tuple[GuidedFilter, ov.Output]:
    third, second_output = _convolution(slope)
    second, first_output = _convolution(second_output.get_node())
    first, joined = _convolution(first_output.get_node())
    statistics, given = joined.get_node(), joined.get_node().input_value(2)
    means = _before(statistics, "GroupConvolution")
    project, _ = _convolution(_paired(means).get_node())
    box = next(values for values in _constants(means.input_value(1)) if values.shape == _BOX)
    assert len(first) % _AT_ONCE == 0
    return LearnedFilter(project, box.reshape(-1, _PIXELS_AROUND), first, second, third), given


def _before(node: ov.Node, kind: str) -> ov.Node:
    """The nearest operation of this kind before it, along the first inputs."""
    while node.get_type_name() != kind:
        node = node.input_value(0).get_node()
    return node


def _paired(means: ov.Node) -> ov.Output:
    """The matte y, of whose [x, y, x * y, x * x] the means are taken."""
    return means.input_value(0).get_node().input_value(1)


def _convolution(end: ov.Node) -> tuple[Floats, ov.Output]:
    """Weights (M, N + 1), the bias last, and input of the 1x1 convolution that ends here or in the activation here."""
    added = _before(end, "Add")
    convolved = added.input_value(0).get_node()
    bias = _constant(added.input_value(1)).reshape(-1, 1)
    return np.hstack([_constant(convolved.input_value(1))[:, :, 0, 0], bias]), convolved.input_value(0)


def _constant(output: ov.Output) -> Floats:
    return next(_constants(output))


def _constants(output: ov.Output) -> Iterator[Floats]:
    """Every constant of float32 that an output is made of, the nearest first."""
    node = output.get_node()
    if node.get_type_name() == "Constant":
        if node.get_element_type() == ov.Type.f32:
            yield np.array(node.data, np.float32)
        return
    for port in node.inputs():
        yield from _constants(port.get_source_output())
