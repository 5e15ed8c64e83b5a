"""Sound of films that are being written: copied from their source, or that of the microphone."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
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

from app.media.container import AUDIO_CODECS, VideoError, open_container, packet_counts
from app.media.film_clock import AV_TIME_BASE, JOIN_S, LEAP_S, ROUNDED_TICKS, Leap, SoundClock
from app.media.frame_filters import pulled
from app.media.headers import read_header

SOUND_RATE = 48_000
BIT_RATE_PER_CHANNEL = 96_000
# Sound that players of MP4 and MOV files can be expected to play; with other sound they are silent.
PLAYED_IN_MP4 = ("aac", "ac3", "eac3", "alac")
SIDE_LAYOUTS = {"5.0(side)": "5.0", "5.1(side)": "5.1"}
# Places of channels that an encoder keeps; others become stereo.
KEPT_LAYOUTS = {
    "aac": ("mono", "stereo", "3.0", "4.0", "5.0", "5.1"),
    "libopus": ("mono", "stereo", "3.0", "quad", "5.0", "5.1"),
}
ENCODER_TITLES = {"aac": "AAC", "libopus": "Opus"}
PCM_CODECS = frozenset(name for name in AUDIO_CODECS.split(",") if name.startswith("pcm_"))
# Option of FFmpeg's mixer: otherwise the sum of channels may exceed full scale, which is clipped.
NEVER_LOUDER = {"rematrix_maxval": "1.0"}
# The first packets may be damaged or shorter; further ones hold as many samples as these.
MOST_PROBED_PACKETS = 8
# Files with times in such units or finer ones give those of samples, not rounded ones.
FINE_TICK_S = Fraction(1, 8000)
# A long gap is filled in pieces, so that it takes little memory.
LONGEST_SILENCE_S = 1


@dataclass(frozen=True, slots=True)
class _Plan:
    """What becomes of a sound track."""

    encoder: str = ""  # FFmpeg's name; none copies the packets
    layout: str = ""  # that the encoder gets
    loss: str = ""  # part of a sentence on what the target cannot hold


class AudioCopy:
    """Copies the sound of a film into a video that is being written, interleaved with its frames.

    It is the default audio track, else the one with the most packets, of those that can be read.
    Packets are copied if players of the target can be expected to play them, and encoded as AAC, in
    WebM as Opus, otherwise; PCM of MOV files stays PCM in MOV. Times are relative to the start of
    the source and rise, also where recordings were joined. What the edits of an MP4 file leave out
    is left out. The copy ends where the audio of the source is damaged; a source without audio adds
    none.
    """

    def __init__(self, source: Path, target: OutputContainer, leaps: Sequence[Leap] = ()) -> None:
        """Add the stream to `target`, whose header must not be written yet.

        leaps: of the clock of the source.
        Raises OSError, also for audio that can be neither copied nor decoded, or FFmpegError.
        """
        self._target = target
        self._leaps = leaps
        # Sentence on what the target cannot hold; None if there is nothing.
        self.problem: str | None = None
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
        rate = SOUND_RATE
        if plan.encoder.startswith("pcm_"):
            rate = track.codec_context.sample_rate
        added = target.add_stream(plan.encoder, rate=rate, layout=plan.layout)
        assert isinstance(added, AudioStream)
        if plan.encoder in KEPT_LAYOUTS:
            added.bit_rate = BIT_RATE_PER_CHANNEL * added.channels
        self._packets = self._encoded(track, added)

    def copy_until(self, time_s: Fraction | None) -> None:
        """Write the packets that start before `time_s`; all packets for None.

        Raises FFmpegError.
        """
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
        last = None
        end = None
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
                    for leap in self._leaps:
                        if leap.between(before_s, stamp_s):
                            start_s += leap.shift_s
                delay = 0 if packet.pts is None else packet.pts - packet.dts
                time = packet.dts - round(start_s / packet.time_base)
                if last is not None and end is not None and time <= last:
                    if (last - time) * packet.time_base > JOIN_S:
                        # The clock was set back: another recording begins.
                        start_s -= (end - time) * packet.time_base
                    time = end
                last = time
                end = time + (packet.duration or 1)
                packet.dts = time
                packet.pts = time + delay
                yield packet

    def _copied(self, track: AudioStream, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
        kept = _with_preroll(self._demuxed(track))
        packets = kept
        if self._target.format.name not in ("matroska", "webm"):
            packets = _evenly(kept)
        elif track.codec_context.name != "opus":
            # Matroska has no times before 0, where the priming of AAC lies: FFmpeg would delay the
            # film instead. Of Opus the header names the priming.
            packets = _from_zero(kept)
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


def _sound_among(
    source: Path,
    container: InputContainer,
    target: OutputContainer,
) -> AudioStream | None:
    """Return the track whose sound is kept: the default one, else the one with the most packets.

    None if none can be read.
    """
    tracks = container.streams.audio
    counts = packet_counts(source, tracks)

    def rank(track: AudioStream) -> tuple[bool, int]:
        return bool(track.disposition & Disposition.default), counts[track.index]

    for track in sorted(tracks, key=rank, reverse=True):
        codec: AudioCodecContext | None = track.codec_context
        if codec is None:
            # FFmpeg does not know it.
            continue
        if codec.codec.name in AUDIO_CODECS.split(",") or _is_copied(target, codec):
            return track
    return None


def _is_copied(target: OutputContainer, codec: AudioCodecContext) -> bool:
    """Return whether packets of this codec are copied into the file."""
    if codec.name == "aac" and not codec.extradata:
        # From a transport stream: without a separate header, which MP4 needs.
        return False
    if codec.name not in target.supported_codecs:
        return False
    return target.format.name in ("matroska", "webm") or codec.name in PLAYED_IN_MP4


def _plan(
    source: Path,
    container: InputContainer,
    track: AudioStream,
    target: OutputContainer,
) -> _Plan:
    """Return what becomes of a track."""
    codec = track.codec_context
    layout = codec.layout.name
    is_mov = "mov" in container.format.name
    stays_pcm = codec.name in target.supported_codecs & PCM_CODECS
    if is_mov and target.format.name == "mov" and stays_pcm:
        # Encoded as it was: samples can be cut and filled in between, and nothing is lost.
        return _Plan(codec.name, layout)
    number = container.streams.audio.index(track)
    # Joined where an edit ends, packets of a codec would sound as neither of the two.
    is_edited = is_mov and read_header(source).sound_edits(number) > 1
    if _is_copied(target, codec) and not is_edited:
        return _Plan()
    encoder = "libopus" if target.format.name == "webm" else "aac"
    if codec.channels == 1:
        return _Plan(encoder, "mono")
    layout_of_encoder = SIDE_LAYOUTS.get(layout, layout)
    if layout_of_encoder in KEPT_LAYOUTS[encoder]:
        return _Plan(encoder, layout_of_encoder)
    if codec.channels <= 2:
        return _Plan(encoder, "stereo")
    loss = (
        f"has {codec.channels} channels ({layout}), which {ENCODER_TITLES[encoder]} does not hold; "
        "it was mixed to stereo"
    )
    return _Plan(encoder, "stereo", loss)


def _with_preroll(packets: Iterator[Packet[AudioStream]]) -> Iterator[Packet[AudioStream]]:
    """Yield the packets that are heard, and the one before: without it decoders begin with a
    fade.
    """
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
    samples = 0
    rate = 0
    for packet in islice(packets, MOST_PROBED_PACKETS):
        probed.append(packet)
        with suppress(FFmpegError):
            for frame in packet.decode():
                # The first may be shorter, without its priming.
                samples = max(samples, frame.samples)
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
        duration_s = lasts_s
        if packet.duration and packet.duration * tick_s < lasts_s - tick_s * 2:
            # The last packet of ALAC holds fewer samples.
            duration_s = packet.duration * tick_s
        packet.time_base = Fraction(1, rate)
        packet.dts = round(start_s * rate)
        packet.pts = packet.dts
        packet.duration = round(duration_s * rate)
        yield packet


def _without_gaps(
    frames: Iterator[AudioFrame],
    clock: SoundClock,
    codec: AudioCodecContext,
) -> Iterator[AudioFrame]:
    """Yield frames as the encoder takes them: silence where there are none, none twice.

    They are cut and filled in the format of the encoder: PyAV cannot look into decoded frames of
    eight channels.
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
            if ROUNDED_TICKS * tick_s < early_s < lasts_s:
                # The sound before an edit ends after the edit.
                double_s = early_s
        start_s = clock.place(stamp_s + double_s, lasts_s - double_s, tick_s)
        if start_s is None:
            continue
        if before_s is not None and start_s > before_s:
            silent_samples = round((start_s - before_s) * codec.sample_rate)
            yield from _silence(codec, silent_samples)
        double_samples = round(double_s * codec.sample_rate)
        yield from _without_first(converter.for_encoder(frame), double_samples)
    yield from converter.rest()


