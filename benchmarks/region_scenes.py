"""People far away with known truth for `bench_region`: held-out cut-outs over held-out rooms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.core.types import BgrImage, Floats
from app.people.regions import find_people
from training.sources import Picture, list_pictures, read_image
from training.view import filling

SIZE = (1280, 720)
HEADS = (0.1, 0.2, 0.4)
"""Height of head and neck relative to the frame."""
VISIBLE_HEADS = 3.2
"""Height of what is seen of a person, in heads: the rest is behind a desk or below the frame."""
LARGEST_SCALE = 4.0
"""Cut-outs that would be enlarged more are left out; for heads above 20 % of the frame in proportion more."""
NOISE_SIGMA = 2.0
"""Of the sensor, in 8-bit levels."""

Path2D = Callable[[int], tuple[float, float] | None]
"""Where a person is in frame n: shift (x, y) in fractions of the frame's width; None: not in the room."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame with its truth."""

    image: BgrImage
    alpha: Floats
    """(H, W) in 0..1, of everybody."""
    people: tuple[Floats, ...]
    """The same for each person."""


@dataclass(frozen=True, slots=True)
class Person:
    """A cut-out, premultiplied BGRA (h, w, 4) with alpha in 0..1, and its place."""

    layers: Floats
    x: float
    """Centre, as a fraction of the frame's width."""
    path: Path2D


def sway(n: int) -> tuple[float, float]:
    """Return the position of somebody who sits."""
    return 0.005 * math.sin(n / 7), 0.0015 * math.sin(n / 5)


def gesture(n: int) -> tuple[float, float]:
    """Return the position of somebody who leans from side to side quickly."""
    return 0.05 * math.sin(n / 6), 0.004 * math.sin(n / 3)


def walk(n: int) -> tuple[float, float]:
    """Return the position of somebody who paces the room, at a quarter of its width per second."""
    return 0.35 * 2 / math.pi * math.asin(math.sin(n * 0.25 / 30 / 0.35 * math.pi / 2)), 0.003 * math.sin(n / 3)


def entering(first: int) -> Path2D:
    """Return the path of somebody who enters from the right border in frame `first`, and stays."""

    def path(n: int) -> tuple[float, float] | None:
        return None if n < first else (max(0.0, 0.3 - 0.02 * (n - first)), 0.0)

    return path


MOTIONS: dict[str, Path2D] = {"sway": sway, "gesture": gesture, "walk": walk}


class Scenes:
    """Puts people of one folder into rooms of others; the choice depends on the number of the scene only."""

    def __init__(self, data: Path) -> None:
        """data: folder with `train` and `train-clean`."""
        pictures = [p for folder in ("train", "train-clean") for p in _listed(data / folder)]
        self._cutouts = [p for p in pictures if p.kind == "cutout"]
        self._rooms = [p for p in pictures if p.kind == "background"]

    def __len__(self) -> int:
        return len(self._cutouts) if self._rooms else 0

    def person(self, number: int, head: float, x: float, path: Path2D) -> Person | None:
        """Return a person with a head of this height; None if the cut-out is too small."""
        image = read_image(self._cutouts[number % len(self)].path, cv2.IMREAD_UNCHANGED).astype(np.float32)
        image[..., 3] /= 255
        found = find_people(np.ascontiguousarray(image[..., 3]))
        if not found:
            return None
        height = image.shape[0]
        head_px, top = found[0].head_height * height, max(0, round(found[0].top * height) - 2)
        scale = head * SIZE[1] / head_px
        if scale > LARGEST_SCALE * max(1.0, head / 0.2):
            return None
        image = image[top : top + round(VISIBLE_HEADS * head_px)]
        image[..., :3] *= image[..., 3:]
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        layers = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=method), np.float32)
        return Person(layers[: SIZE[1]], x, path)

    def render(self, number: int, people: list[Person], count: int) -> Iterator[Sample]:
        """Yield the frames of a scene; later people are in front."""
        random = np.random.default_rng(number)
        room = filling(read_image(self._rooms[number * 7 % len(self._rooms)].path), SIZE).astype(np.float32)
        noise = random.normal(0, NOISE_SIGMA, room.shape).astype(np.float32)
        for n in range(count):
            image, alphas = room, list[Floats]()
            for person in people:
                layers = _placed(person, n)
                alpha = np.clip(layers[..., 3], 0, 1)
                image = np.clip(layers[..., :3], 0, 255) + image * (1 - alpha[..., None])
                alphas = [*(before * (1 - alpha) for before in alphas), alpha]
            noisy = image + np.roll(noise, tuple(random.integers(0, SIZE[1], 2)), (0, 1))
            total = np.asarray(np.clip(sum(alphas), 0, 1), np.float32)
            yield Sample(np.clip(noisy + 0.5, 0, 255).astype(np.uint8), total, tuple(alphas))


def _placed(person: Person, n: int) -> Floats:
    place = person.path(n)
    if place is None:
        return np.zeros((SIZE[1], SIZE[0], 4), np.float32)
    height, width = person.layers.shape[:2]
    left = (person.x + place[0]) * SIZE[0] - width / 2
    top = SIZE[1] - height + (0.004 + place[1]) * SIZE[0]
    matrix = np.array([[1, 0, left], [0, 1, top]])
    return np.asarray(cv2.warpAffine(person.layers, matrix, SIZE), np.float32)


def _listed(folder: Path) -> list[Picture]:
    return [p for p in list_pictures(folder) if p.validation] if folder.is_dir() else []
