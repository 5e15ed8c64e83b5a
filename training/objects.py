"""Distractors that are mistaken for people: flags, curtains, banners and tall shapes."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rng = np.random.Generator

_MOST = 3
_PLAIN = 0.5
"""Share of cloths of one colour, such as curtains, towels, coats and backdrops of studios; others
have stripes.
"""


def with_objects(room: Pixels, rng: Rng) -> Pixels:
    """Return a copy of `room`, (H, W, 3) uint8 RGB, with one to three objects added."""
    picture = room.astype(np.float32)
    height, width = room.shape[:2]
    for _ in range(int(rng.integers(1, _MOST + 1))):
        cloth = rng.random() < 0.6
        plain = cloth and rng.random() < _PLAIN
        wide = max(8, round(width * rng.uniform(0.08, 0.45 if plain else 0.3)))
        tall = max(8, round(height * rng.uniform(0.4, 1.1)))
        if cloth:
            colour = _folded(_plain(tall, wide, rng) if plain else _pattern(tall, wide, rng), rng)
        else:
            colour = _piece(room, tall, wide, rng)
        mask = _outline(tall, wide, cloth, rng)
        # More often beside the usual position of people than behind it.
        centre = rng.beta(0.6, 0.6) * width
        left, top = (
            round(centre - wide / 2),
            round(rng.uniform(-0.1, 0.5) * height) if cloth else height - tall,
        )
        _paste(picture, colour, mask, left, top)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def _pattern(height: int, width: int, rng: Rng) -> Floats:
    """Return stripes of two or three strong colours, often with a dotted field in one corner."""
    palette = [rng.uniform(0, 255, 3) for _ in range(3)]
    if rng.random() < 0.5:
        palette[:2] = [np.array([190.0, 25.0, 45.0]), np.array([240.0, 238.0, 235.0])]
        palette[2] = np.array([35.0, 40.0, 100.0])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    along = x * np.cos(angle) + y * np.sin(angle)
    stripe = max(3.0, min(height, width) * rng.uniform(0.06, 0.5))
    which = (np.floor_divide(along, stripe).astype(int)) % int(rng.integers(2, 4))
    picture: Floats = np.asarray(palette, np.float32)[which]
    if rng.random() < 0.5:
        field = (
            slice(0, round(height * rng.uniform(0.3, 0.6))),
            slice(0, round(width * rng.uniform(0.5, 1.0))),
        )
        picture[field] = palette[2]
        pitch = max(4.0, width * rng.uniform(0.12, 0.3))
        dots = np.hypot((x % pitch) - pitch / 2, (y % pitch) - pitch / 2) < pitch * rng.uniform(
            0.15, 0.35
        )
        picture[field] = np.where(dots[field][..., None], np.float32(235), picture[field])
    return picture


def _plain(height: int, width: int, rng: Rng) -> Floats:
    """Return cloth of one colour, also dark or pale."""
    grey, tint = rng.uniform(10, 235), rng.normal(0, rng.choice([5.0, 40.0]), 3)
    colour = np.clip(grey + tint, 0, 255).astype(np.float32)
    return np.broadcast_to(colour, (height, width, 3)).copy()


def _folded(cloth: Floats, rng: Rng) -> Floats:
    """Return the cloth with folds: displaced and shaded along waves."""
    height, width = cloth.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    phase = x / width * rng.uniform(6, 30) + y / height * rng.uniform(-3, 3) + rng.uniform(0, 6.28)
    sag = np.float32(rng.uniform(0, 0.12) * height) * np.sin(phase)
    moved = cv2.remap(
        cloth, x, (y + sag).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    shade = 1 + np.float32(rng.uniform(0.1, 0.35)) * np.cos(phase)
    folded: Floats = moved.astype(np.float32) * shade[..., None].astype(np.float32)
    return folded


def _piece(room: Pixels, height: int, width: int, rng: Rng) -> Floats:
    """Return a piece of the room, stretched and recoloured."""
    rows, columns = room.shape[:2]
    top, left = int(rng.integers(0, max(1, rows // 2))), int(rng.integers(0, max(1, columns // 2)))
    piece = cv2.resize(
        room[top : top + rows // 2 + 1, left : left + columns // 2 + 1], (width, height)
    )
    tint = rng.uniform(0.4, 1.4, 3).astype(np.float32)
    tinted: Floats = piece.astype(np.float32)[..., rng.permutation(3)] * tint + np.float32(
        rng.uniform(-40, 40)
    )
    return tinted


def _outline(height: int, width: int, cloth: bool, rng: Rng) -> Floats:
    """Return a shape (height, width) in 0..1: a hanging rectangle with wavy sides, or a tall round
    or pointed one.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across = np.abs(x / width * 2 - 1)
    down = y / height
    if cloth:
        half = 0.75 + 0.2 * np.sin(down * rng.uniform(1, 8) + rng.uniform(0, 6.28))
    elif rng.random() < 0.5:
        half = np.sqrt(np.clip(1 - (down * 2 - 1) ** 2, 0, 1))
    else:
        half = np.clip(down * rng.uniform(1.0, 6.0), 0, 1) * rng.uniform(0.5, 1.0)
    mask: Floats = cv2.GaussianBlur((across < half).astype(np.float32), (0, 0), 0.8).astype(
        np.float32
    )
    return mask


def _paste(picture: Floats, colour: Floats, mask: Floats, left: int, top: int) -> None:
    height, width = picture.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + colour.shape[1], width), min(top + colour.shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    part = mask[inside][..., None]
    picture[y0:y1, x0:x1] += part * (colour[inside] - picture[y0:y1, x0:x1])
