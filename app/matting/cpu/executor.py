"""Executors for CPUs: a network gives the coefficients, the compositor makes the composite of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import final

import numpy as np

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Floats, Matte, magnified
from app.matting.base.edges import plan
from app.matting.base.geometry import StepGeometry
from app.matting.base.interface import MatteShaper, NotAMatteError
from app.matting.cpu.compositor import Coefficients, Compositor
from app.matting.cpu.cpu_shaping import shaped
from app.matting.cpu.strips import Strips
from app.matting.strict.cpu_strict import StrictFilter


class CpuExecutor(ABC):
    """Implements `Executor`. A subclass computes coefficients; it never makes a composite."""

    name = "openvino"
    device = "cpu"
    supports_strict = True
    relights = True
    """Whether `run` applies the light controls; see `FrameEngine`."""

    def __init__(self, geometry: StepGeometry, precision: str) -> None:
        self.precision = precision
        self._strips = Strips()
        self._compositor = Compositor(geometry, self._strips)
        self._strict = StrictFilter()
        self._forgets = False
        """Whether the compositor is reset before the next composite: now it may be at work for the frame before."""

    @abstractmethod
    def infer(self, frame: BgrImage, region: bool) -> Coefficients:
        """Run the network on the next frame, (H, W, 3), and advance the recurrent state.

        region: whether it may look at a part of the frame; see `EdgeSettings.person_region`.
        """

    def follow(self, alpha: Floats) -> None:  # noqa: B027 - most networks see the whole frame
        """Take alpha (h, w) of the frame as it is shown, which decides what part of the next frame is looked at."""

    @final
    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """Run one step and return new arrays."""
        coefficients = self._strict_coefficients(frame, edges)
        self._forget()
        return self._compositor.composite(frame, coefficients, backdrop, plan(edges), want_foreground)

    @final
    def begin(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool
    ) -> Callable[[], Matte]:
        """Run the network; return what makes the composite. See `OverlappingExecutor`."""
        coefficients = self._strict_coefficients(frame, edges).copied()  # the next frame overwrites the arrays
        forgets, self._forgets = self._forgets, False

        def finish() -> Matte:
            if forgets:
                self._compositor.reset()
            return self._compositor.composite(frame, coefficients, backdrop, plan(edges), want_foreground)

        return finish

    @final
    def run_shaped(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool, shaper: MatteShaper
    ) -> Matte:
        """Run one step with a shaped matte; see `ShapingExecutor`."""
        coefficients = self._strict_coefficients(frame, edges)
        shape = shaper.shape(coefficients.small, np.clip(coefficients.coarse, 0, 1))
        shown, coefficients = shaped(frame, coefficients, shape, self._strips)
        if shape.view is not None and shown is not frame:
            backdrop = magnified(backdrop, 1 / shape.view.size)
        self._forget()
        matte = self._compositor.composite(shown, coefficients, backdrop, plan(edges), want_foreground, shape.placement)
        return matte if shown is frame else replace(matte, frame=shown)

    def _strict_coefficients(self, frame: BgrImage, edges: EdgeSettings) -> Coefficients:
        coefficients = self.infer(frame, edges.person_region)
        if not coefficients.finite:
            raise NotAMatteError
        level = edges.strict if self.supports_strict else "off"
        self._strict.apply(level, *coefficients[:4], coefficients.place, coefficients.beside)
        if edges.person_region:
            self.follow(coefficients.coarse)
        return coefficients._replace(hides_person=self._strict.hides_person)

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        self._forgets = True
        self._strict.reset(seen)

    def close(self) -> None:
        """Stop the threads. Idempotent."""
        self._strips.close()

    def _forget(self) -> None:
        """Reset the compositor now, if it is due."""
        if self._forgets:
            self._forgets = False
            self._compositor.reset()
