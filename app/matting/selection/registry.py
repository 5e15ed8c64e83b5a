"""Builds engines from the settings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core.files import paths
from app.core.framing import WHOLE
from app.core.settings import EngineSettings, FramingSettings
from app.matting.base.failures import backend_errors
from app.matting.base.geometry import StepGeometry
from app.matting.base.interface import Backend
from app.matting.engine.frame_engine import FrameEngine
from app.matting.selection.choice import Choice, choose, geometry_for, openvino_threads
from app.matting.selection.network_backend import make_backend

if TYPE_CHECKING:
    from app.matting.plate.engine import PlateEngine


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
    leave out frames in which little moves.

    Raises WeightsMissingError if the weights are not available, ModelError if the network cannot run.
    """
    choice = choose(settings)
    if choice.device == "cpu":
        _release_gpu()
    if choice.spec.needs_plate:
        from app.matting.selection.plate_build import build_with_plate

        return build_with_plate(settings, choice, width, height, framing)

    def threads(geometry: StepGeometry) -> int | None:
        return openvino_threads(choice, geometry) if shared else None

    return network_engine(settings, choice, width, height, threads, live=live)


def network_engine(
    settings: EngineSettings,
    choice: Choice,
    width: int,
    height: int,
    threads: Callable[[StepGeometry], int | None],
    *,
    live: bool = False,
) -> FrameEngine:
    """Return an engine for a choice that needs no plate. threads: of a step in OpenVINO; None for all cores.

    Raises ModelError if the network cannot run.
    """

    def make_geometry(frame_width: int, frame_height: int) -> StepGeometry:
        return geometry_for(settings, choice.model, frame_width, frame_height)

    def make(geometry: StepGeometry) -> Backend:
        with backend_errors(choice.model, choice.device, choice.precision):
            return make_backend(settings, choice, geometry, threads(geometry))

    return FrameEngine(choice.model, make, make_geometry, width, height, live=live)


def _release_gpu() -> None:
    """Give back the memory of networks that an earlier engine used on a GPU; the modules are not loaded for that."""
    if paths.module("app.matting.torch.networks") in sys.modules:
        from app.matting.torch.cuda_api import release_memory
        from app.matting.torch.networks import forget_networks

        forget_networks("cuda")
        release_memory()
