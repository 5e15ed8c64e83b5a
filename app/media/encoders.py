"""H.264 encoders: how each is configured, and which works on this machine."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError

log = logging.getLogger(__name__)

PIXELS_PER_THREAD = 1280 * 720 * 45
"""Pixels per second that one thread of x264 encodes in a recording."""
MOST_THREADS = 4
HARDWARE = ("videotoolbox", "nvenc", "qsv", "vaapi")
"""In the order in which `auto` tries them."""
NAMES = ("auto", "x264", *HARDWARE)


@dataclass(frozen=True, slots=True)
class VideoEncoder:
    """An encoder of FFmpeg and its configuration."""

    name: str
    """One of `NAMES` except `auto`."""
    codec: str
    """FFmpeg's name."""
    options: Mapping[str, str] = field(default_factory=dict)
    pixel_format: str = "yuv420p"
    bit_rate: int | None = None
    """Bits per second, for encoders that have no constant quality."""
    live: bool = False
    """Holds no frames back; keyframes are requested by time, because the frame rate varies."""


def file_encoder(preset: str, crf: int) -> VideoEncoder:
    """Return x264 for files that are not written in real time. preset, crf: speed and quality."""
    return VideoEncoder("x264", "libx264", {"preset": preset, "crf": str(crf)})


def live_encoder(
    wanted: str, width: int, height: int, rate: Fraction, works: Callable[[VideoEncoder, int, int], bool] | None = None
) -> VideoEncoder:
    """Return the encoder for a recording: `wanted` if it works here, else x264; for `auto` the first that works.

    works: whether frames of (width, height) can be encoded; replaced in tests.
    """
    works = works or encodes
    candidates = HARDWARE if wanted == "auto" else (wanted,)
    for name in candidates:
        if name != "x264":
            encoder = _hardware(name, width, height, rate)
            if works(encoder, width, height):
                return encoder
    return _live_x264(width, height, rate)


def encodes(encoder: VideoEncoder, width: int, height: int) -> bool:
    """Return whether the encoder opens and encodes a frame of this size on this machine."""
    try:
        context = av.VideoCodecContext.create(encoder.codec, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height = width, height
        context.pix_fmt = encoder.pixel_format
        context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
        context.options = dict(encoder.options)
        if encoder.bit_rate is not None:
            context.bit_rate = encoder.bit_rate
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format=encoder.pixel_format)
        frame.pts, frame.time_base = 0, Fraction(1, 30)
        return bool([*context.encode(frame), *context.encode(None)])
    except (FFmpegError, UnknownCodecError, OSError, ValueError) as error:
        log.info("The encoder %s does not work here: %s", encoder.codec, error)
        return False


def _live_x264(width: int, height: int, rate: Fraction) -> VideoEncoder:
    # Without lookahead and B-frames, every frame reaches the file at once, however rarely new ones come.
    # With at least two threads, slices are encoded on x264's own threads, which may have another priority.
    needed = math.ceil(width * height * rate / PIXELS_PER_THREAD)
    threads = max(2, min(MOST_THREADS, os.cpu_count() or 1, needed))
    # Of the preset superfast, only motion search by quarter pixels and the deblocking filter are worth their time.
    parameters = f"subme=1:deblock=0,0:bframes=0:rc-lookahead=0:sync-lookahead=0:sliced-threads=1:threads={threads}"
    return VideoEncoder("x264", "libx264", {"preset": "ultrafast", "crf": "22", "x264-params": parameters}, live=True)


def _hardware(name: str, width: int, height: int, rate: Fraction) -> VideoEncoder:
    options = {
        "nvenc": {"preset": "p4", "tune": "ll", "rc": "vbr", "cq": "23", "delay": "0", "forced-idr": "1"},
        "qsv": {"preset": "veryfast", "global_quality": "23", "async_depth": "1", "forced_idr": "1"},
        "videotoolbox": {"realtime": "1"},
        "vaapi": {},
    }
    bit_rate = None if name in ("nvenc", "qsv") else round(width * height * rate * Fraction(1, 8))
    pixel_format = "nv12" if name == "qsv" else "yuv420p"
    return VideoEncoder(name, f"h264_{name}", options[name], pixel_format, bit_rate, live=True)
