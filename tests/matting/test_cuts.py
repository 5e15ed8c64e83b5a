"""Frames that begin another scene, and changes within a scene that must not be taken for one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from app.core.types import BgrImage
from app.matting.engine import Motion
from tests.clips import demo

SIZE = 640, 360


def room(seed: int) -> BgrImage:
    """Return a room of large and small coloured patches."""
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.uniform(-1, 1, (rows, 2 * rows, 3)), SIZE, interpolation=cv2.INTER_CUBIC) for rows in (3, 12)
    ]
    mixed: BgrImage = np.clip(128 + 80 * layers[0] + 40 * layers[1], 0, 255).astype(np.uint8)
    return mixed


def lit(image: BgrImage, gain: float, gamma: float = 1.0, offset: float = 0.0) -> BgrImage:
    return np.asarray(np.clip(255 * gain * (image / 255) ** gamma + offset, 0, 255), np.uint8)


def cuts(images: Sequence[BgrImage]) -> list[int]:
    """Return the numbers of the images that begin another scene."""
    detector = Motion()
    return [number for number, image in enumerate(images) if detector.is_cut(image)]


def test_another_scene_is_a_cut() -> None:
    assert cuts([*demo(*SIZE, range(3)), room(1), room(1), room(2), *demo(*SIZE, range(2))]) == [3, 5, 6]


def test_rooms_of_equal_brightness_are_different_scenes() -> None:
    scenes = [room(seed) for seed in range(20)]

    assert cuts(scenes) == list(range(1, 20))


def test_a_moving_camera_is_no_cut() -> None:
    assert cuts(demo(*SIZE, range(90))) == []


@pytest.mark.parametrize("light", [(0.5,), (1.7,), (0.15,), (1.0, 0.6), (1.0, 1.5), (1.0, 1.0, 30.0)])
def test_a_change_of_light_is_no_cut(light: tuple[float, ...]) -> None:
    for image in (*demo(*SIZE, [0]), room(1)):
        assert cuts([image, lit(image, *light), image]) == []


def test_a_person_who_enters_is_no_cut() -> None:
    """A person who covers a third of the frame appears from one frame to the next."""
    before, after = demo(*SIZE, (29, 30), empty_scene_s=1.0)

    assert cuts([before, after, before]) == []


def test_a_large_object_that_moves_fast_is_no_cut() -> None:
    images = []
    for x in range(0, 400, 60):
        image = room(1)
        image[:, x : x + 240] = room(2)[:, :240]
        images.append(image)

    assert cuts(images) == []
