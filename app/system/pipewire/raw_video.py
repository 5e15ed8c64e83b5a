"""Conversion of raw video to BGR."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.system.pipewire.reader import RawFrame
from app.system.pipewire.video_format import PIXEL_BYTES, SUBSAMPLED, Layout

_CODES: dict[Layout, int] = {
    "YUY2": cv2.COLOR_YUV2BGR_YUY2,
    "I420": cv2.COLOR_YUV2BGR_I420,
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "BGRx": cv2.COLOR_BGRA2BGR,
    "BGRA": cv2.COLOR_BGRA2BGR,
    "RGBA": cv2.COLOR_RGBA2BGR,
    "RGB": cv2.COLOR_RGB2BGR,
}


def to_bgr(frame: RawFrame) -> BgrImage | None:
    """Return a frame of any layout but MJPG as (height, width, 3) uint8 BGR; None if it is cut off or padded in a way
    that cannot be read.
    """
    video = frame.video
    planar = video.layout in SUBSAMPLED
    if planar and (video.width % 2 or video.height % 2 or (video.layout == "I420" and frame.stride != video.width)):
        return None
    rows = video.height * 3 // 2 if planar else video.height
    if frame.stride < video.stride or len(frame.data) < frame.stride * (rows - 1) + video.stride:
        return None
    packed = _rows(frame.data, rows, frame.stride)[:, : video.stride]
    shape = (rows, video.width) if planar else (rows, video.width, PIXEL_BYTES[video.layout])
    pixels = np.ascontiguousarray(packed).reshape(shape)
    if video.layout == "BGR":
        return pixels
    return np.asarray(cv2.cvtColor(pixels, _CODES[video.layout]), np.uint8)


def _rows(data: bytes, rows: int, stride: int) -> NDArray[np.uint8]:
    """Return (rows, stride) uint8; the padding of the last row may be missing."""
    flat = np.frombuffer(data, np.uint8)[: rows * stride]
    if flat.size < rows * stride:
        flat = np.concatenate([flat, np.zeros(rows * stride - flat.size, np.uint8)])
    return flat.reshape(rows, stride)
