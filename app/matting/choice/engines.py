"""Builds engines from the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core.settings import EngineSettings
from app.matting.base.interface import Backend, StepGeometry
from app.matting.choice.choice import Choice, geometry_for
from app.matting.engine import FrameEngine, backend_errors

if TYPE_CHECKING:
    from app.matting.openvino.artefact import Artefact


def make_backend(
    settings: EngineSettings,
    choice: Choice,
    geometry: StepGeometry,
    threads: int | None = None,
    *,
    live: bool = False,
) -> Backend:
    """Return the backend of a network without a plate. threads: of a step in OpenVINO; None for all cores.

    live: whether it may spare work beside people. Raises ModelError or RuntimeError if it cannot run.
    """
    if choice.executor == "openvino":
        from app.matting.kernels.loading import start_loading

        start_loading()
        from app.matting.openvino.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(converted(settings, choice, geometry), geometry, choice.precision, threads, live=live)
    from app.matting.torch.networks import load_core
    from app.matting.torch.torch_backend import TorchBackend

    core = load_core(choice.model, choice.weights, settings.refiner, geometry.ratio, choice.device, choice.precision)
    return TorchBackend(core, geometry, choice.device, choice.precision)


def converted(settings: EngineSettings, choice: Choice, geometry: StepGeometry) -> Artefact:
    """Return the network without a plate as OpenVINO runs it. Raises ModelError."""
    from app.matting.openvino.artefact import NetworkSource
    from app.matting.openvino.artefact_cache import artefacts

    direct = geometry.ratio == 1 and choice.spec.direct
    return artefacts.load(NetworkSource(choice.model, choice.weights, settings.refiner, direct, choice.int8))


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
            return make_backend(settings, choice, geometry, threads(geometry), live=live)

    return FrameEngine(choice.model, make, make_geometry, width, height, live=live)
