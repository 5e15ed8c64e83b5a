"""Finishing a video that a crash or a full disk left as a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from app.core.files import final_name, free_name
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.media.disk_errors import why_not_written
from app.media.video_input import VideoError, file_address, open_container
from app.media.video_writer import create_temporary


def recover(part: Path) -> Path:
    """Copy what can be read of `part` into a finished file beside it, remove `part`, and return the new file.

    The packets are copied without encoding. `name.part.mp4` becomes `name.mp4`, or a numbered name if that exists.
    Raises VideoError, which leaves `part` as it is.
    """
    try:
        with open_container(part) as source:
            temporary = create_temporary(final_name(part))
            try:
                frames = _copy(source, temporary)
                if frames == 0:
                    raise VideoError(RecordingText.NO_FRAME(file=part))
                final = _rename(temporary, final_name(part))
            except BaseException:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise
        part.unlink()
    except OSError as error:  # FFmpegError is one
        raise VideoError(RecordingText.NOT_RECOVERED(file=part, reason=why_not_written(error))) from error
    except ValueError:  # a damaged header, or a codec that this kind of file cannot hold
        raise VideoError(VideoText.UNREADABLE(file=part)) from None
    return final


def _copy(source: InputContainer, target_path: Path) -> int:
    """Copy the readable packets of the first video and audio stream; return the number of video packets."""
    frames = 0
    with av.open(file_address(target_path), "w") as target:
        streams: dict[Stream, Stream] = {}
        for stream in (*source.streams.video[:1], *source.streams.audio[:1]):
            streams[stream] = target.add_stream_from_template(stream)
        for packet in _readable(source, list(streams)):
            is_video = packet.stream.type == "video"
            packet.stream = streams[packet.stream]
            if _mux(target, packet) and is_video:
                frames += 1
    return frames


def _readable(source: InputContainer, streams: list[Stream]) -> Iterator[Packet[Stream]]:
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


def _mux(target: OutputContainer, packet: Packet[Stream]) -> bool:
    try:
        target.mux_one(packet)
    except ValueError:  # a time stamp out of order: FFmpeg's EINVAL
        return False
    return True


def _rename(temporary: Path, wanted: Path) -> Path:
    """Rename without replacing an existing file; return the new name."""
    final = free_name(wanted)
    temporary.rename(final)
    return final
