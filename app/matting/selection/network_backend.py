"""Builds the backend of a network without a plate."""

from __future__ import annotations

from app.core.settings import EngineSettings
from app.matting.base.geometry import StepGeometry
from app.matting.base.interface import Backend
from app.matting.selection.choice import Choice


def make_backend(
    settings: EngineSettings, choice: Choice, geometry: StepGeometry, threads: int | None = None
) -> Backend:
    """Return the backend of a network without a plate. threads: of a step in OpenVINO; None for all cores.

    Raises ModelError or RuntimeError if it cannot run.
    """
    if choice.executor == "openvino":
        from app.matting.kernels.loading import start_loading

        start_loading()
        from app.matting.openvino.artefact_cache import artefacts
        from app.matting.openvino.openvino_backend import OpenVinoBackend

        direct = geometry.ratio == 1 and choice.spec.direct
        artefact = artefacts.load(choice.model, choice.weights, settings.refiner, direct, choice.int8)
        return OpenVinoBackend(artefact, geometry, choice.precision, threads)
    from app.matting.torch.networks import load_core
    from app.matting.torch.torch_backend import TorchBackend

    core = load_core(choice.model, choice.weights, settings.refiner, geometry.ratio, choice.device, choice.precision)
    return TorchBackend(core, geometry, choice.device, choice.precision)
