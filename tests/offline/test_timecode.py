"""Timecode of cameras and editing programs: films, mattes and foregrounds keep it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from app.media.video_reader import VideoReader
from tests.clips import numbered, write_clip
from tests.offline.converting import run

NTSC = Fraction(30000, 1001)


def write_coded(path: Path, timecode: str, rate: Fraction, *, codec: str = "libx264", on_file: bool = False) -> Path:
    """Write ten frames with a timecode. on_file: named for the whole file in place of the track."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 48, "yuv420p"
        if codec == "mpeg2video":
            stream.options = {"gop_timecode": timecode}
        else:
            (container if on_file else stream).metadata["timecode"] = timecode
        for number in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(
    ("source", "timecode", "rate", "codec", "on_file"),
    [
        ("in.mov", "01:02:03:04", Fraction(25), "libx264", False),
        ("in.mov", "01:02:03;04", NTSC, "libx264", False),
        ("in.mp4", "23:59:59:23", Fraction(24), "libx264", False),
        ("in.mkv", "10:00:00:00", Fraction(24000, 1001), "libx264", True),
        ("in.mkv", "10:00:00:12", Fraction(50), "libx264", False),
        ("in.mxf", "00:00:00:00", Fraction(25), "mpeg2video", True),
        ("in.mpg", "10:00:00:12", Fraction(25), "mpeg2video", False),
    ],
)
def test_films_have_the_timecode_of_their_source(
    tmp_path: Path, source: str, timecode: str, rate: Fraction, codec: str, on_file: bool, suffix: str
) -> None:
    path = write_coded(tmp_path / source, timecode, rate, codec=codec, on_file=on_file)
    outputs = [tmp_path / f"{name}.{suffix}" for name in ("film", "alpha", "foreground")]
    report = run(path, outputs[0], alpha=outputs[1], foreground=outputs[2])
    assert (report.frames, report.problems) == (10, ())
    for output in outputs:
        assert VideoReader(output).timecode == timecode
        with av.open(str(output)) as container:
            named = [container.metadata, *(stream.metadata for stream in container.streams)]
            assert timecode in [tags.get("timecode", tags.get("TIMECODE")) for tags in named]
            assert len(container.streams.video) == 1


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_without_timecode_none_is_made_up(tmp_path: Path, suffix: str) -> None:
    run(write_clip(tmp_path / "in.mkv", 5), tmp_path / f"out.{suffix}")
    assert VideoReader(tmp_path / f"out.{suffix}").timecode is None
    assert (
        VideoReader(write_coded(tmp_path / "in.mpg", "00:00:00:00", Fraction(25), codec="mpeg2video")).timecode is None
    )


@pytest.mark.parametrize("timecode", ["no timecode", "1:2:3:4", "", "99:99:99:99x"])
def test_a_timecode_that_is_none_is_left_out(tmp_path: Path, timecode: str) -> None:
    run(write_coded(tmp_path / "in.mkv", timecode, Fraction(25), on_file=True), tmp_path / "out.mov")
    assert VideoReader(tmp_path / "out.mov").timecode is None


def test_drop_frame_timecode_at_a_rate_without_it_is_no_error(tmp_path: Path) -> None:
    source = write_coded(tmp_path / "in.mkv", "01:02:03;04", Fraction(25), on_file=True)
    assert run(source, tmp_path / "out.mov").complete
