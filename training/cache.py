"""Runs the teacher once over all pictures and clips and packs what it says: `python -m training.cache`.

The cache holds three packs (see `training.store`): people.{u8,json}, RGB, foreground and alpha (7 channels) of each
photo and cut-out; clips.{u8,json}, the same of each frame of each clip; backgrounds.{u8,json}, RGB.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
import typer
from platformdirs import user_cache_path
from rich.progress import track

from app.errors import SourceOpenError
from training.sources import VALIDATION_CLIPS, Picture, list_pictures
from training.store import PackWriter
from training.teacher import Teacher

Pixels = npt.NDArray[np.uint8]

CLIP_SIZE = (384, 288)
"""(width, height) at which the frames of 4:3 clips are matted and kept."""

_FLUSH_EVERY = 200
_AGREE = 0.85
_DISAGREE = 0.5


def default_cache() -> Path:
    """The user's cache folder for training data."""
    return user_cache_path("mattecam", appauthor=False) / "training"


def main(
    pictures: Annotated[Path, typer.Option(help="Folder with index.tsv, portraits/, masks/, cutouts/, backgrounds/.")],
    weights: Annotated[Path, typer.Option(help="The teacher: a checkpoint of RVM MobileNetV3.")],
    clips: Annotated[Path | None, typer.Option(help="Folder with clips of people, as videos.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for the cache.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads of the teacher.")] = 2,
) -> None:
    """Runs the teacher once over all pictures and clips, for `python -m training.train` to learn from."""
    folder = cache or default_cache()
    cv2.setNumThreads(1)
    listed = list_pictures(pictures)
    random.Random(0).shuffle(listed)
    teacher = Teacher(weights, threads)
    _pack_backgrounds(folder / "backgrounds", [p for p in listed if p.kind == "background"])
    if clips is not None:
        _pack_clips(folder / "clips", sorted(clips.iterdir()), teacher)
    _pack_people(folder / "people", [p for p in listed if p.kind != "background"], teacher)


def _pack_backgrounds(path: Path, pictures: list[Picture]) -> None:
    with PackWriter(path) as pack:
        for picture in track(pictures, "backgrounds"):
            pack.add(_rgb(_read(picture.path)), picture.name, "background", validation=picture.validation)


def _pack_clips(path: Path, clips: list[Path], teacher: Teacher) -> None:
    with PackWriter(path) as pack:
        for clip in track(clips, "clips"):
            video = cv2.VideoCapture(str(clip))
            teacher.reset()
            index = 0
            while True:
                more, bgr = video.read()
                if not more:
                    break
                rgb = _rgb(cv2.resize(bgr, CLIP_SIZE, interpolation=cv2.INTER_AREA))
                layers = np.concatenate([rgb, *teacher.frame(rgb)], 2)
                pack.add(layers, f"{clip.stem}:{index}", clip.stem, validation=clip.stem in VALIDATION_CLIPS)
                index += 1
            pack.flush()


def _pack_people(path: Path, pictures: list[Picture], teacher: Teacher) -> None:
    with PackWriter(path) as pack:
        for index, picture in enumerate(track(pictures, "people")):
            if index % _FLUSH_EVERY == 0:
                pack.flush()
            if picture.kind == "cutout":
                bgra = _read(picture.path, cv2.IMREAD_UNCHANGED)
                layers = np.concatenate([_rgb(bgra[..., :3]), _rgb(bgra[..., :3]), bgra[..., 3:]], 2)
                pack.add(layers, picture.name, "cutout", validation=picture.validation, composable=True, usable=False)
                continue
            rgb = _rgb(_read(picture.path))
            foreground, alpha = teacher.photo(rgb)
            agreement = 1.0
            if picture.mask is not None:
                alpha, agreement = corrected(alpha[..., 0], _read(picture.mask, cv2.IMREAD_GRAYSCALE))
            usable, composable = judge(alpha[..., 0])
            pack.add(
                np.concatenate([rgb, foreground, alpha], 2),
                picture.name,
                picture.source,
                validation=picture.validation,
                composable=composable and agreement >= _DISAGREE,
                usable=usable and agreement >= _DISAGREE,
            )


def corrected(alpha: Pixels, mask: Pixels) -> tuple[Pixels, float]:
    """The teacher's alpha (H, W) where a person's mask agrees, else drawn towards the mask; and their agreement.

    The agreement is the intersection over union at one half. Where it is low, what lies well outside the mask becomes
    background and what lies well inside it becomes foreground. Returns uint8 (H, W, 1) and 0..1.
    """
    height, width = alpha.shape
    inside = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 127
    person = alpha > 127
    union = int((inside | person).sum())
    agreement = int((inside & person).sum()) / union if union else 1.0
    if agreement < _AGREE:
        reach = max(3, round(0.03 * max(height, width))) | 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        core = cv2.erode(inside.astype(np.uint8), kernel) > 0
        near = cv2.dilate(inside.astype(np.uint8), kernel) > 0
        alpha = np.where(core, np.uint8(255), np.where(near, alpha, np.uint8(0)))
    return alpha[..., None], agreement


def judge(alpha: Pixels) -> tuple[bool, bool]:
    """(usable as it is, good enough to cut out) of the teacher's alpha, uint8 (H, W).

    Not usable: nobody found, or much of the person half transparent, or in many pieces.
    """
    person = (alpha > 127).astype(np.uint8)
    area = int(person.sum())
    if area < 0.02 * alpha.size:
        return False, False
    value = alpha.astype(np.float32) / 255
    doubt = float((value * (1 - value)).sum()) * 4 / area
    _, _, stats, _ = cv2.connectedComponentsWithStats(person, connectivity=4)
    largest = int(stats[1:, cv2.CC_STAT_AREA].max()) / area
    return doubt < 0.25 and largest > 0.6, doubt < 0.12 and largest > 0.9


def _read(path: Path, mode: int = cv2.IMREAD_COLOR) -> Pixels:
    """The image in the order of channels that OpenCV has: BGR, BGRA or grey."""
    image = cv2.imread(str(path), mode)
    if image is None:
        raise SourceOpenError(f"{path} is no image that can be read; remove it or its line in index.tsv.")
    return np.asarray(image, np.uint8)


def _rgb(bgr: npt.NDArray[np.generic]) -> Pixels:
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)


if __name__ == "__main__":
    typer.run(main)
