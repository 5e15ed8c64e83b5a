"""Strict mode: what it learns of the room, and what agrees with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.matting.strict import rules
from tests.matting.strict.rooms import HEIGHT, POSTER, WIDTH, Blob, Stream, kept, walking

DOUBTFUL = [Blob(30, 40, 12, 0.9), Blob(30, 40, 9)]
"""What the network would have to see moving to be shown: it is certain of half of it."""


def test_a_change_of_light_is_no_motion() -> None:
    stream = Stream()

    gains = [stream.show(*DOUBTFUL, light=0.85 + 0.15 * float(np.sin(n / 4))) for n in range(40)]

    assert not any(gain.any() for gain in gains)


def test_a_soft_shadow_beside_a_person_agrees_with_the_background() -> None:
    stream = Stream()
    stream.play(10)

    for n in range(20):
        shadow = Blob(walking(n).x + 34, 60, 14, 0.8, visible=False)
        image, alpha = stream.room.frame(shadow, walking(n))
        image -= 0.02 * shadow.cover() * (walking(n).cover() == 0)
        gain = stream.filter(image, alpha)

    assert kept(gain, Blob(shadow.x + 6, 60, 6)) == 0
    assert kept(gain, walking(19)) == 1


def test_what_a_person_uncovers_is_known_after_it_was_seen_empty() -> None:
    """The person stops; the network then takes a part of the wall for a part of the person."""
    stream = Stream(grid=2)
    stream.play(rules.WAIT_FRAMES, lambda n: [Blob(48 + 6 * n, 50, 24)])
    person, ghost = Blob(82, 50, 24), Blob(56, 50, 10, 0.8, visible=False)
    stream.play(2, lambda n: [person])

    gains = stream.play(15, lambda n: [person, ghost])

    assert all(gain[Blob(52, 50, 4).cover(2) > 0.99].mean() < 0.1 for gain in gains)
    assert all(gain[replace(person, radius=22).cover(2) > 0.99].mean() == 1 for gain in gains)


@pytest.mark.parametrize("furniture", [[], [replace(POSTER, alpha=0.9)]])
def test_what_is_behind_a_person_whom_the_network_overlooks_is_not_forgotten(furniture: list[Blob]) -> None:
    """The network then takes what it sees there for a person."""
    stream, ghost = Stream(), replace(POSTER, alpha=0.9, visible=False)
    stream.play(16, lambda n: [*furniture, walking(n)])
    for n in range(16, 25):
        image, _ = stream.room.frame(*furniture, Blob(4 * (n - 16), 45, 16), walking(n))
        _, alpha = stream.room.frame(walking(n))
        stream.filter(image, alpha)

    gains = [stream.show(*furniture, ghost, walking(n)) for n in range(25, 35)]

    assert all(kept(gain, POSTER) == 0 for gain in gains)
    assert kept(gains[-1], walking(34)) == 1


def test_a_person_whom_the_network_overlooks_does_not_pass_for_a_change_of_light() -> None:
    stream = Stream()
    stream.room.wall[:] = 0.6
    stream.play(16)
    for n in range(9):
        image, _ = stream.room.frame(Blob(6 * n, 45, 20))
        stream.filter(image, np.zeros((HEIGHT, WIDTH), np.float32))

    assert np.abs(stream.strict.state()["background"] - stream.room.wall)[:, :, 90:].mean() < 0.01


def test_a_room_that_has_changed_is_learned_again() -> None:
    stream = Stream()
    stream.play(16)
    stream.room.wall[:, :60, :60] = 0.1
    stream.play(rules.MOST_FRAMES + rules.HIDDEN_FRAMES)

    gain = stream.show(Blob(66, 30, 20), Blob(28, 30, 20, 0.9, visible=False))

    assert kept(gain, Blob(28, 30, 16)) == 0
    assert kept(gain, Blob(66, 30, 20)) == 1


def test_clothes_like_the_wall_stay_where_the_network_is_certain() -> None:
    stream = Stream()
    stream.room.wall[:] = 0.5
    stream.play(10)

    for n in range(20):
        person = walking(n)
        patch = Blob(person.x, 60, 8, like_wall=True)
        image, alpha = stream.room.frame(person)
        image = np.where(patch.cover() > 0.5, stream.room.wall, image).astype(np.float32)
        gain = stream.filter(image, alpha)

    assert kept(gain, patch) == 1


def test_a_face_at_rest_is_shown_whole_while_the_person_moves_from_the_first_frame_on() -> None:
    """It does not change until it is shown, as background does, and the rest of the person does."""
    stream, face = Stream(), Blob(80, 50, 12, visible=False)
    shading = np.float32(0.6) + np.float32(0.02) * np.abs(np.arange(WIDTH, dtype=np.float32) % 8 - 4)

    for n in range(14):
        person = Blob(80 + 12 * float(np.sin(n)), 55, 30)
        image, alpha = stream.room.frame(person)
        image += face.cover() * (np.broadcast_to(shading, image.shape) - image)
        gain = stream.filter(image, np.maximum(alpha, face.cover()))
        if n >= rules.WAIT_FRAMES:
            assert kept(gain, face) == 1


def test_a_few_cells_of_a_person_that_equal_the_first_frame_by_chance_are_no_furniture() -> None:
    stream, spot = Stream(grid=2), (slice(None), slice(106, 114), slice(156, 164))

    for n in range(14):
        person = Blob(80 + 4 * float(np.sin(n)), 55, 30)
        image, alpha = stream.room.frame(person)
        image[spot] = np.repeat(np.array([0.3, 0.6, 0.6, 0.3], np.float32), 2)
        gain = stream.filter(image, alpha)
        if n >= rules.WAIT_FRAMES:
            assert (gain[spot[1:]] == 1).all()


def test_a_person_who_enters_does_not_pass_for_a_change_of_light() -> None:
    """The mean of the frame changes, and what the network takes for a person seems to change with it."""
    stream = Stream()
    stream.room.wall[:, :, 80:] = 0.9
    stream.play(2, lambda n: DOUBTFUL)

    gains = stream.play(9, lambda n: [*DOUBTFUL, Blob(175 - 5 * n, 50, 30)])

    assert all(kept(gain, POSTER) == 0 for gain in gains)


def test_a_large_person_who_enters_is_no_cut() -> None:
    stream = Stream()
    stream.play(10)
    wall = stream.strict.state()["background"]

    for x in (190, 160, 130):
        gain = stream.show(Blob(x, 46, 40))

    assert kept(gain, Blob(130, 46, 38)) > 0.99
    assert stream.strict.state()["age"] == rules.WAIT_FRAMES
    assert np.abs(stream.strict.state()["background"] - wall)[:, :, :60].max() < 0.02


def test_nobody_is_shown_before_the_background_is_learned() -> None:
    stream = Stream()

    gains = stream.play(rules.WAIT_FRAMES + 1, lambda n: [walking(n)])

    assert not any(gain.any() for gain in gains[:-1])
    assert kept(gains[-1], walking(rules.WAIT_FRAMES)) == 1


@pytest.mark.parametrize("top", [54, 42])
def test_a_person_in_clothes_like_the_wall_is_shown(top: int) -> None:
    """54 % of the person look like the wall, or 84 %."""
    stream = Stream()
    stream.room.wall[:] = 0.5
    stream.play(10)

    for n in range(20):
        image, alpha = stream.room.frame(walking(n))
        image[:, top:79] = stream.room.frame()[0][:, top:79]
        gain = stream.filter(image, alpha)

    assert kept(gain, walking(19)) > 0.9


def test_a_camera_that_sends_each_frame_twice_hides_nothing_of_a_person_who_moves() -> None:
    """The second one equals the last frame everywhere, but for its noise."""
    stream = Stream(grid=2)
    for n in range(24):
        x = 60 + 12 * abs(n // 2 % 6 - 3)
        hair = Blob(x + 26, 50, 12, 0.8)
        gain = stream.show(Blob(x, 50, 24), hair)
        if n > 10:
            assert gain[hair.cover(2) > 0.99].mean() > 0.75, n
