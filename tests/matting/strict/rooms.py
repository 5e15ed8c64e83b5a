"""A synthetic room with persons: the small frames and alphas that strict mode receives, and a filter of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.core.types import AlphaImage, Floats
from app.matting.strict.cpu_strict import initial_memory, strict_gain

HEIGHT = 92
WIDTH = 163
"""Size in units. With grid 1, a cell of strict mode is one pixel; deliberately not round numbers."""
NOISE = 0.004
COLOURS = np.array([0.5, 1, 1.5])[:, None, None]
"""How much a change of light changes blue, green and red."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A disc with its own colour pattern, to which the network assigns a constant alpha."""

    x: float
    y: float
    radius: float
    alpha: float = 1.0
    visible: bool = True
    """False for a ghost: the network detects it, but the frame shows the wall."""

    def cover(self, grid: int = 1) -> Floats:
        """Return the coverage (h, w) in 0..1, with an edge two pixels wide."""
        y, x = np.mgrid[0 : HEIGHT * grid, 0 : WIDTH * grid] / grid
        distance = np.hypot(x - self.x, y - self.y)
        cover: Floats = np.clip((self.radius - distance) / 2 + 0.5, 0, 1).astype(np.float32)
        return cover


Scene = Callable[[int], Sequence[Blob]]
"""What a frame shows, by its number."""


def empty_room(n: int) -> list[Blob]:
    return []


class Stream:
    """A room with a fixed pattern on the wall, seen with the noise of a sensor, and the memory of strict mode."""

    def __init__(self, grid: int = 1, seen: AlphaImage | None = None) -> None:
        """grid: pixels of the small frame per unit along each side."""
        self._random = np.random.default_rng(0)
        self._grid = grid
        height = HEIGHT * grid
        width = WIDTH * grid
        pattern = self._random.uniform(0.3, 0.8, (3, 10, 18)).astype(np.float32)
        self.wall = np.stack(
            [cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC) for plane in pattern]
        )
        self.memory = initial_memory(height, width, seen)

    def frame(self, *blobs: Blob, light: float = 1.0) -> tuple[Floats, Floats]:
        """Return the small frame (3, h, w), in which blobs have stripes, and the network's alpha (h, w)."""
        image = self.wall.copy()
        alpha = np.zeros(self.wall.shape[1:], np.float32)
        y, x = np.mgrid[0 : HEIGHT * self._grid, 0 : WIDTH * self._grid] / self._grid
        for blob in blobs:
            cover = blob.cover(self._grid)
            if blob.visible:
                stripes = 0.15 + 0.1 * np.sign(np.sin((x - blob.x) / 3) + np.sin((y - blob.y) / 4))
                image += cover * (
                    np.stack([stripes, stripes, 1 - stripes]).astype(np.float32) - image
                )
            alpha = np.maximum(alpha, blob.alpha * cover)
        noisy = image * light**COLOURS + self._random.normal(0, NOISE, image.shape)
        return np.clip(noisy, 0, 1).astype(np.float32), alpha

    def show(self, *blobs: Blob, light: float = 1.0) -> Floats:
        """Return the gain of the next frame."""
        return self.filter(*self.frame(*blobs, light=light))

    def filter(self, image: Floats, alpha: Floats) -> Floats:
        """Return the gain of a frame that the test has changed."""
        return strict_gain(image, alpha, self.memory)

    def play(self, frames: int, scene: Scene = empty_room) -> list[Floats]:
        """Return the gains of so many frames."""
        return [self.show(*scene(n)) for n in range(frames)]


def walking(frame: int) -> Blob:
    """Return a swaying person."""
    return Blob(80 + 6 * float(np.sin(frame / 3)), 55, 24)


POSTER = Blob(30, 40, 12)
"""Part of the room that the network takes for a person."""
DOUBTFUL = [Blob(30, 40, 12, 0.9), Blob(30, 40, 9)]
"""What the network would have to see moving to be shown: it is certain of half of it."""


def person(n: int) -> list[Blob]:
    return [walking(n)]


def poster(n: int) -> list[Blob]:
    return [POSTER]


def person_enters_and_leaves(n: int) -> list[Blob]:
    return [Blob(-30 + 8 * n, 55, 24), Blob(30, 40, 12, 0.4)]


def person_passes_a_poster(n: int) -> list[Blob]:
    return [Blob(200 - 10 * n, 50, 24), POSTER]


def still_persons(n: int) -> list[Blob]:
    return [walking(max(0, n - 10)), Blob(28 + max(0, n - 17), 60, 10)]


def a_small_piece(n: int) -> list[Blob]:
    return [Blob(20 + 3 * n, 20, 3.3)]


def of_somebody_shown_little_is_certain(n: int) -> list[Blob]:
    return [Blob(80, 50, 24, 1 if n < 12 else 0.9), Blob(80, 50, 15)]


def somebody_hidden_stands_still(n: int) -> list[Blob]:
    x = 30 + 3 * min(n, 4)
    return [Blob(x, 40, 12, 0.9), Blob(x, 40, 4 if n < 12 else 8)]


def person_leaves_a_doubtful_one(n: int) -> list[Blob]:
    return [*DOUBTFUL, Blob(90 + 25 * max(0, n - 5), 50, 40)]


def ghost(n: int) -> list[Blob]:
    return [walking(n), Blob(walking(n).x + 34, 60, 14, 0.6, visible=False)]


def ghost_in_a_known_room(n: int) -> list[Blob]:
    return [walking(n), Blob(walking(n).x + 34, 60, 14, 0.8 * (n > 8), visible=False)]


def ghost_behind_a_fast_person(n: int) -> list[Blob]:
    fast = Blob(48 + 6 * n if n < 2 else 82, 50, 24)
    return [fast, Blob(56, 50, 10, 0.8 * (n >= 4), visible=False)]


# Persons and mistakes of the network, by frame.
SCENES: dict[str, Scene] = {
    scene.__name__.replace("_", " "): scene
    for scene in (
        person,
        poster,
        person_enters_and_leaves,
        person_passes_a_poster,
        still_persons,
        a_small_piece,
        of_somebody_shown_little_is_certain,
        somebody_hidden_stands_still,
        person_leaves_a_doubtful_one,
        ghost,
        ghost_in_a_known_room,
        ghost_behind_a_fast_person,
    )
}


def kept(gain: Floats, blob: Blob) -> float:
    """Return the fraction of a blob's pixels that strict mode keeps."""
    return float(gain[blob.cover(len(gain) // HEIGHT) > 0.99].mean())
