"""Finishing a video that a crash or a full disk left as a temporary file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from app.core.files.disk_errors import why_not_written
from app.core.files.names import final_name, free_name
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.core.text import Text
from app.media.mp4 import Fragments, fragments_of
from app.media.video_input import VideoError, file_address, open_container
from app.media.video_writer import create_temporary

BLOCK_BYTES = 4096
"""More than what Matroska has between two packets."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A finished video."""

    file: Path
    left: Text | None
    """What could not be copied, so that the temporary file was kept; None if it was copied whole and removed."""


def recover(part: Path) -> Recovered:
    """Copy what can be read of `part` into a finished file beside it; remove `part` if all of it was copied.

    The packets are copied without encoding. `name.part.mp4` becomes `name.mp4`, or a numbered name if that exists. A
    fragment that is damaged is left out. Raises VideoError, which leaves `part` as it is; also for a file of another
    name, which no recording left.
    """
    if final_name(part) == part:
        raise VideoError(RecordingText.NOT_UNFINISHED(file=part))
    if not part.is_file():  # the temporary file of the copy would get its name
        raise VideoError(VideoText.ABSENT(file=part))
    try:
        with fragments_of(part) as fragments:
            temporary = create_temporary(final_name(part))
            try:
                copy = _Copy(part, temporary)
                copy.run(fragments)
                if copy.frames == 0:
                    raise VideoError(RecordingText.NO_FRAME(file=part))
                whole = copy.is_whole(fragments)
                final = temporary.rename(free_name(final_name(part)))
            except BaseException:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise
        if whole:
            part.unlink()
            return Recovered(final, None)
    except OSError as error:  # FFmpegError is one
        raise VideoError(RecordingText.NOT_RECOVERED(file=part, reason=why_not_written(error))) from error
    except ValueError:  # a damaged header, or a codec that this kind of file cannot hold
        raise VideoError(VideoText.UNREADABLE(file=part)) from None
    copied, size = f"{copy.bytes / 1e6:.1f}", f"{part.stat().st_size / 1e6:.1f}"
    left = RecordingText.PARTLY_RECOVERED(
        file=part, copy=final, copied=copied, size=size, seconds=f"{copy.seconds:.1f}"
    )
    return Recovered(final, left)


class _Copy:
    """Copies the packets of a file, in one or several passes."""

    def __init__(self, part: Path, target: Path) -> None:
        self._part = part
        self._target = target
        self.frames = 0
        self.bytes = 0
        """Of all packets that were copied."""
        self.seconds = 0.0
        """Time of the last frame."""
        self._packets = 0
        self._declared = 0
        """Packets that the header of a complete file declares."""
        self._all_streams = True
        self._start = self._end = 0
        """Where in the file the last packet that was read begins, and where it ends."""
        self._largest = self._gap = 0
        """Bytes of the largest packet, and between two packets."""

    def run(self, fragments: Fragments | None) -> None:
        """Copy what can be read. Raises VideoError, OSError or ValueError."""
        with open_container(self._part) as source, av.open(file_address(self._target), "w") as target:
            chosen = (*source.streams.video[:1], *source.streams.audio[:1])
            self._all_streams = len(chosen) == len(source.streams)
            self._declared = sum(stream.frames for stream in source.streams)
            streams = {stream.index: target.add_stream_from_template(stream) for stream in chosen}
            for video in source.streams.video[:1]:
                copied = streams[video.index]
                if isinstance(copied, VideoStream) and video.average_rate:  # else it names the rate of its clock
                    copied.codec_context.framerate = video.average_rate
            self._copy(source, target, streams)
            while fragments is not None and (following := fragments.after(self._start + 1)) is not None:
                self._start = following
                with (
                    suppress(VideoError, IndexError),
                    fragments.view(following) as view,
                    open_container(self._part, view) as rest,
                ):
                    self._copy(rest, target, streams)

    def is_whole(self, fragments: Fragments | None) -> bool:
        """Return whether every packet of every stream was copied, up to where the file breaks off."""
        if not self._all_streams:
            return False
        if fragments is not None:
            least, most = fragments.media_bytes() or (1, 0)
            return least <= self.bytes <= most
        if self._declared:
            return self._packets == self._declared
        tail = self._part.stat().st_size - self._end
        return max(self._gap, tail) <= self._largest + BLOCK_BYTES

    def _copy(self, source: InputContainer, target: OutputContainer, streams: Mapping[int, Stream]) -> None:
        for packet in _readable(source, [source.streams[index] for index in streams]):
            size = packet.size  # muxing takes the data
            if packet.pos is not None:
                self._gap = max(self._gap, packet.pos - self._end)
                self._start, self._end = max(self._start, packet.pos), max(self._end, packet.pos + size)
            self._largest = max(self._largest, size)
            is_video = packet.stream.type == "video"
            time_s = 0.0 if packet.pts is None else float(packet.pts * packet.time_base)
            packet.stream = streams[packet.stream.index]
            try:
                target.mux_one(packet)
            except ValueError:  # a time stamp out of order: FFmpeg's EINVAL
                continue
            self.bytes += size
            self._packets += 1
            if is_video:
                self.frames += 1
                self.seconds = max(self.seconds, time_s)


def _readable(source: InputContainer, streams: Sequence[Stream]) -> Iterator[Packet[Stream]]:
    """Yield the packets up to where the file breaks off, each with a decoding time."""
    packets = source.demux(*streams) if streams else iter(())
    waiting: dict[Stream, list[Packet[Stream]]] = {stream: [] for stream in streams}
    with suppress(FFmpegError, OSError):  # the file breaks off here
        for packet in packets:
            if packet.pts is None or packet.is_corrupt:  # the end mark, or a packet that is cut off
                continue
            first = waiting[packet.stream]
            if packet.dts is None:  # Matroska stores none; FFmpeg derives them after the first packets
                first.append(packet)
                continue
            for number, early in enumerate(first):
                early.dts = packet.dts - len(first) + number
                yield early
            first.clear()
            yield packet
    for packet in (packet for first in waiting.values() for packet in first):
        packet.dts = packet.pts
        yield packet
