"""The only place on a CPU where composites are made: from what a network computes, the frame and the backdrop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.geometry import viewed
from app.core.threads import Strips
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Bytes, Floats, Matte
from app.matting.base.interface import MatteEdit, StateArrays, StepGeometry, prefixed, saved, under
from app.matting.base.parameters import (
    SPREAD_ALPHA,
    SPREAD_FACTOR,
    SPREAD_FLOOR,
    EdgePlan,
    box_radii,
    octagon,
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
from app.matting.light import Light
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


def edited(
    frame: BgrImage, coefficients: Coefficients, edit: MatteEdit, strips: Strips
) -> tuple[BgrImage, Coefficients]:
    """Return frame and coefficients with the edit applied; the arguments remain as they are.

    Refined cells lie on the grid of the whole frame, so that the view is not applied to them.
    """
    gain, view, cells = edit.gain, edit.view, coefficients.cells
    if gain is not None:
        slope, offset = coefficients.slope.copy(), coefficients.offset.copy()
        slope[3] *= gain
        offset[3] *= gain
        if cells is not None:
            cells = _with_cell_alpha(cells, gain, frame.shape[:2])
        coefficients = replace(coefficients, slope=slope, offset=offset, coarse=coefficients.coarse * gain, cells=cells)
    if view is None or cells is not None:
        return frame, coefficients
    planes = coefficients.small, coefficients.slope, coefficients.offset, coefficients.coarse[None]
    small, slope, offset, coarse = (np.stack([viewed(plane, view) for plane in each]) for each in planes)
    shown = np.empty_like(frame)
    pixels, sides = (frame.reshape(len(frame), -1), shown.reshape(len(frame), -1)), (view.left, view.top, view.size)
    strips.run(len(frame), lambda top, bottom: view_rows(*pixels, *sides, top, bottom))
    return shown, replace(coefficients, small=small, slope=slope, offset=offset, coarse=coarse[0])


def _with_cell_alpha(cells: RefinedCells, gain: Floats, size: tuple[int, ...]) -> RefinedCells:
    rows, columns = (-(-side // CELL) for side in size)
    grid = np.asarray(cv2.resize(gain, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
    matte = cells.matte.copy()
    matte[..., 0] *= grid.ravel()[cells.indices][:, None, None]
    return RefinedCells(cells.indices, matte)


class Compositor:
    """Makes mattes; remembers the last alpha for temporal smoothing.

    Every colour of a composite differs from the backdrop by at most alpha (and rounding), whatever the coefficients.
    """

    def __init__(self, geometry: StepGeometry, strips: Strips) -> None:
        """geometry: of the frames, padded where the executor pads."""
        self._geometry = geometry
        self._strips = strips
        self._previous_alpha: AlphaImage | None = None
        self._light = Light()
        self._room: tuple[object, BlurredBackground, BgrImage] | None = None
        """The blurred background made last, and of what; it is shown again while little moves."""

    def reset(self) -> None:
        """Forget the stream."""
        self._previous_alpha = None
        self._light.reset()
        self._room = None

    def state(self) -> StateArrays:
        """Return copies of the last alpha, if there is one, and of the light."""
        arrays = {} if self._previous_alpha is None else {PREVIOUS_ALPHA: self._previous_alpha.copy()}
        return arrays | prefixed("light", self._light.state())

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the last alpha and the light. Raises ValueError or TypeError if they do not fit."""
        size = self._geometry.height, self._geometry.width
        self._previous_alpha = saved(arrays, PREVIOUS_ALPHA, size, np.uint8)
        self._light.load_state(under("light", arrays))
        self._room = None

    def composite(
        self,
        frame: BgrImage,
        coefficients: Coefficients,
        backdrop: Backdrop,
        edges: EdgePlan,
        want_foreground: bool,
        blurred_for: object = None,
    ) -> Matte:
        """Return the matte of a frame, (H, W, 3).

        blurred_for: equal by identity where the blurred background of the composite before still fits; None if it does
        not.
        """
        small, coarse, cells = coefficients.small, coefficients.coarse, coefficients.cells
        size, width, height = frame.shape[:2], self._geometry.width, self._geometry.height
        frame = padded(frame, width, height)
        picture = (
            self._blurred(small, coarse, backdrop, blurred_for)
            if isinstance(backdrop, BlurredBackground)
            else padded(backdrop, width, height)
        )
        if edges.relights:
            own = isinstance(backdrop, BlurredBackground)
            coefficients = self._relit(frame, coefficients, None if own else picture, edges)
            cells = coefficients.cells
        rows, backdrop_rows = frame.reshape(height, -1), picture.reshape(height, -1)
        alpha = np.empty((height, width), np.uint8)
        composite = NOTHING if edges.active else np.empty_like(rows)
        foreground = np.empty_like(rows) if want_foreground or edges.active else NOTHING
        arrays = rows, coefficients.slope, coefficients.offset, backdrop_rows, composite, alpha, foreground
        self._strips.run(height, lambda top, bottom: finish_rows(*arrays, top, bottom))
        if cells is not None:
            pasted = frame, picture, cells.matte, cells.indices, composite, alpha, foreground
            self._strips.run(len(cells.indices), lambda first, last: paste_cells(*pasted, first, last))
        alpha, backdrop_rows, foreground, composite = cropped(size, alpha, backdrop_rows, foreground, composite)
        if edges.active:
            alpha = self._edge_controls(alpha, foreground, edges)
            composite = np.empty_like(foreground)
            blended = foreground, alpha, backdrop_rows, edges.despill
            self._strips.run(size[0], lambda top, bottom: blend_rows(*blended, composite, top, bottom))
        return Matte(
            composite=composite.reshape(*size, 3),
            alpha=alpha,
            foreground=foreground.reshape(*size, 3) if want_foreground else None,
        )

    def _blurred(self, small: Floats, coarse: Floats, backdrop: BlurredBackground, blurred_for: object) -> BgrImage:
        if self._room is not None and blurred_for is self._room[0] and backdrop == self._room[1]:
            return self._room[2]
        geometry = self._geometry
        size = geometry.blur_factor, geometry.width, geometry.height
        strength, bokeh, zoom = backdrop.strength, backdrop.bokeh, backdrop.zoom
        picture = blurred_background(small, coarse, strength, *size, bokeh=bokeh, zoom=zoom)
        self._room = None if blurred_for is None else (blurred_for, backdrop, picture)
        return picture

    def _relit(
        self, frame: BgrImage, coefficients: Coefficients, backdrop: BgrImage | None, edges: EdgePlan
    ) -> Coefficients:
        """Return coefficients that give the relit foreground, in new arrays. backdrop: see `Light.maps`."""
        maps = self._light.maps(coefficients.small, coefficients.coarse, backdrop, edges)
        slope, offset = np.empty_like(coefficients.slope), np.empty_like(coefficients.offset)
        arrays = coefficients.slope, coefficients.offset, maps, slope, offset
        self._strips.run(slope.shape[1], lambda top, bottom: relight_rows(*arrays, top, bottom))
        cells = coefficients.cells
        if cells is not None:
            cells = cells._replace(matte=cells.matte.copy())
            lit = frame, maps, cells.indices, cells.matte
            self._strips.run(len(cells.indices), lambda first, last: relight_cells(*lit, first, last))
        return replace(coefficients, slope=slope, offset=offset, cells=cells)

    def _edge_controls(self, alpha: AlphaImage, foreground: NDArray[np.uint8], edges: EdgePlan) -> AlphaImage:
        """Apply the active edge controls to alpha; modify the foreground (H, 3 * W) in place where required."""
        if edges.contrast is not None:
            alpha = np.asarray(cv2.LUT(alpha, edges.contrast), np.uint8)
        if edges.temporal_smoothing is not None:
            alpha = self._smoothed(alpha, edges.temporal_smoothing)
        else:
            self._previous_alpha = None
        grown = _grow(alpha, edges)
        if edges.feather_px == 0:
            return grown
        feathered = _feather(grown, edges.feather_px)
        continued = _beyond(foreground, grown, edges.feather_px)
        self._strips.run(
            alpha.shape[0], lambda top, bottom: extend_colour_rows(foreground, continued, grown, feathered, top, bottom)
        )
        return feathered

    def _smoothed(self, alpha: AlphaImage, steps: NDArray[np.int16]) -> AlphaImage:
        previous_alpha = self._previous_alpha
        if previous_alpha is None:
            previous_alpha = alpha.copy()
        else:
            self._strips.run(
                alpha.shape[0], lambda top, bottom: smooth_alpha_rows(alpha, previous_alpha, steps, top, bottom)
            )
        self._previous_alpha = previous_alpha
        return previous_alpha.copy()


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
    surely = (alpha[samples, samples, None] >= SPREAD_ALPHA).astype(np.float32)
    colours = np.dstack([foreground.reshape(height, width, 3)[samples, samples] * surely, surely])
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
