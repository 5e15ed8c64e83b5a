"""What the panels ask the rest of the program, in plain values. Knows nothing of Qt; called on the window's tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.core.settings import MODEL_NAMES
from app.core.types import BgrImage
from app.doctor.finding import Finding


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that can be chosen."""

    source: str
    """What `CaptureSettings.source` says for it; stable over re-plugging."""
    name: str
    sizes: tuple[tuple[int, int], ...]
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and whether its weights are on hand."""

    name: str
    on_hand: bool
    bytes: int | None
    """What a download takes; None where that is not known before."""
    licence: str
    can_be_had: bool
    """Whether there is an address to download it from."""


@dataclass(frozen=True, slots=True)
class PlateView:
    """What is shown of a plate."""

    thumbnail: BgrImage | None
    """None where the picture cannot be read."""
    camera: str | None
    """The camera's stable id; None, like what follows, where the program did not take it."""
    taken_at_s: float | None
    size: tuple[int, int] | None = None
    """(width, height) it was taken at."""


def cameras() -> tuple[Camera, ...]:
    """The cameras that are plugged in."""
    from app.capture.devices import list_cameras

    return tuple(
        Camera(f"camera:{device.id}", device.name, tuple(device.sizes), tuple(device.formats))
        for device in list_cameras()
    )


def virtual_cameras() -> tuple[tuple[str, str], ...]:
    """(what the settings call it, label) of the virtual cameras."""
    from app.output.virtual_camera import list_virtual_cameras

    return tuple((device.id, device.label) for device in list_virtual_cameras())


def findings(*, proof: bool = False) -> tuple[Finding, ...]:
    """What the doctor says about this machine; with `proof` it also sends a test picture to the virtual camera."""
    from app.doctor.checks import run_checks

    return run_checks(proof=proof)


def virtual_camera_findings() -> tuple[Finding, ...]:
    """What the doctor says about the virtual camera."""
    return tuple(finding for finding in findings() if finding.check.startswith("virtual camera"))


def devices() -> tuple[tuple[str, str], ...]:
    """(value for the settings, name) of what networks can run on."""
    import torch

    found = [("cpu", "CPU")]
    found += [(f"cuda:{n}", torch.cuda.get_device_name(n)) for n in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(("mps", "Apple GPU"))
    return tuple(found)


def models() -> tuple[ModelChoice, ...]:
    """Every model but `auto`, in the order of the settings."""
    from models import weights

    def choice(name: str) -> ModelChoice:
        spec = weights.spec_of(name)
        return ModelChoice(name, weights.on_hand(name) is not None, spec.bytes, spec.licence, spec.url is not None)

    return tuple(choice(name) for name in MODEL_NAMES if name != "auto")


def download(name: str, progress: Callable[[int, int | None], None]) -> Path:
    """Get a model's weights; `progress` is told (bytes, of bytes) and may raise to cancel. Raises WeightsError."""
    from models.download import download as fetch

    return fetch(name, progress)


def keep_plate(plate: BgrImage, camera: str) -> Path:
    """Look for people in a plate and keep it for its camera and size. Raises PlateError."""
    from app.plate.session import keep_plate as keep

    return keep(plate, camera)


def plate_view(path: Path, width: int) -> PlateView:
    """A plate's thumbnail of this width, and where it is from."""
    import cv2
    import numpy as np

    from app.plate.capture import plate_info

    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    thumbnail = None
    if image is not None:
        size = width, max(1, round(image.shape[0] * width / image.shape[1]))
        thumbnail = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    info = plate_info(path)
    if info is None:
        return PlateView(thumbnail, None, None)
    return PlateView(thumbnail, info.camera, info.taken_at_s, (info.width, info.height))


def stored_plate(camera: str, width: int, height: int) -> Path | None:
    """The plate that was taken with this camera at this size; None where there is none."""
    from app.plate.capture import plate_path

    path = plate_path(camera, width, height)
    return path if path.is_file() else None
