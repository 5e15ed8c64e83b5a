"""Shaping in numpy and OpenCV, on the coefficients that the compositor takes."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.shaping import Plane, Shape, View, viewed
from app.core.types import BgrImage
from app.matting.cpu.compositor import Cells, Coefficients
from app.matting.cpu.strips import Strips
from app.matting.region.place import Place, resampled

CELL = 4
"""Pixels along each side of a refined cell."""


def shaped(frame: BgrImage, coefficients: Coefficients, shape: Shape, strips: Strips) -> tuple[BgrImage, Coefficients]:
    """Return frame and coefficients with the shape applied; the arrays given may be modified.

    Refined cells lie on the grid of the whole frame, so that the view is not applied to them.
    """
    view = None if coefficients.cells is not None else shape.view
    if view is not None and coefficients.place is not None:
        coefficients = _placed_in_view(coefficients, coefficients.place, view)
        gain, keep = (None if plane is None else viewed(plane, view) for plane in (shape.gain, shape.keep))
        return strips.view(frame, view), _with_alpha(coefficients, Shape(gain, keep), frame.shape[:2])
    if shape.changes_alpha:
        coefficients = _with_alpha(coefficients, shape, frame.shape[:2])
    return (frame, coefficients) if view is None else (strips.view(frame, view), _viewed(coefficients, view))


def _with_alpha(coefficients: Coefficients, shape: Shape, size: tuple[int, ...]) -> Coefficients:
    _, slope, offset, coarse, cells, place, *_ = coefficients
    if shape.gain is not None:
        gain = shape.gain if place is None else place.from_frame(shape.gain)
        slope[3] *= gain
        offset[3] *= gain
        coarse = coarse * shape.gain
    if shape.keep is not None:
        keep = shape.keep if place is None else place.from_frame(shape.keep)
        room = 1 - keep
        slope[:3] *= room
        offset[:3] *= room  # where the frame is kept, its own colours are shown
        offset[3] += keep
        coarse = coarse + shape.keep
    cells = None if cells is None else _with_cell_alpha(cells, shape, size)
    return coefficients._replace(coarse=coarse, cells=cells, keep=None if place is None else shape.keep)


def _with_cell_alpha(cells: Cells, shape: Shape, size: tuple[int, ...]) -> Cells:
    rows, columns = (-(-side // CELL) for side in size)
    matte = cells.matte.copy()
    if shape.gain is not None:
        matte[..., 0] *= _at_cells(shape.gain, rows, columns, cells)
    if shape.keep is not None:
        keep = _at_cells(shape.keep, rows, columns, cells)
        matte[..., 1:] *= (1 - keep)[..., None]
        matte[..., 0] += keep
    return Cells(cells.indices, matte)


def _at_cells(plane: Plane, rows: int, columns: int, cells: Cells) -> Plane:
    """Return the plane's value at each cell, (N, 1, 1)."""
    grid = np.asarray(cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
    return grid.ravel()[cells.indices][:, None, None]


def _placed_in_view(coefficients: Coefficients, place: Place, view: View) -> Coefficients:
    """Return coefficients of a place as those of a view, in which nobody is outside the place."""
    sides = view.left, view.top, view.size, view.size
    slope, offset = (
        np.stack([resampled(plane, place.fractions, sides, cv2.BORDER_CONSTANT) for plane in planes])
        for planes in (coefficients.slope, coefficients.offset)
    )
    small = np.stack([viewed(plane, view) for plane in coefficients.small])
    coarse = viewed(coefficients.coarse, view)
    return coefficients._replace(small=small, slope=slope, offset=offset, coarse=coarse, place=None)


def _viewed(coefficients: Coefficients, view: View) -> Coefficients:
    small, slope, offset, coarse = (
        np.stack([viewed(plane, view) for plane in planes])
        for planes in (coefficients.small, coefficients.slope, coefficients.offset, coefficients.coarse[None])
    )
    return coefficients._replace(small=small, slope=slope, offset=offset, coarse=coarse[0])
