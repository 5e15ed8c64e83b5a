"""Conversions between pixel formats: the same frame becomes the same bytes, whatever its width."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from app.media.encoders import file_encoder
from app.media.frame_filters import FrameConverter
from app.media.video_reader import VideoReader
from tests.architecture.source import calls, modules
from tests.clips import write_film

# The width is no multiple of 16, as that of films of phones.
SIZE = 854, 480


def soft_picture() -> NDArray[np.uint8]:
    """Return a picture with structure in every row, (height, width, 4), and alpha from 0 to 255."""
    random = np.random.default_rng(0).integers(0, 256, (60, 107, 4), np.uint8)
    return np.asarray(cv2.resize(random, SIZE, interpolation=cv2.INTER_LINEAR), np.uint8)


def bytes_of(frame: VideoFrame) -> list[bytes]:
    """Return the rows of all planes, without what lies behind their ends."""
    rows = []
    for number, plane in enumerate(frame.planes):
        components = [each for each in frame.format.components if each.plane == number]
        bytes_per_value = -(-components[0].bits // 8)
        used = plane.width * bytes_per_value * len(components)
        rows += [
            row[:used].tobytes()
            for row in np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, -1)
        ]
    return rows


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("bgra", "yuva444p10le"),
        ("bgra", "yuva420p"),
        ("yuva420p", "bgra"),
        ("bgr24", "yuv444p10le"),
    ],
)
def test_a_frame_becomes_the_same_bytes_each_time(before: str, after: str) -> None:
    picture = VideoFrame.from_ndarray(soft_picture(), "bgra")
    frame = FrameConverter().in_format(picture, before)
    converter = FrameConverter()

    first = bytes_of(converter.in_format(frame, after))

    assert all(bytes_of(converter.in_format(frame, after)) == first for _ in range(30))


def methods_called(method: str) -> list[tuple[str, ast.Call]]:
    """Return the calls of a method of this name in the program, with the modules that call it."""
    return [
        (name, call)
        for name in modules()
        for call in calls(name)
        if isinstance(call.func, ast.Attribute) and call.func.attr == method
    ]


def test_frames_are_converted_in_one_place() -> None:
    """Elsewhere the threads of FFmpeg's scaler would be as many as the machine has cores."""
    assert {name for name, _ in methods_called("reformat")} == {"app.media.frame_filters"}
    assert [name for name, call in methods_called("to_ndarray") if call.keywords] == []
    assert methods_called("to_rgb") == methods_called("to_image") == []


def test_every_frame_of_a_cut_out_that_stands_still_is_the_same(tmp_path: Path) -> None:
    """In ProRes each frame is coded alone: 9 of 10 frames of films of this width had wrong
    pixels by chance.
    """
    path = tmp_path / "still.mov"

    write_film(path, [soft_picture()] * 8, encoder=file_encoder(4, ".mov", alpha=True))

    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert len(packets) == 8
    assert all(one == other for one, other in pairwise(packets))


@pytest.mark.parametrize("suffix", [".mov", ".webm"])
def test_a_film_with_alpha_is_read_alike_each_time(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"soft{suffix}"
    write_film(path, [soft_picture()] * 4, encoder=file_encoder(10, suffix, alpha=True))

    readings = [
        [image for _, image in VideoReader(path, with_alpha=True).frames()] for _ in range(4)
    ]

    assert readings[0][0].shape == (SIZE[1], SIZE[0], 4)
    assert all(np.array_equal(one, other) for one, other in pairwise(readings))
