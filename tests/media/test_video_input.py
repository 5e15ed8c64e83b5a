"""Hostile video files: what is not a video is not opened, and what is too large is not decoded."""

from __future__ import annotations

import ast
import logging
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given
from hypothesis import strategies as st

from app.backgrounds import open_background
from app.backgrounds.kinds import VideoBackground
from app.capture.video_file import VideoFileSource
from app.core.errors import MattecamError
from app.core.geometry import Layout
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.media.audio import AudioCopy
from app.media.container import MAX_PIXELS, VideoError
from app.media.headers import read_header
from app.media.video_input import LIVE_MAX_PIXELS, VideoInput
from app.media.video_reader import VideoReader
from app.runtime.status import peak_memory_bytes
from app.settings import Settings
from tests.architecture.source import calls_of
from tests.clips import copy_into, numbered, pictures, write_clip, write_sound, writing
from tests.offline.converting import run
from tests.stand_ins import always

CONTENTS: dict[str, Callable[[Path], str]] = {
    "text": always("The quick brown fox\n" * 400),
    "ffconcat": lambda folder: f"ffconcat version 1.0\nfile '{write_clip(folder / 'other.mkv')}'\n",
    "m3u8": lambda folder: (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.4,\n{write_clip(folder / 'other.ts').name}\n#EXT-X-ENDLIST\n"
    ),
    "terminal escapes": always("\x1b[2J\x1b[31mansi"),
}


def play_as_background(path: Path) -> None:
    open_background(BackgroundSettings(kind="video", path=path)).close()


def play_as_source(path: Path) -> None:
    VideoFileSource(path, realtime=False).close()


def convert_file(path: Path) -> None:
    run(path, path.with_name("out.mkv"))


def copy_audio(path: Path) -> None:
    with av.open(str(path.with_name("copy.mkv")), "w") as target:
        try:
            AudioCopy(path, target)
        except OSError as error:
            raise VideoError(str(error)) from error


CONSUMERS = [play_as_background, play_as_source, convert_file, copy_audio]


@pytest.mark.parametrize("use", CONSUMERS)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.txt", "clip.m3u8", "concat:clip.mp4"])
def test_only_videos_are_opened(
    tmp_path: Path, use: Callable[[Path], None], content: Callable[[Path], str], name: str
) -> None:
    path = tmp_path / name
    path.write_text(content(tmp_path))
    with pytest.raises(MattecamError, match=name):
        use(path)


def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", 3).rename(tmp_path / "http:clip%03d.mkv")
    assert len(list(VideoReader(path).frames())) == 3


def test_media_files_are_opened_in_one_place() -> None:
    opened = calls_of("av.open")
    reading = {
        name for name, call in opened if [ast.unparse(mode) for mode in call.args[1:]] != ["'w'"]
    }
    # the microphone opens an input device, by a format of the program's own choice, and never a
    # file the recording writer reads what it has just written, to copy it into the type that was
    # asked for
    assert reading == {
        "app.media.container",
        "app.media.recording_writer",
        "app.output.microphones",
    }
    devices = [call for name, call in opened if name == "app.output.microphones"]
    assert devices and all(
        "format" in {keyword.arg for keyword in call.keywords} for call in devices
    )


