"""Run inference of the network without the rest of the frame step."""

from __future__ import annotations

import numpy as np

from app.core.settings import EngineSettings
from app.matting.base.geometry import StepGeometry
from app.matting.selection.choice import Choice


class OpenVinoNetwork:
    """The compiled stages of a network, run on inputs of zeros."""

    def __init__(self, settings: EngineSettings, choice: Choice, geometry: StepGeometry) -> None:
        """Compile the stages. Raise ModelError or RuntimeError if that fails."""
        from app.matting.openvino.artefact_cache import artefacts
        from app.matting.openvino.stages import bound, compiled, fitted, halved_shapes
        from models.names import state_names

        direct = geometry.ratio == 1 and choice.spec.direct
        artefact = artefacts.load(choice.model, choice.weights, settings.refiner, direct, choice.int8)
        height, width = geometry.small_height, geometry.small_width
        before, _ = state_names(len(artefact.states))
        states = dict(zip(before, artefact.state_shapes(height, width), strict=True))
        inputs = {"small": (1, 3, height, width), **halved_shapes(height, width), **states}
        models, shapes = fitted(artefact.stages, inputs)
        # The requests use these buffers in place, so they must outlive the requests.
        self._arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        networks = compiled(artefact.stages, models, choice.precision)
        self._requests = [
            bound(stage, network, self._arrays) for stage, network in zip(artefact.stages, networks, strict=True)
        ]

    def infer(self) -> None:
        """Run all stages once."""
        for request in self._requests:
            request.infer()
