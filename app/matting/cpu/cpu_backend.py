"""The step on a CPU: a network gives coefficients, strict mode and edits change them, and they give the composite.

This is the only place on a CPU where composites are made. Every colour of a composite differs from the backdrop by at
most alpha (and rounding), whatever the coefficients.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple, final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.edits import MatteEdit, MatteEditor
from app.core.geometry import viewed
from app.core.settings import EdgeSettings
from app.core.threads import Strips
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Bytes, Floats, Matte, magnified
from app.matting.base.interface import NotAMatteError, Reuse, StepGeometry
from app.matting.base.parameters import (
    DISC_EDGE,
    DISC_RADIUS,
    FILL_FACTOR,
    FILL_TAPS,
    FILL_WEIGHT,
    FLOOR,
    HIGHLIGHT,
    HIGHLIGHT_POWER,
    PERSON_MARGIN,
    REACH,
    SPREAD_ALPHA,
    SPREAD_FACTOR,
    SPREAD_FLOOR,
    EdgePlan,
    box_radii,
    gaussian,
    octagon,
    plan,
    spread_radius,
    strength_sigma,
)
from app.matting.kernels.composite import (
    blend_rows,
    extend_colour_rows,
    finish_rows,
    paste_cells,
    smooth_alpha_rows,
    view_rows,
)
from app.matting.strict.cpu_strict import initial_memory, strict_matte
from models.rules import CELL

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
    lost = ""

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
            made = coefficients.slope, coefficients.offset, *(coefficients.cells or ())
            if not all(np.isfinite(array).all() for array in made):
                raise NotAMatteError
            if edges.strict != "off":
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


COARSE_SIGMA = 2.5
"""The blur of a magnified room is computed on images so coarse that its Gaussians have at least this sigma."""
LARGEST_DISC = 4.0
"""Discs of more pixels than this in radius are computed on a coarser image."""
FINER = 8
"""Supersampling of a disc's edge."""


def blurred_background(
    small: Floats,
    alpha: Floats,
    strength: float,
    factor: int,
    width: int,
    height: int,
    *,
    bokeh: bool = False,
    zoom: float = 1.0,
) -> BgrImage:
    """Return the blurred background without the person, (height, width, 3) uint8 BGR.

    small: (3, h, w) RGB and alpha: (h, w), both in 0..1. factor: downsampling factor from the small frame to the
    background. bokeh: blur with soft-edged discs in which highlights prevail. zoom: see `BlurredBackground`.
    """
    weighted = _weighted(small, alpha, factor, highlights=bokeh)
    sigma = strength_sigma(strength, min(weighted.shape[:2]), zoom)
    coarser = 1 if zoom == 1 else max(1, int(sigma / COARSE_SIGMA))
    picture = _with_discs(weighted, sigma) if bokeh else _with_gaussian(weighted, sigma, coarser)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _with_gaussian(weighted: Floats, sigma: float, coarser: int) -> BgrImage:
    """Blur on an image that is so many times coarser."""
    height, width = weighted.shape[:2]
    coarse = _array(cv2.resize(weighted, (width // coarser, height // coarser), interpolation=cv2.INTER_AREA))
    taps = gaussian(sigma / coarser, int(np.ceil(REACH * sigma / coarser)))
    return _coloured(_smooth(coarse, taps), coarse)


def _with_discs(weighted: Floats, sigma: float) -> BgrImage:
    size = weighted.shape[1], weighted.shape[0]
    radius = DISC_RADIUS * sigma
    coarser = max(1, int(radius / LARGEST_DISC))
    coarse = (max(1, size[0] // coarser), max(1, size[1] // coarser))
    weighted = _array(cv2.resize(weighted, coarse, interpolation=cv2.INTER_AREA))
    radius /= coarser
    edge = max(DISC_EDGE * radius, 0.3)
    soft = _smooth(weighted, gaussian(edge, int(np.ceil(3 * edge))))
    near = _array(cv2.filter2D(soft, -1, disc(radius), borderType=cv2.BORDER_CONSTANT))
    return np.asarray(cv2.resize(_coloured(near, weighted), size, interpolation=cv2.INTER_CUBIC), np.uint8)


@functools.lru_cache(maxsize=8)
def disc(radius: float) -> Floats:
    """Return a disc (2n + 1, 2n + 1) of this radius in pixels with antialiased edge; its sum is 1."""
    reach = int(np.ceil(radius - 0.5))
    fine = (np.arange((2 * reach + 1) * FINER) + 0.5) / FINER - reach - 0.5
    inside = (np.hypot(fine[:, None], fine[None]) <= max(radius, 0.5)).astype(np.float32)
    shares = inside.reshape(2 * reach + 1, FINER, 2 * reach + 1, FINER).mean(axis=(1, 3))
    weights: Floats = (shares / shares.sum()).astype(np.float32)
    return weights


def _weighted(small: Floats, alpha: Floats, factor: int, *, highlights: bool) -> Floats:
    """Return colours times weights, BGR, and weights, (h, w, 4); the person has no weight."""
    person = _pool(alpha, factor)
    margin = 2 * PERSON_MARGIN + 1
    weight = _array(1 - cv2.dilate(person, np.ones((margin, margin), np.uint8)))
    # Plane by plane and in OpenCV: numpy takes several times as long for interleaved colours.
    planes = [_pool(plane, factor) for plane in small[::-1]]
    if highlights:
        brightness = cv2.max(cv2.max(planes[0], planes[1]), planes[2])
        weight = weight * (1 + np.float32(HIGHLIGHT) * (brightness * brightness) ** HIGHLIGHT_POWER)
    return _array(cv2.merge([*(_array(cv2.multiply(plane, weight)) for plane in planes), weight]))


def _coloured(near: Floats, weighted: Floats) -> BgrImage:
    """Return the colours (h, w, 3) uint8 of a blurred image, filled where it has no weight."""
    total = _array(cv2.addWeighted(near, 1, _fill(weighted), FILL_WEIGHT, 0))
    *colours, weights = cv2.split(total)
    picture = cv2.merge([cv2.divide(colour, weights, scale=255, dtype=cv2.CV_8U) for colour in colours])
    return np.asarray(picture, np.uint8)


def _fill(weighted: Floats) -> Floats:
    """Return fill colours with a weight of 1, (h, w, 4), from premultiplied colours and weights (h, w, 4)."""
    height, width = weighted.shape[:2]
    step = FILL_FACTOR
    padded = _array(cv2.copyMakeBorder(weighted, 0, -height % step, 0, -width % step, cv2.BORDER_CONSTANT))
    far = _smooth(_pool(padded, step), FILL_TAPS)
    *mean, share = cv2.mean(weighted)
    colour = np.array([*mean, share + FLOOR], np.float32) / (share + FLOOR)
    fill = far + np.float32(FLOOR) * colour
    fill /= fill[..., 3:].copy()
    size = padded.shape[1], padded.shape[0]
    return _array(cv2.resize(fill, size, interpolation=cv2.INTER_LINEAR))[:height, :width]


def _pool(image: Floats, factor: int) -> Floats:
    """Return means of squares of `factor` pixels; incomplete squares at the right and bottom are dropped."""
    if factor == 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    cropped = image[: height * factor, : width * factor]
    return _array(cv2.resize(cropped, (width, height), interpolation=cv2.INTER_AREA))


def _smooth(image: Floats, taps: Floats) -> Floats:
    """Apply a separable convolution with zero padding."""
    return _array(cv2.sepFilter2D(image, -1, taps, taps, borderType=cv2.BORDER_CONSTANT))


def _array(image: object) -> Floats:
    return np.asarray(image, np.float32)
