"""Encoders of films and recordings: their options, whether they work here, and frames for them.

Films are converted files, and take the time they need; recordings are encoded live.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from app.core.threads import usable_cores
from app.media import yuv
from app.media.frame_filters import FrameConverter, extended
from app.media.video_input import HD_HEIGHT

log = logging.getLogger(__name__)

# Pixels per second that one thread of x264 encodes in a recording.
PIXELS_PER_THREAD = 1280 * 720 * 45
MOST_THREADS = 4
# Options of the encoders of hardware, in the order in which `auto` tries them.
HARDWARE = {
    "videotoolbox": {"realtime": "1"},
    "nvenc": {"preset": "p4", "tune": "ll", "rc": "vbr", "cq": "23", "delay": "0"},
    "qsv": {"preset": "veryfast", "global_quality": "23", "async_depth": "1"},
    "vaapi": dict[str, str](),
}
# Those with options for a constant quality; the others get a bit rate.
WITH_CONSTANT_QUALITY = ("nvenc", "qsv")
BITS_PER_PIXEL = Fraction(1, 8)


@dataclass(frozen=True, slots=True)
class VideoEncoder:
    """An encoder of FFmpeg and its configuration."""

    # `x264`; for recordings also one of `HARDWARE`, for films also `prores` or `vp9`.
    name: str
    # FFmpeg's name.
    codec: str
    options: Mapping[str, str] = field(default_factory=dict)
    pixel_format: str = "yuv420p"
    # Bits per second, for encoders that have no constant quality.
    bit_rate: int | None = None
    # Whether it is that of a recording: it holds no frames back.
    live: bool = False


# Files of films that can be transparent: as ProRes 4444 and VP9.
ALPHA_SUFFIXES = (".mov", ".webm")


def file_encoder(crf: int = 20, suffix: str = ".mp4", *, alpha: bool = False) -> VideoEncoder:
    """Return the encoder of files that are not written in real time.

    crf: quality of x264 and VP9; lower is better, and x264 is lossless at 0. suffix: of the file,
    in lower case. alpha: frames are BGRA; for `ALPHA_SUFFIXES` only.
    """
    if suffix == ".webm":
        options = {
            "crf": str(crf),
            "b": "0",
            "deadline": "good",
            "cpu-used": "4",
            "row-mt": "1",
            # libvpx refuses alpha beside alternate reference frames.
            "auto-alt-ref": "0",
        }
        if not alpha:
            return VideoEncoder("vp9", "libvpx-vp9", options, "yuv420p")
        options["crf"] = str(min(crf, 10))
        return VideoEncoder("vp9", "libvpx-vp9", options, "yuva420p")
    if alpha:
        options = {"profile": "4444", "alpha_bits": "16", "vendor": "apl0", "qscale": "2"}
        return VideoEncoder("prores", "prores_ks", options, "yuva444p10le")
    # Without `cpu-independent` the same film differs between processors and, with AVX-512 under
    # load, even between two runs on the same one.
    return VideoEncoder(
        "x264",
        "libx264",
        {"preset": "veryfast", "crf": str(crf), "x264-params": "cpu-independent=1"},
    )


def live_encoder(wanted: str, width: int, height: int, rate: Fraction) -> VideoEncoder:
    """Return the encoder for a recording: `wanted` if it works here, else x264; for `auto` the
    first that works.
    """
    for name, options in HARDWARE.items():
        if wanted in (name, "auto"):
            bit_rate = None
            if name not in WITH_CONSTANT_QUALITY:
                bit_rate = round(width * height * rate * BITS_PER_PIXEL)
            pixel_format = "nv12" if name == "qsv" else "yuv420p"
            encoder = VideoEncoder(name, f"h264_{name}", options, pixel_format, bit_rate, live=True)
            if encodes(encoder, width, height):
                return encoder
    # Without lookahead and B-frames, every frame reaches the file at once, however rarely new ones
    # come. With at least two threads, slices are encoded on x264's own threads, which may have
    # another priority.
    needed = math.ceil(width * height * rate / PIXELS_PER_THREAD)
    threads = max(2, min(MOST_THREADS, usable_cores(), needed))
    # The preset ultrafast, with the only two parts of superfast that are worth their time: motion
    # search by quarter pixels (`subme`) and the deblocking filter. With a constant quantizer (`qp`)
    # x264 need not look at each frame first to choose one.
    no_delay = "bframes=0:rc-lookahead=0:sync-lookahead=0:sliced-threads=1"
    parameters = f"subme=1:deblock=0,0:{no_delay}:threads={threads}"
    return VideoEncoder(
        "x264",
        "libx264",
        {"preset": "ultrafast", "qp": "23", "x264-params": parameters},
        live=True,
    )


def encodes(encoder: VideoEncoder, width: int, height: int) -> bool:
    """Return whether the encoder opens and encodes a frame of this size on this machine.

    For encoders of recordings, whose pixels have 4:2:0 chroma.
    """
    try:
        context = av.VideoCodecContext.create(encoder.codec, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width = width
        context.height = height
        context.pix_fmt = encoder.pixel_format
        context.time_base = Fraction(1, 30)
        context.framerate = Fraction(30)
        context.options = dict(encoder.options)
        if encoder.bit_rate is not None:
            context.bit_rate = encoder.bit_rate
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format=encoder.pixel_format)
        frame.pts = 0
        frame.time_base = Fraction(1, 30)
        return bool([*context.encode(frame), *context.encode(None)])
    except (FFmpegError, UnknownCodecError, OSError, ValueError) as error:
        log.info("The encoder %s does not work here: %s", encoder.codec, error)
        return False


class EncoderFrames:
    """Converts images of one film or recording to the frames that its encoder takes. Not
    thread-safe.
    """

    def __init__(self, encoder: VideoEncoder, height: int) -> None:
        """height: of the coded frames, in pixels; HD and larger ones have the colours of BT.709."""
        self._encoder = encoder
        self._converter = FrameConverter()
        self.is_hd = height >= HD_HEIGHT

    def frame(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        """Return the frame of an image of even size, uint8 BGR (h, w, 3), grey (h, w) or BGRA
        (h, w, 4).
        """
        if image.ndim == 3 and image.shape[2] == 4:
            return self._converter.in_format(
                av.VideoFrame.from_ndarray(extended(image), "bgra"),
                self._encoder.pixel_format,
                to_matrix=Colorspace.ITU709 if self.is_hd else Colorspace.ITU601,
                to_range=ColorRange.MPEG,
            )
        weights = yuv.BT709 if self.is_hd else yuv.BT601
        planes = yuv.to_yuv(image, "I420", weights)
        # A frame may share the memory of `planes` with x264, which copies it before `encode`
        # returns; encoders of hardware may read it later. PyAV shares frames wrongly unless their
        # height is a multiple of four; `planes` has three rows for two of the image.
        if self._encoder.name == "x264" and len(planes) % 6 == 0:
            frame = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")
        else:
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        if self._encoder.pixel_format == "yuv420p":
            return frame
        return self._converter.in_format(frame, self._encoder.pixel_format)
