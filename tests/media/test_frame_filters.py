"""Interlaced video is deinterlaced; everything else passes unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from app.core.types import BgrImage
from app.media.frame_filters import deinterlaced, in_bt709
from app.media.video_input import VideoInput
from app.media.video_reader import VideoReader
from tests.clips import write_clip

COUNT = 8


def moving(number: int, size: tuple[int, int] = (192, 96)) -> VideoFrame:
    """A bar that moves; odd rows show it later than even ones."""
    image = np.zeros((*size[::-1], 3), np.uint8)
    image[0::2, number * 8 : number * 8 + 20] = 255
    image[1::2, number * 8 + 4 : number * 8 + 24] = 255
    return VideoFrame.from_ndarray(image, "bgr24")


def write_interlaced(path: Path, *, flagged: bool = True, rotation: int = 0) -> Path:
    options = {"crf": "5"} | ({"x264-params": "tff=1:colormatrix=bt709:fullrange=on"} if flagged else {})
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(COUNT):
            container.mux(stream.encode(moving(number)))
        container.mux(stream.encode(None))
    return path


def combing(image: BgrImage) -> float:
    """How much a row differs from the mean of its neighbours."""
    rows = image[:, :, 1].astype(int)
    return float(np.abs(rows[2:] + rows[:-2] - 2 * rows[1:-1]).mean())


def test_interlaced_frames_show_no_combs_and_keep_their_times(tmp_path: Path) -> None:
    reader = VideoReader(write_interlaced(tmp_path / "in.mp4"))
    frames = list(reader.frames())
    assert [time_s for time_s, _ in frames] == [Fraction(number, 25) for number in range(COUNT)]
    assert max(combing(image) for _, image in frames) < 2
    assert not reader.is_cut and not reader.damaged
    (plain,) = {
        round(combing(image)) for _, image in VideoReader(write_interlaced(tmp_path / "p.mp4", flagged=False)).frames()
    }
    assert plain > 10


def test_rotation_and_colours_are_kept(tmp_path: Path) -> None:
    path = write_interlaced(tmp_path / "in.mp4", rotation=90)
    with av.open(str(path)) as container:
        (decoded, *_) = container.decode(video=0)
    with closing(VideoInput(path)) as video:
        (first, *others) = video.frames()
    assert len(others) == COUNT - 1
    for name in ("colorspace", "color_range", "color_primaries", "color_trc", "rotation", "width", "height"):
        assert getattr(first, name) == getattr(decoded, name), name
    assert decoded.colorspace == 1 and abs(decoded.rotation) == 90


def test_progressive_frames_are_the_decoded_ones(tmp_path: Path) -> None:
    with av.open(str(write_clip(tmp_path / "in.mp4", 4))) as container:
        given = list(container.decode(video=0))
    assert list(map(id, deinterlaced(given))) == list(map(id, given))


@pytest.mark.parametrize("size", [(2, 2), (96, 48)])
def test_frames_of_another_size_are_all_there(tmp_path: Path, size: tuple[int, int]) -> None:
    with av.open(str(write_interlaced(tmp_path / "in.mp4"))) as container:
        interlaced = list(container.decode(video=0))

    def mixed() -> Iterator[VideoFrame]:
        yield from interlaced
        yield moving(0, size)
        yield from interlaced

    assert [(frame.width, frame.height) for frame in deinterlaced(mixed())] == [
        *[(192, 96)] * COUNT,
        size,
        *[(192, 96)] * COUNT,
    ]


def test_video_that_becomes_interlaced_keeps_its_times(tmp_path: Path) -> None:
    frames = []
    for flagged in False, True:
        with av.open(str(write_interlaced(tmp_path / f"{flagged}.mp4", flagged=flagged))) as container:
            frames += list(container.decode(video=0))
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base, frame.color_primaries = number, Fraction(1, 25), 9
    times = [frame.time for frame in in_bt709(deinterlaced(frames))]
    assert times == pytest.approx([number / 25 for number in range(2 * COUNT)])


def test_frames_that_the_filter_cannot_take_pass_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with av.open(str(write_interlaced(tmp_path / "in.mp4"))) as container:
        given = list(container.decode(video=0))
    monkeypatch.setattr("app.media.frame_filters.DEINTERLACE", "mode=wrong")
    assert list(map(id, deinterlaced(given))) == list(map(id, given))
