"""Paints the person out of astronaut.png and makes the room wider: the demo's empty room.

python tools/make_empty_room.py    writes astronaut_empty.png beside astronaut.png
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Colours = NDArray[np.float32]

FOLDER = Path(__file__).resolve().parents[1] / "app" / "assets"
SIDE = 512

# Where things are in the photo, found by eye: x0 y0  x1 y1 ...
PERSON = """153 80  160 50  190 25  225 14  262 22  290 45  302 85  285 118  272 140  265 172  300 210  306 238  330 252
    352 285  363 330  363 350  400 340  450 355  490 395  500 450  512 455  512 512  20 512  18 440  22 380  40 290
    60 262  95 225  112 205  112 185  130 165  160 150  184 150  182 135  170 118  156 105"""
FLAG = "0 0  44 0  62 90  78 130  96 225  104 330  112 512  0 512"
TABLE = "367 283  512 272  512 512  367 512"
SHUTTLE = "352 0  482 0  482 290  352 290"
STRAP = "106 172  124 172  124 202  106 202"
"""A bit of the suit's ring that GrabCut takes for wall."""
TANK = (402, 433, 12)
"""x0, x1: where the tank of the model leaves the photo; and how far its tip would rise above it."""
MARGIN_X, MARGIN_Y = 90, 45
"""How far the room goes on beyond the photo; the same as in app/capture/demo.py."""
STRIPES = np.array([1.0, 0.85])
"""(x, y): the direction of the flag's stripes."""


def polygon(corners: str) -> Mask:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.array(corners.split(), np.int32).reshape(-1, 2)], 1)
    return mask > 0


def grown(mask: Mask, size: int) -> Mask:
    return (
        cv2.dilate(
            mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        )
        > 0
    )


def soft(mask: Mask, sigma: float) -> Colours:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma), np.float32)[
        ..., None
    ]


def find_person(photo: NDArray[np.uint8]) -> Mask:
    """The person and the helmet, with a margin: the rough outline made exact by GrabCut."""
    outline = polygon(PERSON)
    labels: NDArray[np.uint8] = np.full(outline.shape, cv2.GC_BGD, np.uint8)
    labels[grown(outline, 15)] = cv2.GC_PR_BGD
    labels[outline] = cv2.GC_PR_FGD
    labels[~grown(~outline, 25)] = cv2.GC_FGD
    cv2.setRNGSeed(0)
    cv2.grabCut(
        photo,
        labels,
        (0, 0, SIDE, SIDE),
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        6,
        cv2.GC_INIT_WITH_MASK,
    )
    return grown((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), 15) | polygon(STRAP)


def spread(photo: NDArray[np.uint8], known: Mask, sigmas: Sequence[float]) -> Colours:
    """The known colours spread smoothly over the rest: of blurs of rising width, the first that
    reaches a place.
    """
    out = np.zeros(photo.shape, np.float32)
    done = np.zeros(known.shape, np.float32)
    for sigma in sigmas:
        weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), sigma)
        colour = cv2.GaussianBlur(photo * known[..., None].astype(np.float32), (0, 0), sigma)
        share = np.clip(weight * 4, 0, 1) * (1 - done)
        out += (share / np.maximum(weight, 1e-6))[..., None] * colour
        done += share
    return np.asarray(out / np.maximum(done, 1e-6)[..., None], np.float32)


def mottled() -> Colours:
    """Clouds of brightness like those of the painted wall, and some grain."""
    rng = np.random.default_rng(1)
    clouds = np.zeros((SIDE, SIDE), np.float32)
    for sigma, strength in ((14, 5.0), (5, 2.0), (0.8, 2.0)):
        cloud = cv2.GaussianBlur(
            rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), sigma
        )
        clouds += cloud / cloud.std() * strength
    return clouds[..., None]


def continue_flag(photo: NDArray[np.uint8], filled: Colours, flag: Mask, person: Mask) -> None:
    """Let the flag go on behind the arm: mirrored along its stripes where there is enough of it."""
    filled[flag & ~person] = photo[flag & ~person]
    for y, x in np.argwhere(flag & person):
        here = np.array([x, y])
        steps = [(here - k * STRIPES).astype(int) for k in range(SIDE)]
        free = [k for k, (sx, sy) in enumerate(steps) if sx >= 0 and sy >= 0 and not person[sy, sx]]
        if not free:
            filled[y, x] = filled[y - 1, x]
            continue
        mirrored = 2 * free[0]
        sx, sy = steps[mirrored if mirrored in free else free[-1]]
        filled[y, x] = photo[sy, sx]


def widened(room: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The room mirrored outward, but for the tank at the upper edge, which gets a tip and wall
    above it.
    """
    wide = np.pad(room, ((MARGIN_Y, MARGIN_Y), (MARGIN_X, MARGIN_X), (0, 0)), mode="reflect")
    left, right, height = TANK
    centre, half = (left + right) / 2, (right - left) / 2
    shift = 3 * (right - left)  # the wall to the left of the model
    columns = np.arange(left - 14, right + 14)
    across = np.linspace(0, 1, len(columns))[:, None]
    smooth = cv2.GaussianBlur(room, (0, 0), 3)
    for above in range(1, MARGIN_Y + 1):
        grain = room[above, columns - shift].astype(np.float32) - smooth[above, columns - shift]
        source = (
            smooth[above, columns[0]] * (1 - across) + smooth[above, columns[-1]] * across + grain
        )
        if above < height:
            narrow = np.sqrt(1 - (above / height) ** 2)
            inside = np.clip(half * narrow - np.abs(columns - centre) + 0.5, 0, 1)[:, None]
            squeezed = centre + np.clip((columns - centre) / narrow, 1 - half, half - 1)
            source = source * (1 - inside) + room[0, squeezed.astype(int)] * inside
        wide[MARGIN_Y - above, MARGIN_X + columns] = source.round().clip(0, 255)
    return wide


def main() -> None:
    photo = np.asarray(cv2.imread(str(FOLDER / "astronaut.png")), np.uint8)
    person, flag, table, shuttle = (
        find_person(photo),
        polygon(FLAG),
        polygon(TABLE),
        polygon(SHUTTLE),
    )
    wall = ~(person | grown(flag, 13) | grown(table, 9) | grown(shuttle, 5))
    wall_only = spread(photo, wall, (12, 24, 48, 96, 200)) + mottled()
    filled = wall_only.copy()
    continue_flag(photo, filled, flag, person)
    cloth = soft(flag, 1.0)
    filled = filled * cloth + wall_only * (1 - cloth)
    front = soft(table, 1.0)
    filled = filled * (1 - front) + spread(photo, table & ~person & ~shuttle, (10, 40, 120)) * front
    edge = soft(~grown(~person, 7), 2.0)
    edge[~person] = 0  # outside the person the room is the photo, to the bit
    room = photo * (1 - edge) + filled * edge
    cv2.imwrite(
        str(FOLDER / "astronaut_empty.png"), widened(room.round().clip(0, 255).astype(np.uint8))
    )


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
