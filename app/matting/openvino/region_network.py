"""A recurrent network that looks at the whole frame, or at the part of it around people."""

from __future__ import annotations

import numpy as np

from app.core.types import BgrImage, Floats
from app.matting.base.geometry import StepGeometry
from app.matting.base.state import StateArrays
from app.matting.cpu.coefficients import Coefficients
from app.matting.cpu.strips import Strips
from app.matting.openvino.recurrent import RecurrentNetwork
from app.matting.region.coefficients import RegionCoefficients
from app.matting.region.roi import Roi
from app.matting.region.tracker import CERTAIN_SHARE, FOUND_ALPHA, FOUND_SHARE, RegionTracker, people_box


class RegionNetwork:
    """Wraps a network: chooses the part that it sees, and hands on coefficients of the whole frame."""

    def __init__(self, network: RecurrentNetwork, geometry: StepGeometry, strips: Strips) -> None:
        self._network, self._strips = network, strips
        self._ratios = geometry.ratio, geometry.ratio
        self._tracker = RegionTracker((geometry.width, geometry.height))
        self.roi = self._tracker.roi
        """The part of the last frame that the network saw."""
        self._whole_small = np.zeros((3, geometry.small_height, geometry.small_width), np.float32)

    def reset(self) -> None:
        """Forget the stream."""
        self._tracker.reset()
        self.roi = self._tracker.roi

    def state(self) -> StateArrays:
        """Return everything that the next decision depends on."""
        return self._tracker.state(self.roi)

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if it does not fit."""
        self.roi = self._tracker.load_state(arrays)

    def run(self, frame: BgrImage, region: bool) -> Coefficients:
        """Run the network on the next frame. region: whether it may look at a part of it."""
        tracker, alpha_outside = self._tracker, None
        if not region:
            tracker.reset()
        elif not tracker.roi.is_whole:
            self._strips.shrink(frame, self._ratios, self._whole_small)
            if tracker.full_frame_due:
                alpha_outside = self._network.alpha_without_memory(self._whole_small)
                tracker.found(people_box(alpha_outside, tracker.whole, FOUND_ALPHA, FOUND_SHARE))
        inner = self._run_at(frame, tracker.roi)
        if not tracker.roi.is_whole and tracker.lost(people_box(self._network.coefficients[2], self.roi)):
            inner = self._run_at(frame, tracker.roi)
        if self.roi.is_whole:
            return inner
        coarse = self.roi.on_frame(inner.coarse)
        return RegionCoefficients(
            self._whole_small, inner.slope, inner.offset, coarse, roi=self.roi, alpha_outside=alpha_outside
        )

    def follow(self, alpha: Floats) -> None:
        """Choose the part of the next frame after the people who are shown, by alpha (h, w) of this frame."""
        self._tracker.follow(people_box(alpha, self._tracker.whole, certain_share=CERTAIN_SHARE))

    def _run_at(self, frame: BgrImage, roi: Roi) -> Coefficients:
        """Run the network on a region of the frame.

        Its memory of another region is dropped: to resample the memory instead is no more accurate.
        """
        if roi != self.roi:
            self._network.reset()
            self.roi = roi
        height, width = self._whole_small.shape[1:]
        ratios = self._ratios if roi.is_whole else (width / roi.width, height / roi.height)
        return self._network.run(roi.cut(frame), ratios)
