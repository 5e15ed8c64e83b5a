"""Pack training images and clips with the teacher's output.

A cache holds four packs (see `training.store`): people.{u8,json}, RGB, foreground and alpha (7
channels) of each photo and cut-out; views.{u8,json}, the same for photos cropped as by a webcam;
clips.{u8,json}, for each frame of each clip; backgrounds.{u8,json}, RGB.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from training.matte import DISAGREE, corrected, decided, judge
from training.progress import track
from training.sources import HELD_OUT_CLIPS, Picture, list_pictures, read_image, to_rgb
from training.store import CUTOUT, PackWriter
from training.views import PhotoTeacher, pack_views

Pixels = npt.NDArray[np.uint8]

CLIP_SIZE = (384, 288)
"""(width, height) at which the frames of 4:3 clips are matted and kept."""
SETTLING_PASSES = 2
"""Passes over a photo, so that the teacher's recurrent state settles."""


class Teacher(PhotoTeacher, Protocol):
    """Interface of `training.teacher.Teacher` and `training.torch_teacher.TorchTeacher`."""

    def reset(self) -> None:
        """Reset the recurrent state; call between videos."""

    def frame(self, rgb: Pixels) -> tuple[Pixels, Pixels]:
        """Return foreground (H, W, 3) and alpha (H, W, 1), uint8, of the next frame, uint8 (H, W,
        3) RGB.
        """


def listed_pictures(folders: list[Path], *, clean: bool = False) -> list[Picture]:
    """Return the pictures of all folders in a fixed random order. clean: only those with a stated
    free licence.
    """
    listed = [
        picture
        for folder in folders
        for picture in list_pictures(folder)
        if picture.clean or not clean
    ]
    random.Random(0).shuffle(listed)
    return listed


def pack_all(folder: Path, pictures: list[Picture], clips: list[Path], teacher: Teacher) -> None:
    """Write the packs of a cache to `folder`."""
    cv2.setNumThreads(1)
    _pack_backgrounds(folder / "backgrounds", [p for p in pictures if p.kind == "background"])
    _pack_clips(folder / "clips", clips, teacher)
    people = [p for p in pictures if p.kind != "background"]
    _pack_people(folder / "people", people, teacher)
    pack_views(folder, people, teacher)


def _pack_backgrounds(path: Path, pictures: list[Picture]) -> None:
    with PackWriter(path) as pack:
        for picture in track(pictures, "backgrounds"):
            pack.add(
                to_rgb(read_image(picture.path)),
                picture.name,
                "background",
                validation=picture.validation,
            )


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
                pack.add(
                    layers,
                    f"{clip.stem}:{index}",
                    clip.stem,
                    validation=clip.stem in HELD_OUT_CLIPS,
                )
                index += 1
            pack.flush()


def _pack_people(path: Path, pictures: list[Picture], teacher: Teacher) -> None:
    with PackWriter(path) as pack:
        for picture in track(pictures, "people"):
            if picture.kind == "cutout":
                bgra = read_image(picture.path, cv2.IMREAD_UNCHANGED)
                layers = np.concatenate(
                    [to_rgb(bgra[..., :3]), to_rgb(bgra[..., :3]), bgra[..., 3:]], 2
                )
                pack.add(
                    layers,
                    picture.name,
                    CUTOUT,
                    validation=picture.validation,
                    composable=True,
                    usable=False,
                )
                continue
            rgb = to_rgb(read_image(picture.path))
            foreground, alpha = teacher.photo(rgb, SETTLING_PASSES)
            agreement = 1.0
            if picture.mask is not None:
                alpha, agreement = corrected(
                    alpha[..., 0], read_image(picture.mask, cv2.IMREAD_GRAYSCALE)
                )
            usable, composable = judge(alpha[..., 0])
            alpha = decided(alpha)
            pack.add(
                np.concatenate([rgb, foreground, alpha], 2),
                picture.name,
                picture.source,
                validation=picture.validation,
                composable=composable and agreement >= DISAGREE,
                usable=usable and agreement >= DISAGREE,
                masked=picture.mask is not None,
            )
