"""The YUV colours of cameras.

What their drivers say, and conversion where OpenCV would take another kind.

OpenCV converts every YUV format as BT.601 of limited range, and JPEG is BT.601 of full range.
Grabbers for HDMI often send BT.709 or the full range: colours are then up to 20 levels off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.media.frame_filters import BT2020_MATRIX, FrameConverter
from app.system.v4l2 import CapturedKind


class YuvColours(NamedTuple):
    """How YUV values encode colours."""

    # A `Colorspace`, or another number of FFmpeg's AVColorSpace.
    matrix: int
    # Brightness from 0 to 255; otherwise from 16 to 235.
    is_full_range: bool


BT601 = YuvColours(Colorspace.ITU601, is_full_range=False)
JPEG = YuvColours(Colorspace.ITU601, is_full_range=True)
BT709 = YuvColours(Colorspace.ITU709, is_full_range=False)
# The values of the setting, but `auto`.
NAMED: Mapping[str, YuvColours] = {
    "bt601": BT601,
    "bt601-full": JPEG,
    "bt709": BT709,
    "bt709-full": YuvColours(Colorspace.ITU709, is_full_range=True),
}

# Weights of red and blue in the brightness.
_WEIGHTS = {
    Colorspace.ITU601: (0.299, 0.114),
    Colorspace.ITU709: (0.2126, 0.0722),
    Colorspace.SMPTE240M: (0.212, 0.087),
    BT2020_MATRIX: (0.2627, 0.0593),
}

# V4L2_COLORSPACE_*, V4L2_YCBCR_ENC_* and V4L2_QUANTIZATION_*
_JPEG_SPACE = 7
# By the colour space where the encoding is left to it (V4L2_MAP_YCBCR_ENC_DEFAULT).
_ENCODING_OF_SPACE = {
    2: Colorspace.SMPTE240M,
    3: Colorspace.ITU709,
    10: BT2020_MATRIX,
    12: Colorspace.ITU709,
}
_ENCODINGS = {
    1: Colorspace.ITU601,
    2: Colorspace.ITU709,
    3: Colorspace.ITU601,
    4: Colorspace.ITU709,
    6: BT2020_MATRIX,
    7: BT2020_MATRIX,
    8: Colorspace.SMPTE240M,
}
_FULL_RANGE = 1
_LIMITED_RANGE = 2

# By enum spa_video_color_matrix.
_PIPEWIRE_MATRICES = {3: Colorspace.ITU709, 5: Colorspace.SMPTE240M, 6: BT2020_MATRIX}
# In enum spa_video_color_range.
_PIPEWIRE_FULL_RANGE = 1

_PACKED = ("YUYV", "UYVY")
_PLANAR = ("NV12", "YU12")


def declared(kind: CapturedKind) -> YuvColours:
    """Return the colours that a driver declares.

    What it leaves open follows from the colour space, as V4L2 says.
    """
    usual = _ENCODING_OF_SPACE.get(kind.colorspace, Colorspace.ITU601)
    matrix = _ENCODINGS.get(kind.ycbcr_encoding, usual)
    if kind.quantization in (_FULL_RANGE, _LIMITED_RANGE):
        return YuvColours(matrix, kind.quantization == _FULL_RANGE)
    return YuvColours(matrix, kind.colorspace == _JPEG_SPACE)


def declared_in_pipewire(matrix: int, colour_range: int) -> YuvColours:
    """Return the colours that a camera of PipeWire declares, in PipeWire's numbers."""
    return YuvColours(
        _PIPEWIRE_MATRICES.get(matrix, Colorspace.ITU601),
        colour_range == _PIPEWIRE_FULL_RANGE,
    )


def takes_raw(fourcc: str) -> bool:
    """Return whether undecoded frames of a pixel format can be converted here."""
    return fourcc in (*_PACKED, *_PLANAR)


class RawConverter:
    """Converts undecoded frames of one pixel format. Used on one thread."""

    def __init__(self, fourcc: str, colours: YuvColours) -> None:
        """fourcc: one that `takes_raw`."""
        self._fourcc = fourcc
        self._colours = colours
        self._converter = FrameConverter()

    def to_bgr(self, raw: NDArray[np.uint8]) -> BgrImage | None:
        """Return (height, width, 3) uint8 BGR.

        None if the array does not have the shape of the format.

        raw: (height, width, 2) of a packed format, (height * 3 / 2, width) of another one, with a
        last axis of 1 or without one.
        """
        is_packed = raw.ndim == 3 and raw.shape[2] == 2
        if is_packed is not (self._fourcc in _PACKED):
            return None
        try:
            frame = self._packed(raw) if is_packed else self._planar(raw)
        except ValueError:  # an odd size
            return None
        frame.color_range = ColorRange.MPEG
        if self._colours.is_full_range:
            frame.color_range = ColorRange.JPEG
        converted = self._converter.in_format(frame, "bgr24", matrix=self._colours.matrix)
        return np.asarray(converted.to_ndarray(), np.uint8)

    def _packed(self, raw: NDArray[np.uint8]) -> VideoFrame:
        if self._fourcc == "UYVY":
            raw = raw[..., ::-1]  # each pair of bytes the other way round is YUYV
        return VideoFrame.from_ndarray(np.ascontiguousarray(raw), "yuyv422")

    def _planar(self, raw: NDArray[np.uint8]) -> VideoFrame:
        raw = raw.reshape(raw.shape[0], -1)
        if self._fourcc == "NV12":
            rows = raw.shape[0] * 2 // 3
            u = raw[rows:, 0::2]
            v = raw[rows:, 1::2]
            chroma = np.concatenate([u.reshape(-1), v.reshape(-1)])
            raw = np.concatenate([raw[:rows].reshape(-1), chroma]).reshape(raw.shape)
        return VideoFrame.from_ndarray(np.ascontiguousarray(raw), "yuv420p")


def reinterpreted(image: BgrImage, assumed: YuvColours, actual: YuvColours) -> BgrImage:
    """Return a frame whose YUV values were converted as `assumed`, as if they had been as `actual`.

    What was clipped is lost. image: (height, width, 3) uint8 BGR.
    """
    if assumed == actual:
        return image
    matrix = np.linalg.inv(_to_yuv(actual)) @ _to_yuv(assumed)
    return np.asarray(cv2.transform(image, matrix[:3]), np.uint8)


def _to_yuv(colours: YuvColours) -> NDArray[np.float64]:
    """Return the matrix (4, 4) from blue, green, red and 1, of 0 to 255, to the values Y, U, V and
    1.
    """
    red, blue = _WEIGHTS[colours.matrix]
    brightness = np.array([blue, 1 - red - blue, red, 0])
    u = (np.array([1, 0, 0, 0]) - brightness) / (2 * (1 - blue))
    v = (np.array([0, 0, 1, 0]) - brightness) / (2 * (1 - red))
    # The limited range has 219 steps of brightness from 16 on, and 224 of each colour (BT.601).
    black = 16
    luma_scale = 219 / 255
    chroma_scale = 224 / 255
    if colours.is_full_range:
        black = 0
        luma_scale = 1
        chroma_scale = 1
    rows = np.stack([brightness * luma_scale, u * chroma_scale, v * chroma_scale, np.zeros(4)])
    rows[:, 3] = (black, 128, 128, 1)
    return rows
