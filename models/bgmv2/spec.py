"""The published variants of Background Matting V2, and sizes of its refiner's windows. Imports no torch."""

from __future__ import annotations

from functools import partial
from typing import Literal

from models.spec import NetworkSpec, WeightSpec, late

_RELEASE = "https://github.com/PeterL1n/BackgroundMattingV2/releases/download/v1.0.0/"
Backbone = Literal["mobilenetv2", "resnet50", "resnet101"]


def _spec(title: str, backbone: Backbone, note: str, sha256: str | None, cpu: int, gpu: int) -> NetworkSpec:
    file = f"torchscript_{backbone}_fp32.pth"
    return NetworkSpec(
        title=title,
        weights=WeightSpec(f"bgmv2-{backbone}", file, "MIT", note, _RELEASE + file, sha256=sha256),
        load=partial(late(__package__, "network", "load"), backbone),
        export=late(__package__, "network", "export"),
        needs_plate=True,
        recurrent=False,
        precisions=("float32", "float16"),
        cpu_rank=cpu,
        gpu_rank=gpu,
    )


BGMV2_MOBILENETV2 = _spec(
    "Background Matting, fast",
    "mobilenetv2",
    "Background Matting V2, needs a picture of the empty room",
    "6d449e8a0445438491cf07c03a6e86f21df2b3aa2dc630d9430347fcb807aae4",
    cpu=0,
    gpu=1,
)
BGMV2_RESNET50 = _spec(
    "Background Matting, fine",
    "resnet50",
    "Background Matting V2, finer",
    "c22fe27f627c04122cd44a3476315eb2fcb06a8d8ff2803ac610c1dd6d4de2a7",
    cpu=1,
    gpu=0,
)
BGMV2_RESNET101 = _spec(
    "Background Matting, finest",
    "resnet101",
    "Background Matting V2, finest; no published checksum, trusted on first download",
    None,
    cpu=2,
    gpu=2,
)


CELL = 4
"""Side of a cell in pixels."""
WINDOW = 8
"""Side of a window in pixels, at half size and at full size."""
CONTEXT_CHANNELS, IMAGE_CHANNELS = 42, 6
"""Channels: hidden features, coarse matte, frame and plate; frame and plate."""