@pytest.mark.parametrize(
    ("use", "limit"),
    [
        (play_as_background, LIVE_MAX_PIXELS),
        (play_as_source, LIVE_MAX_PIXELS),
        (convert_file, MAX_PIXELS),
    ],
)
def test_a_small_file_with_huge_frames_is_refused_at_once(
    tmp_path: Path, use: Callable[[Path], None], limit: int
) -> None:
    """The headers of an AVI claim frames of another size."""
    path = tmp_path / "huge.avi"
    height = 4800
    with writing(path, "rawvideo", size=(64, 48)) as (container, stream):
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
    claimed = struct.pack("<II", limit // height + 2, height)
    path.write_bytes(path.read_bytes().replace(struct.pack("<II", 64, 48), claimed))
    started_s = time.process_time()

    with pytest.raises(MattecamError, match="too large"):
        use(path)

    assert time.process_time() - started_s < 10


def with_table(path: Path, box: bytes, at: int, *values: int) -> Path:
    """Overwrite 32-bit numbers in a table of an MP4 file, `at` bytes after its name."""
    data = bytearray(path.read_bytes())
    struct.pack_into(f">{len(values)}I", data, data.index(box) + 4 + at, *values)
    path.write_bytes(data)
    return path


MANY = 80_000_000


Table = tuple[bytes, int, tuple[int, ...]]
# A size of one byte for every sample needs no table.
SAMPLES: tuple[Table, ...] = (b"stsz", 4, (1, MANY)), (b"stsc", 12, (MANY,))
FORGED: dict[str, tuple[Table, ...]] = {
    "samples": SAMPLES,
    # only uncompressed sound has so many samples: FFmpeg takes a thousand of them for one entry
    "samples as sound": (*SAMPLES, (b"hdlr", 8, (int.from_bytes(b"soun", "big"),))),
    "edits": ((b"elst", 4, (MANY,)),),
    # FFmpeg looks for lost headers in free space
    "hidden samples": (*SAMPLES, (b"moov", -4, (int.from_bytes(b"hoov", "big"),))),
}


@pytest.mark.parametrize("tables", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("use", CONSUMERS)
def test_a_small_file_that_declares_millions_of_frames_is_refused(
    tmp_path: Path, use: Callable[[Path], None], tables: tuple[Table, ...]
) -> None:
    """FFmpeg took 4.8 GB and 27 s for an index of the frames that a file of 4 KB declares."""
    path = write_clip(tmp_path / "clip.mp4", 10)
    for box, at, values in tables:
        with_table(path, box, at, *values)
    before = peak_memory_bytes()
    started_s = time.process_time()

    with pytest.raises(MattecamError, match="not a readable video"):
        use(path)

    assert time.process_time() - started_s < 10
    assert peak_memory_bytes() - before < 50_000_000


def test_fragments_that_declare_millions_of_frames_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    fragment = struct.pack(">I4sIIII", 24, b"trun", 0, 3_000_000, 0, 0)
    for name in (b"traf", b"moof"):
        fragment = struct.pack(">I4s", 8 + len(fragment), name) + fragment
    path.write_bytes(fragment)
    assert not read_header(path).declares_too_much
    path.write_bytes(fragment * 2)
    assert read_header(path).declares_too_much


def test_an_avi_of_empty_parts_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reserved, empty file of 10 GB took ten minutes."""
    path = tmp_path / "clip.avi"
    path.write_bytes(
        b"RIFF    AVI " + bytes(8 * 20) + struct.pack("<4sI4s", b"LIST", 1 << 30, b"movi")
    )
    assert read_header(path).is_short
    monkeypatch.setattr("app.media.headers.MAX_PARTS", 10)
    assert not read_header(path).is_short


def test_hours_of_uncompressed_sound_are_permitted_but_no_years(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    hours = 3 * 3600 * 48_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000)
        assert isinstance(stream, av.AudioStream)
        # silence: memory of any content may hold the name of a table
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 2 * 48_000), np.int16), format="s16", layout="stereo"
        )
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert not read_header(path).declares_too_much
    assert not read_header(with_table(path, b"stsz", 8, hours)).declares_too_much
    assert read_header(
        with_table(with_table(path, b"stsc", 12, 2**32 - 1), b"elst", 4, 2)
    ).declares_too_much


@given(st.data())
def test_arbitrary_boxes_never_crash(data: st.DataObject) -> None:
    names = st.sampled_from(
        [b"moov", b"trak", b"stbl", b"stsz", b"stsc", b"stco", b"stts", b"elst", b"trun", b"hdlr"]
    )
    names |= st.sampled_from([b"dvcC", b"stsd"])
    sizes = st.integers(0, 80) | st.sampled_from([1, 2**31, 2**32 - 1])
    parts = data.draw(st.lists(st.tuples(sizes, names, st.binary(max_size=40)), max_size=12))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "boxes.mp4"
        file.write_bytes(
            b"".join(struct.pack(">I4s", size, name) + content for size, name, content in parts)
        )
        assert read_header(file).declares_too_much in (False, True)


def test_a_size_that_grows_within_the_file_is_not_decoded(tmp_path: Path) -> None:
    small = write_clip(tmp_path / "small.ts", 60, size=(96, 48))
    large = write_clip(tmp_path / "large.ts", 3, size=(384, 192))
    path = copy_into(tmp_path / "joined.mkv", (small, 0), (large, 900_000))

    with closing(VideoInput(path)) as video:
        assert {(frame.width, frame.height) for frame in video.frames()} == {(96, 48), (384, 192)}
    with closing(VideoInput(path, max_pixels=96 * 48)) as video:
        assert {(frame.width, frame.height) for frame in video.frames()} == {(96, 48)}
        assert video.damaged


def test_decoding_without_a_frame_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.media.video_input.FRAME_TIMEOUT_S", 0)
    with closing(VideoInput(write_clip(tmp_path / "clip.mkv", 30))) as video:
        assert list(video.frames()) == []
        assert video.damaged == 1


def test_implausible_pixels_are_square(tmp_path: Path) -> None:
    for aspect, expected in ((Fraction(16, 11), Fraction(16, 11)), (Fraction(200, 1), Fraction(1))):
        path = write_clip(tmp_path / "clip.mkv", 2, pixel_aspect=aspect)
        with closing(VideoInput(path)) as video:
            assert video.aspects.at_start == expected


class Track(NamedTuple):
    codec: str
    # Frames, or tenths of a second.
    length: int
    is_default: bool = False
    width: int = 96
    tone_hz: int = 440
    disposition: Disposition = Disposition(0)


def write_tracks(path: Path, tracks: Sequence[Track]) -> Path:
    """Write a file with these tracks, at 25 frames per second."""
    with av.open(str(path), "w") as container:
        streams = []
        for track in tracks:
            stream = container.add_stream(
                track.codec, rate=48_000 if track.codec in ("aac", "ac3") else 25
            )
            if isinstance(stream, av.VideoStream):
                stream.width = track.width
                stream.height = 48
                stream.pix_fmt = "yuvj420p" if track.codec == "mjpeg" else "yuv420p"
            stream.disposition = track.disposition | (
                Disposition.default if track.is_default else Disposition(0)
            )
            streams.append(stream)
        for stream, track in zip(streams, tracks, strict=True):
            if isinstance(stream, av.VideoStream):
                for number in range(track.length):
                    frame = av.VideoFrame.from_ndarray(numbered(number, track.width), "bgr24")
                    frame.pts = number
                    frame.time_base = 1 / stream.codec_context.framerate
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
            else:
                write_sound(container, stream, track.length / 10, hz=track.tone_hz)
    return path


THUMBNAIL = Track("mjpeg", 1, width=64)
FILM = Track("libx264", 30, width=128)
SHORT = Track("libx264", 8, width=64)
ONE_DEFAULT = [
    [THUMBNAIL, FILM._replace(is_default=True)],
    [THUMBNAIL._replace(is_default=True), FILM],
    [THUMBNAIL._replace(is_default=True), FILM._replace(is_default=True)],
    [SHORT._replace(is_default=True), FILM._replace(is_default=True)],
    [SHORT._replace(length=40), FILM._replace(is_default=True)],
    [FILM, SHORT],
]
NO_DEFAULT = [
    [THUMBNAIL, FILM],
    [SHORT._replace(codec="mjpeg"), FILM],
    [SHORT, FILM, SHORT._replace(length=20)],
]


@pytest.mark.parametrize(
    ("suffix", "tracks"),
    [
        *((suffix, tracks) for suffix in ("mkv", "mp4", "mov") for tracks in ONE_DEFAULT),
        *((suffix, tracks) for suffix in ("mkv", "avi") for tracks in NO_DEFAULT),
    ],
)
def test_the_film_is_the_default_track_and_no_thumbnail(
    tmp_path: Path, suffix: str, tracks: list[Track]
) -> None:
    reader = VideoReader(write_tracks(tmp_path / f"in.{suffix}", tracks))
    assert reader.width == 128
    assert len(list(reader.frames())) == 30
    assert reader.more_tracks == len(tracks) - 1


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    cover = Track("mjpeg", 1, width=64, disposition=Disposition.attached_pic)
    reader = VideoReader(write_tracks(tmp_path / "in.mp4", [cover, FILM]))
    assert (reader.width, reader.more_tracks) == (128, 0)
    with pytest.raises(VideoError, match="contains no video"):
        VideoReader(write_tracks(tmp_path / "cover.mp4", [cover, Track("aac", 10)]))


def without_decoder(path: Path, number: int) -> Path:
    """Give the track with this number a codec that nobody knows."""
    parts = path.read_bytes().split(b"trak")
    for name in (b"avc1", b"mp4a", b"esds"):
        parts[number + 1] = parts[number + 1].replace(name, b"qqqq")
    path.write_bytes(b"trak".join(parts))
    return path


def test_another_as_long_film_stands_for_one_that_cannot_be_decoded_but_no_thumbnail(
    tmp_path: Path,
) -> None:
    path = write_tracks(tmp_path / "in.mov", [Track("libx264", 28, is_default=True), FILM])
    assert VideoReader(without_decoder(path, 0)).width == 128
    path = write_tracks(
        tmp_path / "in.mov", [FILM._replace(is_default=True), Track("mjpeg", 3, width=64)]
    )
    with pytest.raises(VideoError, match="format that cannot be played"):
        VideoReader(without_decoder(path, 0))


LOW = Track("aac", 12, tone_hz=300)
HIGH = Track("aac", 12, tone_hz=2000)


def tone_of(path: Path) -> float:
    """Return the frequency of the only sound of a file."""
    with av.open(str(path)) as container:
        (track,) = container.streams.audio
        assert track.codec_context.name == "aac"
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(track)])
        part = sound[len(sound) // 4 : len(sound) * 3 // 4]
        return float(np.abs(np.fft.rfft(part)).argmax() * track.rate / part.size)


@pytest.mark.parametrize(
    ("suffix", "sounds", "tone_hz"),
    [
        ("mkv", [LOW, HIGH._replace(is_default=True)], 2000),
        ("mov", [LOW, HIGH._replace(is_default=True)], 2000),
        ("mkv", [LOW, HIGH._replace(length=30)], 2000),
        ("mkv", [LOW._replace(codec="ac3", length=4), HIGH], 2000),
        ("mkv", [LOW, HIGH], 300),
    ],
)
def test_the_sound_is_the_default_track_else_the_longest(
    tmp_path: Path, suffix: str, sounds: list[Track], tone_hz: int
) -> None:
    source = write_tracks(tmp_path / f"in.{suffix}", [FILM._replace(is_default=True), *sounds])

    report = run(source, tmp_path / "out.mp4")

    assert tone_of(tmp_path / "out.mp4") == pytest.approx(tone_hz, abs=20)
    assert report.problems == (
        f"Further tracks of {source} (sound, subtitles, video) were left out: 1.",
    )


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_sound_that_nobody_can_decode_gives_way(tmp_path: Path, suffix: str) -> None:
    """Telephones put a spatial track before one that everybody can play."""
    source = write_tracks(
        tmp_path / "in.mov", [FILM, LOW._replace(is_default=True, length=30), HIGH]
    )

    report = run(without_decoder(source, 1), tmp_path / f"out.{suffix}")

    assert tone_of(tmp_path / f"out.{suffix}") == pytest.approx(2000, abs=20)
    assert len(report.problems) == 1, "the track that was left out"


def test_a_film_whose_only_sound_cannot_be_decoded_is_silent_and_says_so(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.mov", [FILM, LOW])

    report = run(without_decoder(source, 1), tmp_path / "out.mp4")

    assert "could not be taken over" in report.problems[0]
    assert not run(source, tmp_path / "out").problems, "images have no sound"
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


WIDE = (96, 48)
TALL = (48, 96)
# Frames of one shape.
COUNT = 8


def joined(
    folder: Path, *parts: tuple[tuple[int, int], Fraction | None], b_frames: int = 0
) -> Path:
    """Write a transport stream whose white frames have these sizes and pixel aspects, one after
    the other.
    """
    path = folder / "in.ts"
    with path.open("wb") as file:
        for size, aspect in parts:
            white = np.full((COUNT, *size[::-1], 3), 255, np.uint8)
            part = write_clip(
                folder / "part.ts",
                COUNT,
                size=size,
                pixel_aspect=aspect,
                image=white.__getitem__,
                b_frames=b_frames,
            )
            file.write(part.read_bytes())
    return path


def white_part(image: BgrImage) -> tuple[int, int]:
    """Return width and height of what is white in the middle of a frame, all around it being
    black.
    """
    bright = image.min(axis=2) > 128
    rows = np.flatnonzero(bright.any(axis=1))
    columns = np.flatnonzero(bright.any(axis=0))
    assert abs(rows[0] - (image.shape[0] - 1 - rows[-1])) <= 2, "in the middle"
    assert abs(columns[0] - (image.shape[1] - 1 - columns[-1])) <= 2, "in the middle"
    return len(columns), len(rows)


def assert_parts(images: Sequence[BgrImage], *expected: tuple[int, int]) -> None:
    assert len(images) == COUNT * len(expected)
    for number, image in enumerate(images):
        assert white_part(image) == pytest.approx(expected[number // COUNT], abs=3), number


SHAPES = {
    "a telephone is turned": ([(WIDE, None), (TALL, None)], WIDE, [WIDE, (24, 48)]),
    "and back": ([(TALL, None), (WIDE, None), (TALL, None)], TALL, [TALL, (48, 24), TALL]),
    "another resolution": ([(WIDE, None), ((192, 96), None)], WIDE, [WIDE, WIDE]),
    "a broadcast goes from 2:1 to 1:1": (
        [(WIDE, Fraction(1)), (WIDE, Fraction(1, 2))],
        WIDE,
        [WIDE, (48, 48)],
    ),
}


@pytest.mark.parametrize(("parts", "size", "expected"), SHAPES.values(), ids=SHAPES)
def test_frames_of_another_shape_are_letterboxed_which_is_said_once(
    tmp_path: Path,
    parts: list[tuple[tuple[int, int], Fraction | None]],
    size: tuple[int, int],
    expected: list[tuple[int, int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = joined(tmp_path, *parts)
    shapes = len({*expected})
    report = run(source, tmp_path / "out.mp4", Settings(background=BackgroundSettings(kind="none")))
    images = pictures(tmp_path / "out.mp4")
    assert images[0].shape[1::-1] == size
    assert_parts(images, *expected)
    assert ["black bars" in problem for problem in report.problems] == [True] * (shapes > 1)
    with closing(VideoFileSource(source, realtime=False)) as live, caplog.at_level(logging.WARNING):
        frames = [live.read() for _ in range(3 * COUNT * len(parts))]
    images = [frame.image for frame in frames if frame is not None]
    assert images[0].shape[1::-1] == size
    assert_parts(images[: COUNT * len(parts)], *expected)
    told = [record.message for record in caplog.records]
    assert ["not stretched" in each for each in told] == [True] * (shapes > 1), (
        "once, however often it is played"
    )
    caplog.clear()


def test_each_frame_has_its_own_pixel_aspect_where_they_change(tmp_path: Path) -> None:
    """The decoder names the aspect of the packet that it took last, of a frame that is shown
    later.
    """
    aspects = Fraction(1), Fraction(1, 2), Fraction(4, 3), Fraction(1)
    path = joined(tmp_path, *((WIDE, aspect) for aspect in aspects), b_frames=3)

    images = [image for _, image in VideoReader(path).frames()]

    assert_parts(images, WIDE, (48, 48), (96, 36), WIDE)


@pytest.mark.parametrize("fit", ["fit", "fill"])
def test_a_background_is_not_stretched(tmp_path: Path, fit: str) -> None:
    source = joined(tmp_path, (WIDE, None), (TALL, None))
    layout = Layout("fit" if fit == "fit" else "fill")
    with closing(VideoBackground(source, layout, realtime=False)) as background:
        images = [background.backdrop(*WIDE, number / 25 + 0.01) for number in range(4 * COUNT)]

    for number in (2, COUNT - 2, 2 * COUNT + 2):
        assert white_part(images[number]) == WIDE
    for number in (COUNT + 2, 2 * COUNT - 2):
        assert white_part(np.where(images[number] > 200, 255, 0).astype(np.uint8)) == pytest.approx(
            (24, 48) if fit == "fit" else WIDE, abs=3
        )


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_the_first_frame_does_not_decide_the_size(tmp_path: Path, suffix: str) -> None:
    """The header of the file names the size of the film, and a part of another shape may come
    first.
    """
    parts = [
        write_clip(tmp_path / f"{number}.ts", 30, size=size)
        for number, size in enumerate((TALL, WIDE))
    ]
    reader = VideoReader(
        copy_into(tmp_path / f"in.{suffix}", (parts[0], 0), (parts[1], 108_000), header=1)
    )

    assert (reader.width, reader.height) == WIDE
    assert {image.shape for _, image in reader.frames()} == {(48, 96, 3)}
    assert reader.reshaped == 30
