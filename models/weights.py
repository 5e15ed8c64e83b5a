"""The published weights: what there is, where it lies on this machine, and whether it is what was published.

Nothing here loads a network or uses the net: reading a file is `models.checkpoint`, fetching one `models.download`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import platformdirs

from models.faults import WeightsFault

MODELS = Path(__file__).resolve().parent
RVM = "https://github.com/PeterL1n/RobustVideoMatting/releases/download/v1.0.0/"
BGMV2 = "https://github.com/PeterL1n/BackgroundMattingV2/releases/download/v1.0.0/"
DRIVE = "https://drive.usercontent.google.com/download?confirm=t&id="


class WeightsError(Exception):
    """Weights cannot be found, read or downloaded."""

    def __init__(self, fault: WeightsFault, **values: object) -> None:
        """values: inserted into the text of `fault`."""
        super().__init__(fault.value.format(**values))
        self.fault = fault
        self.values = values


class WeightsNotFoundError(WeightsError):
    """No file on hand."""


class WeightsDamagedError(WeightsError):
    """The file is truncated, corrupt, or no checkpoint at all."""


class DownloadError(WeightsError):
    """A file could not be fetched, or is not what was published."""


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """One entry of the registry."""

    name: str
    """The model, as `--model` names it."""
    file: str
    licence: str
    note: str
    url: str | None = None
    """None: it ships with the program."""
    bytes: int | None = None
    sha256: str | None = None
    """None: not known; the first download is trusted and its hash kept beside it."""


WEIGHTS = {
    spec.name: spec
    for spec in (
        WeightSpec(
            "rvm-mobilenetv3",
            "rvm_mobilenetv3.pth",
            "GPL-3.0",
            "Robust Video Matting, fast",
            RVM + "rvm_mobilenetv3.pth",
            15_217_721,
            "3c7c1d92033f7c38d6577c481d13a195d7d80a159b960f4f3119ac7b534cf4f8",
        ),
        WeightSpec(
            "rvm-resnet50",
            "rvm_resnet50.pth",
            "GPL-3.0",
            "Robust Video Matting, finer, for GPUs",
            RVM + "rvm_resnet50.pth",
            107_905_875,
            "c191a807251164c073dce5fa408e7a816070d539b882b2a3150330a9fec112ce",
        ),
        WeightSpec(
            "bgmv2-mobilenetv2",
            "torchscript_mobilenetv2_fp32.pth",
            "MIT",
            "Background Matting V2, needs a picture of the empty room",
            BGMV2 + "torchscript_mobilenetv2_fp32.pth",
            sha256="6d449e8a0445438491cf07c03a6e86f21df2b3aa2dc630d9430347fcb807aae4",
        ),
        WeightSpec(
            "bgmv2-resnet50",
            "torchscript_resnet50_fp32.pth",
            "MIT",
            "Background Matting V2, finer",
            BGMV2 + "torchscript_resnet50_fp32.pth",
            sha256="c22fe27f627c04122cd44a3476315eb2fcb06a8d8ff2803ac610c1dd6d4de2a7",
        ),
        WeightSpec(
            "bgmv2-resnet101",
            "torchscript_resnet101_fp32.pth",
            "MIT",
            "Background Matting V2, finest; no published checksum, trusted on first download",
            BGMV2 + "torchscript_resnet101_fp32.pth",
        ),
        WeightSpec(
            "u2net",
            "u2net.pth",
            "Apache-2.0",
            "U2-Net, any salient object",
            DRIVE + "1ao1ovG1Qtx4b7EoskHXmi2E9rp5CHLcZ",
            176_290_937,
            "10025a17f49cd3208afc342b589890e402ee63123d6f2d289a4a0903695cce58",
        ),
        WeightSpec(
            "u2netp",
            "u2netp.pth",
            "Apache-2.0",
            "U2-Net, any salient object, small",
            DRIVE + "1rbSTGKAE-MTxBYHd-51l2hMOQPT_7EPy",
            4_683_258,
            "e7567cde013fb64813973ce6e1ecc25a80c05c3ca7adbc5a54f3c3d90991b854",
        ),
        WeightSpec(
            "u2net-human-seg",
            "u2net_human_seg.pth",
            "Apache-2.0",
            "U2-Net, people; no published checksum, trusted on first download",
            DRIVE + "1-Yg0cxgrNhHP-016FPdp902BR-kSsA4P",
        ),
        WeightSpec("student", "student.safetensors", "GPL-3.0", "Mattecam's own, ships with the program"),
    )
}


class WeightState(Enum):
    """How a model's weights stand on this machine."""

    MISSING = "missing"
    SHIPPED = "ships with the program"
    VERIFIED = "as published"
    RECORDED = "as first downloaded"
    """No published hash; the file is still the one that was downloaded first."""
    UNKNOWN = "not checkable"
    """No published hash and none recorded: the file was put there by hand."""
    DIFFERENT = "not the published file"


