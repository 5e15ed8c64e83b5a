"""Sound of films that are being written: copied from their source, or encoded from the microphone."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.packet import Packet
from av.stream import Disposition
from numpy.typing import NDArray

from app.media.film_clock import AV_TIME_BASE, JOIN_S, LEAP_S, Leap
from app.media.frame_filters import pulled
from app.media.headers import read_header
from app.media.sound_clock import ROUNDED_TICKS, SoundClock
from app.media.video_input import AUDIO_CODECS, VideoError, open_container, packet_counts

SOUND_RATE, SOUND_BIT_RATE = 48_000, 96_000
"""Of what is encoded here; the bit rate is that of a channel."""
PLAYED_IN_MP4 = ("aac", "ac3", "eac3", "alac")
"""Sound that players of MP4 and MOV files can be expected to play; with other sound they are silent."""
SIDE_LAYOUTS = {"5.0(side)": "5.0", "5.1(side)": "5.1"}
KEPT_LAYOUTS = {
    "aac": SIDE_LAYOUTS | {name: name for name in ("mono", "stereo", "3.0", "4.0", "5.0", "5.1")},
    "libopus": SIDE_LAYOUTS | {name: name for name in ("mono", "stereo", "3.0", "quad", "5.0", "5.1")},
}
"""Places of channels that an encoder keeps, and what it calls them; others become stereo."""
NAMES = {"aac": "AAC", "libopus": "Opus"}
PCM_CODECS = frozenset(name for name in AUDIO_CODECS.split(",") if name.startswith("pcm_"))
NEVER_LOUDER = {"rematrix_maxval": "1.0"}
"""Option of FFmpeg's mixer: otherwise the sum of channels may exceed full scale, which is clipped."""
PROBED = 8
"""Packets that are decoded at most to learn how many samples one holds."""
FINE_TICK_S = Fraction(1, 8000)
"""Files with times in such units or finer ones give those of samples, not rounded ones."""
SILENCE_S = 1
"""Length of a piece of silence."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What becomes of a sound track."""

    encoder: str
    """FFmpeg's name; empty where the packets are copied."""
    layout: str
    loss: str
    """What is lost, as a part of a sentence; empty for nothing."""


