"""Files with several tracks: which is the film, and which its sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.stream import Disposition

from app.media.video_input import VideoError
from app.media.video_reader import VideoReader
from tests.clips import numbered
from tests.offline.converting import run

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
