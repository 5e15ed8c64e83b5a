"""What strict mode shows, and the soft edge in which what is removed ends."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.strict import rules
from app.matting.strict.cpu_strict import StrictFilter, soft_gain
from tests.matting.strict.rooms import WIDTH, Blob, Room, Stream, kept, walking


def test_no_hole_is_made_where_the_network_is_certain() -> None:
    """A part of the clothes repeats a pattern of the room; before, square holes were cut."""
    stream = Stream()
    stream.room.wall += 0.1 * np.sign(np.sin(np.arange(WIDTH, dtype=np.float32)))
    stream.play(10)

    for n in range(20):
        image, alpha = stream.room.frame(walking(n))
        image = np.where(Blob(walking(n).x, 60, 9).cover() > 0.5, stream.room.frame()[0], image).astype(np.float32)
        gain = stream.filter(image, alpha)

        assert gain[walking(n).cover() > 0.99].min() == 1


def test_strict_mode_shows_who_holds_still_after_the_first_frames() -> None:
    stream = Stream()

    gains = stream.play(rules.WAIT_FRAMES + 20, lambda n: [walking(0)])

    assert not any(gain.any() for gain in gains[: rules.WAIT_FRAMES])
    assert all(kept(gain, walking(0)) == 1 for gain in gains[rules.WAIT_FRAMES :])
    assert rules.WAIT_FRAMES < 3


def test_strict_mode_shows_who_enters_at_once_and_who_then_stands() -> None:
    stream = Stream()
    stream.play(10)

    for n in range(40):
        person = Blob(max(80, 150 - 10 * n), 50, 24)
        assert kept(stream.show(person), person) == 1, n


@pytest.mark.parametrize("certain", [10, 16])
def test_strict_mode_hides_what_the_network_is_unsure_of(certain: int) -> None:
    """A recurrent network sees people in an empty room: a large part of such a ghost is translucent."""
    stream = Stream()

    for _ in range(20):
        ghost = Blob(60, 50, 20, 0.9), Blob(60, 50, certain, 1.0)
        assert not stream.show(*ghost).any()


def test_somebody_who_moves_is_shown_though_the_network_is_certain_of_a_third() -> None:
    """Motion blur makes most of somebody who enters fast translucent."""
    stream = Stream()
    stream.play(10)

    for n in range(4):
        x = 140 - 15 * n
        gain = stream.show(Blob(x, 50, 24, 0.9), Blob(x, 50, 15, 1.0))
        assert kept(gain, Blob(x, 50, 15)) == 1


PERSON, GHOST = Blob(80, 50, 24), Blob(108, 50, 18, 0.9, visible=False)


def shown(grid: int) -> tuple[Floats, Floats]:
    """Return the factor, and alpha with a part of the empty room removed at the edge of a person."""
    room, strict = Room(grid=grid), StrictFilter()
    for _ in range(10):
        strict.gain(*room.frame())
    image, alpha = room.frame(PERSON, GHOST)
    gain = strict.gain(image, alpha)
    return gain, gain * alpha


@pytest.mark.parametrize("grid", [1, 2, 3])
def test_the_cut_at_the_edge_of_a_person_is_soft_and_follows_no_cells(grid: int) -> None:
    gain, alpha = shown(grid)

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
