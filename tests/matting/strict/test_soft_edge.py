"""Strict mode: what is removed ends in a soft edge of the matte, not at cells."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.settings import StrictLevel
from app.core.types import Floats
from app.matting.strict.cpu_strict import StrictFilter, soft_gain
from tests.matting.strict.rooms import Blob, Room

PERSON, GHOST = Blob(80, 50, 24), Blob(108, 50, 18, 0.9, visible=False)


def shown(level: StrictLevel, grid: int) -> tuple[Floats, Floats]:
    """Return the factor, and alpha with a part of the empty room removed at the edge of a person."""
    room, strict = Room(grid=grid), StrictFilter()
    for _ in range(10):
        strict.gain(level, *room.frame())
    image, alpha = room.frame(PERSON, GHOST)
    gain = strict.gain(level, image, alpha)
    return gain, gain * alpha


@pytest.mark.parametrize("level", ["balanced", "strict"])
@pytest.mark.parametrize("grid", [1, 2, 3])
def test_the_cut_at_the_edge_of_a_person_is_soft_and_follows_no_cells(level: StrictLevel, grid: int) -> None:
    gain, alpha = shown(level, grid)

    assert gain[PERSON.cover(grid) > 0.99].min() == 1
    assert alpha[50 * grid, 109 * grid] < 0.05
    rows, columns = slice(40 * grid, 60 * grid), slice(95 * grid, 115 * grid)
    assert np.abs(np.diff(alpha[rows, columns], axis=1)).max() < 0.6 / grid
    distances = _outline(alpha, grid)
    assert np.abs(distances[2:] - distances[:-2]).max() < 0.25  # a cell of 1 unit makes steps of 0.45 or more


def test_the_edge_lies_where_the_matte_is_faint() -> None:
    """A piece is removed beside a person; between them the matte falls to zero, where no cell ends."""
    alpha: Floats = np.ones((12, 24), np.float32)
    alpha[:, 11:14] = 0
    cells: NDArray[np.bool_] = np.zeros((6, 12), np.bool_)
    cells[:, :6] = True

    alpha *= soft_gain(cells, alpha, 2)

    assert (alpha[:, :11] == 1).all()
    assert (alpha[:, 14:] < 0.1).all()


def test_the_soft_edge_of_a_person_is_not_cut_at_the_kept_cells() -> None:
    alpha = np.tile(np.clip(np.linspace(2, -1, 24, dtype=np.float32), 0, 1), (12, 1))
    cells: NDArray[np.bool_] = np.zeros((6, 12), np.bool_)
    cells[:, :7] = True

    gain = soft_gain(cells, alpha, 2)

    assert (gain[alpha > 0.1] > 0.75).all()


def _outline(alpha: Floats, grid: int) -> Floats:
    """Return how far from the middle of the person alpha falls to 0.5, twice per degree, in units."""
    angles = np.radians(np.arange(-30, 30, 0.5))[:, None]
    distances = np.arange(20, 40, 0.05)
    x = (PERSON.x + distances * np.cos(angles)) * grid
    y = (PERSON.y + distances * np.sin(angles)) * grid
    along = cv2.remap(alpha, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(distances[np.argmax(along < 0.5, axis=1)], np.float32)
