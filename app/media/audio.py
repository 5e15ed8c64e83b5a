"""Sound of films that are being written: copied from their source, or encoded from the microphone."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from numpy.typing import NDArray

from app.media.film_clock import AV_TIME_BASE, JOIN_S, LEAP_S, Leap
from app.media.video_input import AUDIO_CODECS, VideoError, open_container, packet_counts

SOUND_RATE, SOUND_BIT_RATE = 48_000, 96_000
"""Of what is encoded here."""
PLAYED_IN_MP4 = ("aac", "ac3", "eac3", "alac")
"""Sound that players of MP4 and MOV files can be expected to play; with other sound they are silent."""
KEPT_LAYOUTS = {name: name for name in ("mono", "stereo", "3.0", "5.0", "5.1")}
KEPT_LAYOUTS |= {"5.0(side)": "5.0", "5.1(side)": "5.1"}
"""Places of channels that are kept, and what the encoders call them; others become stereo."""


class AudioCopy:
    """Copies the sound of a film into a video that is being written, interleaved with its frames.

    It is the default audio track, else the one with the most packets, of those that can be read. Packets are copied if
    players of the target can be expected to play them, and encoded as AAC, in WebM as Opus, otherwise. Times are
    relative to the start of the source and rise, also where recordings were joined. The copy ends where the audio of
    the source is damaged; a source without audio adds none.
    """

    def __init__(self, source: Path, target: OutputContainer, leaps: Sequence[Leap] = ()) -> None:
        """Add the stream to `target`, whose header must not be written yet. leaps: of the clock of the source.

        Raises OSError, also for audio that can be neither copied nor decoded, or FFmpegError.
        """
        self._target, self._leaps = target, leaps
        try:
            self._input = open_container(source)
        except VideoError as error:
            raise OSError(errno.EIO, error.text, str(source)) from error
        self._waiting: Packet[AudioStream] | None = None
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        if not self._input.streams.audio:
            return
        track = _sound_among(source, self._input.streams.audio, target)
        if track is None:
            self._input.close()
            raise OSError(errno.EIO, "its sound cannot be decoded", str(source))
        codec = track.codec_context
        if _is_copied(target, codec):
            stream = target.add_stream_from_template(track)
            self._packets = self._copied(track, stream)
        else:
            layout = "mono" if codec.channels == 1 else KEPT_LAYOUTS.get(codec.layout.name, "stereo")
            encoder = "libopus" if target.format.name == "webm" else "aac"
            added = target.add_stream(encoder, rate=SOUND_RATE, layout=layout)
            assert isinstance(added, AudioStream)
            added.bit_rate = SOUND_BIT_RATE * added.channels
            self._packets = self._encoded(track, added)

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
        """Yield the packets of the stream, with rising times relative to the start of the file."""
        start_s = Fraction(self._input.start_time or 0, AV_TIME_BASE)
        last = end = None
        stamp_s = Fraction(0)
        with suppress(FFmpegError):  # the rest is unreadable
            for packet in self._input.demux(track):
                if packet.dts is None:  # the flush packet
                    continue
                before_s, stamp_s = stamp_s, packet.dts * packet.time_base
                if last is not None and stamp_s - before_s > LEAP_S:
                    start_s += sum(leap.shift_s for leap in self._leaps if leap.between(before_s, stamp_s))
                delay = 0 if packet.pts is None else packet.pts - packet.dts
                time = packet.dts - round(start_s / packet.time_base)
                if last is not None and end is not None and time <= last:
                    if (last - time) * packet.time_base > JOIN_S:
                        start_s -= (end - time) * packet.time_base
                    time = end
                last, end = time, time + (packet.duration or 1)
                packet.dts, packet.pts = time, time + delay
                yield packet

    def _copied(self, track: AudioStream, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
        # Matroska has no times before 0, where the priming of AAC lies: FFmpeg would delay the film instead.
        is_late = self._target.format.name in ("matroska", "webm") and track.codec_context.name != "opus"
        for packet in self._demuxed(track):
            packet.stream = stream
            if (packet.dts or 0) < 0 and is_late:
                if (packet.dts or 0) + (packet.duration or 0) <= 0:
                    continue
                packet.dts = packet.pts = 0
            yield packet

    def _encoded(self, track: AudioStream, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
        last = None
        for frame in chain(_alike(self._decoded(track), stream.codec_context), [None]):
            for packet in stream.encode(frame):
                if last is not None and packet.dts is not None and packet.dts <= last:  # of inexact times in the source
                    packet.dts = last + 1
                    packet.pts = max(packet.pts or 0, packet.dts)
                last = packet.dts
                yield packet

    def _decoded(self, track: AudioStream) -> Iterator[AudioFrame]:
        for packet in self._demuxed(track):
            with suppress(FFmpegError):  # a damaged packet becomes silence
                yield from packet.decode()


def _sound_among(source: Path, tracks: Sequence[AudioStream], target: OutputContainer) -> AudioStream | None:
    """Return the default track, else the one with the most packets, of those that can be read; None if none can."""
    counts = packet_counts(source, tracks)
    for track in sorted(tracks, key=lambda track: (not track.disposition & Disposition.default, -counts[track.index])):
        codec: AudioCodecContext | None = track.codec_context  # None for one that FFmpeg does not know
        if codec is not None and (codec.codec.name in AUDIO_CODECS.split(",") or _is_copied(target, codec)):
            return track
    return None


def _is_copied(target: OutputContainer, codec: AudioCodecContext) -> bool:
    """Return whether packets of this codec are copied into the file."""
    if codec.name == "aac" and not codec.extradata:
        return False  # from a transport stream: without a separate header, which MP4 needs
    return codec.name in target.supported_codecs and (
        target.format.name in ("matroska", "webm") or codec.name in PLAYED_IN_MP4
    )


def _alike(frames: Iterable[AudioFrame], codec: AudioCodecContext) -> Iterator[AudioFrame]:
    """Yield frames as the encoder takes them, whatever kind they are of: broadcasts go from stereo to mono."""
    converters: dict[tuple[str, str, int], AudioResampler] = {}
    kind = None
    for frame in frames:
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind not in converters:
            converters[kind] = AudioResampler(codec.format, codec.layout, codec.sample_rate)
        yield from converters[kind].resample(frame)
    if kind is not None:
        yield from converters[kind].resample(None)


class SoundWriter:
    """Encodes mono sound of 48 kHz that begins with the file: Opus in Matroska, AAC elsewhere. Raises FFmpegError."""

    def __init__(self, target: OutputContainer, suffix: str) -> None:
        """Add the stream to `target`, whose header must not be written yet. suffix: of the file that it becomes."""
        self._target = target
        codec = "libopus" if suffix == ".mkv" else "aac"
        added = target.add_stream(codec, rate=SOUND_RATE, layout="mono")
        assert isinstance(added, AudioStream)
        self._stream = added
        self._stream.bit_rate = SOUND_BIT_RATE
        self.samples = 0
        """What was written so far."""

    def write(self, samples: NDArray[np.int16]) -> None:
        """Append samples, (count,) int16."""
        if not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, self.samples, Fraction(1, SOUND_RATE)
        self.samples += len(samples)
        self._target.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder holds back."""
        if self.samples:
            self._target.mux(self._stream.encode(None))
