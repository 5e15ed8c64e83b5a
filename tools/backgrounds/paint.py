"""Brushes of the background painter: noise, gradients, soft shapes and shadows.

Pictures are (HEIGHT, WIDTH, 3) floats, 0..1, red-green-blue; masks are (HEIGHT, WIDTH) floats,
0..1.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1920, 1080

Picture = NDArray[np.floating]
Colour = tuple[float, float, float]
Point = tuple[float, float]

ROWS, COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


def rgb(text: str) -> Colour:
    """`#RRGGBB` as three numbers from 0 to 1."""
    value = int(text.removeprefix("#"), 16)
    return (value >> 16) / 255, (value >> 8 & 255) / 255, (value & 255) / 255


def smoothstep(low: float, high: float, values: Picture) -> Picture:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def blur(values: Picture, sigma: float) -> Picture:
    """Gaussian blur; sigma in pixels."""
    soft = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(soft, np.float32)


def noise(seed: int, cell: float, octaves: int = 4, stretch: float = 1.0) -> Picture:
    """Smooth noise from -1 to 1; cell: the largest spots in pixels, `stretch` times as high as
    wide.
    """
    generator = np.random.default_rng(seed)
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for octave in range(octaves):
        size = max(1.0, cell / 2**octave)
        shape = int(HEIGHT / (size * stretch)) + 3, int(WIDTH / size) + 3
        spots = generator.standard_normal(shape).astype(np.float32)
        total += cv2.resize(spots, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) / 2**octave
    return np.asarray(np.clip(total / 2.5, -1, 1), np.float32)


def gradient(stops: Sequence[tuple[float, Colour]], along: Picture) -> Picture:
    """A picture whose colour follows `along` through the stops (place, colour)."""
    places = [place for place, _ in stops]
    channels = [np.interp(along, places, [colour[c] for _, colour in stops]) for c in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def mix(below: Picture, above: Picture | Colour, mask: Picture | float) -> Picture:
    """`above` over `below` where the mask is 1."""
    weight = mask[..., None] if isinstance(mask, np.ndarray) else mask
    return np.asarray(below * (1 - weight) + np.asarray(above, np.float32) * weight, np.float32)


def glow(centre: Point, radius: float, squash: float = 1.0) -> Picture:
    """A round, soft spot of light."""
    square = (COLUMNS - centre[0]) ** 2 + ((ROWS - centre[1]) * squash) ** 2
    return np.asarray(np.exp(-square / radius**2), np.float32)


def polygons(outlines: Sequence[Sequence[Point]]) -> Picture:
    """The insides of all outlines, their edges smooth."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for outline in outlines:
        cv2.fillPoly(
            mask, [np.round(np.array(outline) * 256).astype(np.int32)], 255, cv2.LINE_AA, 8
        )
    return mask.astype(np.float32) / 255


def leaf(foot: Point, angle: float, length: float, width: float, bend: float = 0.0) -> list[Point]:
    """The outline of a slender leaf that grows from `foot` at `angle` (radians) and bends by `bend`
    towards its tip.
    """
    t = np.linspace(0, 1, 24)
    direction = angle + bend * t
    spine_x = foot[0] + np.cumsum(np.cos(direction)) * length / len(t)
    spine_y = foot[1] + np.cumsum(np.sin(direction)) * length / len(t)
    half = width * np.sin(np.pi * t**0.8) * (1 - 0.25 * t)
    left = np.stack([spine_x - np.sin(direction) * half, spine_y + np.cos(direction) * half], -1)
    right = np.stack([spine_x + np.sin(direction) * half, spine_y - np.cos(direction) * half], -1)
    return [(float(x), float(y)) for x, y in np.concatenate([left, right[::-1]])]


def frond(
    foot: Point, angle: float, length: float, leaflets: int, bend: float
) -> list[list[Point]]:
    """A palm's frond: a bent rib with slender leaves on both sides."""
    outlines = []
    x, y = foot
    step = length / leaflets
    for number in range(leaflets):
        t = number / leaflets
        direction = angle + bend * t
        x, y = x + np.cos(direction) * step, y + np.sin(direction) * step
        size = length * 0.42 * np.sin(np.pi * min(1.0, 0.18 + 0.82 * t) ** 0.8) + length * 0.05
        outlines += [
            leaf(
                (x, y),
                direction + side * (1.0 - 0.45 * t),
                size,
                length * 0.019,
                -side * 0.25 + bend * 0.3,
            )
            for side in (-1, 1)
        ]
    outlines.append(leaf(foot, angle, length, length * 0.008, bend))
    return outlines


def vignette(picture: Picture, strength: float) -> Picture:
    """Darker towards the corners."""
    distance = np.hypot((COLUMNS - WIDTH / 2) / (WIDTH / 2), (ROWS - HEIGHT / 2) / (HEIGHT / 2))
    return np.asarray(
        picture * (1 - strength * smoothstep(0.5, 1.5, distance))[..., None], np.float32
    )


def to_bytes(picture: Picture, grain: float, seed: int) -> NDArray[np.uint8]:
    """BGR bytes, with a fine grain that hides bands."""
    speckle = np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 1)).astype(np.float32)
    values = np.rint(np.clip(picture + speckle * grain, 0, 1) * 255)
    return np.ascontiguousarray(np.asarray(values, np.uint8)[..., ::-1])
