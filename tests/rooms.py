"""The room of the development clips without its person."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from app.core.types import AlphaImage, BgrImage
from app.matting.plate.engine import person_matte
from app.media.video_reader import VideoReader
from tests.paths import shared

MARGIN = 41


def clip_frames(name: str, count: int) -> list[BgrImage]:
    """About so many frames of a clip, spread over it."""
    frames = [image for _, image in VideoReader(shared(f"clips/{name}.mkv")).frames()]
    return frames[:: max(1, len(frames) // count)]


def person(frame: BgrImage) -> AlphaImage:
    """The bundled network's matte at the frame's size."""
    height, width = frame.shape[:2]
    return np.asarray(cv2.resize(person_matte(frame), (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def empty_room(frames: Sequence[BgrImage]) -> BgrImage:
    """The clip's room; where its person ever is, the walls around continue."""
    somebody = np.max([person(frame) > 20 for frame in frames], axis=0).astype(np.uint8)
    somebody = np.asarray(cv2.dilate(somebody, np.ones((MARGIN, MARGIN), np.uint8)), np.uint8)
    seen = np.median(np.stack(frames), axis=0).astype(np.uint8)
    height, width = seen.shape[:2]
    small = width // 4, height // 4
    filled = cv2.inpaint(
        cv2.resize(seen, small, interpolation=cv2.INTER_AREA),
        cv2.resize(somebody, small, interpolation=cv2.INTER_NEAREST),
        5,
        cv2.INPAINT_TELEA,
    )
    walls = cv2.GaussianBlur(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), (0, 0), 6)
    return np.where(somebody[..., None] > 0, walls, seen).astype(np.uint8)
