"""Offline conversion of sources that lack frames: they are reported, and whole sources are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import main
from app.core.settings import BackgroundSettings, Settings
from tests.clips import read_numbers, write_clip
from tests.offline.converting import run


def test_a_cut_source_is_reported(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 40).read_bytes()
    source = tmp_path / "cut.mkv"
    source.write_bytes(whole[: len(whole) * 6 // 10])
    report = run(source, tmp_path / "out.mp4", Settings(background=BackgroundSettings(kind="none")))
    assert report.complete
    assert report.source_cut
    assert report.expected_frames == 40
    assert f"is cut off: {report.frames} of 40 frames" in report.problems[0]
    assert 5 < report.frames < 40
    assert read_numbers(tmp_path / "out.mp4") == list(range(report.frames))


def test_a_source_that_misses_its_last_frames_is_cut(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 40).read_bytes()
    source = tmp_path / "cut.mkv"
    source.write_bytes(whole[: len(whole) * 9 // 10])
    report = run(source, tmp_path / "out.mp4")
    assert 30 <= report.frames < 38
    assert report.source_cut


@pytest.mark.parametrize("audio", ["", "aac"])
@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_a_whole_file_that_starts_late_is_not_cut(tmp_path: Path, suffix: str, audio: str) -> None:
    times = [3 + number / 25 for number in range(40)]
    source = write_clip(tmp_path / f"in.{suffix}", 40, times_s=times, audio=audio)
    report = run(source, tmp_path / "out.mp4")
    assert not report.source_cut and not report.problems
    assert (report.frames, report.expected_frames) == (40, 40)


def test_a_file_that_starts_late_and_is_cut_is_reported(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 40, times_s=[3 + number / 25 for number in range(40)]).read_bytes()
    source = tmp_path / "cut.mkv"
    source.write_bytes(whole[: len(whole) * 6 // 10])
    report = run(source, tmp_path / "out.mp4")
    assert report.source_cut and report.expected_frames == 40


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
    ("suffix", "audio"), [("mkv", ""), ("mkv", "aac"), ("mp4", ""), ("mp4", "aac"), ("ts", ""), ("avi", "")]
)
def test_whole_files_are_not_cut(tmp_path: Path, suffix: str, audio: str) -> None:
    source = write_clip(tmp_path / f"in.{suffix}", 40, audio=audio)
    report = run(source, tmp_path / "out.mp4")
    assert not report.source_cut
    assert report.problems == ()


def test_the_command_fails_for_a_cut_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 40).read_bytes()
    source = tmp_path / "cut.mkv"
    source.write_bytes(whole[: len(whole) * 6 // 10])
    assert main.main(["convert", str(source), str(tmp_path / "out.mp4"), "--model", "student"]) == 1
    assert "cut.mkv is cut off" in capsys.readouterr().err
