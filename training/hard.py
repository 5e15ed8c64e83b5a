"""Hard parts of composites: motion blur, furniture that touches a person, people lit like the room."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import numpy.typing as npt

from training.motion import Floats, random_path, warp_all

Pixels = npt.NDArray[np.uint8]
Colours = npt.NDArray[np.float32]
Layer = tuple[Colours, Colours]
"""Colour (H, W, 3) in 0..255 and alpha (H, W, 1) in 0..1."""
Rng = np.random.Generator

_SHUTTER = 0.5
"""Exposure time as a share of the time between two frames."""
_STEP_PX = 1.5
_MOST_STEPS = 8
_FASTEST = 0.055
"""Largest usual shift per frame, as a fraction of the width: 35 pixels at 640."""


def rushing(rng: Rng, layers: Pixels, matrix: Floats, frames: int, size: tuple[int, int]) -> list[Layer]:
    """Return a person (H, W, 4) in fast motion, blurred by the exposure, for each frame; `size` is (width, height)."""
    path = random_path(rng, frames + 1, size, rng.uniform(0.3, 1.0) * _FASTEST)
    images = []
    for before, after in itertools.pairwise(path):
        distance = float(np.hypot(*(after - before)[:2, 2]))
        steps = int(np.clip(round(distance / _STEP_PX), 1, _MOST_STEPS))
        shares = [_SHUTTER * step / steps for step in range(steps)]
        moments = [after + share * (before - after) for share in shares]
        warped = warp_all(layers, matrix, moments, size, cv2.BORDER_CONSTANT)
        alphas = [image[..., 3:].astype(np.float32) / np.float32(255) for image in warped]
        light = sum(image[..., :3] * alpha for image, alpha in zip(warped, alphas, strict=True)) / np.float32(steps)
        alpha = np.asarray(sum(alphas) / np.float32(steps), np.float32)
        images.append((np.asarray(light / np.maximum(alpha, 1e-3), np.float32), alpha))
    return images


def lit_like(room: Pixels, people: list[Layer], rng: Rng) -> list[Layer]:
    """Return a person with exposure and colour moved towards those of the room (H, W, 3)."""
    colour, alpha = people[0]
    weight = max(float(alpha.sum()), 1.0)
    of_person = (colour * alpha).sum((0, 1)) / weight + 8
    of_room = room.mean((0, 1), dtype=np.float32) + 8
    brightness = (of_room.mean() / of_person.mean()) ** rng.uniform(0.4, 1.0)
    cast = (of_room / of_room.mean()) / (of_person / of_person.mean())
    gains = np.clip(brightness * cast ** rng.uniform(0.0, 0.8), 0.4, 2.0).astype(np.float32)
    return [(np.clip(image * gains, 0, 255), opacity) for image, opacity in people]


def furniture(frames: list[Pixels], alpha: Colours, rng: Rng) -> list[Pixels]:
    """Return the frames with a chair back, screen or cushion behind and beside a person of this alpha (H, W, 1)."""
    height, width = alpha.shape[:2]
    rows, columns = np.flatnonzero(alpha.max((1, 2)) > 0.5), np.flatnonzero(alpha.max((0, 2)) > 0.5)
    if not len(rows):
        return frames
    wide, tall = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    across, down = max(8, int(wide * rng.uniform(0.3, 1.2))), max(8, int(tall * rng.uniform(0.3, 1.0)))
    side = rng.choice([-1, 1]) * rng.uniform(0.0, 0.6)
    left = int((columns[0] + columns[-1]) / 2 + side * wide - across / 2)
    top = int(rows[0] + rng.uniform(-0.1, 0.6) * tall)
    mask = _rounded((height, width), (left, top, across, down), rng)
    colour = _surface(frames[0], mask, (left, top, across, down), rng)
    return [np.rint(frame + mask[..., None] * (colour - frame)).astype(np.uint8) for frame in frames]


def _rounded(shape: tuple[int, int], box: tuple[int, int, int, int], rng: Rng) -> Colours:
    """Return a rectangle with round corners as a mask in 0..1."""
    left, top, across, down = box
    radius = max(1, int(min(across, down) * rng.uniform(0.02, 0.5)))
    mask = np.zeros(shape, np.float32)
    inner = (left + radius, top + radius), (left + across - radius, top + down - radius)
    cv2.rectangle(mask, *inner, 1.0, -1)
    mask = np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)), np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.7), np.float32)


def _surface(frame: Pixels, mask: Colours, box: tuple[int, int, int, int], rng: Rng) -> Colours:
    """Return the colours of a piece of furniture: plain and shaded, a picture behind a bezel, or woven."""
    height, width = mask.shape
    left, top, across, down = box
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    base = rng.uniform(5, 90) if rng.random() < 0.6 else rng.uniform(60, 230)
    plain = np.clip(base * np.exp(rng.normal(0, 0.12, 3)), 0, 255)
    shade = (
        1
        + np.float32(rng.uniform(-0.4, 0.4)) * (x - left) / across
        + np.float32(rng.uniform(-0.3, 0.3)) * (y - top) / down
    )
    colour = np.asarray(plain * np.clip(shade, 0.3, 1.7)[..., None], np.float32)
    kind = rng.random()
    if kind < 0.35:
        bezel = max(2, int(rng.uniform(0.02, 0.1) * across))
        inside = (x > left + bezel) & (x < left + across - bezel) & (y > top + bezel) & (y < top + down - bezel)
        content = frame[:, ::-1].astype(np.float32) * np.float32(rng.uniform(0.3, 1.3)) + np.float32(rng.uniform(0, 60))
        colour = np.where(inside[..., None], content, colour)
    elif kind < 0.6:
        pitch = rng.uniform(2.5, 9)
        colour *= (1 + 0.25 * np.sin(x * 6.28 / pitch) * np.sin(y * 6.28 / pitch))[..., None]
    return np.asarray(np.clip(colour, 0, 255), np.float32)
