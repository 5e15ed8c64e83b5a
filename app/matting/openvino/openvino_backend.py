"""Runs a recurrent network in OpenVINO; `app.matting.cpu` does everything else of the step."""

from __future__ import annotations

from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.base.geometry import StepGeometry
from app.matting.base.state import StateArrays, prefixed, under
from app.matting.cpu.coefficients import Coefficients
from app.matting.cpu.cpu_backend import CpuBackend
from app.matting.openvino.artefact import Artefact
from app.matting.openvino.recurrent import RecurrentNetwork
from app.matting.openvino.region_network import RegionNetwork


class OpenVinoBackend(CpuBackend):
    """Runs a network on the whole frame, or on the part of it around people; see `app.matting.region`."""

    def __init__(
        self, artefact: Artefact, geometry: StepGeometry, precision: str = "float32", threads: int | None = None
    ) -> None:
        """Compile the artefact for this geometry. threads: of a step; None for all cores.

        Raises RuntimeError if OpenVINO fails to compile it.
        """
        super().__init__(geometry, precision, threads)
        self._network = RecurrentNetwork(artefact, geometry, precision, self._strips, threads)
        self.overlaps = threads == 1  # each stage of the step then has a core
        self._ratios = geometry.ratio, geometry.ratio
        self.region = RegionNetwork(self._network, geometry, self._strips) if self._network.remembers else None

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        super().reset(seen)
        self._network.reset()
        if self.region is not None:
            self.region.reset()

    def state(self) -> StateArrays:
        """Return copies of the state."""
        region = {} if self.region is None else self.region.state()
        return {**super().state(), **self._network.state(), **prefixed("region", region)}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if the arrays do not fit."""
        self._network.load_state(arrays)
        super().load_state(arrays)
        if self.region is not None:
            self.region.load_state(under("region", arrays))

    def infer(self, frame: BgrImage, region: bool) -> Coefficients:
        """Compute coefficients and new states from the frame and the states."""
        return self._network.run(frame, self._ratios) if self.region is None else self.region.run(frame, region)

    def follow(self, alpha: Floats) -> None:
        """Choose the part of the next frame after the people who are shown."""
        if self.region is not None:
            self.region.follow(alpha)

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        self._network.close()
        super().close()
