"""Builds engines from the settings, with or without a plate."""

from __future__ import annotations

import sys
from collections.abc import Callable

from app.core import paths
from app.core.geometry import WHOLE
from app.core.settings import EngineSettings, FramingSettings
from app.matting.base.interface import StepGeometry
from app.matting.choice.choice import choose, choose_model, geometry_for, network_engine, openvino_threads
from app.matting.engine import FrameEngine
from app.matting.plate.engine import PlateEngine, build_with_plate
from app.matting.plate.picture import check_shape, whole_plate
from models.table import needs_plate


def build_engine(
    settings: EngineSettings,
    width: int,
    height: int,
    framing: FramingSettings = WHOLE,
    *,
    shared: bool = False,
    live: bool = False,
) -> FrameEngine | PlateEngine:
    """Return an engine for frames of this size; takes seconds the first time, much less for a new ratio.

    framing: crop of the source's frame that the engine receives; the plate, which shows the whole frame, is cropped
    identically. shared: capture and outputs run beside the engine and need the cores as well. live: the network may
    spare work where little moves.

    Raises WeightsMissingError if the weights are not available, ModelError if the network cannot run.
    """
    choice = choose(settings)
    if choice.device == "cpu":
        _release_gpu()
    if choice.spec.needs_plate:
        return build_with_plate(settings, choice, width, height, framing)

    def threads(geometry: StepGeometry) -> int | None:
        return openvino_threads(choice, geometry) if shared else None

    return network_engine(settings, choice, width, height, threads, live=live)


def frame_check(settings: EngineSettings) -> Callable[[int, int], None]:
    """Return a function that raises ModelError for frames of a (width, height) that the network cannot take.

    Raises PlateError if the plate cannot be read.
    """
    model = choose_model(settings)
    path = settings.plate if needs_plate(model) else None
    plate = None if path is None else (path, whole_plate(path).shape)

    def check(width: int, height: int) -> None:
        geometry_for(settings, model, width, height)
        if plate is not None:
            file, (plate_height, plate_width, _) = plate
            check_shape(file, (plate_width, plate_height), width, height)

    return check


def _release_gpu() -> None:
    """Give back the memory of networks that an earlier engine used on a GPU; the modules are not loaded for that."""
    if paths.module("app.matting.torch.networks") in sys.modules:
        from app.matting.torch.cuda_api import release_memory
        from app.matting.torch.networks import forget_networks

        forget_networks("cuda")
        release_memory()
