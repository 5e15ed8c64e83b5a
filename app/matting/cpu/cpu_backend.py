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

from app.core.edits import MatteEdit, MatteEditor, StateArrays, prefixed, saved, under
from app.core.geometry import viewed
from app.core.settings import EdgeSettings
from app.core.threads import Strips
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Bytes, Floats, Matte, magnified
from app.matting.base.interface import NotAMatteError, Reuse, StepGeometry
from app.matting.base.parameters import (
    SPREAD_ALPHA,
    SPREAD_FACTOR,
    SPREAD_FLOOR,
    EdgePlan,
    box_radii,
    octagon,
    plan,
    spread_radius,
)
from app.matting.cpu.cpu_blur import blurred_background
from app.matting.kernels.composite import (
    blend_rows,
    extend_colour_rows,
    finish_rows,
    paste_cells,
    relight_cells,
    relight_rows,
    smooth_alpha_rows,
    view_rows,
)
from app.matting.kernels.network import all_finite
from app.matting.strict.cpu_strict import StrictFilter
from models.rules import CELL

PREVIOUS_ALPHA = "previous_alpha"
"""Name of the last alpha in the state."""
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

    def __init__(self, geometry: StepGeometry, precision: str, threads: int | None = None) -> None:
        """geometry: of the frames, padded to whole cells where these are refined.

        threads: of a step; None for all cores.
        """
        self.precision = precision
        self.strips = Strips(threads)
        self._geometry = geometry
        self._strict = StrictFilter()
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
            self._blurred = None
        coefficients, shown = self._last, frame
        if coefficients is None or reuse is not Reuse.MATTE:
            coefficients = self.infer(frame, reuse is Reuse.FEATURES)
            cells = coefficients.cells
            if not all_finite(coefficients.slope, coefficients.offset):
                raise NotAMatteError
            if cells is not None and not np.isfinite(cells.matte).all():
                raise NotAMatteError
            if edges.strict == "off":
                self._strict.reset()
            else:
                self._strict.apply(coefficients.small, coefficients.slope, coefficients.offset, coefficients.coarse)
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
        matte = self._composite(shown, coefficients, backdrop, plan(edges), want_foreground)
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
        """Return coefficients that give the relit foreground, in new arrays. light: as in `MatteEdit`."""
        slope, offset = np.empty_like(coefficients.slope), np.empty_like(coefficients.offset)
        self.strips.run(slope.shape[1], relight_rows, coefficients.slope, coefficients.offset, light, slope, offset)
        cells = coefficients.cells
        if cells is not None:
            cells = cells._replace(matte=cells.matte.copy())
            frame = padded(frame, self._geometry.width, self._geometry.height)
            self.strips.run(len(cells.indices), relight_cells, frame, light, cells.indices, cells.matte)
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
        grown = _grow(alpha, edges)
        if edges.feather_px == 0:
            return grown
        feathered = _feather(grown, edges.feather_px)
        self.strips.run(
            height, extend_colour_rows, foreground, _beyond(foreground, grown, edges.feather_px), grown, feathered
        )
        return feathered

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""
        self._last = self._previous_alpha = self._blurred = None
        self._strict.reset(seen)

    def state(self) -> StateArrays:
        """Return copies of the state."""
        arrays = {} if self._previous_alpha is None else {PREVIOUS_ALPHA: self._previous_alpha.copy()}
        return arrays | prefixed("strict", self._strict.state())

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError, ValueError or TypeError if the arrays do not fit."""
        size = self._geometry.height, self._geometry.width
        self._last = self._blurred = None
        self._previous_alpha = saved(arrays, PREVIOUS_ALPHA, size, np.uint8)
        self._strict.load_state(under("strict", arrays))

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


_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def _grow(alpha: AlphaImage, plan: EdgePlan) -> AlphaImage:
    """Grow or shrink alpha (H, W)."""
    if plan.grow_px > 0:
        return _dilate(alpha, plan.grow_px)
    if plan.grow_px < 0:
        return 255 - _dilate(255 - alpha, -plan.grow_px)
    return alpha


def _feather(alpha: AlphaImage, feather_px: int) -> AlphaImage:
    """Feather alpha (H, W) outward; alpha never decreases."""
    return np.maximum(alpha, _soften(_dilate(alpha, -(-feather_px // 2)), feather_px))


def _beyond(foreground: NDArray[np.uint8], alpha: AlphaImage, feather_px: int) -> NDArray[np.uint8]:
    """Return the foreground with colours extended past the feather; foreground and result are (H, 3 * W)."""
    height, width = alpha.shape
    samples = slice(SPREAD_FACTOR // 2, None, SPREAD_FACTOR)
    opaque = (alpha[samples, samples, None] >= SPREAD_ALPHA).astype(np.float32)
    colours = np.dstack([foreground.reshape(height, width, 3)[samples, samples] * opaque, opaque])
    window = 2 * spread_radius(feather_px) + 1
    for _ in range(2):
        colours = cv2.blur(colours, (window, window), borderType=cv2.BORDER_CONSTANT)
    continued = colours[..., :3] / (colours[..., 3:] + np.float32(SPREAD_FLOOR)) + np.float32(0.5)
    picture = np.clip(continued, 0, 255).astype(np.uint8)
    full = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.uint8).reshape(height, -1)


def _dilate(alpha: AlphaImage, radius: int) -> AlphaImage:
    square, diamond = octagon(radius)
    if square:
        alpha = cv2.dilate(alpha, np.ones((2 * square + 1, 2 * square + 1), np.uint8))  # type: ignore[assignment]
    if diamond:
        alpha = cv2.dilate(alpha, _CROSS, iterations=diamond)  # type: ignore[assignment]
    return alpha


def _soften(alpha: AlphaImage, feather_px: int) -> AlphaImage:
    for radius in box_radii(feather_px):
        if radius:
            alpha = cv2.blur(alpha, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return alpha
