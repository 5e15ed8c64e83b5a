"""Videos whose frames change their shape, as of a telephone that is turned: nothing is stretched."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from app.capture.video_file import VideoFileSource
from app.compositing.video import VideoBackground
from app.core.geometry import Layout
from app.core.settings import BackgroundSettings, Settings
from app.core.types import BgrImage
from app.media.video_reader import VideoReader
from tests.clips import write_clip
from tests.offline.converting import pictures, run

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
    path = tmp_path / f"in.{suffix}"
    with av.open(str(path), "w") as target:
        with av.open(str(parts[1])) as named:
            stream = target.add_stream_from_template(named.streams.video[0])
        for number, part in enumerate(parts):
            with av.open(str(part)) as source:
                for packet in source.demux(video=0):
                    if packet.dts is not None and packet.pts is not None:
                        packet.pts, packet.dts = packet.pts + number * 108_000, packet.dts + number * 108_000
                        packet.stream = stream
                        target.mux(packet)
    reader = VideoReader(path)
    assert (reader.width, reader.height) == WIDE
    assert {image.shape for _, image in reader.frames()} == {(48, 96, 3)}
    assert reader.reshaped == 30
