"""Scenes that no training saw: photos of held-out sources, people with masks, cut-outs over
held-out rooms, rooms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training.metrics import Alpha
from training.motion import random_path, warp_all
from training.sources import HELD_OUT_SOURCES, Picture, list_pictures, read_image, to_rgb
from training.view import filling, head_in_view

Pixels = npt.NDArray[np.uint8]

SIZE = (640, 360)
"""(width, height) of the frames."""
SEQUENCE_FRAMES = 12
SPEED = 0.02
"""Motion of cut-outs and rooms per frame, as a fraction of the frame."""


@dataclass(frozen=True)
class StillScene:
    """A photo, shown again and again; `mask` is drawn by a person, where there is one."""

    name: str
    frame: Pixels
    """uint8 (360, 640, 3) RGB."""
    mask: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class MovingScene:
    """A cut-out person moving over a moving room, with its exact truth."""

    name: str
    frames: list[Pixels]
    """uint8 (360, 640, 3) RGB."""
    alphas: list[Alpha]
    foregrounds: list[Pixels]
    """The person's own colour, meaningful where alpha > 0."""
    room: Pixels
    """The room without the person, as in the first frame."""


def photos(
    folders: list[Path], people_of: Callable[[Pixels], Pixels], every: int = 1
) -> list[StillScene]:
    """Return the photos of the held-out sources, cut with the head in view.

    people_of: returns the rough alpha (H, W), uint8, of the people in a photo (H, W, 3). every:
    take every Nth photo.
    """
    held_out = [
        picture for picture in _listed(folders, "photo") if picture.source in HELD_OUT_SOURCES
    ]
    found = []
    for picture in held_out[::every]:
        rgb = to_rgb(read_image(picture.path))
        layers = head_in_view(np.dstack([rgb, people_of(rgb)]), SIZE)
        found.append(StillScene(picture.name, np.ascontiguousarray(layers[..., :3])))
    return found


def masked_photos(folders: list[Path]) -> list[StillScene]:
    """Return held-out photos whose mask was drawn by people, cut with the head in view."""
    found = []
    for picture in _listed(folders, "photo"):
        if picture.mask is None:
            continue
        rgb = to_rgb(read_image(picture.path))
        mask = read_image(picture.mask, cv2.IMREAD_GRAYSCALE)
        inside = cv2.resize(mask, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR)
        layers = head_in_view(np.dstack([rgb, inside]).astype(np.uint8), SIZE)
        frame = np.ascontiguousarray(layers[..., :3])
        found.append(StillScene(picture.name, frame, np.ascontiguousarray(layers[..., 3]) > 127))
    return found


def rooms(folders: list[Path]) -> list[StillScene]:
    """Return the held-out rooms, with nobody in them."""
    found = _listed(folders, "background")
    return [
        StillScene(p.name, np.ascontiguousarray(filling(to_rgb(read_image(p.path)), SIZE)))
        for p in found
    ]


def cutouts(
    folders: list[Path], *, held_out: bool = True, tripod: bool = False
) -> Iterator[MovingScene]:
    """Yield cut-outs with a drawn alpha, each moving over a held-out room.

    held_out: those that no training saw, or all others. tripod: the room does not move.
    """
    places = rooms(folders)
    for number, picture in enumerate(_listed(folders, "cutout", held_out=held_out)):
        bgra = read_image(picture.path, cv2.IMREAD_UNCHANGED)
        layers = np.ascontiguousarray(bgra[..., [2, 1, 0, 3]], np.uint8)
        rng = np.random.default_rng(number)
        yield _moving(
            picture.name,
            layers,
            places[number % len(places)].frame,
            rng,
            0 if tripod else SPEED / 4,
        )


def _moving(
    name: str, person: Pixels, room: Pixels, rng: np.random.Generator, room_speed: float
) -> MovingScene:
    rows = np.flatnonzero(person[..., 3].max(1) > 127)
    scale = rng.uniform(0.7, 0.95) * SIZE[1] / (rows[-1] + 1 - rows[0])
    left = SIZE[0] / 2 - scale * person.shape[1] / 2
    matrix = np.array([[scale, 0, left], [0, scale, SIZE[1] - scale * (rows[-1] + 1)]])
    people = warp_all(
        person, matrix, random_path(rng, SEQUENCE_FRAMES, SIZE, SPEED), SIZE, cv2.BORDER_CONSTANT
    )
    path = random_path(rng, SEQUENCE_FRAMES, SIZE, room_speed)
    behind = warp_all(
        room,
        np.eye(3)[:2],
        path if room_speed else path[:1] * SEQUENCE_FRAMES,
        SIZE,
        cv2.BORDER_REFLECT_101,
    )
    frames, alphas, foregrounds = [], [], []
    for layers, place in zip(people, behind, strict=True):
        alpha = np.asarray(layers[..., 3], np.float32) / np.float32(255)
        mixed = layers[..., :3] * alpha[..., None] + place * (1 - alpha[..., None])
        frames.append(np.rint(mixed).astype(np.uint8))
        alphas.append(alpha)
        foregrounds.append(np.ascontiguousarray(layers[..., :3]))
    return MovingScene(name, frames, alphas, foregrounds, behind[0])


def _listed(folders: list[Path], kind: str, *, held_out: bool = True) -> list[Picture]:
    return [
        p
        for folder in folders
        for p in list_pictures(folder)
        if p.kind == kind and p.validation == held_out
    ]
