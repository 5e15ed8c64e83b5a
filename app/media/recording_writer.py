"""Writing recordings: Matroska while they run, which plays as it is, and at the end the type that the name asks for."""

from __future__ import annotations

import errno
import os
from array import array
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from app.media.encoders import SOUND_RATE
from app.media.video_input import file_address
from app.media.video_writer import VideoWriter, create_beside, create_temporary, mp4_options, os_errors


class RecordingWriter(VideoWriter):
    """Writes `name.recording.mkv` until `close`, which copies the packets into the file of the wanted name.

    They keep their exact times. What a crash, a power failure or a full disk leaves is the Matroska file.
    """

    file: Path
    """The file that holds the recording: the Matroska file, and the one of the final name after `close`."""
    _ticks: array[int]
    """The times of all video packets, exact, in their order in the file."""

    def _create_file(self) -> Path:
        self._ticks = array("q")
        self.file = create_beside(self.path, "recording", ".mkv")
        return self.file

    def _write_packets(self, packets: list[Packet[VideoStream]]) -> None:
        self._ticks.extend(packet.pts or 0 for packet in packets)
        super()._write_packets(packets)

    def close(self, *, complete: bool = True, end_s: Fraction | None = None) -> None:
        """Finish the file under its final name. Idempotent.

        Raises OSError if something could not be written; what could is in `file`.
        """
        if self._closed:
            return
        try:
            super().close(complete=False, end_s=end_s)
        except OSError:
            with suppress(OSError):
                self._finish_name()
            raise
        self._finish_name()

    def _finish_name(self) -> None:
        """Give the recording its final name, or remove a file without a frame. Raises OSError."""
        recorded = self.file
        if not self._ticks:
            recorded.unlink(missing_ok=True)
            return
        if self.path.suffix.lower() == ".mkv":
            self._take_name(recorded)
            self.file = self.path
            return
        if not recorded.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(recorded), None, str(self.path))
        copy = create_temporary(self.path)
        try:
            with os_errors(copy):
                self._copy(recorded, copy)
            with copy.open("rb+") as file:
                os.fsync(file.fileno())  # before the other is removed: the power may fail
            self._take_name(copy)
        except BaseException:
            copy.unlink(missing_ok=True)
            raise
        self.file = self.path
        recorded.unlink()

    def _copy(self, recorded: Path, copy: Path) -> None:
        """Write all packets of the Matroska file into a file of the wanted type. Raises OSError or FFmpegError."""
        with (
            av.open(file_address(recorded), format="matroska") as source,
            av.open(file_address(copy), "w", options=mp4_options(self._time_base)) as target,
        ):
            copies: dict[Stream, Stream] = {each: target.add_stream_from_template(each) for each in source.streams}
            for each in copies.values():
                if isinstance(each, VideoStream):
                    each.time_base, each.codec_context.framerate = self._time_base, self._rate
            ticks = iter(self._ticks)
            for packet in source.demux():
                if packet.pts is None:  # the end of a stream
                    continue
                if isinstance(packet.stream, AudioStream):
                    self._set_sound_time(packet, packet.stream.codec_context.frame_size)
                else:
                    packet.pts, packet.time_base = next(ticks, self._next_tick), self._time_base
                    is_last = packet.pts == self._last_tick
                    packet.duration = self._next_tick - packet.pts if is_last else self._interval
                packet.dts = packet.pts
                packet.stream = copies[packet.stream]
                target.mux_one(packet)
        if next(ticks, None) is not None:  # the disk was full, or cannot be read
            raise OSError(errno.EIO, "the Matroska file is not whole", str(recorded))

    def _set_sound_time(self, packet: Packet[Stream], length: int) -> None:
        """length: samples per packet."""
        assert self._sound is not None
        start = round((packet.pts or 0) * packet.time_base * SOUND_RATE / length) * length
        packet.pts, packet.time_base = start, Fraction(1, SOUND_RATE)
        packet.duration = max(1, min(length, self._sound.samples - start))
