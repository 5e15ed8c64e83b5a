"""Animated WebP files, which FFmpeg does not read, as a video in memory that it does."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

MAX_BYTES = 1 << 29
"""Of all frames decoded; longer animations are refused."""
MILLISECOND = Fraction(1, 1000)
USUAL_MS = 100
"""Duration of a frame that names none, as in web browsers."""


def is_animated_webp(path: Path) -> bool:
    """Return whether a file is an animated WebP image. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(21)
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) == 21 and bool(head[20] & 2)


def as_video(path: Path) -> io.BytesIO:
    """Return an animated WebP file as lossless video with alpha.

    Raises OSError or ValueError for one that is damaged or too large.
    """
    try:
        changed = path.stat()
        return io.BytesIO(_encoded(path, changed.st_size, changed.st_mtime_ns))
    except (EOFError, RuntimeError, SyntaxError, MemoryError) as error:
        raise ValueError(str(error)) from error


@lru_cache(maxsize=1)
def _encoded(path: Path, size: int, time_ns: int) -> bytes:
    """size, time_ns: of the file, which a film opens several times."""
    video = io.BytesIO()
    with Image.open(path, formats=("WEBP",)) as image, av.open(video, "w", format="matroska") as container:
        count = getattr(image, "n_frames", 1)
        if image.width * image.height * 4 * count > MAX_BYTES:
            raise ValueError(f"{count} frames of {image.width}x{image.height}")
        stream = container.add_stream("ffv1", rate=round(1 / (USUAL_MS * MILLISECOND)))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = image.width, image.height, "bgra", MILLISECOND
        stream.codec_context.time_base = MILLISECOND
        at_ms = 0
        for number in range(count):
            image.seek(number)
            rgba = np.asarray(image.convert("RGBA"))
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgba[..., [2, 1, 0, 3]]), "bgra")
            frame.pts, frame.time_base = at_ms, MILLISECOND
            duration_ms = int(image.info.get("duration", 0)) or USUAL_MS
            for packet in stream.encode(frame):
                packet.duration = duration_ms
                container.mux(packet)
            at_ms += duration_ms
        container.mux(stream.encode(None))
    return video.getvalue()
