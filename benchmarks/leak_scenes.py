"""Sequences with known truth for `bench_leak`, made from cut-outs, photos, rooms, clips and the
demo source.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.capture.demo import DemoSource
from app.core.types import AlphaImage
from benchmarks.leak_people import composited_scenes, usable_cutouts
from benchmarks.leak_samples import NOISE_SIGMA, Sample, Scene, files, filling, read_image

SIZE = (640, 360)
OPAQUE = 255
CLIP_FRAMES = 45
CLIP_BACKGROUND = ((0.0, 0.15, 0.0, 1.0), (0.77, 0.92, 0.0, 0.55), (0.15, 0.77, 0.0, 0.04))
"""Parts of the webcam clips where nobody ever is, checked by eye: left, right, top, bottom as
shares of the frame.
"""
MASK_MARGIN_PX = 6
"""Masks made by people are this inaccurate; the band around them is not judged."""
PORTRAITS = "vik"
"""Start of the names of masks that belong to portraits."""
PHOTO_AREA = (0.12, 0.7)
"""Photos are used where the person covers a share of the frame within these bounds."""


def scenes(
    data: Path, size: tuple[int, int] = SIZE, quick: bool = False, draw: int = 0
) -> tuple[list[Scene], list[str]]:
    """Return the scenes that the folder allows, and one sentence for each part of the data that is
    absent.

    draw: which people, rooms and noise the composited sequences get; the other scenes are the same
    in every draw.
    """
    found: list[Scene] = [demo_scene(True, size), demo_scene(False, size)]
    absent: list[str] = []
    cutouts, rooms = (
        files(data / "train/cutouts", ".png"),
        files(data / "train-clean/rooms", ".jpg"),
    )
    if cutouts and rooms:
        found += composited_scenes(usable_cutouts(cutouts), rooms, size, quick, draw)
    else:
        absent.append(
            f"No cut-outs or rooms in {data}: composited sequences and empty rooms are not "
            "measured."
        )
    photos = _photos(data / "train", 6 if quick else 16)
    found += [
        Scene(f"photo {path.stem}", partial(_photo, path, mask, size)) for path, mask in photos
    ]
    if not photos:
        absent.append(f"No photos with masks in {data}: photos are not measured.")
    clips = files(data / "clips", ".mkv")
    found += [
        Scene(f"clip {path.stem}", partial(_clip, path)) for path in (clips[:2] if quick else clips)
    ]
    if not clips:
        absent.append(f"No webcam clips in {data}: real clips are not measured.")
    return found, absent


def demo_scene(empty: bool, size: tuple[int, int]) -> Scene:
    """Return the demo source without its person (empty), or with it: then only the empty margin is
    known.
    """
    return Scene("demo empty" if empty else "demo", partial(_demo, empty, size))


def _photos(train: Path, count: int) -> list[tuple[Path, Path]]:
    """Photos with one person in front of much background, and their masks."""
    found = []
    for mask in (
        path for path in files(train / "masks", ".png") if path.stem.startswith(PORTRAITS)
    ):
        photo = train / "portraits" / f"{mask.stem}.jpg"
        truth = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
        if truth is None or not photo.exists():
            continue
        area = float((truth > 127).mean())
        if PHOTO_AREA[0] < area < PHOTO_AREA[1] and _one_piece(truth > 127):
            found.append((photo, mask))
    return found[:: max(1, len(found) // count)][:count]


def _one_piece(mask: NDArray[np.bool_]) -> bool:
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return bool(statistics[1:, cv2.CC_STAT_AREA].max() > 0.98 * mask.sum())


def _photo(photo: Path, mask: Path, size: tuple[int, int]) -> Iterator[Sample]:
    """A photo as a hand-held camera sees it: everything moves together."""
    image, truth = read_image(photo), np.asarray(cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE))
    image, truth = filling(image, size), filling(truth, size)
    unsure = np.asarray(cv2.dilate(truth, np.ones((2 * MASK_MARGIN_PX + 1,) * 2, np.uint8)))
    random = np.random.default_rng(len(photo.stem))
    width, height = size
    for n in range(14):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0.8 * math.sin(n / 5), 1.06)
        matrix[0, 2] += 6 * math.sin(n / 4)
        matrix[1, 2] += 3 * math.sin(n / 3)
        moved = cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT).astype(
            np.float32
        )
        person = cv2.warpAffine(unsure, matrix, size, borderMode=cv2.BORDER_REFLECT)
        noisy = np.clip(moved + random.normal(0, NOISE_SIGMA, moved.shape) + 0.5, 0, 255).astype(
            np.uint8
        )
        yield Sample(noisy, np.where(person > 0, 255, 0).astype(np.uint8), "photo", exact=False)


def _clip(path: Path) -> Iterator[Sample]:
    capture = cv2.VideoCapture(str(path))
    try:
        for _ in range(CLIP_FRAMES):
            read = capture.read()
            if not read[0]:
                return
            image = np.asarray(read[1], np.uint8)
            yield Sample(
                image, _clip_truth(image.shape[1], image.shape[0]), "real clip", exact=False
            )
    finally:
        capture.release()


def _clip_truth(width: int, height: int) -> AlphaImage:
    truth = np.full((height, width), OPAQUE, np.uint8)
    for left, right, top, bottom in CLIP_BACKGROUND:
        truth[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = 0
    return truth


def _demo(empty: bool, size: tuple[int, int]) -> Iterator[Sample]:
    """With a person, the left quarter of the demo's upper half is known to be background."""
    width, height = size
    source = DemoSource(width, height, 30.0, realtime=False, empty_scene_s=2.0 if empty else 0.0)
    truth = np.zeros((height, width), np.uint8)
    if not empty:
        truth[:] = OPAQUE
        truth[: height // 2, : width // 6] = 0
    for n in range(40):
        yield Sample(source.render(n), truth, "empty demo room" if empty else "demo", exact=False)
