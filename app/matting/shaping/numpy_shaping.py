"""Shaping in numpy and OpenCV, on the coefficients that the compositor takes."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.shaping import Plane, Shape, View, viewed
from app.core.types import BgrImage
from app.matting.openvino_backend.compositor import Cells, Coefficients

CELL = 4
"""Pixels along each side of a refined cell."""


def shaped(frame: BgrImage, coefficients: Coefficients, shape: Shape) -> tuple[BgrImage, Coefficients]:
    """Return frame and coefficients with the shape applied; the arrays given may be modified.

    Refined cells lie on the grid of the whole frame, so that the view is not applied to them.
    """
    if shape.changes_alpha:
        coefficients = _with_alpha(coefficients, shape, frame.shape[:2])
    if shape.view is None or coefficients.cells is not None:
        return frame, coefficients
    return viewed(frame, shape.view), _viewed(coefficients, shape.view)


def _with_alpha(coefficients: Coefficients, shape: Shape, size: tuple[int, ...]) -> Coefficients:
    small, slope, offset, coarse, cells = coefficients
    if shape.gain is not None:
        slope[3] *= shape.gain
        offset[3] *= shape.gain
        coarse = coarse * shape.gain
    if shape.keep is not None:
        room = 1 - shape.keep
        slope[:3] *= room
        offset[:3] *= room  # where the frame is kept, its own colours are shown
        offset[3] += shape.keep
        coarse = coarse + shape.keep
    return Coefficients(small, slope, offset, coarse, None if cells is None else _with_cell_alpha(cells, shape, size))


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


def _viewed(coefficients: Coefficients, view: View) -> Coefficients:
    small, slope, offset, coarse = (
        np.stack([viewed(plane, view) for plane in planes])
        for planes in (coefficients.small, coefficients.slope, coefficients.offset, coefficients.coarse[None])
    )
    return Coefficients(small, slope, offset, coarse[0])
