"""The step on a CPU: a network gives coefficients, strict mode and edits change them, and they give the composite.

This is the only place on a CPU where composites are made. Every colour of a composite differs from the backdrop by at
most alpha (and rounding), whatever the coefficients.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple, final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.edits import MatteEdit
from app.core.geometry import viewed
from app.core.threads import Strips
from app.core.types import AlphaImage, BgrImage, BlurredBackground, Bytes, Floats, Matte, magnified
from app.matting.blur import (
    blurred_background,
)
from app.matting.edges import (
    EdgePlan,
    beyond,
    feather,
    grow,
    plan,
)
from app.matting.interface import NotAMatteError, Reuse, StepGeometry, StepRequest
from app.matting.kernels.composite import (
    blend_rows,
    extend_colour_rows,
    finish_rows,
    paste_cells,
    smooth_alpha_rows,
    view_rows,
)
from app.matting.strict.cpu_strict import initial_memory, strict_matte
from models.exchange import CELL

NOTHING: Bytes = np.empty((0, 0), np.uint8)


class RefinedCells(NamedTuple):
    """Refined cells of 4x4 pixels, which replace what the coefficients give there."""

    indices: NDArray[np.int64]
    """(N,) row-major in the grid of cells."""
    matte: Floats
    """(N, 4, 4, 4): alpha and foreground residual, RGB."""


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of the whole frame; see `app.matting.torch.frame_step`."""

    small: Floats
    """(3, h, w) downsampled frame, RGB in 0..1."""
    slope: Floats
    """(4, h, w)"""
    offset: Floats
    """(4, h, w)"""
    coarse: Floats
    """(h, w) alpha in 0..1."""
    cells: RefinedCells | None = None


