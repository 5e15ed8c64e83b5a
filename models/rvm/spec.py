"""The two published variants of Robust Video Matting."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from models.spec import NetworkSpec, WeightSpec, late

_RELEASE = "https://github.com/PeterL1n/RobustVideoMatting/releases/download/v1.0.0/"


_load, _export = late(__package__, "network", "load"), late(__package__, "export", "export")


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
    quantize=late(__package__, "export", "load_quantized"),
    float32_modules=tuple(f"backbone.features.{layer}" for layer in range(14)),
    cpu_rank=4,
    gpu_rank=5,
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
    gpu_rank=4,
)
