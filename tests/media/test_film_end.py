"""When a film ends: as its packets say, whatever its header names."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from app.backgrounds.kinds import VideoBackground
from app.core.settings import BackgroundSettings
from app.media.video_input import VideoInput
from app.media.video_reader import VideoReader
from app.settings import Settings
from tests.clips import lengths_of, number_of, numbered, write_clip, writing
from tests.media.damaged_jpegs import encode
from tests.offline.converting import run
from tests.paths import ROOT

NONE = Settings(background=BackgroundSettings(kind="none"))
LIVE_FRAGMENTS = ROOT / "tests" / "field" / "live_fragments_from_one_hour.mp4"
FRAMES = 20
HOUR_S = 3600


def end_when_played(path: Path) -> Fraction:
    """Return when the film ends as a background, which does not read it before."""
    with closing(VideoInput(path)) as video:
        assert list(video.timed_frames())
        return video.end_s


def name_an_hour_in_mp4(data: bytearray) -> None:
    ticks_per_s = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)[0]
    ticks_of_film = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    for box, at, unit in (
        (b"mvhd", 20, ticks_per_s),
        (b"tkhd", 24, ticks_per_s),
        (b"mdhd", 20, ticks_of_film),
    ):
        struct.pack_into(">I", data, data.index(box) + at, HOUR_S * unit)
    struct.pack_into(">I", data, data.index(b"elst") + 12, HOUR_S * ticks_per_s)


def name_an_hour_in_matroska(data: bytearray) -> None:
    """Write the length of the file, and the one of the track among the tags."""
    struct.pack_into(">d", data, data.index(b"\x44\x89\x88") + 3, HOUR_S * 1000.0)
    data[:] = re.sub(rb"00:00:0\d\.", b"01:00:00.", bytes(data))


def name_an_hour_in_avi(data: bytearray) -> None:
    struct.pack_into("<I", data, data.index(b"avih") + 24, HOUR_S * 25)
    struct.pack_into("<I", data, data.index(b"strh") + 40, HOUR_S * 25)


def name_an_hour_in_flv(data: bytearray) -> None:
    struct.pack_into(">d", data, data.index(b"duration") + 9, float(HOUR_S))


@pytest.mark.parametrize(
    ("suffix", "lie"),
    [
        ("mp4", name_an_hour_in_mp4),
        ("mov", name_an_hour_in_mp4),
        ("mkv", name_an_hour_in_matroska),
        ("avi", name_an_hour_in_avi),
        ("flv", name_an_hour_in_flv),
    ],
)
def test_a_header_that_names_an_hour_holds_no_last_frame(
    suffix: str, lie: Callable[[bytearray], None], tmp_path: Path
) -> None:
    path = tmp_path / f"in.{suffix}"
    with writing(path, "mpeg4" if suffix == "avi" else "libx264", 25) as (container, stream):
        for number in range(FRAMES):
            container.mux(stream.encode(VideoFrame.from_ndarray(numbered(number), "bgr24")))
    data = bytearray(path.read_bytes())
    lie(data)
    path.write_bytes(data)

    report = run(path, tmp_path / "out.mp4", NONE)

    assert report.frames == FRAMES
    assert lengths_of(tmp_path / "out.mp4") == [Fraction(FRAMES, 25)]
    assert end_when_played(path) == pytest.approx(FRAMES / 25, abs=0.002)


def test_fragments_of_a_live_stream_whose_clock_starts_at_an_hour_are_as_long_as_their_frames(
    tmp_path: Path,
) -> None:
    report = run(LIVE_FRAGMENTS, tmp_path / "out.mp4", NONE)

    assert report.frames == report.expected_frames == 60
    assert lengths_of(tmp_path / "out.mp4") == [2]
    assert VideoReader(LIVE_FRAGMENTS).frame_estimate == 60


def test_fragments_of_a_live_stream_play_on_as_a_background() -> None:
    with closing(VideoBackground(LIVE_FRAGMENTS, realtime=False)) as background:
        first = background.backdrop(320, 240, 0.0).copy()
        middle = background.backdrop(320, 240, 1.0).copy()
        again = background.backdrop(320, 240, 2.0).copy()

    assert (first != middle).any()
    assert (first == again).all()


def test_a_rate_in_the_header_that_is_too_low_holds_no_last_frame(tmp_path: Path) -> None:
    """FFmpeg gives every packet of Matroska the duration of a frame of that rate."""
    path = write_clip(tmp_path / "in.mkv", FRAMES, 25)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x23\xe3\x83")
    length = data[at + 3] & 0x7F
    data[at + 4 : at + 4 + length] = (4_000_000_000).to_bytes(length, "big")
    path.write_bytes(data)

    run(path, tmp_path / "out.mp4", NONE)

    assert lengths_of(tmp_path / "out.mp4") == [Fraction(FRAMES, 25)]
    assert end_when_played(path) == pytest.approx(FRAMES / 25, abs=0.002)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + bytes(len(content) % 2)


def write_avi(path: Path, parts: list[bytes], named: int) -> Path:
    """Write an AVI file of JPEG images at 25 frames per second; an empty one repeats the last.

    named: number of frames by the header.
    """
    main = struct.pack("<10I", 40_000, 0, 0, 0x10, named, 0, 1, 0, 96, 48) + bytes(16)
    track = struct.pack(
        "<4s4sIHHIIIIIIiI4H", b"vids", b"MJPG", 0, 0, 0, 0, 1, 25, 0, named, 0, -1, 0, 0, 0, 96, 48
    )
    shape = struct.pack("<IiiHH4sIiiII", 40, 96, 48, 1, 24, b"MJPG", 96 * 48 * 3, 0, 0, 0, 0)
    tracks = chunk(b"LIST", b"strl" + chunk(b"strh", track) + chunk(b"strf", shape))
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + tracks)
    film = b"movi"
    index = b""
    for part in parts:
        index += struct.pack("<4sIII", b"00dc", 0x10, len(film), len(part))
        film += chunk(b"00dc", part)
    path.write_bytes(
        chunk(b"RIFF", b"AVI " + header + chunk(b"LIST", film) + chunk(b"idx1", index))
    )
    return path


@pytest.mark.parametrize("named", [30, 3000], ids=["honest header", "header of two minutes"])
def test_an_avi_film_holds_its_last_frame_as_long_as_empty_parts_repeat_it(
    named: int, tmp_path: Path
) -> None:
    images = [encode(numbered(number)) for number in range(FRAMES)]
    path = write_avi(tmp_path / "in.avi", [*images, *[b""] * 10], named)

    report = run(path, tmp_path / "out.mp4", NONE)

    assert report.frames == FRAMES
    assert lengths_of(tmp_path / "out.mp4") == [Fraction(FRAMES + 10, 25)]
    assert end_when_played(path) == Fraction(FRAMES + 10, 25)
    assert [number_of(image) for _, image in VideoReader(path).frames()] == list(range(FRAMES))
