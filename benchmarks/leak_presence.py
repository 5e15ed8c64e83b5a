"""Sequences of people who must be seen: still people, webcam clips from the first frame on, people
who stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import AlphaImage, BgrImage
from benchmarks.leak_people import DRAW_STRIDE, Cycle, Pose, rendered, usable_cutouts
from benchmarks.leak_samples import NOISE_SIGMA, Sample, Scene, files
from training.held_out import masked_photos

STILL_FRAMES = 24
CLIP_FRAMES = 60
MASK_MARGIN_PX = 6
"""Masks made by people are this inaccurate; what lies nearer to their edge is no person beyond
doubt.
"""
ENTERS, STANDS, LEAVES = 10, 20, 50
"""Frames in which somebody who enters comes into view, stops, and in which the sequence ends."""


def presence_scenes(data: Path, size: tuple[int, int], quick: bool, draw: int) -> list[Scene]:
    """Return the sequences that the folder allows. draw: which people, rooms and noise."""
    found = []
    photos = [
        (
            scene.name,
            np.asarray(scene.frame[..., ::-1], np.uint8),
            np.asarray(255 * scene.mask.astype(np.uint8)),
        )
        for scene in masked_photos([data / "train"])
        if scene.mask is not None and scene.mask.mean() > 0.1
    ]
    count = 4 if quick else 12
    for number in range(min(count, len(photos))):
        name, frame, drawn = photos[(draw * count + number) * DRAW_STRIDE % len(photos)]
        image, mask = (np.asarray(cv2.resize(layer, size), np.uint8) for layer in (frame, drawn))
        found += [
            Scene(
                f"still {'held' if held else 'fixed'} {name}",
                partial(_still, image, mask, size, held, draw),
            )
            for held in (False, True)
        ]
    cutouts, rooms = (
        usable_cutouts(files(data / "train/cutouts", ".png")),
        files(data / "train-clean/rooms", ".jpg"),
    )
    if cutouts and rooms:
        person, room = Cycle(cutouts, 13, draw * DRAW_STRIDE), Cycle(rooms, 17, draw * DRAW_STRIDE)
        found += [
            Scene(f"stands {number}", partial(_standing, person.next(), room.next(), size, number))
            for number in range(2 if quick else 6)
        ]
    if not draw:
        found += [
            Scene(f"whole {path.stem}", partial(_clip, path))
            for path in files(data / "clips", ".mkv")
        ]
    return found


def _still(
    image: BgrImage, mask: AlphaImage, size: tuple[int, int], held: bool, seed: int
) -> Iterator[Sample]:
    """Somebody who holds quite still before a camera that stands, or that a hand holds."""
    random = np.random.default_rng(seed)
    sure = np.asarray(cv2.erode(mask, np.ones((2 * MASK_MARGIN_PX + 1,) * 2, np.uint8)), np.uint8)
    width, height = size
    for n in range(STILL_FRAMES):
        matrix = cv2.getRotationMatrix2D(
            (width / 2, height / 2), held * 0.5 * math.sin(n / 5), 1.04
        )
        matrix[0, 2] += held * 4 * math.sin(n / 4)
        matrix[1, 2] += held * 2 * math.sin(n / 3)
        moved = cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT).astype(
            np.float32
        )
        person = cv2.warpAffine(sure, matrix, size, borderMode=cv2.BORDER_REFLECT)
        noisy = np.clip(moved + random.normal(0, NOISE_SIGMA, moved.shape) + 0.5, 0, 255).astype(
            np.uint8
        )
        case = "still, hand-held camera" if held else "still, fixed camera"
        yield Sample(noisy, np.where(person == 255, 255, 0).astype(np.uint8), case, exact=False)


def _standing(cutout: Path, room: Path, size: tuple[int, int], seed: int) -> Iterator[Sample]:
    """An empty room that somebody enters and then stands in without any motion."""
    side = 1 if seed % 2 else -1

    def motion(n: int) -> Pose | None:
        if n < ENTERS:
            return None
        return Pose(side * max(0.0, 1 - (n - ENTERS) / (STANDS - ENTERS)) * size[0])

    yield from rendered(
        cutout, room, size, 500 + seed, LEAVES, motion, lambda n: "entering and standing"
    )


def _clip(path: Path) -> Iterator[Sample]:
    capture = cv2.VideoCapture(str(path))
    try:
        for _ in range(CLIP_FRAMES):
            read, image = capture.read()
            if not read:
                return
            anything: NDArray[np.uint8] = np.full(image.shape[:2], 255, np.uint8)
            yield Sample(
                np.asarray(image, np.uint8), anything, "clip from the first frame", exact=False
            )
    finally:
        capture.release()
