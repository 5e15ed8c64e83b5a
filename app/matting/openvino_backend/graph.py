"""Cuts an OpenVINO model of a core where its precision has to change, and marks what stays in float32 before that.

In bfloat16 RVM's error comes from three places: the encoder's first two thirds, above all the convolutions at the
picture's own scale; the share of its finest features in two convolutions of the decoder; and the deep guided filter,
which subtracts nearly equal means. With these in float32, and the rest, which is most of the work, in bfloat16, the
alpha stays within 5 steps of 255. What the finest features are to the decoder is a convolution of its own here, since a
convolution of joined channels is the sum of those of its parts. OpenVINO is told operation by operation what to keep.
The filter is left out on a CPU (see `app.matting.openvino_backend.guided`); elsewhere it is a model of its own.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary
from xml.etree import ElementTree

import numpy as np

from app.matting.openvino_backend.guided import find_filter
from app.matting.openvino_backend.runtime import apply_moc_transformations, core, opset13, ov, preprocess

COEFFICIENTS = ("slope", "offset", "coarse")
GIVEN = "given"
"""What the guided filter makes the coefficients of, where it is left out."""
HALVES = ("half1", "half2", "half3")
"""The small frame at half the size, at a quarter and at an eighth, where the caller makes them."""
PLANAR = ("small", *HALVES, GIVEN, *COEFFICIENTS)
"""These are (1, C, h, w); all else is (1, h, w, C), the order the CPU's convolutions work in."""

CUTS = {
    "encoded": "backbone.features.13.block.3.1/",
    "fine": "decoder.decode2/share",
    "finest": "decoder.decode1/share",
    "picture": "decoder.decode0/share",
    "decoded": "decoder.decode0.conv.5/",
}
"""Names for the outputs of modules: of what the last operation gives that has this in its name."""
JOINED = {
    "fine": "decoder.decode2/aten::cat/Concat",
    "finest": "decoder.decode1/aten::cat/Concat",
    "picture": "decoder.decode0/aten::cat/Concat",
}
"""[Coarser features, the encoder's, picture], as these blocks convolve them."""
PRECISE = ("encoded", "fine", "finest")
"""In RVM over MobileNetV3, what stays in float32 with all that it is made of."""
STATES, AFTER = ("state0", "state1", "state2", "state3"), ("next0", "next1", "next2", "next3")

KEEPS_PRECISION = {"name": "DisablePrecisionConversion", "version": "0", "value": "dynamic:f16"}
"""What OpenVINO's files say of an operation that is not to be run in less than its own precision, bfloat16 included."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a core; it reads and writes named arrays."""

    model: ov.Model
    exact: bool
    reads: tuple[str, ...]
    writes: tuple[str, ...]


Shape = tuple[int, ...]
_lock = threading.Lock()
_kept: WeakKeyDictionary[ov.Model, dict[tuple[bool, bool], list[Stage]]] = WeakKeyDictionary()


def stages(model: ov.Model, mixed: bool, *, bare: bool = False) -> list[Stage]:
    """The parts of a core for any size, to be run one after the other; one part unless `mixed` precision is wanted.

    A `bare` core is without the guided filter of `guided` at its end and without the halving of the small
    frame at its beginning. The names are those of `PLANAR`, `state0` ... and, for the states after the step, `next0`
    ... The parts are kept with the model, so that a new size does not have to cut it again; they must not be changed.
    """
    with _lock:
        kept = _kept.setdefault(model, {})
        if (mixed, bare) not in kept:
            kept[mixed, bare] = _cut_bare(model, mixed) if bare else _cut(model, mixed, COEFFICIENTS)
        return kept[mixed, bare]


