"""Edits of mattes in numpy and OpenCV, on the coefficients that the compositor takes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from app.core.matte_edit import MatteEdit, Plane
from app.core.types import BgrImage
from app.matting.cpu.coefficients import Coefficients, RefinedCells
from app.matting.cpu.strips import Strips
from models.bgmv2.windows import CELL


def edited(
    frame: BgrImage, coefficients: Coefficients, edit: MatteEdit, strips: Strips
) -> tuple[BgrImage, Coefficients]:
    """Return frame and coefficients with the edit applied; the arguments remain as they are.

    Refined cells lie on the grid of the whole frame, so that the view is not applied to them.
    """
    cells, view = coefficients.cells, edit.view
    if cells is None:
        coefficients = coefficients.edited(edit.gain, edit.keep, view)
        return frame if view is None else strips.view(frame, view), coefficients
    refined = _with_cell_alpha(cells, edit.gain, edit.keep, frame.shape[:2])
    return frame, replace(coefficients.edited(edit.gain, edit.keep, None), cells=refined)


def _with_cell_alpha(
    cells: RefinedCells, gain: Plane | None, keep: Plane | None, size: tuple[int, ...]
) -> RefinedCells:
    rows, columns = (-(-side // CELL) for side in size)
    matte = cells.matte.copy()
    if gain is not None:
        matte[..., 0] *= _at_cells(gain, rows, columns, cells)
    if keep is not None:
        kept = _at_cells(keep, rows, columns, cells)
        matte[..., 1:] *= (1 - kept)[..., None]
        matte[..., 0] += kept
    return RefinedCells(cells.indices, matte)


def _at_cells(plane: Plane, rows: int, columns: int, cells: RefinedCells) -> Plane:
    """Return the plane's value at each cell, (N, 1, 1)."""
    grid = np.asarray(cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
    return grid.ravel()[cells.indices][:, None, None]
