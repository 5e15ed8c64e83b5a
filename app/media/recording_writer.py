"""Writing recordings, whose file can be played after a crash."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from app.core.errors import t
from app.core.files import ExplainedOSError, is_taken, same_file
from app.core.unfinished import RECORDING, HeldFile, unfinished_file
from app.media.audio import SOUND_RATE
from app.media.container import file_address, holds_a_frame
from app.media.encoders import VideoEncoder
from app.media.video_writer import VideoWriter, mp4_options, os_errors


def holds_frame(path: Path) -> bool:
    """Return whether a video that is not finished has a whole frame; True where that cannot be
    told. Raises OSError.
    """
    try:
        # PyAV reads the names and titles of all tracks, which may be damaged too.
        with av.open(file_address(path), metadata_errors="replace") as container:
            if not container.streams.video:
                return True
            return any(packet.size for packet in container.demux(video=0))
    except EOFError:
        # It ends in its header.
        return False
    except FFmpegError:
        # A damaged one may be repaired.
        return path.stat().st_size > 0


class RecordingWriter(VideoWriter):
    """Writes `name.recording.mkv` until `close`, which copies the packets into the file of the
    wanted name.

    Both have mode 0600: unlike a film, a recording shows its user. The packets keep their exact
    times. What a crash, a power failure or a full disk leaves is the Matroska file. One that is
    moved meanwhile is finished where it is then, and one that is removed is written again at the
    end.
    """

    # The file that holds the recording: the Matroska file, and the one of the final name after
    # `close`.
    file: Path

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: Fraction | float,
        *,
        encoder: VideoEncoder | None = None,
        sound: bool = False,
        on_created: Callable[[Path], object] = lambda file: None,
    ) -> None:
        """on_created: called with the Matroska file as soon as it exists, before anything that
        takes time.
        """
        self._on_created = on_created
        # What has content stays, also where it appeared before a recording was begun anew.
        is_content = is_taken(path)
        super().__init__(path, width, height, fps, encoder=encoder, sound=sound)
        if is_content:
            self._version_before = None

    def _create_file(self) -> Path:
        self.file = unfinished_file(self.path, RECORDING, ".mkv", private=True)
        self._held = HeldFile(self.file)
        self._on_created(self.file)
        return self.file

    def _remove_file(self) -> None:
        place = self._held.place()
        self._held.close()
        if place is not None:
            # Otherwise others have removed it, and another file may have its name.
            place.unlink(missing_ok=True)

    def follow(self) -> Path:
        """Return the Matroska file, which is finished in its present folder if it was moved.

        Raises OSError if it was removed: `close` writes it again.
        """
        place = self._held.place()
        if place is None:
            raise ExplainedOSError(
                errno.ENOENT, t("its file was removed while it ran; start another one"), self.file
            )
        if not same_file(place, self.file):
            self.file = place
            self.temporary_path = place
            self.path = place.with_name(self.path.name)
        return self.file

    def close(self, *, complete: bool = True, end_s: Fraction | None = None) -> Path:
        """Finish the file under its final name, and return it. Idempotent.

        Raises OSError if something could not be written; what could is in `file`.
        """
        if self._closed:
            return self.path
        try:
            try:
                super().close(complete=False, end_s=end_s)
            except OSError:
                with suppress(OSError):
                    self._finish_name()
                raise
            self._finish_name()
        except OSError:
            place = self._held.place()
            if place is not None and not holds_a_frame(place):
                self._remove_file()
            raise
        finally:
            self._closed = True
            self._held.close()
        return self.path

    def _finish_name(self) -> None:
        """Give the recording its final name, or remove a file without a frame. Raises OSError."""
        if not self._ticks.of_packets:
            self._remove_file()
            return
        if self._held.place() is None:
            self._write_again()
        else:
            self.follow()
        recorded = self.file
        if self.path.suffix.lower() == ".mkv":
            self._take_name(recorded)
            self.file = self.path
            return
        copy = unfinished_file(self.path, private=True)
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

    def _write_again(self) -> None:
        """Write the content of the file that was removed into another one of its folder.

        Raises OSError.
        """
        # The folder may have been removed with it.
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = unfinished_file(self.path, RECORDING, ".mkv", private=True)
        self._held.copy_to(self.file)

    def _copy(self, recorded: Path, copy: Path) -> None:
        """Write all packets of the Matroska file into a file of the wanted type.

        Raises OSError or FFmpegError.
        """
        times = self._ticks
        with (
            av.open(file_address(recorded), format="matroska") as source,
            av.open(file_address(copy), "w", options=mp4_options(self._ticks.base)) as target,
        ):
            copies: dict[Stream, Stream] = {}
            for stream in source.streams:
                copies[stream] = target.add_stream_from_template(stream)
            for each in copies.values():
                if isinstance(each, VideoStream):
                    each.time_base = times.base
                    each.codec_context.framerate = times.rate
            ticks = iter(times.of_packets)
            for packet in source.demux():
                if packet.pts is None:
                    # The end of a stream.
                    continue
                if isinstance(packet.stream, AudioStream):
                    self._set_sound_time(packet, packet.stream.codec_context.frame_size)
                else:
                    packet.pts = next(ticks, times.next)
                    packet.time_base = times.base
                    packet.duration = times.interval
                    if packet.pts == times.last:
                        packet.duration = times.next - packet.pts
                packet.dts = packet.pts
                packet.stream = copies[packet.stream]
                target.mux_one(packet)
        if next(ticks, None) is not None:  # the disk was full, or cannot be read
            raise OSError(errno.EIO, "the Matroska file is not whole", str(recorded))

    def _set_sound_time(self, packet: Packet[Stream], length: int) -> None:
        """length: samples per packet."""
        assert self._sound is not None
        start = round((packet.pts or 0) * packet.time_base * SOUND_RATE / length) * length
        packet.pts = start
        packet.time_base = Fraction(1, SOUND_RATE)
        packet.duration = max(1, min(length, self._sound.samples - start))