def fitted(parts: Iterable[Stage], small: Shape, states: Sequence[Shape]) -> list[Stage]:
    """The parts for one size of the small frame and of the states, (1, C, h, w) each."""
    shapes = {"small": small} | {f"state{index}": (n, h, w, c) for index, (n, c, h, w) in enumerate(states)}
    *picture, height, width = small
    for name in HALVES:
        height, width = -(-height // 2), -(-width // 2)
        shapes[name] = (*picture, height, width)
    made = []
    for part in parts:
        model = part.model.clone()
        model.reshape({port: list(shapes[name]) for port, name in zip(model.inputs, part.reads, strict=True)})
        outputs = zip(part.writes, model.outputs, strict=True)
        shapes |= {name: tuple(port.shape) for name, port in outputs}
        made.append(replace(part, model=model))
    return made


def _cut_bare(model: ov.Model, mixed: bool) -> list[Stage]:
    model = model.clone()
    found = find_filter(model)
    assert found is not None
    states = [result.input_value(0) for result in model.get_results()[len(COEFFICIENTS) :]]
    parameters = [*model.get_parameters(), *_taken_halves(model)]
    return _cut(ov.Model([found[1], *states], parameters), mixed, (GIVEN,))


def _taken_halves(model: ov.Model) -> list[ov.Node]:
    """Parameters in place of the pools that halve the small frame again and again."""
    made: list[ov.Node] = []
    picture = model.get_parameters()[0].output(0)
    while pools := [port for port in picture.get_target_inputs() if port.get_node().get_type_name() == "AvgPool"]:
        halved = pools[0].get_node().output(0)
        made.append(opset13.parameter(halved.get_partial_shape(), halved.element_type))
        for target in list(halved.get_target_inputs()):
            target.replace_source_output(made[-1].output(0))
        picture = made[-1].output(0)
    return made


def _cut(model: ov.Model, mixed: bool, results: tuple[str, ...]) -> list[Stage]:
    """The parts of a model that gives these results and the states."""
    count = len(model.outputs) - len(results)
    halves = HALVES[: len(model.inputs) - 1 - count]
    before, after = ("small", *STATES[:count], *halves), AFTER[:count]
    known = _named(model, results).keys()
    if mixed and "encoded" in known:  # over ResNet50 the encoder is most of the work, and is no worse in bfloat16
        model = _folded(_parted(model))
        model = _keeping_precision(model, _sources(_named(model, results), PRECISE))
    if mixed and "decoded" in known and results == COEFFICIENTS:
        return [
            _stage(model, results, before, ("decoded", *after)),
            replace(_stage(model, results, ("small", "decoded"), COEFFICIENTS), exact=True),
        ]
    return [_stage(model, results, before, (*results, *after))]


def _parted(model: ov.Model) -> ov.Model:
    """The same model, where the convolutions of `JOINED` are sums of that of the coarser features and of the rest."""
    parted = model.clone()
    for name, words in JOINED.items():
        for joined in [op for op in parted.get_ordered_ops() if op.get_friendly_name().endswith(words)]:
            _part_convolution(joined, CUTS[name])
    parted.validate_nodes_and_infer_types()
    return parted


def _part_convolution(joined: ov.Node, name: str) -> None:
    (convolved,) = joined.output(0).get_target_inputs()
    whole = convolved.get_node()
    coarser, *rest = (port.get_source_output() for port in joined.inputs())
    weights = whole.input_value(1).get_node().data
    channels = coarser.get_partial_shape()[1].get_length()
    ways = {way: whole.get_attributes()[way] for way in ("strides", "pads_begin", "pads_end", "dilations")}
    of_coarser, of_rest = (
        opset13.convolution(source, opset13.constant(np.ascontiguousarray(part)), **ways)
        for source, part in ((coarser, weights[:, :channels]), (opset13.concat(rest, 1), weights[:, channels:]))
    )
    of_rest.set_friendly_name(name)
    together = opset13.add(of_coarser, of_rest)
    for target in list(whole.output(0).get_target_inputs()):
        target.replace_source_output(together.output(0))


def _stage(model: ov.Model, results: tuple[str, ...], reads: tuple[str, ...], writes: tuple[str, ...]) -> Stage:
    return Stage(_part(model, results, reads, writes), False, reads, writes)


def _folded(model: ov.Model) -> ov.Model:
    """The same model with its normalisations in its convolutions, and no name twice.

    Compiling folds as well, too late for marks; and a model that was just converted gives names to several operations.
    """
    folded = model.clone()
    apply_moc_transformations(folded, cf=True)
    for index, operation in enumerate(folded.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_friendly_name()}/{index}")
    return folded


def _sources(named: dict[str, ov.Output], wanted: Iterable[str]) -> set[str]:
    """The names of the operations that make these outputs."""
    found: set[str] = set()
    left = [named[name].get_node() for name in wanted]
    while left:
        node = left.pop()
        if node.get_friendly_name() not in found:
            found.add(node.get_friendly_name())
            left += [port.get_source_output().get_node() for port in node.inputs()]
    return found


def _keeping_precision(model: ov.Model, names: set[str]) -> ov.Model:
    """The same model, in which operations of these names keep their precision; only a file can say so."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        ov.save_model(model, path, compress_to_fp16=False)
        tree = ElementTree.parse(path)
        for layer in tree.iterfind("layers/layer"):
            if layer.get("name") in names:
                marks = layer.find("rt_info")
                if marks is None:
                    marks = ElementTree.Element("rt_info")
                    layer.insert(0 if layer.find("data") is None else 1, marks)
                ElementTree.SubElement(marks, "attribute", KEEPS_PRECISION)
        return core().read_model(ElementTree.tostring(tree.getroot()), path.with_suffix(".bin").read_bytes())


def _part(model: ov.Model, results: tuple[str, ...], reads: Sequence[str], writes: Sequence[str]) -> ov.Model:
    """What computes `writes` from `reads`."""
    part = model.clone()
    tensors = _named(part, results)
    outputs = [tensors[name] for name in writes]
    parameters = []
    for name in reads:
        tensor = tensors[name]
        if name in CUTS:
            parameter = opset13.parameter(tensor.get_partial_shape(), tensor.element_type)
            for target in list(tensor.get_target_inputs()):
                target.replace_source_output(parameter.output(0))
            parameters.append(parameter)
        else:
            parameters.append(tensor.get_node())
    return _channels_last(ov.Model(outputs, parameters), _wide(reads), _wide(writes))


def _named(model: ov.Model, results: tuple[str, ...]) -> dict[str, ov.Output]:
    small, *inputs = (parameter.output(0) for parameter in model.get_parameters())
    outputs = [result.input_value(0) for result in model.get_results()]
    tensors = {"small": small, **dict(zip(results, outputs, strict=False))}
    states = outputs[len(results) :]
    tensors |= dict(zip(AFTER, states, strict=False)) | dict(zip(STATES, inputs[: len(states)], strict=False))
    tensors |= dict(zip(HALVES, inputs[len(states) :], strict=False))
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