@dataclass(frozen=True, slots=True)
class WeightReport:
    """One line of what there is and where; `state` only where the file was hashed or is missing."""

    spec: WeightSpec
    path: Path | None
    state: WeightState | None = None


def spec_of(name: str) -> WeightSpec:
    """The registry's entry for a model; raises WeightsNotFoundError for a name it does not hold."""
    if name not in WEIGHTS:
        raise WeightsNotFoundError(WeightsFault.UNKNOWN, name=name, names=", ".join(WEIGHTS))
    return WEIGHTS[name]


def user_folder() -> Path:
    """Where downloads go: `models` in the user's data folder (`$MATTECAM_DATA_DIR` overrides that)."""
    named = os.environ.get("MATTECAM_DATA_DIR")
    return (Path(named) if named else platformdirs.user_data_path("mattecam", appauthor=False)) / "models"


def search_folders() -> tuple[Path, ...]:
    """Where weights are looked for, in this order."""
    named = os.environ.get("MATTECAM_WEIGHTS_DIR")
    return (*([Path(named)] if named else []), user_folder(), MODELS.parent / "weights", MODELS / "student")


def find(name: str, explicit: Path | None = None) -> Path:
    """The file with a model's weights: `explicit` if given, else the first in `search_folders`.

    Raises WeightsNotFoundError.
    """
    if explicit is not None:
        if not explicit.is_file():
            raise WeightsNotFoundError(WeightsFault.NO_FILE, file=explicit)
        return explicit
    spec = spec_of(name)
    path = on_hand(name)
    if path is None:
        fault = WeightsFault.NOT_INSTALLED if spec.url else WeightsFault.BUNDLED_MISSING
        raise WeightsNotFoundError(fault, model=name, file=spec.file)
    return path


def on_hand(name: str) -> Path | None:
    """The file with a model's weights in `search_folders`, or None."""
    file = spec_of(name).file
    return next((folder / file for folder in search_folders() if (folder / file).is_file()), None)


def describe() -> tuple[WeightReport, ...]:
    """Every entry and where it lies; nothing is hashed, so it is quick."""
    found = ((spec, on_hand(name)) for name, spec in WEIGHTS.items())
    return tuple(WeightReport(spec, path, WeightState.MISSING if path is None else None) for spec, path in found)


def verify(names: Sequence[str] = ()) -> tuple[WeightReport, ...]:
    """Hash the files on hand (of all models, or of `names`); raises WeightsError where one is unreadable."""
    return tuple(_verified(spec_of(name)) for name in names or WEIGHTS)


def _verified(spec: WeightSpec) -> WeightReport:
    path = on_hand(spec.name)
    if path is None:
        return WeightReport(spec, None, WeightState.MISSING)
    if path.parent == MODELS / "student":
        return WeightReport(spec, path, WeightState.SHIPPED)
    expected = spec.sha256 or recorded_sha256(path)
    if expected is None:
        state = WeightState.UNKNOWN
    elif sha256_of(path) != expected:
        state = WeightState.DIFFERENT
    else:
        state = WeightState.VERIFIED if spec.sha256 else WeightState.RECORDED
    return WeightReport(spec, path, state)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal; raises WeightsError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise WeightsError(WeightsFault.UNREADABLE, file=path) from error
    return digest.hexdigest()


def hash_record(path: Path) -> Path:
    """The file that keeps the hash of a first download."""
    return path.with_name(f"{path.name}.sha256")


def recorded_sha256(path: Path) -> str | None:
    """The hash kept at the first download, or None."""
    try:
        words = hash_record(path).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return None
    return words[0] if words else None
