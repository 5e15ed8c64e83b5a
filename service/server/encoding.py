"""VP8 encoder of the service: settings for mattes and composites instead of aiortc's, which are for cameras.

aiortc removes camera noise while it encodes. What the service sends has none: without that, and with a faster search,
a frame of 640x360 takes 0.6 of the CPU time at a higher PSNR (`benchmarks.bench_serve --parts`). aiortc also spends the
whole bit rate on exactness that a matte does not need; every packet costs both ends as much time as a tenth of a frame.
"""

from __future__ import annotations

from typing import cast

import aiortc
import av
from aiortc import rtcrtpsender
from aiortc.codecs import get_encoder
from aiortc.codecs.base import Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.frame import Frame

from service.webrtc.receiving import TESTED_VERSIONS

MOST_RATE_CHANGE = 0.1
"""aiortc opens the encoder anew when the bit rate changes by more than this fraction."""
KEYFRAME_INTERVAL = 3000
QUANTIZERS = 14, 56
"""The finest gives mattes 51 dB (a mean error below 1 of 255) in half the packets that 2, aiortc's, takes."""


class CleanVp8Encoder(Vp8Encoder):
    """Encodes frames without camera noise."""

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Return the payloads of a frame, and its time."""
        frame = cast("av.VideoFrame", frame)
        codec = self.codec
        if (
            codec is None
            or (codec.width, codec.height) != (frame.width, frame.height)
            or abs(self.target_bitrate - (codec.bit_rate or 1)) / (codec.bit_rate or 1) > MOST_RATE_CHANGE
        ):
            self.codec = _codec(frame.width, frame.height, self.target_bitrate)
        return super().encode(frame, force_keyframe)


def _codec(width: int, height: int, bit_rate: int) -> av.VideoCodecContext:
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.bit_rate, codec.gop_size = bit_rate, KEYFRAME_INTERVAL
    codec.qmin, codec.qmax = QUANTIZERS
    codec.thread_count = 1  # streams share the cores
    rate = str(bit_rate)
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "-10",
        "lag-in-frames": "0",
        "noise-sensitivity": "0",
        "static-thresh": "1",
        "bufsize": rate,
        "minrate": rate,
        "maxrate": rate,
        "overshoot-pct": "15",
        "undershoot-pct": "100",
    }
    return codec


def encoder_for(codec: RTCRtpCodecParameters) -> Encoder:
    """Return the encoder of a new stream."""
    return CleanVp8Encoder() if codec.mimeType.lower() == "video/vp8" else get_encoder(codec)


def use_clean_encoder() -> bool:
    """Let aiortc's senders use `encoder_for`; return whether its version is known, otherwise leave them as they are."""
    if aiortc.__version__ not in TESTED_VERSIONS:
        return False
    vars(rtcrtpsender)["get_encoder"] = encoder_for
    return True
