"""Pre- and postprocessing of the frame step on a CPU, parallelized over strips of rows."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.geometry import StepGeometry
from app.matting.kernels import numpy_composite, numpy_edges
from app.matting.kernels.dispatch import compiled
from app.matting.kernels.numpy_blur import blurred_background
from app.matting.openvino_backend.guided import filter_rows
from app.matting.step.edges import EdgePlan
from app.system.threads import name_thread
from models.filter_weights import FilterWeights

MOST_THREADS = 4
Coefficients = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
NOTHING: NDArray[np.uint8] = np.empty((0, 0), np.uint8)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class Pasted(NamedTuple):
    """Full-size arrays before the edge controls, passed to `CpuFinish.finish`'s `correct` callback."""

    backdrop: NDArray[np.uint8]
    """(H, W, 3)"""
    composite: NDArray[np.uint8]
    """(H, 3 * W), same as the foreground; (0, 0) if not requested."""
    alpha: AlphaImage
    foreground: NDArray[np.uint8]


class CpuFinish:
    """Downsamples frames, and computes alpha, foreground and composite from the network's coefficients."""

    def __init__(self, geometry: StepGeometry, arithmetic: Callable[[], ModuleType] = compiled.best) -> None:
        """arithmetic: returns the kernel module, `composite` or `numpy_composite`; called once per frame."""
        self._geometry = geometry
        self._best_arithmetic = arithmetic
        self._arithmetic = arithmetic()
        self._threads = min(usable_cores(), MOST_THREADS)
        self._pool = ThreadPoolExecutor(
            max(self._threads - 1, 1), thread_name_prefix="finish", initializer=name_thread, initargs=("finish",)
        )
        self._previous_alpha: AlphaImage | None = None

    def reset(self) -> None:
        """Forget the last alpha."""
        self._previous_alpha = None

    def close(self) -> None:
        """Stop the worker threads."""
        self._pool.shutdown()

    def shrink(self, frame: BgrImage, small: NDArray[np.float32]) -> None:
        """Downsample the frame into `small` (3, h, w), RGB in 0..1."""
        self._arithmetic = arithmetic = self._best_arithmetic()
        self.in_strips(
            small.shape[1], lambda top, bottom: arithmetic.shrink_rows(frame, self._geometry.ratio, small, top, bottom)
        )

    def halve(self, small: NDArray[np.float32], halves: Sequence[NDArray[np.float32]]) -> None:
        """Fill `halves` with the small frame at 1/2, 1/4, ... of its size; each is (3, h, w), RGB in 0..1."""
        for larger, halved in itertools.pairwise((small, *halves)):
            self._arithmetic.halve_rows(larger, halved, 0, halved.shape[1])

    def guide(
        self, weights: FilterWeights, given: NDArray[np.float32], small: NDArray[np.float32], coefficients: Coefficients
    ) -> None:
        """Run a network's guided filter; write slope, offset (4, h, w) and coarse alpha (1, h, w) to `coefficients`."""
        arithmetic = self._arithmetic
        self.in_strips(
            small.shape[1],
            lambda top, bottom: filter_rows(weights, arithmetic, given, small, coefficients, top, bottom),
        )

    def finish(
        self,
        frame: BgrImage,
        small: NDArray[np.float32],
        coefficients: Coefficients,
        backdrop: Backdrop,
        edges: EdgePlan,
        want_foreground: bool,
        correct: Callable[[Pasted], Pasted] = lambda pasted: pasted,
    ) -> Matte:
        """Return the matte of a frame; coefficients are slope, offset (4, h, w) and coarse alpha (h, w).

        correct: called before the edge controls; may modify parts of alpha and colours, or crop them.
        """
        slope, offset, coarse = coefficients
        height, width = frame.shape[:2]
        behind = (
            blurred_background(small, coarse, backdrop.strength, self._geometry.blur_factor, width, height)
            if isinstance(backdrop, BlurredBackground)
            else backdrop
        )
        rows, behind_rows = frame.reshape(height, -1), behind.reshape(height, -1)
        alpha = np.empty((height, width), np.uint8)
        foreground = np.empty_like(rows) if want_foreground or edges.active else NOTHING
        first_composite = NOTHING if edges.active else np.empty_like(rows)
        self.in_strips(
            height,
            lambda top, bottom: self._arithmetic.finish_rows(
                rows, slope, offset, behind_rows, first_composite, alpha, foreground, top, bottom
            ),
        )
        pasted = correct(Pasted(behind, first_composite, alpha, foreground))
        alpha, foreground = pasted.alpha, pasted.foreground
        if edges.active:
            alpha = self._treat(alpha, foreground, edges)
            composite, room_rows = np.empty_like(foreground), pasted.backdrop.reshape(foreground.shape)
            self.in_strips(
                alpha.shape[0],
                lambda top, bottom: self._arithmetic.blend_rows(
                    foreground, alpha, room_rows, edges.despill, composite, top, bottom
                ),
            )
        else:
            composite = pasted.composite
        shape = *alpha.shape, 3
        return Matte(
            composite=composite.reshape(shape),
            alpha=alpha,
            foreground=foreground.reshape(shape) if want_foreground else None,
        )

    def _treat(self, alpha: AlphaImage, foreground: NDArray[np.uint8], edges: EdgePlan) -> AlphaImage:
        """Apply the active edge controls to alpha; modify the foreground (H, 3 * W) in place where required."""
        if edges.contrast is not None:
            alpha = np.asarray(cv2.LUT(alpha, edges.contrast), np.uint8)
        if edges.temporal_smoothing is not None:
            alpha = self._hold(alpha, edges.temporal_smoothing)
        else:
            self._previous_alpha = None
        grown = numpy_edges.grow(alpha, edges)
        if edges.feather_px == 0:
            return grown
        feathered = numpy_edges.feather(grown, edges.feather_px)
        continued = numpy_edges.beyond(foreground, grown, edges.feather_px)
        self.in_strips(
            alpha.shape[0],
            lambda top, bottom: self._arithmetic.spread_rows(foreground, continued, grown, feathered, top, bottom),
        )
        return feathered

    def _hold(self, alpha: AlphaImage, steps: NDArray[np.int16]) -> AlphaImage:
        previous_alpha = self._previous_alpha
        if previous_alpha is None:
            previous_alpha = alpha.copy()
        else:
            self.in_strips(
                alpha.shape[0],
                lambda top, bottom: self._arithmetic.hold_rows(alpha, previous_alpha, steps, top, bottom),
            )
        self._previous_alpha = previous_alpha
        return previous_alpha.copy()

    def in_strips(self, height: int, work: Callable[[int, int], None]) -> None:
        """Call work(top, bottom) for strips that cover `height` rows; one strip runs on the calling thread."""
        threads = 1 if self._arithmetic is numpy_composite else self._threads
        bounds = [height * strip // threads for strip in range(threads + 1)]
        first, *rest = itertools.pairwise(bounds)
        others = [self._pool.submit(work, *strip) for strip in rest]
        work(*first)
        for other in others:
            other.result()
