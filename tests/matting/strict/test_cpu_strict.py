"""Strict mode in numpy: regions that it keeps and regions that it removes."""

from __future__ import annotations

import numpy as np
import pytest

from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.cpu_backend import apply_strict
from app.matting.strict import rules
from app.matting.strict.cpu_strict import StrictFilter
from tests.matting.strict.rooms import HEIGHT, POSTER, WIDTH, Blob, Room, Stream, kept, walking


def test_a_moving_person_is_kept_whole() -> None:
    stream = Stream()

    gains = stream.play(20, lambda n: [walking(n)])

    assert all(kept(gain, walking(n)) == 1 for n, gain in enumerate(gains) if n >= 5)
    assert gains[-1][walking(19).cover() > 0.5].min() == 1  # includes half of the soft edge


def test_a_person_who_stops_moving_stays() -> None:
    stream = Stream()
    stream.play(10, lambda n: [walking(n)])

    gains = stream.play(60, lambda n: [walking(9)])

    assert all(kept(gain, walking(9)) == 1 for gain in gains)


@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.6])
def test_a_faint_ghost_is_removed_even_if_attached(alpha: float) -> None:
    stream = Stream()

    for n in range(20):
        ghost = Blob(walking(n).x + 34, 60, 14, alpha, visible=False)
        gain = stream.show(walking(n), ghost)

    outside = (ghost.cover() > 0.5) & (walking(n).cover() == 0)
    assert gain[outside].mean() < 0.15  # one cell around the person is kept
    assert kept(gain, walking(n)) == 1


@pytest.mark.parametrize("still", [1, 3, 10, 60])
def test_a_person_who_begins_to_move_is_shown_whole(still: int) -> None:
    stream = Stream()
    stream.play(still, lambda n: [walking(0)])

    gains = stream.play(20, lambda n: [walking(n)])

    assert all(kept(gain, walking(n)) > 0.99 for n, gain in enumerate(gains) if n >= 5)


def test_a_second_person_who_begins_to_move_is_shown_whole() -> None:
    stream = Stream()
    other = Blob(28, 60, 16)
    stream.play(20, lambda n: [walking(n), other])

    for n in range(20):
        moved = Blob(28 + 5 * float(np.sin(n / 3)), 60, 16)
        gain = stream.show(walking(20 + n), moved)
        if n >= 4:
            assert kept(gain, moved) > 0.99


def test_a_reset_forgets_the_stream() -> None:
    frames = [Room().frame(walking(n)) for n in range(12)]
    fresh, used = StrictFilter(), StrictFilter()
    for image, alpha in frames:
        used.gain(image, alpha)
    used.reset()

    for image, alpha in frames:
        np.testing.assert_array_equal(used.gain(image, alpha), fresh.gain(image, alpha))


def test_a_frame_of_another_size_starts_anew() -> None:
    strict = StrictFilter()
    for n in range(5):
        strict.gain(*Room().frame(walking(n)))

    image, alpha = Room(grid=3).frame(walking(5))

    assert strict.gain(image, alpha).shape == (3 * HEIGHT, 3 * WIDTH)


def test_coefficients_get_the_gain_and_the_floor() -> None:
    room, strict, twin = Room(), StrictFilter(), StrictFilter()
    for n in range(6):
        image, alpha = room.frame(walking(n), POSTER)
        slope, offset = np.ones((4, HEIGHT, WIDTH), np.float32), np.stack([alpha] * 4)
        coarse = alpha.copy()
        apply_strict(strict, "balanced", Coefficients(image, slope, offset, coarse))
        gain = twin.gain(image, alpha)

    assert (slope[:3] == 1).all() and (offset[:3] == alpha).all()
    np.testing.assert_allclose(coarse, alpha * gain)
    np.testing.assert_allclose(offset[3], (alpha - rules.FLOOR) * gain / (1 - 2 * rules.FLOOR), atol=1e-6)
    assert np.isclose(offset[3].max(), (1 - rules.FLOOR) / (1 - 2 * rules.FLOOR))


def test_no_more_of_the_room_is_kept_than_the_cells() -> None:
    assert rules.cell_size(480, 270) == 3
    assert rules.cell_size(320, 180) == 2
    assert rules.cell_size(48, 32) == 1


def test_people_known_from_another_engine_are_shown_at_once() -> None:
    stream = Stream()
    still = walking(0)
    image, alpha = stream.room.frame(still)
    assert not stream.filter(image, alpha).any()

    stream.strict.reset(np.rint(255 * still.cover()).astype(np.uint8))
    gain = stream.filter(image, alpha)

    assert kept(gain, still) == 1
