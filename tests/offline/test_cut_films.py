"""Films that lack frames are reported, and those that seem to are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from app.cli import main
from app.core.settings import BackgroundSettings
from app.settings import Settings
from tests.clips import (
    copy_into,
    lengths_of,
    numbered,
    read_numbers,
    write_clip,
    write_sound,
    writing,
)
from tests.offline.converting import run

NONE = Settings(background=BackgroundSettings(kind="none"))


# Times of 40 frames that begin late.
LATE_S = [3 + number / 25 for number in range(40)]


def cut_clip(
    folder: Path, suffix: str = "mkv", share: float = 0.6, audio: str = "", **options: Any
) -> Path:
    """Write a clip of 40 frames without the end of its bytes."""
    source = write_clip(folder / f"cut.{suffix}", 40, audio=audio, audio_rate=44_100, **options)
    if suffix == "mp4":  # web servers put the header before the frames
        source = copy_into(folder / "fast.mp4", (source, 0), options={"movflags": "+faststart"})
    source.write_bytes(source.read_bytes()[: round(source.stat().st_size * share)])
    return source


@pytest.mark.parametrize(
    ("suffix", "share", "audio", "times_s"),
    [
        ("mkv", 0.6, "", None), ("mkv", 0.6, "", LATE_S), ("mkv", 0.9, "", None), ("mkv", 0.6, "mp2", None),
        ("mkv", 0.9, "mp2", None), ("avi", 0.4, "", None), ("avi", 0.4, "mp2", None), ("flv", 0.6, "", None),
        ("flv", 0.6, "libmp3lame", None), ("mp4", 0.75, "", None),
    ],
)  # fmt: skip
def test_a_cut_source_is_reported(
    tmp_path: Path, suffix: str, share: float, audio: str, times_s: list[float] | None
) -> None:
    report = run(
        cut_clip(tmp_path, suffix, share, audio, times_s=times_s), tmp_path / "out.mp4", NONE
    )
    assert report.complete and report.source_cut and 5 < report.frames < 40
    assert f"is cut off: {report.frames} of " in report.problems[0]
    assert audio or suffix not in ("mkv", "mp4") or report.expected_frames == 40
    assert read_numbers(tmp_path / "out.mp4") == list(range(report.frames))
    film_s = lengths_of(tmp_path / "out.mp4")[0]
    assert float(film_s) == pytest.approx(report.frames / 25, abs=0.045), (
        "its last frame is not held"
    )


def test_a_source_that_misses_frames_in_the_middle_is_cut(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 40)
    data = source.read_bytes()
    middle = data.index(b"moov") // 2
    gap = data.index(b"moov") // 10
    source.write_bytes(data[:middle] + bytes(gap) + data[middle + gap :])

    report = run(source, tmp_path / "out.mp4")

    assert report.source_cut and report.frames < 38


@pytest.mark.parametrize(
    ("suffix", "audio", "times_s"),
    [
        ("mkv", "", LATE_S), ("mkv", "aac", None), ("mp4", "", None), ("mp4", "aac", LATE_S), ("ts", "", None),
        ("ts", "aac", LATE_S), ("avi", "", None),
    ],
)  # fmt: skip
def test_whole_files_are_not_cut(
    tmp_path: Path, suffix: str, audio: str, times_s: list[float] | None
) -> None:
    report = run(
        write_clip(tmp_path / f"in.{suffix}", 40, times_s=times_s, audio=audio),
        tmp_path / "out.mp4",
    )
    assert (report.source_cut, report.problems, report.frames) == (False, (), 40)
    assert report.expected_frames == 40 or not times_s, "sound may end after the last frame"


def test_a_film_that_was_trimmed_without_encoding_is_whole(repo: Path, tmp_path: Path) -> None:
    """An edit list hides its first frames, and what refers to frames after the cut was left out."""
    source = repo / "tests" / "field" / "trimmed_without_reencoding_open_gop.mp4"

    report = run(source, tmp_path / "out.mp4")

    assert (report.frames, report.expected_frames, report.source_cut, report.problems) == (
        68,
        68,
        False,
        (),
    )


@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize(
    ("suffix", "audio"),
    [
        ("mkv", "libopus"),
        ("mkv", "aac"),
        ("mp4", "aac"),
        ("avi", "mp2"),
        ("flv", "aac"),
        ("ts", "mp2"),
    ],
)
def test_sound_that_outlasts_the_video_cuts_nothing(
    tmp_path: Path, suffix: str, audio: str, tags: bool
) -> None:
    source = tmp_path / f"in.{suffix}"
    with writing(source) as (container, stream):
        sound = container.add_stream(audio, rate=48_000, layout="mono")
        for number in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "bgr24")))
        write_sound(container, sound, 9)
    if not tags:
        source.write_bytes(source.read_bytes().replace(b"DURATION", b"XURATION"))
    report = run(source, tmp_path / "out.mp4")
    assert (report.frames, report.expected_frames, report.source_cut, report.problems) == (
        50,
        50,
        False,
        (),
    )
    video_s, sound_s = map(float, lengths_of(tmp_path / "out.mp4"))
    assert video_s == pytest.approx(2, abs=0.001), "its last frame is not held"
    assert sound_s == pytest.approx(9, abs=0.1)


def test_the_command_fails_for_a_cut_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main.main(
            ["convert", str(cut_clip(tmp_path)), str(tmp_path / "out.mp4"), "--background", "none"]
        )
        == 1
    )
    assert "cut.mkv is cut off" in capsys.readouterr().err
