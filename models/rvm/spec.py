"""The two published variants of Robust Video Matting."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from models.spec import AutoRank, NetworkSpec, WeightSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.export import Export

_RELEASE = "https://github.com/PeterL1n/RobustVideoMatting/releases/download/v1.0.0/"


def _load(variant: Literal["mobilenetv3", "resnet50"], tensors: Mapping[str, Tensor], refiner: str) -> nn.Module:
    from models.rvm.network import MattingNetwork

    if refiner == "fast-guided-filter":  # It has no parameters: ignore those of the deep filter.
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("refiner.")}
    deep = "refiner.box_filter.weight" in tensors
    network = MattingNetwork(variant, "deep_guided_filter" if deep else "fast_guided_filter")
    network.load_state_dict(tensors, strict=True)
    return network


def _export(network: nn.Module, direct: bool) -> Export:
    from models.rvm.export import export

    return export(network, direct)


def _quantize(export: Export, tensors: Mapping[str, Tensor]) -> Export:
    from models.rvm.quantized import load_quantized

    return load_quantized(export, tensors)


RVM_MOBILENETV3 = NetworkSpec(
    title="Robust Video Matting, fast",
    weights=WeightSpec(
        "rvm-mobilenetv3",
        "rvm_mobilenetv3.pth",
        "GPL-3.0",
        "Robust Video Matting, fast",
        _RELEASE + "rvm_mobilenetv3.pth",
        15_217_721,
        "3c7c1d92033f7c38d6577c481d13a195d7d80a159b960f4f3119ac7b534cf4f8",
    ),
    load=partial(_load, "mobilenetv3"),
    export=_export,
    direct=True,
    precisions=("float32", "float16", "bfloat16", "int8"),
    int8=Path(__file__).with_name("rvm_mobilenetv3-int8.safetensors"),
    quantize=_quantize,
    float32_modules=tuple(f"backbone.features.{layer}" for layer in range(14)),
    auto=AutoRank(cpu=4, gpu=5),
)
RVM_RESNET50 = NetworkSpec(
    title="Robust Video Matting, fine",
    weights=WeightSpec(
        "rvm-resnet50",
        "rvm_resnet50.pth",
        "GPL-3.0",
        "Robust Video Matting, finer, for GPUs",
        _RELEASE + "rvm_resnet50.pth",
        107_905_875,
        "c191a807251164c073dce5fa408e7a816070d539b882b2a3150330a9fec112ce",
    ),
    load=partial(_load, "resnet50"),
    export=_export,
    direct=True,
    auto=AutoRank(gpu=4),
)
