"""All networks: what they are, where their weights are published, and how they are loaded.

Imports no torch.
To add a network, add its module and a row to `NETWORKS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.export import Export

# Map (tensors, refiner) to the network with these weights. Raises RuntimeError if they do not match
# exactly.
LoadNetwork = Callable[["Mapping[str, Tensor]", str], "nn.Module"]
ExportNetwork = Callable[["nn.Module", bool], "Export"]
"""Map (network, direct) to the inference core; `direct` for frames that are not downsampled."""
# Map (export, tensors of the int8 file) to the export in int8. Raises RuntimeError if the tensors
# do not fit.
QuantizeNetwork = Callable[["Export", "Mapping[str, Tensor]"], "Export"]
MODELS = Path(__file__).resolve().parent


def late(module: str, name: str) -> Callable[..., Any]:
    """Return a function of a module of `models` that is imported at the first call: it imports
    torch.
    """

    def call(*arguments: object) -> object:
        return getattr(importlib.import_module(f"{__package__}.{module}"), name)(*arguments)

    return call


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """A published or bundled weights file."""

    # Name of the network, as passed to `--model`.
    name: str
    file: str
    licence: str
    # None: the file ships with the program.
    url: str | None = None
    bytes: int | None = None
    # None: not published; the hash of the first download is recorded next to the file and trusted.
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A matting network; `load` returns a `TwoStageNetwork` of `models.export`, or a network
    with a plate.
    """

    # English display name; the window translates it.
    title: str
    weights: WeightSpec
    load: LoadNetwork
    export: ExportNetwork
    needs_plate: bool = False
    # Whether the network has recurrent state.
    recurrent: bool = True
    # Whether it finds what stands out, a person or not. Strict mode knows people alone, and leaves
    # its mattes out.
    finds_any_object: bool = False
    # Whether the network runs without its guided filter on frames that are not downsampled.
    direct: bool = False
    # Short side of the network's input in pixels if the ratio is chosen automatically.
    short_side: int = 270
    # Precisions in which the network was validated; `auto` chooses among them.
    precisions: tuple[str, ...] = ("float32", "float16", "bfloat16")
    # Shipped int8 version; only for the weights that it was made of, see `models.weights`.
    int8: Path | None = None
    # None: a file of the int8 version contains the whole network, which `load` returns.
    quantize: QuantizeNetwork | None = None
    # Rank in the order in which `auto` tries networks; None: never tried on a CPU.
    cpu_rank: int | None = None
    gpu_rank: int | None = None

    @property
    def name(self) -> str:
        """Name of the network, as passed to `--model`."""
        return self.weights.name

    @property
    def bundled(self) -> bool:
        """Whether the weights ship with the program."""
        return self.weights.url is None


# Path of the bundled weights, float16; see README.md beside them.
BUNDLED = MODELS / "mattecam" / "student.safetensors"
# Path of the bundled weights of the network that also sees a plate, float16.
BUNDLED_WITH_PLATE = BUNDLED.with_name("student-plate.safetensors")
_RVM = "https://github.com/PeterL1n/RobustVideoMatting/releases/download/v1.0.0/"
_BGMV2 = "https://github.com/PeterL1n/BackgroundMattingV2/releases/download/v1.0.0/"
_DRIVE = "https://drive.usercontent.google.com/download?confirm=t&id="


def _background_matting(
    title: str,
    backbone: str,
    sha256: str | None,
    *,
    ranks: tuple[int, int],
) -> NetworkSpec:
    """ranks: on a CPU and on a GPU."""
    file = f"torchscript_{backbone}_fp32.pth"
    return NetworkSpec(
        title=title,
        weights=WeightSpec(f"bgmv2-{backbone}", file, "MIT", _BGMV2 + file, sha256=sha256),
        load=partial(late("bgmv2", "load"), backbone),
        export=late("bgmv2", "export"),
        needs_plate=True,
        recurrent=False,
        precisions=("float32", "float16"),
        cpu_rank=ranks[0],
        gpu_rank=ranks[1],
    )


def _saliency(
    title: str,
    weights: WeightSpec,
    *,
    small: bool = False,
    finds_any_object: bool = True,
) -> NetworkSpec:
    return NetworkSpec(
        title=title,
        weights=weights,
        load=partial(late("u2net", "load"), small),
        export=late("u2net", "export"),
        recurrent=False,
        finds_any_object=finds_any_object,
        precisions=("float32", "float16"),
    )


