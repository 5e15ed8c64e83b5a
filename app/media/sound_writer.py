"""The sound track of a video file that is being written."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

RATE = 48_000
BIT_RATE = 96_000


class SoundWriter:
    """Encodes mono sound of 48 kHz that begins with the file: Opus in Matroska, AAC elsewhere. Raises FFmpegError."""

    def __init__(self, target: OutputContainer) -> None:
        """Add the stream to `target`, whose header must not be written yet."""
        self._target = target
        codec = "libopus" if target.format.name == "matroska" else "aac"
        added = target.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(added, AudioStream)
        self._stream = added
        self._stream.bit_rate = BIT_RATE
        self._count = 0

    def write(self, samples: NDArray[np.int16]) -> None:
        """Append samples, (count,) int16."""
        if not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._count, Fraction(1, RATE)
        self._count += len(samples)
        self._target.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder holds back."""
        if self._count:
            self._target.mux(self._stream.encode(None))
