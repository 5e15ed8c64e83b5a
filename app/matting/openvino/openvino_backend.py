"""Runs recurrent networks in OpenVINO; `app.matting.cpu` does the rest of the step."""

from __future__ import annotations

from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.base.interface import StateArrays, StepGeometry
from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.cpu_backend import CpuBackend, shrink
from app.matting.openvino.artefact import Artefact
from app.matting.openvino.columns import NarrowedNetwork, window_widths
from app.matting.openvino.recurrent import RecurrentNetwork


class OpenVinoBackend(CpuBackend):
    """Runs a network on the whole frame, or on its columns around people; see `NarrowedNetwork`."""

    def __init__(
        self,
        artefact: Artefact,
        geometry: StepGeometry,
        precision: str,
        threads: int | None,
        *,
        live: bool,
    ) -> None:
        """Compile the artefact for this geometry. threads: of a step; None for all cores.

        live: whether the network may leave out columns beside people. Raises RuntimeError if OpenVINO fails to compile
        it.
        """
        super().__init__(geometry, precision, threads)
        strips = self.strips
        self._network = RecurrentNetwork(artefact, geometry, precision, strips, threads)

        def narrow(width: int) -> RecurrentNetwork:
            # Without `self`, which holds this function: in a cycle, its memory would outlive it by minutes.
            part = StepGeometry(width, geometry.small_height, 1.0)
            return RecurrentNetwork(artefact, part, precision, strips, threads)

        narrows = live and artefact.states and artefact.guided_filter and window_widths(geometry.small_width)
        self.narrowed = NarrowedNetwork(self._network, narrow if narrows else None)
        self._ratios = geometry.ratio, geometry.ratio

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        super().reset(seen)
        self.narrowed.reset()

    def state(self) -> StateArrays:
        """Return copies of the state."""
        self.narrowed.leave()
        return {**super().state(), **self._network.state()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if the arrays do not fit."""
        self.narrowed.reset()
        self._network.load_state(arrays)
        super().load_state(arrays)

    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        """Compute coefficients and new states from the frame and the states; see `CpuBackend.infer`."""
        shrink(self.strips, frame, self._ratios, self._network.small)
        return self.narrowed.step(steady)

    def follow(self, alpha: Floats) -> None:
        """Choose the columns of the next frame after the people who are shown."""
        self.narrowed.follow(alpha)

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        self.narrowed.close()
        super().close()
