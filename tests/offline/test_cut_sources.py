"""Offline conversion of sources that lack frames: they are reported, and whole sources are not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from app.cli import main
from app.core.settings import BackgroundSettings, Settings
from tests.clips import copy_into, numbered, read_numbers, write_clip, write_silence, writing
from tests.offline.converting import build_half, run

LATE_S = [3 + number / 25 for number in range(40)]
"""Times of 40 frames that begin late."""


def cut_clip(tmp_path: Path, share: float, times_s: list[float] | None = None) -> Path:
    """Write a clip of 40 frames without the end of its bytes."""
    whole = write_clip(tmp_path / "whole.mkv", 40, times_s=times_s).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: round(len(whole) * share)])
    return tmp_path / "cut.mkv"


@pytest.mark.parametrize("times_s", [None, LATE_S])
def test_a_cut_source_is_reported(tmp_path: Path, times_s: list[float] | None) -> None:
    source = cut_clip(tmp_path, 0.6, times_s)
    report = run(source, tmp_path / "out.mp4", Settings(background=BackgroundSettings(kind="none")))
    assert report.complete and report.source_cut
    assert report.expected_frames == 40
    assert f"is cut off: {report.frames} of 40 frames" in report.problems[0]
    assert 5 < report.frames < 40
    assert read_numbers(tmp_path / "out.mp4") == list(range(report.frames))


def test_a_source_that_misses_frames_in_the_middle_is_cut(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 40)
    data = bytearray(source.read_bytes())
    first, last = data.index(b"mdat") + 4, data.index(b"moov")
    data[(first + last) // 2 : (2 * first + 3 * last) // 5] = bytes((2 * first + 3 * last) // 5 - (first + last) // 2)
    source.write_bytes(data)
    report = run(source, tmp_path / "out.mp4")
    assert report.frames < 38
    assert report.source_cut


@pytest.mark.parametrize(
    ("suffix", "audio", "times_s"),
    [
        ("mkv", "", LATE_S),
        ("mkv", "aac", None),
        ("mp4", "", None),
        ("mp4", "aac", LATE_S),
        ("ts", "", None),
        ("avi", "", None),
        ("ts", "aac", LATE_S),
    ],
)
def test_whole_files_are_not_cut(tmp_path: Path, suffix: str, audio: str, times_s: list[float] | None) -> None:
    report = run(write_clip(tmp_path / f"in.{suffix}", 40, times_s=times_s, audio=audio), tmp_path / "out.mp4")
    assert not report.source_cut and not report.problems
    assert report.frames == 40
    assert report.expected_frames == 40 or not times_s, "sound may end after the last frame"


def test_a_film_that_was_trimmed_without_encoding_is_whole(repo: Path, tmp_path: Path) -> None:
    """An edit list hides its first frames, and what refers to frames after the cut was left out."""
    source = repo / "tests" / "field" / "trimmed_without_reencoding_open_gop.mp4"
    report = run(source, tmp_path / "out.mp4")
    assert (report.frames, report.expected_frames, report.source_cut, report.problems) == (68, 68, False, ())


def longer_sound(path: Path, audio: str, *, tags: bool) -> Path:
    """Write 50 frames at 25 frames per second, and sound that lasts nine seconds."""
    with writing(path, options={"preset": "ultrafast"}) as (container, stream):
        sound = container.add_stream(audio, rate=48_000, layout="mono")
        for number in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "bgr24")))
        write_silence(container, sound, 9)
    if not tags:
        path.write_bytes(path.read_bytes().replace(b"DURATION", b"XURATION"))
    return path


@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize(
    ("suffix", "audio"),
    [("mkv", "libopus"), ("mkv", "aac"), ("mp4", "aac"), ("avi", "mp2"), ("flv", "aac"), ("ts", "mp2")],
)
def test_sound_that_outlasts_the_video_cuts_nothing(tmp_path: Path, suffix: str, audio: str, tags: bool) -> None:
    report = run(longer_sound(tmp_path / f"in.{suffix}", audio, tags=tags), tmp_path / "out.mp4")
    assert (report.frames, report.expected_frames, report.source_cut, report.problems) == (50, 50, False, ())
    with av.open(str(tmp_path / "out.mp4")) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert video.duration is not None and video.time_base is not None
        assert float(video.duration * video.time_base) == pytest.approx(2, abs=0.001), "its last frame is not held"
        assert sound.duration is not None and sound.time_base is not None
        assert float(sound.duration * sound.time_base) == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize(("suffix", "share"), [("mkv", 0.6), ("mkv", 0.9), ("avi", 0.4), ("flv", 0.6)])
@pytest.mark.parametrize("audio", ["", "mp2"])
def test_a_download_that_broke_off_is_cut(tmp_path: Path, suffix: str, share: float, audio: str) -> None:
    audio = "libmp3lame" if audio and suffix == "flv" else audio
    source = write_clip(tmp_path / f"in.{suffix}", 100, audio=audio, audio_rate=44_100)
    source.write_bytes(source.read_bytes()[: round(source.stat().st_size * share)])
    report = run(source, tmp_path / "out.mp4")
    assert report.source_cut
    assert any("is cut off" in problem for problem in report.problems)


def test_an_mp4_whose_end_is_missing_is_cut(tmp_path: Path) -> None:
    """Web servers put the header before the frames."""
    whole = write_clip(tmp_path / "in.mp4", 100), 0
    path = copy_into(tmp_path / "fast.mp4", whole, options={"movflags": "+faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    report = run(path, tmp_path / "out.mp4")
    assert report.source_cut and report.frames < 95 and report.expected_frames == 100
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.duration == pytest.approx(report.frames * 40_000, abs=45_000), "its last frame is not held"


@pytest.mark.parametrize(("suffix", "codec"), [("h264", "libx264"), ("hevc", "libx265"), ("m2v", "mpeg2video")])
@pytest.mark.parametrize("rate", [Fraction(30), Fraction(24000, 1001), Fraction(50)])
def test_a_bare_stream_has_the_rate_that_it_names(tmp_path: Path, suffix: str, codec: str, rate: Fraction) -> None:
    """FFmpeg assumes 25 frames per second of every such file."""
    source = tmp_path / f"in.{suffix}"
    with writing(source, codec, rate, size=(96, 64)) as (container, written):
        for number in range(40):
            container.mux(written.encode(av.VideoFrame.from_ndarray(numbered(number, height=64), "bgr24")))
    report = run(source, tmp_path / "out.mp4")
    assert (report.frames, report.expected_frames, report.problems) == (40, 40, ())
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == rate
        assert stream.duration is not None and stream.time_base is not None
        assert stream.duration * stream.time_base == 40 / rate


def test_the_clock_of_a_file_is_not_its_frame_rate(tmp_path: Path) -> None:
    """Browsers record WebM without a frame rate: the only one to be found is that of its clock, in milliseconds."""
    source = write_clip(tmp_path / "in.mkv", 40, fps=1000, times_s=[number * 0.034 for number in range(40)])
    report = run(source, tmp_path / "out.mp4")
    assert report.frames == 40
    assert report.expected_frames is not None and 30 < report.expected_frames < 50
    with av.open(str(tmp_path / "out.mp4")) as container:
        header = container.streams.video[0].codec_context.extradata
    assert header is not None and header[3] == 10, "the level of H.264, at which players refuse films"


def test_the_command_fails_for_a_cut_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.offline.convert.build_engine", build_half)
    source = cut_clip(tmp_path, 0.6)
    assert main.main(["convert", str(source), str(tmp_path / "out.mp4"), "--model", "mattecam"]) == 1
    assert "cut.mkv is cut off" in capsys.readouterr().err
