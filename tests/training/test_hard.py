"""Hard parts of composites: what moves fast is blurred, furniture stays in the room, light is matched."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from tests.training.samples import person, room
from training.hard import furniture, lit_like, rushing
from training.motion import Placement

SIZE = 160, 90


def whole(layers: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    height, width = layers.shape[:2]
    scale = SIZE[1] / height
    return Placement((width / 2, height / 2), (SIZE[0] / 2, SIZE[1] / 2), (scale, scale)).matrix()


def soft(alpha: npt.NDArray[np.float32]) -> float:
    return float(((alpha > 0.05) & (alpha < 0.95)).mean())


def test_some_people_are_blurred_by_their_motion_and_the_others_stand() -> None:
    layers = np.ascontiguousarray(person(1)[..., 3:])
    edges = []
    for seed in range(12):
        images = rushing(np.random.default_rng(seed), layers, whole(layers), 3, SIZE)
        assert len(images) == 3
        assert all(colour.shape == (90, 160, 3) and 0 <= alpha.min() <= alpha.max() <= 1 for colour, alpha in images)
        edges.append(soft(images[-1][1]))
    assert max(edges) > 1.5 * min(edges)


def test_the_colour_of_a_blurred_person_is_not_darkened_by_the_blur() -> None:
    layers = np.zeros((90, 100, 4), np.uint8)
    layers[..., :3] = 200, 120, 40
    layers[20:70, 30:70, 3] = 255

    images = [rushing(np.random.default_rng(seed), layers, whole(layers), 2, SIZE) for seed in range(6)]
    blurred = [
        colour[(alpha[..., 0] > 0.1) & (alpha[..., 0] < 0.9)] for colour, alpha in itertools.chain.from_iterable(images)
    ]
    np.testing.assert_allclose(np.median(np.concatenate(blurred), 0), (200, 120, 40), atol=2)


def test_a_person_in_a_dark_room_gets_darker_with_the_same_alpha() -> None:
    colour, alpha = np.full((90, 160, 3), 180, np.float32), np.ones((90, 160, 1), np.float32)
    dark = np.full((90, 160, 3), 30, np.uint8)

    ((lit, opacity),) = lit_like(dark, [(colour, alpha)], np.random.default_rng(0))

    assert lit.mean() < 150
    assert opacity is alpha


def test_furniture_touches_the_person_and_moves_with_the_room() -> None:
    plain = np.full((90, 160, 3), 250, np.uint8)
    alpha = np.zeros((90, 160, 1), np.float32)
    alpha[30:, 60:100] = 1
    shift = np.array([[1, 0, 7], [0, 1, -4], [0, 0, 1.0]])

    for seed in range(8):
        still, moved = furniture([plain] * 2, [np.eye(3), shift], alpha, np.random.default_rng(seed))
        (alone,) = furniture([plain], [np.eye(3)], alpha, np.random.default_rng(seed))
        assert np.array_equal(still, alone)
        assert (still != plain).any(2)[20:, 30:130].any()
        np.testing.assert_allclose(moved[:-4, 7:].astype(int), still[4:, :-7], atol=1)


def test_nobody_has_no_furniture() -> None:
    frames = [room(1, 90, 160)]
    nobody = np.zeros((90, 160, 1), np.float32)

    assert furniture(frames, [np.eye(3)], nobody, np.random.default_rng(0)) is frames
