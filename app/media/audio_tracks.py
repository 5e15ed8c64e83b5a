"""Audio tracks of a video that is being written: copied from another file, or recorded sound."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from numpy.typing import NDArray

from app.core.files.disk_errors import ExplainedOSError
from app.core.messages.media import WriteReason
from app.media.video_input import AUDIO_CODECS, VideoError, open_container

AV_TIME_BASE = 1_000_000
"""FFmpeg's ticks per second for times of a whole file."""
AAC_RATE = 48_000


class AudioCopy:
    """Copies the first audio stream of a file into a video that is being written, interleaved with its frames.

    Packets are copied if the target supports their codec, and encoded as AAC otherwise. Times are relative to the start
    of the source. The copy ends where the audio of the source is damaged; a source without audio adds none.
    """

    def __init__(self, source: Path, target: OutputContainer) -> None:
        """Add the stream to `target`, whose header must not be written yet. Raises OSError or FFmpegError."""
        self._target = target
        try:
            self._input = open_container(source)
        except VideoError as error:
            raise ExplainedOSError(errno.EIO, WriteReason.AUDIO(reason=error.text), source) from error
        self._waiting: Packet[AudioStream] | None = None
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        if not self._input.streams.audio:
            return
        track = self._input.streams.audio[0]
        codec = track.codec_context
        # AAC from a transport stream has no separate header; MP4 cannot hold it without one
        bare = codec.name == "aac" and not codec.extradata
        if codec.name in target.supported_codecs and not bare:
            self._packets = self._copied(track, target.add_stream_from_template(track))
        elif codec.codec.name in AUDIO_CODECS.split(","):
            stream = target.add_stream("aac", rate=AAC_RATE, layout="mono" if codec.channels == 1 else "stereo")
            self._packets = self._encoded(track, stream)

    def copy_until(self, time_s: Fraction | None) -> None:
        """Write the packets that start before `time_s`; all packets for None. Raises FFmpegError."""
        while (packet := self._waiting or next(self._packets, None)) is not None:
            if time_s is not None and (packet.dts or 0) * packet.time_base >= time_s:
                self._waiting = packet
                return
            self._waiting = None
            self._target.mux_one(packet)

    def close(self) -> None:
        """Release the source. Idempotent."""
        self._input.close()

    def _demuxed(self, track: AudioStream) -> Iterator[Packet[AudioStream]]:
        """Yield the packets of the stream, with times relative to the start of the file."""
        start_s = Fraction(self._input.start_time or 0, AV_TIME_BASE)
        packets = self._input.demux(track)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:  # the rest is unreadable
                return
            if packet is None:
                return
            if packet.dts is None:  # the flush packet
                continue
            shift = round(start_s / packet.time_base)
            packet.dts -= shift
            packet.pts = packet.dts if packet.pts is None else packet.pts - shift
            yield packet

    def _copied(self, track: AudioStream, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
        for packet in self._demuxed(track):
            packet.stream = stream
            yield packet

    def _encoded(self, track: AudioStream, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
        for packet in self._demuxed(track):
            try:
                frames = packet.decode()
            except FFmpegError:  # a damaged packet becomes silence
                continue
            for frame in frames:
                yield from stream.encode(frame)
        yield from stream.encode(None)


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
