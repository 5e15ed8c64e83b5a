"""RVM MobileNetV3 in int8: which convolutions have 8-bit inputs and weights.

The scales of their inputs ship with the program. The weights do not: whenever the network is converted, they are
rounded with scales of their own. The encoder and all recurrent states stay in float32.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace

from torch import Tensor, nn

from models.export import Export
from models.quantization import quantize_convolutions, quantized_names, set_input_scales, set_weight_scales


def quantized(export: Export, layers: Iterable[str]) -> Export:
    """Return a copy of an export with quantized convolutions; the caller sets their scales.

    layers: names of convolutions after the name of their part. Raises RuntimeError if one does not exist.
    """
    stages = copy.deepcopy(export.stages)
    made = replace(export, stages=stages)
    quantize_convolutions(parts_of(made), layers)
    return made


def load_quantized(export: Export, tensors: Mapping[str, Tensor]) -> Export:
    """Return a copy of an export in int8 with these scales. Raises RuntimeError if they do not fit."""
    made = quantized(export, quantized_names(tensors))
    set_input_scales(parts_of(made), tensors)
    set_weight_scales(parts_of(made))
    return made


def parts_of(export: Export) -> nn.ModuleDict:
    """Return the modules of an export by the name of their part."""
    return nn.ModuleDict({stage.name: stage.module for stage in export.stages})