class CpuBackend(ABC):
    """Implements `Backend`. A subclass computes coefficients; it never makes a composite."""

    name = "openvino"
    device = "cpu"
    gpu_problem = ""

    def __init__(self, geometry: StepGeometry, precision: str, threads: int | None = None) -> None:
        """geometry: of the frames, padded to whole cells where these are refined.

        threads: of a step; None for all cores.
        """
        self.precision = precision
        self.strips = Strips(threads)
        self._geometry = geometry
        self._strict = initial_memory(geometry.small_height, geometry.small_width)
        self._last: Coefficients | None = None
        """Coefficients of the last frame that the network saw, after strict mode."""
        self._previous_alpha: AlphaImage | None = None
        """For temporal smoothing."""
        self._blurred: tuple[BlurredBackground, BgrImage] | None = None
        """The blurred background made last, which is shown again while little moves, and of what settings it is."""

    @abstractmethod
    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        """Run the network on the next frame, (H, W, 3), and advance the recurrent state.

        steady: whether it may use its coarse features of the last frames again; see `Reuse`.
        """

    @final
    def step(self, request: StepRequest) -> Matte:
        """Run one step; see `Backend.step`."""
        frame = request.frame
        backdrop = request.backdrop
        edges = request.edges
        edit = request.edit
        reuse = request.reuse
        if self._last is None:
            reuse = Reuse.NOTHING
        if reuse is Reuse.NOTHING:
            self._blurred = None
        coefficients, shown = self._last, frame
        if coefficients is None or reuse is not Reuse.MATTE:
            coefficients = self.infer(frame, reuse is Reuse.FEATURES)
            made = coefficients.slope, coefficients.offset, *(coefficients.cells or ())
            if not all(np.isfinite(array).all() for array in made):
                raise NotAMatteError
            if request.strict != "off":
                planes = coefficients.small, coefficients.slope, coefficients.offset, coefficients.coarse
                strict_matte(*planes, self._strict)
            elif self._strict.age:
                self._strict = initial_memory(self._geometry.small_height, self._geometry.small_width)
            self._last = coefficients
        matte_edit = MatteEdit()
        if edit is not None:
            matte_edit = edit.edit(coefficients.small, np.clip(coefficients.coarse, 0, 1))
            shown, coefficients = self._edited(frame, coefficients, matte_edit)
            if matte_edit.view is not None and shown is not frame:
                backdrop = magnified(backdrop, 1 / matte_edit.view.size)
        if isinstance(backdrop, BlurredBackground):
            keep = matte_edit.gain is None and matte_edit.view is None
            backdrop = self._blurred_picture(coefficients, backdrop, keep=keep)
        matte = self._composite(shown, coefficients, backdrop, plan(edges), request.want_foreground)
        if shown is not frame or reuse is Reuse.MATTE:
            matte = replace(matte, frame=None if shown is frame else shown, still=reuse is Reuse.MATTE)
        return matte

    def _edited(self, frame: BgrImage, coefficients: Coefficients, edit: MatteEdit) -> tuple[BgrImage, Coefficients]:
        """Return frame and coefficients with the edit applied; the arguments remain as they are.

        Refined cells lie on the grid of the whole frame, so that the view is not applied to them.
        """
        gain, view = edit.gain, edit.view
        if gain is not None:
            slope, offset = coefficients.slope.copy(), coefficients.offset.copy()
            slope[3] *= gain
            offset[3] *= gain
            cells = coefficients.cells
            if cells is not None:
                rows, columns = (-(-side // CELL) for side in frame.shape[:2])
                grid = np.asarray(cv2.resize(gain, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
                cells = cells._replace(matte=cells.matte.copy())
                cells.matte[..., 0] *= grid.ravel()[cells.indices][:, None, None]
            coarse = coefficients.coarse * gain
            coefficients = replace(coefficients, slope=slope, offset=offset, coarse=coarse, cells=cells)
        for light in edit.lights:
            coefficients = self._relit(frame, coefficients, light)
        if view is None or coefficients.cells is not None:
            return frame, coefficients
        planes = coefficients.small, coefficients.slope, coefficients.offset, coefficients.coarse[None]
        small, slope, offset, coarse = (np.stack([viewed(plane, view) for plane in each]) for each in planes)
        shown = np.empty_like(frame)
        pixels = frame.reshape(len(frame), -1), shown.reshape(len(frame), -1)
        self.strips.run(len(frame), view_rows, *pixels, view.left, view.top, view.size)
        return shown, replace(coefficients, small=small, slope=slope, offset=offset, coarse=coarse[0])

    def _blurred_picture(self, coefficients: Coefficients, backdrop: BlurredBackground, *, keep: bool) -> BgrImage:
        """Return the blurred background. keep: whether it may be shown again, and the last one be shown."""
        if keep and self._blurred is not None and self._blurred[0] == backdrop:
            return self._blurred[1]
        geometry = self._geometry
        picture = blurred_background(
            coefficients.small,
            coefficients.coarse,
            backdrop.strength,
            geometry.blur_factor,
            geometry.width,
            geometry.height,
            bokeh=backdrop.bokeh,
            zoom=backdrop.zoom,
        )
        self._blurred = (backdrop, picture) if keep else None
        return picture

    def _composite(
        self,
        frame: BgrImage,
        coefficients: Coefficients,
        picture: BgrImage,
        edges: EdgePlan,
        want_foreground: bool,
    ) -> Matte:
        """Return the matte of a frame, (H, W, 3), over a picture of its size."""
        size, cells = frame.shape[:2], coefficients.cells
        if cells is not None:  # their grid may be larger than the frame
            frame, picture = (padded(image, self._geometry.width, self._geometry.height) for image in (frame, picture))
        height, width = frame.shape[:2]
        rows, backdrop_rows = frame.reshape(height, -1), picture.reshape(height, -1)
        alpha = np.empty((height, width), np.uint8)
        composite = NOTHING if edges.active else np.empty_like(rows)
        foreground = np.empty_like(rows) if want_foreground or edges.active else NOTHING
        planes = coefficients.slope, coefficients.offset
        self.strips.run(height, finish_rows, rows, *planes, backdrop_rows, composite, alpha, foreground)
        if cells is not None:
            refined = cells.matte, cells.indices
            self.strips.run(len(cells.indices), paste_cells, frame, picture, *refined, composite, alpha, foreground)
            alpha, backdrop_rows, foreground, composite = cropped(size, alpha, backdrop_rows, foreground, composite)
        if edges.active:
            alpha = self._edge_controls(alpha, foreground, edges)
            composite = np.empty_like(foreground)
            self.strips.run(size[0], blend_rows, foreground, alpha, backdrop_rows, edges.despill, composite)
        return Matte(
            composite=composite.reshape(*size, 3),
            alpha=alpha,
            foreground=foreground.reshape(*size, 3) if want_foreground else None,
        )

    def _relit(self, frame: BgrImage, coefficients: Coefficients, light: Floats) -> Coefficients:
        """Return coefficients that give the relit foreground, in new arrays. light: as in `MatteEdit`.

        The foreground is pixel * (1 + slope) + offset, so that gain and bias fold into both.
        """
        slope, offset = coefficients.slope.copy(), coefficients.offset.copy()
        gain, bias = _enlarged(light, slope.shape[1:])
        slope[:3] = gain * (1 + slope[:3]) - 1
        offset[:3] = gain * offset[:3] + bias
        cells = coefficients.cells
        if cells is not None:  # the light of a cell is that of its middle
            frame = padded(frame, self._geometry.width, self._geometry.height)
            rows, columns = (side // CELL for side in frame.shape[:2])
            row, column = np.divmod(cells.indices, columns)
            gain, bias = (maps[:, row, column].T[:, None, None] for maps in _enlarged(light, (rows, columns)))
            pixels = frame.reshape(rows, CELL, columns, CELL, 3)[row, :, column, :, ::-1] * np.float32(1 / 255)
            matte = cells.matte.copy()
            matte[..., 1:] = gain * (pixels + matte[..., 1:]) + bias - pixels
            cells = cells._replace(matte=matte)
        return replace(coefficients, slope=slope, offset=offset, cells=cells)

    def _edge_controls(self, alpha: AlphaImage, foreground: NDArray[np.uint8], edges: EdgePlan) -> AlphaImage:
        """Apply the active edge controls to alpha; modify the foreground (H, 3 * W) in place where required."""
        height, last = alpha.shape[0], self._previous_alpha
        if edges.contrast is not None:
            alpha = np.asarray(cv2.LUT(alpha, edges.contrast), np.uint8)
        if edges.temporal_smoothing is None:
            self._previous_alpha = None
        else:
            if last is None:
                last = alpha.copy()
            else:
                self.strips.run(height, smooth_alpha_rows, alpha, last, edges.temporal_smoothing)
            self._previous_alpha, alpha = last, last.copy()
        grown = grow(alpha, edges)
        if edges.feather_px == 0:
            return grown
        feathered = feather(grown, edges.feather_px)
        self.strips.run(
            height, extend_colour_rows, foreground, beyond(foreground, grown, edges.feather_px), grown, feathered
        )
        return feathered

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        self._last = self._previous_alpha = self._blurred = None
        self._strict = initial_memory(self._geometry.small_height, self._geometry.small_width, seen)

    def close(self) -> None:
        """Stop the threads. Idempotent."""
        self.strips.close()


def padded(image: BgrImage, width: int, height: int) -> BgrImage:
    """Pad to this size by repeating the last row and column; return the same array if it has the size."""
    below, right = height - image.shape[0], width - image.shape[1]
    if not below and not right:
        return image
    return np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)


def cropped(size: tuple[int, int], alpha: AlphaImage, *colours: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """Return alpha and the colours, (H, 3 * W) or empty, without the padding. size: (height, width)."""
    height, width = size
    if alpha.shape == size:
        return alpha, *colours
    ends = width, *(3 * width for _ in colours)
    return tuple(np.ascontiguousarray(image[:height, :end]) for image, end in zip((alpha, *colours), ends, strict=True))


def _enlarged(light: Floats, shape: tuple[int, ...]) -> Floats:
    """Return gains and biases, (2, 3, h, w), of a light, (6, h', w')."""
    return np.stack([cv2.resize(plane, shape[::-1]) for plane in light]).reshape(2, 3, *shape).astype(np.float32)
