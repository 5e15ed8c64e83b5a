"""The bundled network that sees the plate, on a CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage, Floats
from app.matting.base.geometry import StepGeometry
from app.matting.cpu.coefficients import Coefficients
from app.matting.openvino.artefact import Artefact
from app.matting.openvino.openvino_backend import OpenVinoBackend
from app.matting.openvino.small_plate import SmallPlate
from app.matting.plate.plate import lit_plate


class SeenPlateBackend(OpenVinoBackend):
    """Runs a recurrent network on the whole frame and the plate at its small size. Implements `LitPlate`."""

    scale = None

    def __init__(self, artefact: Artefact, plate: BgrImage, geometry: StepGeometry, precision: str = "float32") -> None:
        """Compile the artefact for this geometry. plate: (H, W, 3) uint8 BGR, of the size of the frame.

        Raises RuntimeError if OpenVINO fails to compile it.
        """
        super().__init__(artefact, geometry, precision)
        self.size = plate.shape[0], plate.shape[1]
        self._plate = plate
        self.set_gain(np.ones(3, np.float32))

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """Set the illumination gain, (3,) BGR, by which the plate is multiplied."""
        small = np.empty_like(self._network.small)
        self._strips.shrink(lit_plate(self._plate, gain), self._ratios, small)
        self._network.plate = SmallPlate(small, self._network.arrays["plate"][0])

    def infer(self, frame: BgrImage, region: bool) -> Coefficients:
        """Run the network on the whole frame: the plate shows the whole background."""
        return super().infer(frame, False)

    def follow(self, alpha: Floats) -> None:
        """Do nothing: the network sees the whole frame."""
