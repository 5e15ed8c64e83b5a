"""The step on a CPU: a network gives the coefficients, edits change them, and the compositor makes the composite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import final

import numpy as np

from app.core.settings import EdgeSettings, StrictLevel
from app.core.threads import Strips
from app.core.types import AlphaImage, Backdrop, BgrImage, Floats, Matte, magnified
from app.matting.base.interface import (
    MatteEditor,
    NotAMatteError,
    Reuse,
    StateArrays,
    StepGeometry,
    prefixed,
    under,
)
from app.matting.base.parameters import plan
from app.matting.cpu.compositor import Coefficients, Compositor, edited
from app.matting.kernels.network import all_finite, fast_filter_rows, learned_filter_rows, shrink_rows
from app.matting.strict import rules
from app.matting.strict.cpu_strict import StrictFilter
from models.rules import FilterWeights, LearnedFilterWeights


class CpuBackend(ABC):
    """Implements `Backend`. A subclass computes coefficients; it never makes a composite."""

    name = "openvino"
    device = "cpu"

    def __init__(self, geometry: StepGeometry, precision: str, threads: int | None = None) -> None:
        """threads: of a step; None for all cores."""
        self.precision = precision
        self.strips = Strips(threads)
        self._compositor = Compositor(geometry, self.strips)
        self._strict = StrictFilter()
        self._last: Coefficients | None = None
        self._blurred_for = object()
        """Another object once so much has moved that the blurred background is made anew."""

    @abstractmethod
    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        """Run the network on the next frame, (H, W, 3), and advance the recurrent state.

        steady: whether it may use its coarse features of the last frames again; see `Reuse`.
        """

    def follow(self, alpha: Floats) -> None:  # noqa: B027 - most networks see the whole frame
        """Take alpha (h, w) of the frame as it is shown, which decides what part of the next frame is looked at."""

    @final
    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
        reuse: Reuse = Reuse.NOTHING,
    ) -> Matte:
        """Run one step; see `Backend.step`."""
        if self._last is None:
            reuse = Reuse.NOTHING
        if reuse is Reuse.NOTHING:
            self._blurred_for = object()
        if self._last is None or reuse is not Reuse.MATTE:
            self._last = self._strict_coefficients(frame, edges, reuse is Reuse.FEATURES)
        coefficients, shown = self._last, frame
        blurred_for = self._blurred_for if edit is None else None
        if edit is not None:
            matte_edit = edit.edit(coefficients.small, np.clip(coefficients.coarse, 0, 1))
            shown, coefficients = edited(frame, coefficients, matte_edit, self.strips)
            if matte_edit.view is not None and shown is not frame:
                backdrop = magnified(backdrop, 1 / matte_edit.view.size)
        matte = self._compositor.composite(shown, coefficients, backdrop, plan(edges), want_foreground, blurred_for)
        if shown is not frame or reuse is Reuse.MATTE:
            matte = replace(matte, frame=None if shown is frame else shown, still=reuse is Reuse.MATTE)
        return matte

    def _strict_coefficients(self, frame: BgrImage, edges: EdgeSettings, steady: bool) -> Coefficients:
        coefficients = self.infer(frame, steady)
        cells = coefficients.cells
        if not all_finite(coefficients.slope, coefficients.offset):
            raise NotAMatteError
        if cells is not None and not np.isfinite(cells.matte).all():
            raise NotAMatteError
        apply_strict(self._strict, edges.strict, coefficients)
        self.follow(coefficients.coarse)
        return coefficients

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        self._last = None
        self._compositor.reset()
        self._strict.reset(seen)

    def state(self) -> StateArrays:
        """Return copies of the state."""
        return prefixed("compositor", self._compositor.state()) | prefixed("strict", self._strict.state())

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if the arrays do not fit."""
        self._last = None
        self._compositor.load_state(under("compositor", arrays))
        self._strict.load_state(under("strict", arrays))

    def close(self) -> None:
        """Stop the threads. Idempotent."""
        self.strips.close()


def apply_strict(strict: StrictFilter, level: StrictLevel, coefficients: Coefficients) -> None:
    """Change alpha of the coefficients in place. level: for this frame; "off" forgets the stream."""
    if level == "off":
        strict.reset()
        return
    gain = strict.gain(coefficients.small, np.clip(coefficients.coarse, 0, 1))
    coarse = coefficients.coarse
    coarse *= gain
    gain *= np.float32(1 / (1 - 2 * rules.FLOOR))
    coefficients.slope[3] *= gain
    coefficients.offset[3] -= np.float32(rules.FLOOR)
    coefficients.offset[3] *= gain


def shrink(strips: Strips, image: BgrImage, ratios: tuple[float, float], small: Floats) -> None:
    """Downsample an image into `small` (3, h, w), RGB in 0..1. ratios: of its width and height to the image's."""
    strips.run(small.shape[1], lambda top, bottom: shrink_rows(image, *ratios, small, top, bottom))


def guided_filter(
    strips: Strips,
    weights: FilterWeights,
    matte: Floats,
    small: Floats,
    outputs: tuple[Floats, Floats, Floats],
    column: int = 0,
) -> None:
    """Fill slope, offset (4, h, w) and coarse alpha (1, h, w) by a guided filter, or wider ones from `column` on.

    matte: the filter's input (C, h, w); small: (3, h, w), RGB in 0..1. OpenVINO makes thirty passes over memory for
    it, the kernels make one.
    """
    height = small.shape[1]
    if isinstance(weights, LearnedFilterWeights):
        matrices = weights.project, weights.box, weights.first, weights.second, weights.third
        learned = small, matte, *matrices, *outputs, column
        strips.run(height, lambda top, bottom: learned_filter_rows(*learned, top, bottom))
    else:
        fast = small, matte, weights.epsilon, weights.renormalize_borders, *outputs, column
        strips.run(height, lambda top, bottom: fast_filter_rows(*fast, top, bottom))
