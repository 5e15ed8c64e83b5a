"""Reading alpha sequences: videos, or folders of images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from app.core.errors import SourceOpenError, UsageError
from app.media.video_input import VideoError
from app.media.video_reader import VideoReader
from training.metrics import Alpha

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
VIDEOS = frozenset({".mkv", ".mp4", ".mov", ".avi", ".webm", ".m4v"})


def find_clips(path: Path) -> dict[str, Path]:
    """Return the alpha sequences at `path`, by name.

    A video, or a folder of images, is one sequence, named "". Other folders hold sequences of both kinds.
    Raises UsageError if there is none.
    """
    if path.is_file():
        if path.suffix.lower() not in VIDEOS:
            raise UsageError(f"{path} is neither a video nor a folder of images; give one of these.")
        return {"": path}
    if not path.is_dir():
        raise UsageError(f"{path} does not exist; give a video or a folder of alpha images.")
    if _images(path):
        return {"": path}
    clips = {
        entry.stem: entry
        for entry in sorted(path.iterdir())
        if (entry.is_dir() and _images(entry)) or entry.suffix.lower() in VIDEOS
    }
    if not clips:
        raise UsageError(f"{path} holds no images, videos or folders of images; give a folder that does.")
    return clips


def read_alphas(path: Path) -> Iterator[Alpha]:
    """Yield the alphas of a video, or of a folder of images sorted by name, float32 (H, W) in 0..1.

    Colours are converted to grey. Raises SourceOpenError if a file cannot be read.
    """
    return _read_images(path) if path.is_dir() else _read_video(path)


def _images(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in IMAGES)


def _read_images(folder: Path) -> Iterator[Alpha]:
    for path in _images(folder):
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
        if image is None:
            raise SourceOpenError(f"{path} is no image that can be read; replace or remove it.")
        yield np.asarray(image / (65535 if image.dtype == np.uint16 else 255), np.float32)


def _read_video(path: Path) -> Iterator[Alpha]:
    try:
        reader = VideoReader(path)
        for _, image in reader.frames():
            yield image.mean(2, dtype=np.float32) / 255
    except VideoError as error:
        raise SourceOpenError(error.text) from error
    if reader.damaged:  # the frames that follow would be compared with others
        raise SourceOpenError(f"{path} is damaged; replace it.")
