"""Strict mode: what it learns of the room, what it keeps and removes, and the soft edge in which that ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.matting.strict import rules
from app.matting.strict.cpu_strict import initial_memory, pooled, soft_gain, strict_matte
from tests.matting.strict.rooms import DOUBTFUL, HEIGHT, POSTER, WIDTH, Blob, Stream, kept, walking
from tests.stand_ins import always


@pytest.mark.parametrize("certain", [9.6, 6.0])
def test_what_the_network_is_unsure_of_is_hidden_and_a_change_of_light_is_no_motion(
    certain: float,
) -> None:
    """A recurrent network sees people in an empty room: a large part of such a ghost is translucent."""
    stream = Stream()
    gains = [
        stream.show(DOUBTFUL[0], Blob(30, 40, certain), light=0.8 if n >= 10 else 1)
        for n in range(20)
    ]

    assert not any(gain.any() for gain in gains)


@pytest.mark.parametrize("light", [1.0, 0.8])
def test_a_soft_shadow_beside_a_person_agrees_with_the_background(light: float) -> None:
    stream = Stream()
    stream.play(10)
    for n in range(20):
        shadow = Blob(walking(n).x + 34, 60, 14, 0.8, visible=False)
        image, alpha = stream.frame(shadow, walking(n), light=light)
        image -= 0.02 * shadow.cover() * (walking(n).cover() == 0)
        gain = stream.filter(image, alpha)

    assert kept(gain, Blob(shadow.x + 6, 60, 6)) == 0
    assert kept(gain, walking(19)) == 1


def test_what_a_person_uncovers_is_known_after_it_was_seen_empty() -> None:
    """The person stops; the network then takes a part of the wall for a part of the person."""
    stream = Stream(grid=2)
    stream.play(rules.WAIT_FRAMES, lambda n: [Blob(48 + 6 * n, 50, 24)])
    person = Blob(82, 50, 24)
    ghost = Blob(56, 50, 10, 0.8, visible=False)
    stream.play(2, always([person]))

    for gain in stream.play(15, always([person, ghost])):
        assert kept(gain, Blob(52, 50, 4)) < 0.1
        assert kept(gain, replace(person, radius=22)) == 1


@pytest.mark.parametrize("furniture", [[], [replace(POSTER, alpha=0.9)]])
def test_what_is_behind_a_person_whom_the_network_overlooks_is_not_forgotten(
    furniture: list[Blob],
) -> None:
    """The network then takes what it sees there for a person."""
    stream = Stream()
    ghost = replace(POSTER, alpha=0.9, visible=False)
    stream.play(16, lambda n: [*furniture, walking(n)])
    for n in range(16, 25):
        image, _ = stream.frame(*furniture, Blob(4 * (n - 16), 45, 16), walking(n))
        _, alpha = stream.frame(walking(n))
        stream.filter(image, alpha)
    for n in range(25, 35):
        gain = stream.show(*furniture, ghost, walking(n))
        assert kept(gain, POSTER) == 0
    assert kept(gain, walking(34)) == 1


def test_a_person_whom_the_network_overlooks_does_not_pass_for_a_change_of_light() -> None:
    stream = Stream()
    stream.wall[:] = 0.6
    stream.play(16)
    for n in range(9):
        image, _ = stream.frame(Blob(6 * n, 45, 20))
        stream.filter(image, np.zeros((HEIGHT, WIDTH), np.float32))

    assert np.abs(stream.memory.background - stream.wall)[:, :, 90:].mean() < 0.01


def test_a_room_that_has_changed_is_learned_again() -> None:
    stream = Stream()
    stream.play(16)
    stream.wall[:, :60, :60] = 0.1
    stream.play(rules.MOST_FRAMES + rules.HIDDEN_FRAMES)
    gain = stream.show(Blob(66, 30, 20), Blob(28, 30, 20, 0.9, visible=False))

    assert kept(gain, Blob(28, 30, 16)) == 0
    assert kept(gain, Blob(66, 30, 20)) == 1


def test_a_face_at_rest_is_shown_whole_while_the_person_moves_from_the_first_frame_on() -> None:
    """It does not change until it is shown, as background does, and the rest of the person does."""
    stream = Stream()
    face = Blob(80, 50, 12, visible=False)
    shading = np.float32(0.6) + np.float32(0.02) * np.abs(
        np.arange(WIDTH, dtype=np.float32) % 8 - 4
    )
    for n in range(14):
        person = Blob(80 + 12 * float(np.sin(n)), 55, 30)
        image, alpha = stream.frame(person)
        image += face.cover() * (np.broadcast_to(shading, image.shape) - image)
        gain = stream.filter(image, np.maximum(alpha, face.cover()))
        if n >= rules.WAIT_FRAMES:
            assert kept(gain, face) == 1


def test_a_person_who_enters_does_not_pass_for_a_change_of_light() -> None:
    """The mean of the frame changes, and what the network takes for a person seems to change with it."""
    stream = Stream()
    stream.wall[:, :, 80:] = 0.9
    stream.play(2, always(DOUBTFUL))

    for gain in stream.play(9, lambda n: [*DOUBTFUL, Blob(175 - 5 * n, 50, 30)]):
        assert kept(gain, POSTER) == 0


@pytest.mark.parametrize(
    ("rows", "alpha"), [(slice(54, 79), 1.0), (slice(42, 79), 1.0), (slice(None, None, 2), 0.9)]
)
def test_a_person_in_clothes_like_the_wall_is_shown_without_holes(
    rows: slice, alpha: float
) -> None:
    """54 % of the person look like the wall, or 84 %, or the stripes of clothes that the network is not certain of."""
    stream = Stream()
    stream.wall += 0.1 * np.sign(np.sin(np.arange(WIDTH, dtype=np.float32)))
    stream.play(10)
    for n in range(20):
        image, found = stream.frame(
            replace(walking(n), alpha=alpha), replace(walking(n), radius=14)
        )
        image[:, rows] = stream.frame()[0][:, rows]
        gain = stream.filter(image, found)
        assert kept(gain, walking(n)) > 0.9


def test_a_camera_that_sends_each_frame_twice_hides_nothing_of_a_person_who_moves() -> None:
    """The second one equals the last frame everywhere, but for its noise."""
    stream = Stream(grid=2)
    for n in range(24):
        x = 60 + 12 * abs(n // 2 % 6 - 3)
        hair = Blob(x + 26, 50, 12, 0.8)
        gain = stream.show(Blob(x, 50, 24), hair)
        if n > 10:
            assert kept(gain, hair) > 0.75, n


def test_who_holds_still_is_shown_after_the_first_frames_and_who_is_known_from_another_engine_at_once() -> (
    None
):
    """In the end the network is certain of a third of them alone, which is enough of somebody who was shown."""
    stream = Stream()
    still = walking(0)
    image, alpha = stream.frame(still)
    told = Stream(seen=np.rint(255 * still.cover()).astype(np.uint8))
    gains = [stream.filter(image, alpha), *stream.play(rules.WAIT_FRAMES + 20, always([still]))]
    assert not any(gain.any() for gain in gains[: rules.WAIT_FRAMES])
    doubtful = replace(still, alpha=0.9), replace(still, radius=15)
    gains += [told.show(*doubtful), stream.show(*doubtful)]
    assert all(kept(gain, still) == 1 for gain in gains[rules.WAIT_FRAMES :])
    assert rules.WAIT_FRAMES < 3


ENTERING: dict[str, tuple[int, Callable[[int], list[Blob]]]] = {
    "and who then stands": (40, lambda n: [Blob(max(80, 150 - 10 * n), 50, 24)]),
    "also translucent": (
        4,
        lambda n: [Blob(140 - 15 * n, 50, 24, 0.9), Blob(140 - 15 * n, 50, 15)],
    ),
}
"""Frames. Motion blur makes most of somebody who enters fast translucent: the network is certain of a third."""


@pytest.mark.parametrize("name", ENTERING)
def test_strict_mode_shows_who_enters_at_once(name: str) -> None:
    stream = Stream()
    frames, scene = ENTERING[name]
    stream.play(10)

    assert [kept(stream.show(*scene(n)), scene(n)[-1]) for n in range(frames)] == [1] * frames


PERSON = Blob(80, 50, 24)
GHOST = Blob(108, 50, 18, 0.9, visible=False)


@pytest.mark.parametrize("grid", [1, 2, 3])
def test_the_cut_at_the_edge_of_a_person_is_soft_and_follows_no_cells(grid: int) -> None:
    """A part of the empty room is removed there."""
    stream = Stream(grid)
    stream.play(10)
    image, found = stream.frame(PERSON, GHOST)
    gain = stream.filter(image, found)
    alpha = gain * found
    assert kept(gain, PERSON) == 1
    assert alpha[50 * grid, 109 * grid] < 0.05
    rows = slice(40 * grid, 60 * grid)
    columns = slice(95 * grid, 115 * grid)
    assert np.abs(np.diff(alpha[rows, columns], axis=1)).max() < 0.6 / grid
    angles = np.radians(np.arange(-30, 30, 0.5))[:, None]
    reach = np.arange(20, 40, 0.05)
    x = (PERSON.x + reach * np.cos(angles)) * grid
    y = (PERSON.y + reach * np.sin(angles)) * grid
    along = cv2.remap(alpha, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    outline = reach[np.argmax(along < 0.5, axis=1)]  # in units, twice per degree
    assert (
        np.abs(outline[2:] - outline[:-2]).max() < 0.25
    )  # a cell of 1 unit makes steps of 0.45 or more


def test_the_edge_lies_where_the_matte_is_faint_not_where_cells_end() -> None:
    """A piece is removed beside a person, with a faint gap between them; the soft edge of a person stays."""
    apart = np.ones((12, 24), np.float32)
    apart[:, 11:14] = 0
    soft = np.tile(np.clip(np.linspace(2, -1, 24, dtype=np.float32), 0, 1), (12, 1))
    gains = []
    for alpha, kept_cells in ((apart, 6), (soft, 7)):
        cells = np.broadcast_to(np.arange(12) < kept_cells, (6, 12))
        gains.append(soft_gain(cells, alpha, 2))

    assert (gains[0] * apart)[:, :11].min() == 1
    assert (gains[0] * apart)[:, 14:].max() < 0.1
    assert gains[1][soft > 0.1].min() > 0.75


@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.6])
def test_a_faint_ghost_is_removed_even_if_attached_and_so_is_a_small_piece_that_moves(
    alpha: float,
) -> None:
    stream = Stream()
    for n in range(20):
        ghost = Blob(walking(n).x + 34, 60, 14, alpha, visible=False)
        piece = Blob(20 + n, 20, 3.3)
        gain = stream.show(walking(n), ghost, piece)
        assert kept(gain, piece) == 0, "however certain the network is of it"
    outside = (ghost.cover() > 0.5) & (walking(n).cover() == 0)
    assert gain[outside].mean() < 0.15  # one cell around the person is kept
    assert kept(gain, walking(n)) == 1


@pytest.mark.parametrize("hidden_frames", range(1, rules.HIDDEN_FRAMES + 2))
def test_what_was_hidden_is_background_after_some_frames_only(hidden_frames: int) -> None:
    """Whoever moved and then stands still would be forgotten, if one frame were enough."""
    stream = Stream()
    memory = stream.memory
    image, alpha = stream.frame(Blob(30, 40, 12, 0.5))
    memory.background[:] = memory.recent[:] = pooled(image, rules.cell_size(WIDTH, HEIGHT))
    memory.hidden[:] = memory.moved[:] = True
    memory.frames[:] = hidden_frames
    memory.age[...] = rules.WAIT_FRAMES
    stream.filter(image, alpha)

    assert memory.moved.any() == (hidden_frames < rules.HIDDEN_FRAMES)


def test_coefficients_get_the_gain_and_the_floor() -> None:
    stream = Stream()
    memory = initial_memory(HEIGHT, WIDTH)
    for n in range(6):
        image, alpha = stream.frame(walking(n), replace(POSTER, alpha=0.5))
        slope = np.ones((4, HEIGHT, WIDTH), np.float32)
        offset = np.stack([alpha] * 4)
        coarse = alpha.copy()
        strict_matte(image, slope, offset, coarse, memory)
        gain = stream.filter(image, alpha)

    assert (slope[:3] == 1).all() and (offset[:3] == alpha).all()
    np.testing.assert_allclose(coarse, alpha * gain)
    np.testing.assert_allclose(
        offset[3], (alpha - rules.FLOOR) * gain / (1 - 2 * rules.FLOOR), atol=1e-6
    )
    assert np.isclose(offset[3].max(), (1 - rules.FLOOR) / (1 - 2 * rules.FLOOR))
