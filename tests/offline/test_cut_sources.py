"""Offline conversion of sources that lack frames: they are reported, and whole sources are not."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from app.cli import main
from app.core.settings import BackgroundSettings, Settings
from tests.clips import read_numbers, write_clip
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


def test_a_source_that_misses_its_last_frames_is_cut(tmp_path: Path) -> None:
    report = run(cut_clip(tmp_path, 0.9), tmp_path / "out.mp4")
    assert 30 <= report.frames < 38
    assert report.source_cut


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
