"""Which tracks are the film and its sound, and frames that change their shape: nothing is stretched."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.stream import Disposition

from app.capture.video_file import VideoFileSource
from app.compositing.backgrounds import VideoBackground
from app.core.geometry import Layout
from app.core.settings import BackgroundSettings, Settings
from app.core.types import BgrImage
from app.media.video_input import VideoError
from app.media.video_reader import VideoReader
from tests.clips import copy_into, numbered, write_clip
from tests.offline.converting import pictures, run

SAMPLE_RATE = 48_000


class Track(NamedTuple):
    codec: str
    length: int
    """Frames, or tenths of a second."""
    is_default: bool = False
    width: int = 96
    tone_hz: int = 440
    disposition: Disposition = Disposition(0)


def write_tracks(path: Path, tracks: Sequence[Track]) -> Path:
    """Write a file with these tracks, at 25 frames per second."""
    with av.open(str(path), "w") as container:
        streams = []
        for track in tracks:
            rate = SAMPLE_RATE if track.codec in ("aac", "ac3") else 25
            stream = container.add_stream(track.codec, rate=rate)
            if isinstance(stream, av.VideoStream):
                stream.width, stream.height = track.width, 48
                stream.pix_fmt = "yuvj420p" if track.codec == "mjpeg" else "yuv420p"
            stream.disposition = track.disposition | (Disposition.default if track.is_default else Disposition(0))
            streams.append(stream)
        for stream, track in zip(streams, tracks, strict=True):
            if isinstance(stream, av.VideoStream):
                for number in range(track.length):
                    frame = av.VideoFrame.from_ndarray(numbered(number, track.width), "bgr24")
                    frame.pts, frame.time_base = number, 1 / stream.codec_context.framerate
                    container.mux(stream.encode(frame))
            elif isinstance(stream, av.AudioStream):
                wave = np.sin(np.arange(SAMPLE_RATE * track.length // 10) * 2 * np.pi * track.tone_hz / SAMPLE_RATE)
                samples = av.AudioFrame.from_ndarray((wave * 9000).astype(np.int16)[None], "s16", "mono")
                samples.sample_rate = SAMPLE_RATE
                container.mux(stream.encode(samples))
            if isinstance(stream, av.VideoStream | av.AudioStream):
                container.mux(stream.encode(None))
    return path


THUMBNAIL = Track("mjpeg", 1, width=64)
FILM = Track("libx264", 30, width=128)


SHORT = Track("libx264", 8, width=64)
ONE_DEFAULT = [
    [THUMBNAIL, FILM._replace(is_default=True)],
    [THUMBNAIL._replace(is_default=True), FILM],
    [THUMBNAIL._replace(is_default=True), FILM._replace(is_default=True)],
    [SHORT._replace(is_default=True), FILM._replace(is_default=True)],
    [FILM, SHORT],
]
NO_DEFAULT = [[THUMBNAIL, FILM], [SHORT._replace(codec="mjpeg"), FILM], [SHORT, FILM, SHORT._replace(length=20)]]


@pytest.mark.parametrize(
    ("suffix", "tracks"),
    [
        *((suffix, tracks) for suffix in ("mkv", "mp4", "mov") for tracks in ONE_DEFAULT),
        *((suffix, tracks) for suffix in ("mkv", "avi") for tracks in NO_DEFAULT),
    ],
)
def test_the_film_is_no_thumbnail(tmp_path: Path, suffix: str, tracks: list[Track]) -> None:
    reader = VideoReader(write_tracks(tmp_path / f"in.{suffix}", tracks))
    assert reader.width == 128
    assert len(list(reader.frames())) == 30
    assert reader.more_tracks == len(tracks) - 1


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_the_film_is_the_default_track(tmp_path: Path, suffix: str) -> None:
    tracks = [FILM, Track("libx264", 12, is_default=True, width=64), Track("libx264", 40, width=80)]
    assert VideoReader(write_tracks(tmp_path / f"in.{suffix}", tracks)).width == 64


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


def test_a_film_that_cannot_be_decoded_is_another_as_long_one(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "in.mov", [Track("libx264", 28, is_default=True), FILM])
    assert VideoReader(without_decoder(path, 0)).width == 128


def test_a_thumbnail_does_not_stand_for_a_film_that_cannot_be_decoded(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "in.mov", [FILM._replace(is_default=True), Track("mjpeg", 3, width=64)])
    with pytest.raises(VideoError, match="format that cannot be played"):
        VideoReader(without_decoder(path, 0))


LOW, HIGH = Track("aac", 12, tone_hz=300), Track("aac", 12, tone_hz=2000)


def test_tracks_that_are_left_out_are_named(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "two.mkv", [FILM, LOW, HIGH])
    report = run(source, tmp_path / "out.mp4")
    assert report.problems == (f"Further tracks of {source} (sound, subtitles, video) were left out: 1.",)
    assert not run(source, tmp_path / "out").problems, "images have no sound"
    assert not run(write_tracks(tmp_path / "one.mkv", [FILM, LOW]), tmp_path / "one.mp4").problems


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
    run(source, tmp_path / "out.mp4")
    assert tone_of(tmp_path / "out.mp4") == pytest.approx(tone_hz, abs=20)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_sound_that_nobody_can_decode_gives_way(tmp_path: Path, suffix: str) -> None:
    """Telephones put a spatial track before one that everybody can play."""
    source = write_tracks(tmp_path / "in.mov", [FILM, LOW._replace(is_default=True, length=30), HIGH])
    report = run(without_decoder(source, 1), tmp_path / f"out.{suffix}")
    assert tone_of(tmp_path / f"out.{suffix}") == pytest.approx(2000, abs=20)
    assert len(report.problems) == 1, "the track that was left out"


def test_a_film_whose_only_sound_cannot_be_decoded_is_silent_and_says_so(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.mov", [FILM, LOW])
    report = run(without_decoder(source, 1), tmp_path / "out.mp4")
    assert "could not be taken over" in report.problems[0]
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


WIDE, TALL = (96, 48), (48, 96)
COUNT = 8
"""Frames of one shape."""


def joined(folder: Path, *parts: tuple[tuple[int, int], Fraction | None]) -> Path:
    """Write a transport stream whose white frames have these sizes and pixel aspects, one after the other."""
    data = b""
    for number, (size, aspect) in enumerate(parts):
        white = partial(np.full, (size[1], size[0], 3), 255, np.uint8)
        path = folder / f"{number}.ts"
        data += write_clip(path, COUNT, size=size, pixel_aspect=aspect, image=lambda _: white()).read_bytes()  # noqa: B023
    (folder / "in.ts").write_bytes(data)
    return folder / "in.ts"


def white_part(image: BgrImage) -> tuple[int, int]:
    """Return width and height of what is white in the middle of a frame, all around it being black."""
    bright = image.min(axis=2) > 128
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    assert abs(rows[0] - (image.shape[0] - 1 - rows[-1])) <= 2, "in the middle"
    assert abs(columns[0] - (image.shape[1] - 1 - columns[-1])) <= 2, "in the middle"
    return len(columns), len(rows)


def assert_parts(images: Sequence[BgrImage], *expected: tuple[int, int]) -> None:
    assert len(images) == COUNT * len(expected)
    for number, image in enumerate(images):
        if number % COUNT == 0 and number:
            continue  # the decoder may report the aspect of the next frame already
        assert white_part(image) == pytest.approx(expected[number // COUNT], abs=3), number


SHAPES = {
    "a telephone is turned": ([(WIDE, None), (TALL, None)], WIDE, [WIDE, (24, 48)]),
    "and back": ([(TALL, None), (WIDE, None), (TALL, None)], TALL, [TALL, (48, 24), TALL]),
    "another resolution": ([(WIDE, None), ((192, 96), None)], WIDE, [WIDE, WIDE]),
    "a broadcast goes from 2:1 to 1:1": ([(WIDE, Fraction(1)), (WIDE, Fraction(1, 2))], WIDE, [WIDE, (48, 48)]),
}


@pytest.mark.parametrize(("parts", "size", "expected"), SHAPES.values(), ids=SHAPES)
def test_films_are_letterboxed_and_say_so_once(
    tmp_path: Path,
    parts: list[tuple[tuple[int, int], Fraction | None]],
    size: tuple[int, int],
    expected: list[tuple[int, int]],
) -> None:
    report = run(joined(tmp_path, *parts), tmp_path / "out.mp4", Settings(background=BackgroundSettings(kind="none")))
    images = pictures(tmp_path / "out.mp4")
    assert images[0].shape[1::-1] == size
    assert_parts(images, *expected)
    said = [problem for problem in report.problems if "black bars" in problem]
    assert len(said) == len(report.problems) == (len({*expected}) > 1)


@pytest.mark.parametrize(("parts", "size", "expected"), SHAPES.values(), ids=SHAPES)
def test_a_live_source_is_letterboxed_and_says_so_once(
    tmp_path: Path,
    parts: list[tuple[tuple[int, int], Fraction | None]],
    size: tuple[int, int],
    expected: list[tuple[int, int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(VideoFileSource(joined(tmp_path, *parts), realtime=False)) as source, caplog.at_level(logging.WARNING):
        frames = [source.read() for _ in range(3 * COUNT * len(parts))]
    images = [frame.image for frame in frames if frame is not None]
    assert images[0].shape[1::-1] == size
    assert_parts(images[: COUNT * len(parts)], *expected)
    said = [record.message for record in caplog.records]
    assert len(said) == (len({*expected}) > 1), "once, however often it is played"
    assert all("not stretched" in each for each in said)
    caplog.clear()


@pytest.mark.parametrize("fit", ["fit", "fill"])
def test_a_background_is_not_stretched(tmp_path: Path, fit: str, caplog: pytest.LogCaptureFixture) -> None:
    source = joined(tmp_path, (WIDE, None), (TALL, None))
    layout = Layout("fit" if fit == "fit" else "fill")
    with closing(VideoBackground(source, layout, realtime=False)) as background, caplog.at_level(logging.WARNING):
        images = [background.backdrop(*WIDE, number / 25 + 0.01) for number in range(4 * COUNT)]
    for number in (2, COUNT - 2, 2 * COUNT + 2):
        assert white_part(images[number]) == WIDE
    for number in (COUNT + 2, 2 * COUNT - 2):
        assert white_part(np.where(images[number] > 200, 255, 0).astype(np.uint8)) == pytest.approx(
            (24, 48) if fit == "fit" else WIDE, abs=3
        )
    assert ["not stretched" in record.message for record in caplog.records] == [True]
    caplog.clear()


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_the_first_frame_does_not_decide_the_size(tmp_path: Path, suffix: str) -> None:
    """The header of the file names the size of the film, and a part of another shape may come first."""
    parts = [write_clip(tmp_path / f"{number}.ts", 30, size=size) for number, size in enumerate((TALL, WIDE))]
    reader = VideoReader(copy_into(tmp_path / f"in.{suffix}", (parts[0], 0), (parts[1], 108_000), header=1))
    assert (reader.width, reader.height) == WIDE
    assert {image.shape for _, image in reader.frames()} == {(48, 96, 3)}
    assert reader.reshaped == 30