class _Converter:
    """Converts frames of any kind to that of an encoder: broadcasts go from stereo to mono.

    A filter, not PyAV's `AudioResampler`: that of PyAV 17, the last one for Python 3.10, takes no
    options.
    """

    def __init__(self, codec: AudioCodecContext) -> None:
        self._codec = codec
        self._kind: tuple[str, str, int] | None = None
        self._graph: Graph | None = None

    def for_encoder(self, frame: AudioFrame) -> list[AudioFrame]:
        """Return what is finished; the frame loses its time."""
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        finished = []
        if kind != self._kind:
            finished = self.rest()
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
    options = {
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
    arguments = ":".join(f"{name}={value}" for name, value in options.items())
    resample = graph.add("aresample", arguments)
    graph.link_nodes(source, resample, graph.add("abuffersink")).configure()
    return graph


def _finished(graph: Graph) -> list[AudioFrame]:
    """Return the frames that a graph of sound has finished."""
    return [frame for frame in pulled(graph.pull) if isinstance(frame, AudioFrame)]


def _without_first(frames: Iterable[AudioFrame], samples: int) -> Iterator[AudioFrame]:
    """Yield frames without the first samples of all of them."""
    for frame in frames:
        cut = min(samples, frame.samples)
        samples -= cut
        if cut == 0:
            yield frame
        elif cut < frame.samples:
            values = frame.to_ndarray()
            if frame.format.is_planar:
                yield _frame_like(frame, values[:, cut:])
            else:
                # One row, in which the channels take turns.
                yield _frame_like(frame, values[:, cut * frame.layout.nb_channels :])


def _silence(codec: AudioCodecContext, samples: int) -> Iterator[AudioFrame]:
    """Yield frames for an encoder with so many samples of silence."""
    most = LONGEST_SILENCE_S * codec.sample_rate
    # Unsigned bytes swing about the middle of their range.
    silent = 128 if codec.format.name.startswith("u8") else 0
    for start in range(0, samples, most):
        frame = AudioFrame(codec.format.name, codec.layout.name, min(most, samples - start))
        frame.sample_rate = codec.sample_rate
        values = frame.to_ndarray()
        values[:] = silent
        yield _frame_like(frame, values)


def _frame_like(like: AudioFrame, values: NDArray[Any]) -> AudioFrame:
    """Return a frame of the same kind as another. values: as of `to_ndarray`."""
    values = np.ascontiguousarray(values)
    frame = AudioFrame.from_ndarray(values, like.format.name, like.layout.name)
    frame.sample_rate = like.sample_rate
    return frame


class SoundWriter:
    """Encodes mono sound of 48 kHz that begins with the file: Opus in Matroska, AAC elsewhere.

    Raises FFmpegError.
    """

    def __init__(self, target: OutputContainer, suffix: str) -> None:
        """Add the stream to `target`, whose header must not be written yet.

        suffix: of the file that it becomes.
        """
        self._target = target
        codec = "libopus" if suffix == ".mkv" else "aac"
        added = target.add_stream(codec, rate=SOUND_RATE, layout="mono")
        assert isinstance(added, AudioStream)
        self._stream = added
        self._stream.bit_rate = BIT_RATE_PER_CHANNEL
        self.samples = 0  # written so far

    def write(self, samples: NDArray[np.int16]) -> None:
        """Append samples, (count,) int16."""
        if not len(samples):
            return
        one_row = np.ascontiguousarray(samples[None])
        frame = av.AudioFrame.from_ndarray(one_row, format="s16", layout="mono")
        frame.sample_rate = SOUND_RATE
        frame.pts = self.samples
        frame.time_base = Fraction(1, SOUND_RATE)
        self.samples += len(samples)
        self._target.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder holds back."""
        if self.samples:
            self._target.mux(self._stream.encode(None))
