"""Run the teacher once over all images and clips and pack its output: `python -m training.cache`.

The cache holds four packs (see `training.store`): people.{u8,json}, RGB, foreground and alpha (7 channels) of each
photo and cut-out; views.{u8,json}, the same for photos cropped as by a webcam; clips.{u8,json}, for each frame of each
clip; backgrounds.{u8,json}, RGB.
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

from training.matte import DISAGREE, corrected, decided, judge
from training.sources import HELD_OUT_CLIPS, Picture, list_pictures, read_image, to_rgb
from training.store import PackWriter
from training.teacher import Teacher
from training.views import pack_views

Pixels = npt.NDArray[np.uint8]

PACKS = ("backgrounds", "clips", "people", "views")

CLIP_SIZE = (384, 288)
"""(width, height) at which the frames of 4:3 clips are matted and kept."""


def default_cache() -> Path:
    """Return the user's cache folder for training data."""
    return user_cache_path("mattecam", appauthor=False) / "training"


def main(
    pictures: Annotated[list[Path], typer.Option(help="Folder with index.tsv and the pictures it lists; repeatable.")],
    weights: Annotated[Path, typer.Option(help="The teacher: a checkpoint of RVM MobileNetV3.")],
    clips: Annotated[Path | None, typer.Option(help="Folder with clips of people, as videos.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for the cache.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads of the teacher.")] = 2,
) -> None:
    """Run the teacher once over all images and clips; `python -m training.train` learns from the result."""
    folder = cache or default_cache()
    cv2.setNumThreads(1)
    listed = [picture for folder_of_pictures in pictures for picture in list_pictures(folder_of_pictures)]
    random.Random(0).shuffle(listed)
    teacher = Teacher(weights, threads)
    _pack_backgrounds(folder / "backgrounds", [p for p in listed if p.kind == "background"])
    _pack_clips(folder / "clips", sorted(clips.iterdir()) if clips else [], teacher)
    people = [p for p in listed if p.kind != "background"]
    _pack_people(folder / "people", people, teacher)
    pack_views(folder, people, teacher)


def _pack_backgrounds(path: Path, pictures: list[Picture]) -> None:
    with PackWriter(path) as pack:
        for picture in track(pictures, "backgrounds"):
            pack.add(to_rgb(read_image(picture.path)), picture.name, "background", validation=picture.validation)


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
                rgb = to_rgb(cv2.resize(bgr, CLIP_SIZE, interpolation=cv2.INTER_AREA))
                layers = np.concatenate([rgb, *teacher.frame(rgb)], 2)
                pack.add(layers, f"{clip.stem}:{index}", clip.stem, validation=clip.stem in HELD_OUT_CLIPS)
                index += 1
            pack.flush()


def _pack_people(path: Path, pictures: list[Picture], teacher: Teacher) -> None:
    with PackWriter(path) as pack:
        for picture in track(pictures, "people"):
            if picture.kind == "cutout":
                bgra = read_image(picture.path, cv2.IMREAD_UNCHANGED)
                layers = np.concatenate([to_rgb(bgra[..., :3]), to_rgb(bgra[..., :3]), bgra[..., 3:]], 2)
                pack.add(layers, picture.name, "cutout", validation=picture.validation, composable=True, usable=False)
                continue
            rgb = to_rgb(read_image(picture.path))
            foreground, alpha = teacher.photo(rgb)
            agreement = 1.0
            if picture.mask is not None:
                alpha, agreement = corrected(alpha[..., 0], read_image(picture.mask, cv2.IMREAD_GRAYSCALE))
            usable, composable = judge(alpha[..., 0])
            alpha = decided(alpha)
            pack.add(
                np.concatenate([rgb, foreground, alpha], 2),
                picture.name,
                picture.source,
                validation=picture.validation,
                composable=composable and agreement >= DISAGREE,
                usable=usable and agreement >= DISAGREE,
            )


if __name__ == "__main__":
    typer.run(main)
