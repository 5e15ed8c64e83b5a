"""Access of the panels to the rest of the program, in plain values. Imports no Qt; called on task threads.

What is imported under its own name is used as `services.NAME` too, where tests replace it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.capture.devices import list_cameras as list_cameras
from app.core.errors import BackgroundError, ModelError
from app.core.geometry import scale
from app.core.settings import EngineSettings
from app.core.threads import usable_cores
from app.core.types import BgrImage
from app.core.weights import download_weights as download_weights
from app.core.weights import install_weights as install_weights
from app.doctor.checks import run_checks as run_checks
from app.matting.choice import hardware
from app.matting.choice.choice import best, choose_device, choose_model, trials_of
from app.matting.choice.governor import LIGHTER_WORK
from app.matting.plate.picture import PlateInfo, plate_info
from app.matting.plate.picture import store_plate as store_plate
from app.media.image_file import read_image
from app.output.sound import microphones as microphones
from models.table import bundled, recommended
from models.weights import describe, on_hand

models = describe
"""Returns every model except `auto`, in the order of the settings, with its file if it is installed."""


@dataclass(frozen=True, slots=True)
class FineQuality:
    """What finer quality takes: the load of the recommended model at 30 fps and 720p."""

    automatic: str
    """The network that the model `auto` is here."""
    share: float | None
    """Share of the usable cores, 0..1; None before a measurement, 0 on a GPU."""
    holds_rate: bool
    """Whether it holds 30 fps."""

    @property
    def recommended(self) -> bool:
        """Whether it holds 30 fps on less than half of the cores."""
        return self.share is not None and self.share < 0.5 and self.holds_rate


def virtual_cameras() -> tuple[tuple[str, str], ...]:
    """Return (device, label) of the virtual cameras."""
    from app.output.camera_list import list_virtual_cameras

    return tuple((device.id, device.label) for device in list_virtual_cameras())


def devices() -> tuple[tuple[str, str], ...]:
    """Return (value for the settings, name) of the devices that can run networks.

    Imports torch only where there may be a GPU: the import stalls the window.
    """
    found = [("cpu", "CPU"), *hardware.cuda_cards().named()]
    if hardware.apple_gpu_usable():
        found.append(("mps", "Apple GPU"))
    return tuple(found)


def fine_quality(settings: EngineSettings) -> FineQuality:
    """Return what finer quality takes; before that was measured, as predicted from the bundled network's load."""
    report = next(report for report in models() if report.spec.name == recommended().name)
    try:
        automatic = choose_model(settings.replace(model="auto"))
        if choose_device(settings) != "cpu":
            return FineQuality(automatic, 0.0, holds_rate=True)
    except ModelError:  # such as a device that is not available; the engine that needs it says why
        automatic = bundled().name
    trials = trials_of(report.spec.name, report.path) if report.path is not None else []
    standard = on_hand(bundled().name)
    if not trials and standard is not None:
        trials = [
            replace(trial, step_ms=trial.step_ms / LIGHTER_WORK, cpu_ms=trial.cpu_ms / LIGHTER_WORK)
            for trial in trials_of(bundled().name, standard)
        ]
    trial = best(trials)
    if trial is None:
        return FineQuality(automatic, None, holds_rate=False)
    return FineQuality(automatic, trial.cpu_ms * 30 / 1000 / usable_cores(), trial.holds_rate)


def repair_command() -> tuple[str, ...]:
    """Return the command that sets up the virtual camera as root, after a password dialog of the desktop.

    Empty where there is nothing to set up, or no such dialog.
    """
    from app.doctor import fix
    from app.doctor.system import System

    return tuple(fix.desktop_command(System()))


def plate_view(path: Path, width: int) -> tuple[BgrImage | None, PlateInfo | None]:
    """Return a plate's thumbnail of this width and how it was captured; None for what cannot be read."""
    thumbnail = None
    with suppress(BackgroundError):
        image = read_image(path)
        thumbnail = scale(image, width, max(1, round(image.shape[0] * width / image.shape[1])))
    return thumbnail, plate_info(path)