class AudioCopy:
    """Copies the sound of a film into a video that is being written, interleaved with its frames.

    It is the default audio track, else the one with the most packets, of those that can be read. Packets are copied if
    players of the target can be expected to play them, and encoded as AAC, in WebM as Opus, otherwise; PCM of MOV files
    stays PCM in MOV. Times are relative to the start of the source and rise, also where recordings were joined. What
    the edits of an MP4 file leave out is left out. The copy ends where the audio of the source is damaged; a source
    without audio adds none.
    """

    def __init__(self, source: Path, target: OutputContainer, leaps: Sequence[Leap] = ()) -> None:
        """Add the stream to `target`, whose header must not be written yet. leaps: of the clock of the source.

        Raises OSError, also for audio that can be neither copied nor decoded, or FFmpegError.
        """
        self._target = target
        self._leaps = leaps
        self.problem: str | None = None
        """Sentence on what the target cannot hold; None if there is nothing."""
        try:
            self._input = open_container(source)
        except VideoError as error:
            raise OSError(errno.EIO, error.text, str(source)) from error
        self._waiting: Packet[AudioStream] | None = None
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        if not self._input.streams.audio:
            return
        track = _sound_among(source, self._input, target)
        if track is None:
            self._input.close()
            raise OSError(errno.EIO, "its sound cannot be decoded", str(source))
        plan = _plan(source, self._input, track, target)
        if plan.loss:
            self.problem = f"The sound of {source} {plan.loss}."
        if not plan.encoder:
            self._packets = self._copied(track, target.add_stream_from_template(track))
            return
        rate = track.codec_context.sample_rate if plan.encoder.startswith("pcm_") else SOUND_RATE
        added = target.add_stream(plan.encoder, rate=rate, layout=plan.layout)
        assert isinstance(added, AudioStream)
        if plan.encoder in KEPT_LAYOUTS:
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
        """Yield the packets of the stream, with rising times relative to the start of the file.

        Those that edits leave out, which decoders need before others, keep the times of the file.
        """
        start_s = Fraction(self._input.start_time or 0, AV_TIME_BASE)
        last = end = None
        stamp_s = Fraction(0)
        with suppress(FFmpegError):  # the rest is unreadable
            for packet in self._input.demux(track):
                if packet.dts is None:  # the flush packet
                    continue
                if packet.is_discard:
                    yield packet
                    continue
                before_s = stamp_s
                stamp_s = packet.dts * packet.time_base
                if last is not None and stamp_s - before_s > LEAP_S:
                    start_s += sum(leap.shift_s for leap in self._leaps if leap.between(before_s, stamp_s))
                delay = 0 if packet.pts is None else packet.pts - packet.dts
                time = packet.dts - round(start_s / packet.time_base)
                if last is not None and end is not None and time <= last:
                    if (last - time) * packet.time_base > JOIN_S:
                        start_s -= (end - time) * packet.time_base
                    time = end
                last = time
                end = time + (packet.duration or 1)
                packet.dts = time
                packet.pts = time + delay
                yield packet

    def _copied(self, track: AudioStream, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
        kept = _with_preroll(self._demuxed(track))
        # Matroska has no times before 0, where the priming of AAC lies: FFmpeg would delay the film instead.
        if self._target.format.name in ("matroska", "webm"):
            packets = kept if track.codec_context.name == "opus" else _from_zero(kept)
        else:
            packets = _evenly(kept)
        for packet in packets:
            packet.stream = stream
            yield packet

    def _encoded(self, track: AudioStream, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
        clock = SoundClock()
        time: int | None = None
        for frame in _without_gaps(self._decoded(track), clock, stream.codec_context):
            if time is None:
                assert clock.first_s is not None
                time = round(clock.first_s * frame.sample_rate)
            frame.pts = time
            frame.time_base = Fraction(1, frame.sample_rate)
            time += frame.samples
            yield from stream.encode(frame)
        yield from stream.encode(None)

    def _decoded(self, track: AudioStream) -> Iterator[AudioFrame]:
        for packet in self._demuxed(track):
            with suppress(FFmpegError):  # a damaged packet becomes silence
                yield from packet.decode()


def _sound_among(source: Path, container: InputContainer, target: OutputContainer) -> AudioStream | None:
    """Return the default track, else the one with the most packets, of those that can be read; None if none can."""
    tracks = container.streams.audio
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


def _plan(source: Path, container: InputContainer, track: AudioStream, target: OutputContainer) -> _Plan:
    """Return what becomes of a track."""
    codec = track.codec_context
    layout = codec.layout.name
    is_mov = "mov" in container.format.name
    if is_mov and target.format.name == "mov" and codec.name in target.supported_codecs & PCM_CODECS:
        return _Plan(codec.name, layout, "")
    number = container.streams.audio.index(track)
    # Joined where an edit ends, packets of a codec would sound as neither of the two.
    is_edited = is_mov and read_header(source).sound_edits(number) > 1
    if _is_copied(target, codec) and not is_edited:
        return _Plan("", layout, "")
    encoder = "libopus" if target.format.name == "webm" else "aac"
    if codec.channels == 1:
        return _Plan(encoder, "mono", "")
    if kept := KEPT_LAYOUTS[encoder].get(layout):
        return _Plan(encoder, kept, "")
    loss = f"has {codec.channels} channels ({layout}), which {NAMES[encoder]} does not hold; it was mixed to stereo"
    return _Plan(encoder, "stereo", loss if codec.channels > 2 else "")


def _with_preroll(packets: Iterator[Packet[AudioStream]]) -> Iterator[Packet[AudioStream]]:
    """Yield the packets that are heard, and the one before the first, without which decoders begin with a fade."""
    before: Packet[AudioStream] | None = None
    is_first = True
    for packet in packets:
        if packet.is_discard:
            before = packet
            continue
        if is_first and before is not None and before.duration and packet.dts is not None:
            before.dts = packet.dts - before.duration
            before.pts = before.dts
            yield before
        is_first = False
        yield packet


def _from_zero(packets: Iterator[Packet[AudioStream]]) -> Iterator[Packet[AudioStream]]:
    """Yield the packets that end after the time 0, from then on."""
    for packet in packets:
        if (packet.dts or 0) < 0:
            if (packet.dts or 0) + (packet.duration or 0) <= 0:
                continue
            packet.dts = 0
            packet.pts = 0
        yield packet


def _evenly(packets: Iterator[Packet[AudioStream]]) -> Iterator[Packet[AudioStream]]:
    """Yield packets of a codec with a constant number of samples at times counted by these."""
    probed: list[Packet[AudioStream]] = []
    samples = rate = 0
    while len(probed) < PROBED and (packet := next(packets, None)) is not None:
        probed.append(packet)
        with suppress(FFmpegError):
            for frame in packet.decode():
                samples = max(samples, frame.samples)  # the first may be shorter, without its priming
                rate = frame.sample_rate
    if not samples:
        yield from (*probed, *packets)
        return
    lasts_s = Fraction(samples, rate)
    clock = SoundClock()
    for packet in chain(probed, packets):
        tick_s = packet.time_base
        start_s = clock.place((packet.dts or 0) * tick_s, lasts_s, tick_s)
        if start_s is None:
            continue
        is_shorter = packet.duration and packet.duration * tick_s < lasts_s - tick_s * 2  # the last one, of ALAC
        duration_s = packet.duration * tick_s if packet.duration and is_shorter else lasts_s
        packet.time_base = Fraction(1, rate)
        packet.dts = packet.pts = round(start_s * rate)
        packet.duration = round(duration_s * rate)
        yield packet


def _without_gaps(frames: Iterator[AudioFrame], clock: SoundClock, codec: AudioCodecContext) -> Iterator[AudioFrame]:
    """Yield frames as the encoder takes them, with silence where there are none, without those that are too many.

    They are cut and filled in the format of the encoder: PyAV cannot look into decoded frames of eight channels.
    """
    converter = _Converter(codec)
    for frame in frames:
        tick_s = frame.time_base or Fraction(1, frame.sample_rate)
        stamp_s = (frame.pts or 0) * tick_s
        lasts_s = Fraction(frame.samples, frame.sample_rate)
        before_s = clock.next_s
        double_s = Fraction(0)
        if before_s is not None and tick_s <= FINE_TICK_S:
            early_s = before_s - stamp_s
            if ROUNDED_TICKS * tick_s < early_s < lasts_s:  # the sound before an edit ends after it
                double_s = early_s
        start_s = clock.place(stamp_s + double_s, lasts_s - double_s, tick_s)
        if start_s is None:
            continue
        if before_s is not None and start_s > before_s:
            yield from _silence(codec, round((start_s - before_s) * codec.sample_rate))
        yield from _cut(converter.convert(frame), round(double_s * codec.sample_rate))
    yield from converter.rest()


class _Converter:
    """Converts frames of any kind to that of an encoder: broadcasts go from stereo to mono.

    A filter, not PyAV's `AudioResampler`: that of PyAV 17, the last one for Python 3.10, takes no options.
    """

    def __init__(self, codec: AudioCodecContext) -> None:
        self._codec = codec
        self._kind: tuple[str, str, int] | None = None
        self._graph: Graph | None = None

    def convert(self, frame: AudioFrame) -> list[AudioFrame]:
        """Return what is finished; the frame loses its time."""
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        finished = self.rest() if kind != self._kind else []
        if self._graph is None:
            self._kind = kind
            self._graph = _conversion(frame, self._codec)
        frame.pts = None
        self._graph.push(frame)
        return finished + _finished(self._graph)

    def rest(self) -> list[AudioFrame]:
        """Return what was held back."""
        graph = self._graph
        self._graph = None
        if graph is None:
            return []
        graph.push(None)
        return _finished(graph)


def _conversion(first: AudioFrame, codec: AudioCodecContext) -> Graph:
    """Return a graph that takes frames of one kind and gives those of an encoder."""
    wanted = {
        "out_sample_fmt": codec.format.name,
        "out_sample_rate": str(codec.sample_rate),
        "out_chlayout": codec.layout.name,
        **NEVER_LOUDER,
    }
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=first.sample_rate,
        format=first.format.name,
        layout=first.layout.name,
        time_base=Fraction(1, first.sample_rate),
    )
    resample = graph.add("aresample", ":".join(f"{name}={value}" for name, value in wanted.items()))
    graph.link_nodes(source, resample, graph.add("abuffersink")).configure()
    return graph


def _finished(graph: Graph) -> list[AudioFrame]:
    """Return the frames that a graph of sound has finished."""
    return [frame for frame in pulled(graph.pull) if isinstance(frame, AudioFrame)]


def _cut(frames: Iterable[AudioFrame], samples: int) -> Iterator[AudioFrame]:
    """Yield frames without the first samples of all of them."""
    for frame in frames:
        count = min(samples, frame.samples)
        samples -= count
        if count == 0:
            yield frame
        elif count < frame.samples:
            each = 1 if frame.format.is_planar else frame.layout.nb_channels
            yield _frame_like(frame, frame.to_ndarray()[:, count * each :])


def _silence(codec: AudioCodecContext, samples: int) -> Iterator[AudioFrame]:
    """Yield frames for an encoder with so many samples of silence."""
    most = SILENCE_S * codec.sample_rate
    for start in range(0, samples, most):
        frame = AudioFrame(codec.format.name, codec.layout.name, min(most, samples - start))
        frame.sample_rate = codec.sample_rate
        values = frame.to_ndarray()
        values[:] = 128 if codec.format.name.startswith("u8") else 0
        yield _frame_like(frame, values)


def _frame_like(like: AudioFrame, values: NDArray[Any]) -> AudioFrame:
    """Return a frame of the same kind as another. values: as of `to_ndarray`."""
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(values), like.format.name, like.layout.name)
    frame.sample_rate = like.sample_rate
    return frame


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
