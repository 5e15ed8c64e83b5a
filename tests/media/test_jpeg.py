"""Damaged JPEG frames are found before they are shown; intact ones are never dropped."""

from __future__ import annotations

import logging
import random
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.media.jpeg import HABIT_FRAMES, DamagedJpegError, MjpgDecoder, decode_jpeg
from app.media.video_reader import VideoReader
from tests.clips import demo, writing
from tests.fuzz.damage import sampled
from tests.media.damaged_jpegs import MEMORY, TRANSPORT, Damage, encode, scan_start, visible_share

log = logging.getLogger(__name__)

WIDTH, HEIGHT = 640, 360
SMALLEST_VISIBLE_SHARE = 0.001


@pytest.fixture(scope="module")
def images() -> list[BgrImage]:
    return demo(WIDTH, HEIGHT, range(0, 28, 7))


def array(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)


def damage(frame: NDArray[np.uint8]) -> str:
    """Return what the decoder says of a frame, empty if nothing; without colours it says the same."""
    found, without_colours = said(frame, "BGR"), said(frame, "GRAY")
    assert found == without_colours
    return found


def said(frame: NDArray[np.uint8], colours: Literal["BGR", "GRAY"]) -> str:
    try:
        decode_jpeg(frame, colours)
    except DamagedJpegError as error:
        return str(error)
    return ""


def odd_images() -> list[NDArray[np.uint8]]:
    """Return black, white, the finest pattern, noise in colours, and noise in grey."""
    dice = np.random.default_rng(0)
    squares = np.kron(np.indices((6, 8)).sum(0) % 2, np.ones((8, 8))).astype(np.uint8)[:, :, None].repeat(3, 2) * 255
    flat = [np.full((48, 64, 3), value, np.uint8) for value in (0, 255)]
    return [*flat, squares, *(dice.integers(0, 256, (48, 64, *colours), np.uint8) for colours in ((3,), ()))]


@pytest.mark.parametrize("quality", [5, 50, 75, 95, 100])
@pytest.mark.parametrize(
    "sampling",
    [cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
)
@pytest.mark.parametrize("extra", [{}, {"restart": 7}, {"optimize": 1}])
def test_intact_frames_pass(images: list[BgrImage], quality: int, sampling: int, extra: dict[str, int]) -> None:
    for image in (images[0], images[1][:357, :631], *odd_images()):
        assert damage(array(encode(image, quality, sampling, **extra))) == ""


FRAME = encode(np.zeros((48, 64, 3), np.uint8))


@given(st.binary(max_size=400), st.lists(st.tuples(st.integers(0, len(FRAME) - 1), st.integers(0, 255)), max_size=6))
def test_arbitrary_bytes_and_headers_never_crash(data: bytes, changes: list[tuple[int, int]]) -> None:
    assert damage(array(b"\xff\xd8" + data)) and damage(array(data))
    frame = bytearray(FRAME)
    for at, value in changes:
        frame[at] = value
    assert isinstance(damage(array(bytes(frame))), str)


def test_what_drivers_add_is_ignored(images: list[BgrImage]) -> None:
    frame = encode(images[0])
    assert damage(array(frame + bytes(5000))) == ""
    assert damage(array(frame + b"\x12\x34")) == ""
    assert damage(array(frame[:-2])) == ""
    assert damage(array(frame[:-2] + b"\xff\xff\xff\xd9")) == ""
    surplus = array(frame[:-2] + b"\x11" * 9 + b"\xff\xd9")
    with pytest.raises(DamagedJpegError) as caught:
        decode_jpeg(surplus)
    assert caught.value.is_surplus and caught.value.intact is not None
    assert np.array_equal(caught.value.intact, decode_jpeg(array(frame)))
    with pytest.raises(DamagedJpegError) as caught:
        decode_jpeg(array(frame[: len(frame) // 2]))
    assert not caught.value.is_surplus and caught.value.intact is None


def test_surplus_bytes_after_single_frames_are_no_habit(images: list[BgrImage]) -> None:
    frame, decoder = encode(images[0]), MjpgDecoder()
    for _ in range(2):
        for _ in range(HABIT_FRAMES - 1):
            assert decoder.decode(array(frame[:-2] + b"\x11" * 9 + b"\xff\xd9")) is None
        assert decoder.decode(array(frame)) is not None


def test_a_header_that_promises_gigabytes_is_refused(images: list[BgrImage]) -> None:
    frame = bytearray(encode(images[0]))
    at = frame.index(b"\xff\xc0")
    frame[at + 5 : at + 9] = b"\xf0\x00\xf0\x00"
    assert damage(array(bytes(frame))) == "61440x61440 pixels"


def test_frames_without_huffman_tables_pass(images: list[BgrImage]) -> None:
    frame = encode(images[0])
    while (at := frame.find(b"\xff\xc4")) >= 0:
        frame = frame[:at] + frame[at + 2 + int.from_bytes(frame[at + 2 : at + 4], "big") :]
    assert damage(array(frame)) == ""
    assert damage(array(frame[: scan_start(frame) + 3000] + b"\xff\xd9"))


@sampled(24, 2000)
@pytest.mark.parametrize("kind", TRANSPORT + MEMORY)
def test_no_frame_with_lost_data_passes_and_most_with_altered_data_are_found(
    images: list[BgrImage], kind: Damage, cases: int
) -> None:
    dice = random.Random(5)
    frames = [encode(image) for image in images]
    intact = [cv2.imdecode(array(frame), cv2.IMREAD_COLOR) for frame in frames]
    visible = passed = 0
    for case in range(cases):
        number = case % len(frames)
        frame = array(kind(frames[number], frames[number - 1], dice))
        found = damage(frame)
        if visible_share(frame, np.asarray(intact[number], np.uint8)) > SMALLEST_VISIBLE_SHARE:
            visible += 1
            passed += not found
    log.info("%s: %d of %d visibly damaged, %d pass", kind.__name__, visible, cases, passed)
    assert visible > cases * (0.7 if kind in TRANSPORT else 0.2)
    assert passed <= (0 if kind in TRANSPORT else visible * (0.55 if cases == 24 else 0.5))


@pytest.mark.parametrize("suffix", ["avi", "mov", "mkv"])
def test_damaged_frames_of_a_file_are_skipped(tmp_path: Path, images: list[BgrImage], suffix: str) -> None:
    path = tmp_path / f"clip.{suffix}"
    dice = random.Random(2)
    with writing(path, "mjpeg", size=(WIDTH, HEIGHT), pixels="yuvj422p") as (container, stream):
        for number in range(12):
            frame = encode(images[number % 4])
            if number % 3 == 1:
                frame = TRANSPORT[number % 4](frame, frame, dice)
            packet = av.Packet(frame)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 25)
            packet.is_keyframe = True
            container.mux(packet)
    reader = VideoReader(path)
    seen = list(reader.frames())
    assert len(seen) == 8
    assert reader.damaged == 4
    for (_, image), number in zip(seen, (n for n in range(12) if n % 3 != 1), strict=True):
        assert np.abs(image.astype(int) - images[number % 4]).mean() < 4