# All networks by name, in display order.
NETWORKS: dict[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        NetworkSpec(
            title="Fine (Robust Video Matting)",
            weights=WeightSpec(
                "rvm-mobilenetv3",
                "rvm_mobilenetv3.pth",
                "GPL-3.0",
                _RVM + "rvm_mobilenetv3.pth",
                15_217_721,
                "3c7c1d92033f7c38d6577c481d13a195d7d80a159b960f4f3119ac7b534cf4f8",
            ),
            load=partial(late("rvm.network", "load"), "mobilenetv3"),
            export=late("rvm.network", "export"),
            direct=True,
            precisions=("float32", "float16", "bfloat16", "int8"),
            int8=MODELS / "rvm" / "rvm_mobilenetv3-int8.safetensors",
            quantize=late("rvm.network", "load_quantized"),
            cpu_rank=4,
            gpu_rank=5,
        ),
        NetworkSpec(
            title="Finest (Robust Video Matting, ResNet-50)",
            weights=WeightSpec(
                "rvm-resnet50",
                "rvm_resnet50.pth",
                "GPL-3.0",
                _RVM + "rvm_resnet50.pth",
                107_905_875,
                "c191a807251164c073dce5fa408e7a816070d539b882b2a3150330a9fec112ce",
            ),
            load=partial(late("rvm.network", "load"), "resnet50"),
            export=late("rvm.network", "export"),
            direct=True,
            gpu_rank=4,
        ),
        _background_matting(
            "Background Matting, fast",
            "mobilenetv2",
            "6d449e8a0445438491cf07c03a6e86f21df2b3aa2dc630d9430347fcb807aae4",
            ranks=(0, 1),
        ),
        _background_matting(
            "Background Matting, fine",
            "resnet50",
            "c22fe27f627c04122cd44a3476315eb2fcb06a8d8ff2803ac610c1dd6d4de2a7",
            ranks=(1, 0),
        ),
        _background_matting(
            "Background Matting, finest",
            "resnet101",
            None,
            ranks=(2, 2),
        ),
        _saliency(
            "Objects",
            WeightSpec(
                "u2net",
                "u2net.pth",
                "Apache-2.0",
                _DRIVE + "1ao1ovG1Qtx4b7EoskHXmi2E9rp5CHLcZ",
                176_290_937,
                "10025a17f49cd3208afc342b589890e402ee63123d6f2d289a4a0903695cce58",
            ),
        ),
        _saliency(
            "Objects, small",
            WeightSpec(
                "u2netp",
                "u2netp.pth",
                "Apache-2.0",
                _DRIVE + "1rbSTGKAE-MTxBYHd-51l2hMOQPT_7EPy",
                4_683_258,
                "e7567cde013fb64813973ce6e1ecc25a80c05c3ca7adbc5a54f3c3d90991b854",
            ),
            small=True,
        ),
        _saliency(
            "U²-Net, people",
            WeightSpec(
                "u2net-human-seg",
                "u2net_human_seg.pth",
                "Apache-2.0",
                _DRIVE + "1-Yg0cxgrNhHP-016FPdp902BR-kSsA4P",
            ),
            finds_any_object=False,
        ),
        NetworkSpec(
            title="Standard",
            weights=WeightSpec("mattecam", BUNDLED.name, "GPL-3.0"),
            load=late("mattecam.bundled", "network_of"),
            export=late("mattecam.bundled", "export"),
            short_side=180,
            precisions=("float32", "float16", "bfloat16", "int8"),
            cpu_rank=5,
            gpu_rank=6,
        ),
        NetworkSpec(
            title="Less exact, with a photo of your empty room",
            weights=WeightSpec("mattecam-plate", BUNDLED_WITH_PLATE.name, "GPL-3.0"),
            load=late("mattecam.bundled", "network_with_plate_of"),
            export=partial(late("mattecam.bundled", "export_images"), ("small", "plate")),
            needs_plate=True,
            short_side=180,  # No rank: `auto` does not take it, see its README.md.
        ),
    )
}


def bundled() -> NetworkSpec:
    """Return the network without a plate that ships with the program: always available, and the
    lightest.
    """
    return next(spec for spec in NETWORKS.values() if spec.bundled and not spec.needs_plate)


def auto_order(*, gpu: bool, plate: bool) -> list[NetworkSpec]:
    """Return the networks that `auto` tries, best first.

    Those that need a plate only with `plate`.
    """
    ranked = []
    for spec in NETWORKS.values():
        rank = spec.gpu_rank if gpu else spec.cpu_rank
        is_usable = plate or not spec.needs_plate
        if rank is not None and is_usable:
            ranked.append((rank, spec))
    return [spec for _, spec in sorted(ranked, key=lambda pair: pair[0])]


def recommended() -> NetworkSpec:
    """Return the network to download first: the best on a CPU that needs no plate."""
    return next(spec for spec in auto_order(gpu=False, plate=False) if not spec.bundled)
