"""Recordings that are damaged: all that can be read is copied, and no file is removed of which something is left."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.cli import main
from app.core.files import paths
from app.media.mp4 import fragments_of
from app.media.recovery import recover
from app.media.video_writer import VideoWriter
from app.output.recorder import Recorder
from app.output.unfinished import end, unfinished_recordings
from tests.clips import numbered
from tests.output.pictures import picture
from tests.output.recordings import context

FPS = 25


def broken_off(folder: Path, suffix: str, frames: int = 90) -> Path:
    """Return a file as a crash leaves it, with sound: an MP4 consists of fragments."""
    writer = VideoWriter(folder / f"source.{suffix}", 96, 48, FPS, sound=True)
    for number in range(frames):
        writer.write(numbered(number % 64))
        writer.write_sound(np.full(48_000 // FPS, number, np.int16))
    content = writer.temporary_path.read_bytes()
    writer.abort()
    part = folder / f"a.part.{suffix}"
    part.write_bytes(content)
    return part


def boxes(content: bytes) -> list[tuple[bytes, int, int]]:
    """Return type, offset and size of the boxes at the top level."""
    found, at = [], 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        found.append((kind, at, size))
        at += size
    return found


def packets(path: Path) -> int:
    """Return the number of video packets; every one is decoded."""
    with av.open(str(path)) as container:
        return sum(len(packet.decode()) for packet in container.demux(video=0))


def damage(part: Path, offset: int, content: bytes) -> None:
    changed = bytearray(part.read_bytes())
    changed[offset : offset + len(content)] = content
    part.write_bytes(changed)


@pytest.mark.parametrize(("inside", "content"), [(4, b"????"), (0, b"\0\0\0\0"), (8, bytes(60))])
def test_the_fragments_behind_a_damaged_one_are_copied_and_the_file_is_kept(
    tmp_path: Path, inside: int, content: bytes
) -> None:
    part = broken_off(tmp_path, "mp4")
    whole = packets(part)
    offsets = [at for kind, at, _ in boxes(part.read_bytes()) if kind == b"moof"]
    assert len(offsets) >= 4
    damage(part, offsets[1] + inside, content)

    recovered = recover(part)

    with av.open(str(recovered.file)) as container:
        times_s = [
            float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.pts is not None
        ]
    assert max(times_s) > (whole - 12) / FPS, "the last fragment is there"
    assert len(times_s) >= whole * (len(offsets) - 1) // len(offsets) - 2
    assert part.exists()
    assert recovered.left is not None and str(part) in recovered.left and str(recovered.file) in recovered.left


def test_what_cannot_be_read_in_matroska_keeps_the_file(tmp_path: Path) -> None:
    part = broken_off(tmp_path, "mkv")
    size = part.stat().st_size
    damage(part, size // 3, bytes(size // 3))
    assert recover(part).left is not None
    assert part.exists()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("lost", [0, 300, 5000])
def test_a_file_that_breaks_off_is_copied_whole_and_removed(tmp_path: Path, suffix: str, lost: int) -> None:
    part = broken_off(tmp_path, suffix)
    part.write_bytes(part.read_bytes()[: part.stat().st_size - lost])
    assert recover(part).left is None
    assert not part.exists()


def test_a_file_with_a_stream_that_is_not_copied_is_kept(tmp_path: Path) -> None:
    part = tmp_path / "a.part.mkv"
    with av.open(str(part), "w") as container:
        streams = [container.add_stream("libx264", rate=FPS) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 96, 48, "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            for stream in streams:
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    assert recover(part).left is not None
    assert part.exists()


def test_the_command_says_what_was_left_and_announces_it_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = broken_off(tmp_path, "mp4")
    kind, at, _ = boxes(part.read_bytes())[-1]
    assert kind == b"mdat"
    damage(part, at + 4, b"????")
    end(part)
    assert unfinished_recordings() == (part,)
    assert main.main(["recover", str(part)]) == 1
    output = capsys.readouterr()
    assert output.out == f"{tmp_path / 'a.mp4'}\n"
    assert "the file is kept" in output.err
    assert unfinished_recordings() == ()


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x24ftyp"])
def test_an_empty_file_is_not_announced_for_ever(tmp_path: Path, content: bytes) -> None:
    part = tmp_path / "a.part.mp4"
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context())
    (entry,) = (paths.data_dir() / "recordings").iterdir()
    fields = entry.read_text()
    recorder.close()
    entry.write_text(fields.replace('"started_s": ', '"started_s": 1'))  # of a process that has ended
    part.write_bytes(content)
    if content:
        assert unfinished_recordings() == (part,)
        assert main.main(["recover"]) == 1
    assert unfinished_recordings() == ()
    assert part.exists() == bool(content)


def test_the_view_from_a_fragment_on_has_the_offsets_of_the_file(tmp_path: Path) -> None:
    part = broken_off(tmp_path, "mp4", 60)
    content = part.read_bytes()
    with fragments_of(part) as fragments:
        assert fragments is not None
        first = fragments.first
        second = fragments.after(first + 1)
        assert second is not None
        with fragments.view(second) as view:
            hidden = struct.pack(">I4sQ", 1, b"free", second - first)
            assert view.read() == content[:first] + hidden + content[first + len(hidden) :]
    assert part.read_bytes() == content


def test_a_file_that_appears_during_a_recording_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    writer = VideoWriter(path, 96, 48, Fraction(FPS))
    writer.write(numbered(1))
    path.write_bytes(b"of somebody else")
    writer.close()
    assert path.read_bytes() == b"of somebody else"
    assert writer.path == tmp_path / "a (2).mp4" and packets(writer.path) == 1


def test_a_file_that_was_there_is_replaced_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the recording of yesterday")
    recorder = Recorder(path, 64, 48, context())
    recorder.send(picture())
    recorder.close()
    assert packets(path) >= 1
    assert list(tmp_path.iterdir()) == [path]
