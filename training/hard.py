"""Hard parts of composites: motion blur, furniture and straight edges that touch a person, people
lit like the room.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import numpy.typing as npt

from training.limbs import limbs
from training.motion import Floats, Placement, random_path, warp_all

Pixels = npt.NDArray[np.uint8]
Colours = npt.NDArray[np.float32]
Layer = tuple[Colours, Colours]
"""Colour (H, W, 3) in 0..255 and alpha (H, W, 1) in 0..1."""
Layers = tuple[list[Pixels], list[Pixels], list[Pixels]]
"""Frames, alphas and foregrounds of a sequence."""
Rng = np.random.Generator

_MATCHED = 0.5
"""Share of composited people lit like the room, so that the paste itself is no cue."""
_SHUTTER = 0.5
"""Exposure time as a share of the time between two frames."""
_STEP_PX = 1.5
_MOST_STEPS = 8
_FASTEST = 0.055
"""Largest usual shift per frame, as a fraction of the width: 35 pixels at 640."""
_LONG = 0.3, 1.6
"""Width and height of what has straight edges, as fractions of the frame's width: often one side or
corner is seen.
"""
_THICK = 0.01, 0.06
"""Width of its border, likewise: from the edge of a screen to a door post."""
_DARK = 3, 45
_BRIGHT = 0.4
"""Share of borders around a bright area: a screen that is on, or a window."""
_TILT = 1.5
"""Usual slant of straight edges, in degrees: cameras are seldom level."""
_SHIFT = 4
"""Binary digits after the point of coordinates for OpenCV."""


def rushing(
    rng: Rng, layers: Pixels, matrix: Floats, frames: int, size: tuple[int, int]
) -> list[Layer]:
    """Return a person (H, W, 4) in fast motion, blurred by the exposure, for each frame; `size` is
    (width, height).
    """
    path = random_path(rng, frames + 1, size, rng.uniform(0.3, 1.0) * _FASTEST)
    images = []
    for before, after in itertools.pairwise(path):
        distance = float(np.hypot(*(after - before)[:2, 2]))
        steps = int(np.clip(round(distance / _STEP_PX), 1, _MOST_STEPS))
        shares = [_SHUTTER * step / steps for step in range(steps)]
        moments = [after + share * (before - after) for share in shares]
        warped = warp_all(layers, matrix, moments, size, cv2.BORDER_CONSTANT)
        alphas = [image[..., 3:].astype(np.float32) / np.float32(255) for image in warped]
        light = sum(
            image[..., :3] * alpha for image, alpha in zip(warped, alphas, strict=True)
        ) / np.float32(steps)
        alpha = np.asarray(sum(alphas) / np.float32(steps), np.float32)
        images.append((np.asarray(light / np.maximum(alpha, 1e-3), np.float32), alpha))
    return images


def in_front(
    rng: Rng,
    frames: list[Pixels],
    before: list[Pixels],
    behind: list[Pixels],
    people: list[list[Layer]],
) -> Layers:
    """Return frames, alphas and foregrounds with these people in front of what is there."""
    frames = list(frames)
    alphas = [a.astype(np.float32) / 255 for a in before]
    foregrounds = [f.astype(np.float32) for f in behind]
    for layer in people:
        if rng.random() < _MATCHED:
            layer = lit_like(frames[0], layer, rng)
        for t, (colour, alpha) in enumerate(layer):
            # Porter-Duff over: the nearer person covers the farther one.
            frames[t] = _over(colour, alpha, frames[t].astype(np.float32))
            total = alpha + alphas[t] * (1 - alpha)
            mixed = colour * alpha + foregrounds[t] * alphas[t] * (1 - alpha)
            foregrounds[t] = np.where(total > 0, mixed / np.maximum(total, 1e-3), 0)
            alphas[t] = total
    truth = [np.rint(a * 255).astype(np.uint8) for a in alphas]
    return frames, truth, [np.clip(f, 0, 255).astype(np.uint8) for f in foregrounds]


def _over(colour: Colours, alpha: Colours, below: Colours) -> Pixels:
    return np.rint(np.clip(below + alpha * (colour - below), 0, 255)).astype(np.uint8)


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


def furniture(frames: list[Pixels], path: list[Floats], alpha: Colours, rng: Rng) -> list[Pixels]:
    """Return the frames with a chair back, screen or cushion behind and beside a person of this
    alpha (H, W, 1).

    It moves with the room on `path`, the 3x3 maps of `random_path`.
    """
    height, width = alpha.shape[:2]
    rows, columns = np.flatnonzero(alpha.max((1, 2)) > 0.5), np.flatnonzero(alpha.max((0, 2)) > 0.5)
    if not len(rows):
        return frames
    wide, tall = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    across, down = (
        max(8, int(wide * rng.uniform(0.3, 1.2))),
        max(8, int(tall * rng.uniform(0.3, 1.0))),
    )
    side = rng.choice([-1, 1]) * rng.uniform(0.0, 0.6)
    left = int((columns[0] + columns[-1]) / 2 + side * wide - across / 2)
    top = int(rows[0] + rng.uniform(-0.1, 0.6) * tall)
    mask = _rounded((height, width), (left, top, across, down), rng)
    colour = _surface(frames[0], mask, (left, top, across, down), rng)
    layer = np.dstack([colour, mask])
    # What the frame cuts goes on outside of it.
    layers = (
        cv2.warpAffine(layer, step[:2], (width, height), borderMode=cv2.BORDER_REPLICATE)
        for step in path
    )
    return [
        np.rint(f + m[..., 3:] * (m[..., :3] - f)).astype(np.uint8)
        for f, m in zip(frames, layers, strict=True)
    ]


def straight_edges(
    frames: list[Pixels], path: list[Floats], alpha: Colours, rng: Rng
) -> list[Pixels]:
    """Return the frames with the dark border of a screen, shelf or door behind a person of this
    alpha (H, W, 1).

    One of its sides touches the person's contour, at a limb if there is one; it moves with the room
    on `path`, the 3x3 maps of `random_path`.
    """
    person = np.asarray(alpha[..., 0] > 0.5).astype(np.uint8)
    contour = np.asarray(person > cv2.erode(person, np.ones((3, 3), np.uint8)))
    at_limbs = contour & limbs(person * np.uint8(255))
    rows, columns = np.nonzero(at_limbs if at_limbs.any() else contour)
    if not len(rows):
        return frames
    width, chosen = alpha.shape[1], rng.integers(len(rows))
    half, thick = rng.uniform(*_LONG, 2) * width / 2, rng.uniform(*_THICK) * width
    # Where it touches, from its middle.
    touching, axis = rng.uniform(-1, 1, 2) * half, rng.integers(2)
    touching[axis] = rng.choice([-1, 1]) * (half[axis] - rng.uniform(0, thick))
    point = float(columns[chosen]), float(rows[chosen])
    matrix = Placement((touching[0], touching[1]), point, (1.0, 1.0), rng.normal(0, _TILT)).matrix()
    dark = np.asarray(rng.uniform(*_DARK) * np.exp(rng.normal(0, 0.1, 3)), np.float32)
    bright, gain, offset = rng.random() < _BRIGHT, rng.uniform(0.2, 0.6), rng.uniform(80, 180)
    images = []
    for frame, step in zip(frames, path, strict=True):
        full = (step @ np.vstack([matrix, [0, 0, 1]]))[:2]
        outer, inner = (_corners(extent, full) for extent in (half, half - thick))
        image, mask = frame.copy(), np.zeros(person.shape, np.uint8)
        if bright:
            cv2.fillConvexPoly(mask, inner, (255,), shift=_SHIFT)
            image = cv2.copyTo(
                cv2.convertScaleAbs(frame, alpha=gain, beta=offset), mask, image
            ).astype(np.uint8)
        cv2.fillConvexPoly(mask, outer, (255,), cv2.LINE_AA, _SHIFT)
        cv2.fillConvexPoly(mask, inner, (0,), cv2.LINE_AA, _SHIFT)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.7), np.uint8)
        border = mask > 0
        share = mask[border, None] / np.float32(255)
        image[border] = np.rint(image[border] + share * (dark - image[border]))
        images.append(image)
    return images


def _corners(half: Floats, matrix: Floats) -> npt.NDArray[np.int32]:
    """Return the corners of a rectangle of these half sides around the origin, mapped by a 2x3
    matrix, for OpenCV.
    """
    corners = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(np.rint(corners * 2**_SHIFT), np.int32)


def _rounded(shape: tuple[int, int], box: tuple[int, int, int, int], rng: Rng) -> Colours:
    """Return a rectangle with round corners as a mask in 0..1."""
    left, top, across, down = box
    radius = max(1, int(min(across, down) * rng.uniform(0.02, 0.5)))
    mask = np.zeros(shape, np.float32)
    inner = (left + radius, top + radius), (left + across - radius, top + down - radius)
    cv2.rectangle(mask, *inner, 1.0, -1)
    mask = np.asarray(
        cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)),
        np.float32,
    )
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.7), np.float32)


def _surface(frame: Pixels, mask: Colours, box: tuple[int, int, int, int], rng: Rng) -> Colours:
    """Return the colours of a piece of furniture: plain and shaded, a picture behind a bezel, or
    woven.
    """
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
        inside = (
            (x > left + bezel)
            & (x < left + across - bezel)
            & (y > top + bezel)
            & (y < top + down - bezel)
        )
        content = frame[:, ::-1].astype(np.float32) * np.float32(
            rng.uniform(0.3, 1.3)
        ) + np.float32(rng.uniform(0, 60))
        colour = np.where(inside[..., None], content, colour)
    elif kind < 0.6:
        pitch = rng.uniform(2.5, 9)
        colour *= (1 + 0.25 * np.sin(x * 6.28 / pitch) * np.sin(y * 6.28 / pitch))[..., None]
    return np.asarray(np.clip(colour, 0, 255), np.float32)
