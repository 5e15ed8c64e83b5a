"""Runs a recurrent network in OpenVINO; `app.matting.cpu` does everything else of the step."""

from __future__ import annotations

import numpy as np

from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.base.geometry import StepGeometry
from app.matting.base.state import StateArrays, prefixed, under
from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.cpu_backend import CpuBackend
from app.matting.openvino.artefact import Artefact
from app.matting.openvino.recurrent import RecurrentNetwork
from app.matting.region.place import Place
from app.matting.region.tracker import CERTAIN_SHARE, FOUND_ALPHA, FOUND_SHARE, RegionTracker, people_box


class OpenVinoBackend(CpuBackend):
    """Runs a network on the whole frame, or on the part of it around people; see `app.matting.region`."""

    def __init__(
        self, artefact: Artefact, geometry: StepGeometry, precision: str = "float32", *, shared: bool = False
    ) -> None:
        """Compile the artefact for this geometry. Raises RuntimeError if OpenVINO fails to compile it.

        shared: other work of the program needs the cores as well; see `app.matting.openvino.threads`.
        """
        super().__init__(geometry, precision)
        self._network = RecurrentNetwork(artefact, geometry, precision, self._strips, shared=shared)
        self.threads = self._network.threads
        """Of the step; None for all cores."""
        self.overlaps = self.threads == 1  # each stage of the step then has a core
        if self.threads == 1:
            self._strips.threads = 1
        self._ratios = geometry.ratio, geometry.ratio
        self._tracker = RegionTracker((geometry.width, geometry.height)) if self._network.remembers else None
        self._place = Place.whole(geometry.width, geometry.height)
        """Where the network looked in the last frame."""
        self._whole_small = np.zeros((3, geometry.small_height, geometry.small_width), np.float32)

    @property
    def place(self) -> Place:
        """The part of the last frame that the network saw."""
        return self._place

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        super().reset(seen)
        self._network.reset()
        self._forget_region()

    def state(self) -> StateArrays:
        """Return copies of the state."""
        region = {} if self._tracker is None else self._tracker.state(self._place)
        return {**super().state(), **self._network.state(), **prefixed("region", region)}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if the arrays do not fit."""
        self._network.load_state(arrays)
        super().load_state(arrays)
        if self._tracker is not None:
            self._place = self._tracker.load_state(under("region", arrays))

    def infer(self, frame: BgrImage, region: bool) -> Coefficients:
        """Compute coefficients and new states from the frame and the states."""
        tracker = self._tracker
        if tracker is None:
            return self._coefficients(self._network.run(frame, self._ratios))
        beside = None
        if not region:
            tracker.reset()
        elif not tracker.place.is_whole:
            self._strips.shrink(frame, self._ratios, self._whole_small)
            if tracker.look_is_due:
                beside = self._network.alpha_without_memory(self._whole_small)
                tracker.found(people_box(beside, tracker.whole, FOUND_ALPHA, FOUND_SHARE))
        undecided = self._run_at(frame, tracker.place)
        if not tracker.place.is_whole and tracker.lost(people_box(self._network.coefficients[2], self._place)):
            undecided = self._run_at(frame, tracker.place)
        return self._coefficients(undecided, beside)

    def follow(self, alpha: Floats) -> None:
        """Choose the part of the next frame after the people who are shown."""
        if self._tracker is not None:
            self._tracker.follow(people_box(alpha, self._tracker.whole, certain_share=CERTAIN_SHARE))

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        self._network.close()
        super().close()

    def _run_at(self, frame: BgrImage, place: Place) -> Floats | None:
        """Run the network on a place of the frame.

        Its memory of another place is dropped: to resample the memory instead is no more accurate.
        """
        if place != self._place:
            self._network.reset()
            self._place = place
        height, width = self._whole_small.shape[1:]
        ratios = self._ratios if place.is_whole else (width / place.width, height / place.height)
        return self._network.run(place.cut(frame), ratios)

    def _coefficients(self, undecided: Floats | None, beside: Floats | None = None) -> Coefficients:
        slope, offset, alpha = self._network.coefficients
        # Strict mode tells people from ghosts by how certain the network is, before the decision.
        coarse, place = alpha if undecided is None else undecided, self._place
        if place.is_whole:
            return Coefficients(self._network.small, slope, offset, coarse)
        return Coefficients(self._whole_small, slope, offset, place.on_frame(coarse), place=place, beside=beside)

    def _forget_region(self) -> None:
        if self._tracker is not None:
            self._tracker.reset()
            self._place = self._tracker.place
