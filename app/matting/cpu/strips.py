"""Row kernels of the frame step on a CPU, run in strips of rows on several threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from app.core.matte_edit import View
from app.core.threads import name_thread, thread_limit, usable_cores
from app.core.types import BgrImage, Floats
from app.matting.kernels.full_size import view_rows
from app.matting.kernels.guided_filter import fast_filter_rows, learned_filter_rows
from app.matting.kernels.network_arrays import shrink_rows
from models.rules import FilterWeights, LearnedFilterWeights

MOST_THREADS = 4
Ratios = tuple[float, float]
"""Of the width and of the height of a network's input to those of the picture."""


class Strips:
    """Runs the kernels of one executor."""

    def __init__(self, threads: int | None = None) -> None:
        """threads: None for the limit in `app.core.threads`, else for the cores."""
        self.threads = min(threads or thread_limit() or usable_cores(), MOST_THREADS)
        """Strips per frame, each on its own thread."""
        self._pool = ThreadPoolExecutor(
            max(self.threads - 1, 1), thread_name_prefix="finish", initializer=name_thread, initargs=("finish",)
        )

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()

    def run(self, height: int, work: Callable[[int, int], None]) -> None:
        """Call work(top, bottom) for strips that cover `height` rows; one strip runs on the calling thread."""
        bounds = [height * strip // self.threads for strip in range(self.threads + 1)]
        first, *rest = itertools.pairwise(bounds)
        others = [self._pool.submit(work, *strip) for strip in rest]
        work(*first)
        for other in others:
            other.result()

    def shrink(self, frame: BgrImage, ratios: Ratios, small: Floats) -> None:
        """Downsample the frame into `small` (3, h, w), RGB in 0..1."""
        self.run(small.shape[1], lambda top, bottom: shrink_rows(frame, *ratios, small, top, bottom))

    def filter(
        self, weights: FilterWeights, matte: Floats, small: Floats, outputs: tuple[Floats, Floats, Floats]
    ) -> None:
        """Fill slope, offset (4, h, w) and coarse alpha (1, h, w) by a guided filter.

        matte: the filter's input (C, h, w); small: (3, h, w), RGB in 0..1. OpenVINO makes thirty passes over memory for
        it, the kernels make one.
        """
        height = small.shape[1]
        if isinstance(weights, LearnedFilterWeights):
            matrices = weights.project, weights.box, weights.first, weights.second, weights.third
            learned = small, matte, *matrices, *outputs
            self.run(height, lambda top, bottom: learned_filter_rows(*learned, top, bottom))
        else:
            fast = small, matte, weights.epsilon, weights.renormalize_borders, *outputs
            self.run(height, lambda top, bottom: fast_filter_rows(*fast, top, bottom))

    def view(self, frame: BgrImage, view: View) -> BgrImage:
        """Return the part of the frame (H, W, 3), enlarged to the frame's size."""
        shown = np.empty_like(frame)
        pixels, sides = (frame.reshape(len(frame), -1), shown.reshape(len(frame), -1)), (view.left, view.top, view.size)
        self.run(len(frame), lambda top, bottom: view_rows(*pixels, *sides, top, bottom))
        return shown
