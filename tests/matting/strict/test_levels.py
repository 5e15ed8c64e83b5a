"""The levels balanced and strict: who is shown, and when."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.settings import StrictLevel
from app.matting.strict import rules
from tests.matting.strict.rooms import WIDTH, Blob, Stream, kept, walking


@pytest.mark.parametrize("level", ["balanced", "strict"])
def test_no_hole_is_made_where_the_network_is_certain(level: StrictLevel) -> None:
    """A part of the clothes repeats a pattern of the room; before, square holes were cut."""
    stream = Stream(level)
    stream.room.wall += 0.1 * np.sign(np.sin(np.arange(WIDTH, dtype=np.float32)))
    stream.play(10)

    for n in range(20):
        image, alpha = stream.room.frame(walking(n))
        image = np.where(Blob(walking(n).x, 60, 9).cover() > 0.5, stream.room.frame()[0], image).astype(np.float32)
        gain = stream.filter(image, alpha)

        assert gain[walking(n).cover() > 0.99].min() == 1


def test_balanced_shows_who_holds_still_after_the_first_frames() -> None:
    stream = Stream("balanced")

    gains = stream.play(rules.WAIT_FRAMES + 20, lambda n: [walking(0)])

    assert not any(gain.any() for gain in gains[: rules.WAIT_FRAMES])
    assert all(kept(gain, walking(0)) == 1 for gain in gains[rules.WAIT_FRAMES :])
    assert rules.WAIT_FRAMES < 3


def test_balanced_shows_who_enters_at_once_and_who_then_stands() -> None:
    stream = Stream("balanced")
    stream.play(10)

    for n in range(40):
        person = Blob(max(80, 150 - 10 * n), 50, 24)
        assert kept(stream.show(person), person) == 1, n


@pytest.mark.parametrize("certain", [10, 16])
def test_balanced_hides_what_the_network_is_unsure_of(certain: int) -> None:
    """A recurrent network sees people in an empty room: a large part of such a ghost is translucent."""
    stream = Stream("balanced")

    for _ in range(20):
        ghost = Blob(60, 50, 20, 0.9), Blob(60, 50, certain, 1.0)
        assert not stream.show(*ghost).any()
        assert not stream.strict.hides_person


def test_hides_person_tells_whether_somebody_certain_waits_to_move() -> None:
    stream = Stream()
    stream.play(8, lambda n: [walking(0)])
    hid = stream.strict.hides_person

    stream.play(6, lambda n: [walking(n)])

    assert (hid, stream.strict.hides_person) == (True, False)


def test_a_change_to_balanced_shows_who_is_hidden() -> None:
    stream = Stream()
    stream.play(8, lambda n: [walking(0)])

    stream.level = "balanced"
    gain = stream.show(walking(0))

    assert kept(gain, walking(0)) == 1
    assert not stream.strict.hides_person


def test_somebody_who_moves_is_shown_though_the_network_is_certain_of_a_third() -> None:
    """Motion blur makes most of somebody who enters fast translucent."""
    stream = Stream("balanced")
    stream.play(10)

    for n in range(4):
        x = 140 - 15 * n
        gain = stream.show(Blob(x, 50, 24, 0.9), Blob(x, 50, 15, 1.0))
        assert kept(gain, Blob(x, 50, 15)) == 1
