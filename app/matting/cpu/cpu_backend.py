"""The step on a CPU: coefficients of a network, strict mode, edits, and the composite of them.

This is the only place on a CPU where composites are made. Every colour of a composite differs from
the backdrop by at most alpha (and rounding), whatever the coefficients.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple, final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.geometry import viewed
from app.core.threads import Strips
from app.core.types import (
    AlphaImage,
    BgrImage,
    BlurredBackground,
    Bytes,
    Floats,
    Matte,
    MatteEdit,
    View,
    magnified,
)
from app.matting.blur import blurred_background
from app.matting.edges import EdgePlan, beyond, feather, grow, plan
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
    is_settling = False

    def __init__(self, geometry: StepGeometry, precision: str, threads: int | None = None) -> None:
        """geometry: of the frames, padded to whole cells where these are refined.

        threads: of a step; None for all cores.
        """
        self.precision = precision
        self.strips = Strips(threads)
        self._geometry = geometry
        self._strict = initial_memory(geometry.small_height, geometry.small_width)
        # Coefficients of the last frame that the network saw, after strict mode.
        self._last: Coefficients | None = None
        # Alpha of the last frame after temporal smoothing; None while that is off.
        self._previous_alpha: AlphaImage | None = None
        # The blurred background made last, and the settings that it was made
        # for. It is shown again while little moves.
        self._blurred: tuple[BlurredBackground, BgrImage] | None = None

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
        coefficients = self._last
        shown = frame
        if coefficients is None or reuse is not Reuse.MATTE:
            coefficients = self.infer(frame, reuse is Reuse.FEATURES)
            for array in (coefficients.slope, coefficients.offset, *(coefficients.cells or ())):
                if not np.isfinite(array).all():
                    raise NotAMatteError
            if request.strict != "off":
                strict_matte(
                    coefficients.small,
                    coefficients.slope,
                    coefficients.offset,
                    coefficients.coarse,
                    self._strict,
                )
            elif self._strict.age:
                geometry = self._geometry
                self._strict = initial_memory(geometry.small_height, geometry.small_width)
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
        if shown is not frame:
            matte = replace(matte, frame=shown)
        if reuse is Reuse.MATTE:
            matte = replace(matte, still=True)
        return matte

    def _edited(
        self,
        frame: BgrImage,
        coefficients: Coefficients,
        edit: MatteEdit,
    ) -> tuple[BgrImage, Coefficients]:
        """Return frame and coefficients with the edit applied; the arguments remain as they are.

        Refined cells lie on the grid of the whole frame, so that the view is not applied to them.
        """
        gain = edit.gain
        view = edit.view
        if gain is not None:
            slope = coefficients.slope.copy()
            offset = coefficients.offset.copy()
            slope[3] *= gain
            offset[3] *= gain
            cells = coefficients.cells
            if cells is not None:
                rows = -(-frame.shape[0] // CELL)
                columns = -(-frame.shape[1] // CELL)
                resized = cv2.resize(gain, (columns, rows), interpolation=cv2.INTER_LINEAR)
                grid = np.asarray(resized, np.float32)
                cells = cells._replace(matte=cells.matte.copy())
                cells.matte[..., 0] *= grid.ravel()[cells.indices][:, None, None]
            coefficients = replace(
                coefficients,
                slope=slope,
                offset=offset,
                coarse=coefficients.coarse * gain,
                cells=cells,
            )
        for light in edit.lights:
            coefficients = self._relit(frame, coefficients, light)
        if view is None or coefficients.cells is not None:
            return frame, coefficients
        coefficients = replace(
            coefficients,
            small=_viewed_planes(coefficients.small, view),
            slope=_viewed_planes(coefficients.slope, view),
            offset=_viewed_planes(coefficients.offset, view),
            coarse=_viewed_planes(coefficients.coarse[None], view)[0],
        )
        shown = np.empty_like(frame)
        pixels = frame.reshape(len(frame), -1), shown.reshape(len(frame), -1)
        self.strips.run(len(frame), view_rows, *pixels, view.left, view.top, view.size)
        return shown, coefficients

    def _blurred_picture(
        self,
        coefficients: Coefficients,
        backdrop: BlurredBackground,
        *,
        keep: bool,
    ) -> BgrImage:
        """Return the blurred background.

        keep: whether it may be shown again, and the last one be shown.
        """
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
        size = frame.shape[:2]
        cells = coefficients.cells
        if cells is not None:
            # Their grid may be larger than the frame.
            frame = padded(frame, self._geometry.width, self._geometry.height)
            picture = padded(picture, self._geometry.width, self._geometry.height)
        height, width = frame.shape[:2]
        rows = frame.reshape(height, -1)
        backdrop_rows = picture.reshape(height, -1)
        alpha = np.empty((height, width), np.uint8)
        composite = NOTHING if edges.active else np.empty_like(rows)
        foreground = np.empty_like(rows) if want_foreground or edges.active else NOTHING
        planes = (coefficients.slope, coefficients.offset)
        results = (composite, alpha, foreground)
        self.strips.run(height, finish_rows, rows, *planes, backdrop_rows, *results)
        if cells is not None:
            refined = (cells.matte, cells.indices)
            count = len(cells.indices)
            self.strips.run(count, paste_cells, frame, picture, *refined, *results)
            colours = (backdrop_rows, foreground, composite)
            alpha, backdrop_rows, foreground, composite = cropped(size, alpha, *colours)
        if edges.active:
            alpha = self._edge_controls(alpha, foreground, edges)
            composite = np.empty_like(foreground)
            layers = (foreground, alpha, backdrop_rows)
            self.strips.run(size[0], blend_rows, *layers, edges.despill, composite)
        return Matte(
            composite=composite.reshape(*size, 3),
            alpha=alpha,
            foreground=foreground.reshape(*size, 3) if want_foreground else None,
        )

    def _relit(self, frame: BgrImage, coefficients: Coefficients, light: Floats) -> Coefficients:
        """Return coefficients that give the relit foreground, in new arrays.

        light: as in `MatteEdit`.

        The foreground is pixel * (1 + slope) + offset, so that gain and bias fold into both.
        """
        slope = coefficients.slope.copy()
        offset = coefficients.offset.copy()
        gain, bias = _enlarged(light, slope.shape[1:])
        slope[:3] = gain * (1 + slope[:3]) - 1
        offset[:3] = gain * offset[:3] + bias
        cells = coefficients.cells
        if cells is not None:
            # The light of a cell is that of its middle.
            frame = padded(frame, self._geometry.width, self._geometry.height)
            rows = frame.shape[0] // CELL
            columns = frame.shape[1] // CELL
            row, column = np.divmod(cells.indices, columns)
            gains, biases = _enlarged(light, (rows, columns))
            gain = gains[:, row, column].T[:, None, None]
            bias = biases[:, row, column].T[:, None, None]
            squares = frame.reshape(rows, CELL, columns, CELL, 3)
            pixels = squares[row, :, column, :, ::-1] * np.float32(1 / 255)
            matte = cells.matte.copy()
            matte[..., 1:] = gain * (pixels + matte[..., 1:]) + bias - pixels
            cells = cells._replace(matte=matte)
        return replace(coefficients, slope=slope, offset=offset, cells=cells)

    def _edge_controls(
        self,
        alpha: AlphaImage,
        foreground: NDArray[np.uint8],
        edges: EdgePlan,
    ) -> AlphaImage:
        """Apply the active edge controls to alpha.

        Where feathering shows more, the foreground (H, 3 * W) is extended in place.
        """
        height = alpha.shape[0]
        last = self._previous_alpha
        if edges.contrast is not None:
            alpha = np.asarray(cv2.LUT(alpha, edges.contrast), np.uint8)
        if edges.temporal_smoothing is None:
            self._previous_alpha = None
        else:
            if last is None:
                last = alpha.copy()
            else:
                self.strips.run(height, smooth_alpha_rows, alpha, last, edges.temporal_smoothing)
            self._previous_alpha = last
            alpha = last.copy()
        grown = grow(alpha, edges)
        if edges.feather_px == 0:
            return grown
        feathered = feather(grown, edges.feather_px)
        extended = beyond(foreground, grown, edges.feather_px)
        self.strips.run(height, extend_colour_rows, foreground, extended, grown, feathered)
        return feathered

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        self._last = None
        self._previous_alpha = None
        self._blurred = None
        geometry = self._geometry
        self._strict = initial_memory(geometry.small_height, geometry.small_width, seen)

    def close(self) -> None:
        """Stop the threads. Idempotent."""
        self.strips.close()


def padded(image: BgrImage, width: int, height: int) -> BgrImage:
    """Pad to this size by repeating the last row and column.

    Return the same array if it has the size.
    """
    below = height - image.shape[0]
    right = width - image.shape[1]
    if not below and not right:
        return image
    larger = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(larger, np.uint8)


def cropped(
    size: tuple[int, int],
    alpha: AlphaImage,
    *colours: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], ...]:
    """Return alpha and the colours, (H, 3 * W) or empty, without the padding.

    size: (height, width).
    """
    height, width = size
    if alpha.shape == size:
        return alpha, *colours
    smaller = [np.ascontiguousarray(image[:height, : 3 * width]) for image in colours]
    return np.ascontiguousarray(alpha[:height, :width]), *smaller


def _enlarged(light: Floats, shape: tuple[int, ...]) -> Floats:
    """Return gains and biases, (2, 3, h, w), of a light, (6, h', w')."""
    planes = np.stack([cv2.resize(plane, shape[::-1]) for plane in light])
    return planes.reshape(2, 3, *shape).astype(np.float32)


def _viewed_planes(planes: Floats, view: View) -> Floats:
    """Return the part of planes (n, h, w) that a view shows, at their size."""
    return np.stack([viewed(plane, view) for plane in planes])
