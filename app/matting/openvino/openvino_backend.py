"""Runs recurrent networks in OpenVINO; `app.matting.cpu` does the rest of the step."""

from __future__ import annotations

import numpy as np

from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.base.interface import StateArrays, StepGeometry, prefixed, under
from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.cpu_backend import CpuBackend, shrink
from app.matting.openvino.artefact import Artefact
from app.matting.openvino.columns import NarrowedNetwork, window_widths
from app.matting.openvino.recurrent import RecurrentNetwork
from app.matting.region.coefficients import RegionCoefficients, on_frame
from app.matting.region.tracker import CERTAIN_SHARE, FOUND_ALPHA, FOUND_SHARE, RegionTracker, Roi, people_box


class OpenVinoBackend(CpuBackend):
    """Runs a network on the whole frame, or on the part of it around people; see `app.matting.region`."""

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

        live: whether the network may leave out columns beside people; see `NarrowedNetwork`. Raises RuntimeError if
        OpenVINO fails to compile it.
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
        self.tracker = RegionTracker((geometry.width, geometry.height))
        self._whole_small = np.zeros((3, geometry.small_height, geometry.small_width), np.float32)

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        super().reset(seen)
        self.narrowed.reset()
        self.tracker.reset()
        self.tracker.seen = self.tracker.whole

    def state(self) -> StateArrays:
        """Return copies of the state."""
        self.narrowed.leave()
        return {**super().state(), **self._network.state(), **prefixed("region", self.tracker.state())}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if the arrays do not fit."""
        self.narrowed.reset()
        self._network.load_state(arrays)
        super().load_state(arrays)
        self.tracker.load_state(under("region", arrays))

    def infer(self, frame: BgrImage, region: bool, steady: bool = False) -> Coefficients:
        """Compute coefficients and new states from the frame and the states; see `CpuBackend.infer`."""
        tracker, alpha_outside = self.tracker, None
        if not region:
            tracker.reset()
            self.narrowed.leave()
        elif not tracker.roi.is_whole:
            shrink(self.strips, frame, self._ratios, self._whole_small)
            if tracker.full_frame_due:
                alpha_outside = self._network.alpha_without_memory(self._whole_small)
                tracker.found(people_box(alpha_outside, tracker.whole, FOUND_ALPHA, FOUND_SHARE))
        inner = self._infer_at(frame, tracker.roi, steady)
        if not tracker.roi.is_whole and tracker.lost(people_box(self._network.coefficients[2], tracker.seen)):
            inner = self._infer_at(frame, tracker.roi)
        roi = tracker.seen
        if roi.is_whole:
            return inner
        coarse = on_frame(inner.coarse, roi)
        return RegionCoefficients(
            self._whole_small, inner.slope, inner.offset, coarse, roi=roi, alpha_outside=alpha_outside
        )

    def follow(self, alpha: Floats) -> None:
        """Choose the part of the next frame after the people who are shown."""
        if self.tracker.seen.is_whole:
            self.narrowed.follow(alpha)
        self.tracker.follow(people_box(alpha, self.tracker.whole, certain_share=CERTAIN_SHARE))

    def close(self) -> None:
        """Stop the threads and release the requests. Idempotent."""
        self.narrowed.close()
        super().close()

    def _infer_at(self, frame: BgrImage, roi: Roi, steady: bool = False) -> Coefficients:
        """Run the network on a region of the frame.

        Its memory of another region is dropped: to resample the memory instead is no more accurate.
        """
        if roi != self.tracker.seen:
            self.narrowed.reset()
            self.tracker.seen = roi
        height, width = self._whole_small.shape[1:]
        ratios = self._ratios if roi.is_whole else (width / roi.width, height / roi.height)
        shrink(self.strips, roi.cut(frame), ratios, self._network.small)
        return (self.narrowed if roi.is_whole else self._network).step(steady)
