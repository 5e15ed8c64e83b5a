"""Reading alpha sequences: videos, images, or folders of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from app.core.errors import BackgroundError, SourceOpenError, UsageError
from app.core.messages.command_line import EvaluateText
from app.media.image_file import IMAGE_SUFFIXES, read_grey
from app.media.video_input import VideoError
from app.media.video_reader import VideoReader
from app.offline.evaluation.metrics import Alpha
from app.offline.targets import VIDEOS


def find_clips(path: Path) -> dict[str, Path]:
    """Return the alpha sequences at `path`, by name.

    A video, an image, or a folder of images, is one sequence, named "". Other folders hold several sequences.
    Raises UsageError if there is none.
    """
    if path.is_file():
        if path.suffix.lower() not in VIDEOS | IMAGE_SUFFIXES:
            raise UsageError(EvaluateText.OTHER_FILE(file=path))
        return {"": path}
    if not path.is_dir():
        raise UsageError(EvaluateText.ABSENT(file=path))
    if _images(path):
        return {"": path}
    clips = {
        entry.stem: entry
        for entry in sorted(path.iterdir())
        if (entry.is_dir() and _images(entry)) or entry.suffix.lower() in VIDEOS
    }
    if not clips:
        raise UsageError(EvaluateText.EMPTY(folder=path))
    return clips


def read_alphas(path: Path) -> Iterator[Alpha]:
    """Yield the alphas of a video, an image, or a folder of images sorted by name, float32 (H, W) in 0..1.

    Colours are converted to grey. Raises SourceOpenError if a file cannot be read.
    """
    if path.is_dir():
        return _read_images(_images(path))
    return _read_images([path]) if path.suffix.lower() in IMAGE_SUFFIXES else _read_video(path)


def _images(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES)


def _read_images(paths: Sequence[Path]) -> Iterator[Alpha]:
    try:
        yield from map(read_grey, paths)
    except BackgroundError as error:
        raise SourceOpenError(error.text) from error


def _read_video(path: Path) -> Iterator[Alpha]:
    try:
        reader = VideoReader(path)
        for _, image in reader.frames():
            yield image.mean(2, dtype=np.float32) / 255
    except VideoError as error:
        raise SourceOpenError(error.text) from error
    if reader.damaged:  # the frames that follow would be compared with others
        raise SourceOpenError(EvaluateText.DAMAGED(file=path))
