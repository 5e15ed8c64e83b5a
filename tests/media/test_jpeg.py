"""Damaged JPEG frames are found before they are shown; intact ones are never dropped."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
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
from app.media.jpeg import (
    HABIT_FRAMES,
    SMALL_SURPLUS_BYTES,
    SURPLUS_PER_DAMAGE,
    DamagedJpegError,
    MjpgDecoder,
    decode_jpeg,
    intact_file,
)
from app.media.video_reader import VideoReader
from tests.clips import demo, writing
from tests.fuzz.damage import sampled
from tests.media.damaged_jpegs import (
    MEMORY,
    TRANSPORT,
    Damage,
    encode,
    restart_marks,
    scan_start,
    visible_share,
    with_surplus,
)

log = logging.getLogger(__name__)

WIDTH = 640
HEIGHT = 360
SMALLEST_VISIBLE_SHARE = 0.001


@pytest.fixture(scope="module")
def images() -> list[BgrImage]:
    return demo(WIDTH, HEIGHT, range(0, 28, 7))


def array(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)


def damage(frame: NDArray[np.uint8]) -> str:
    """Return what the decoder says of a frame, empty if nothing; without colours it says the
    same.
    """
    found = said(frame, "BGR")
    without_colours = said(frame, "GRAY")
    assert found == without_colours
    return found


def said(frame: NDArray[np.uint8], colours: Literal["BGR", "GRAY"]) -> str:
    try:
        surplus_bytes = decode_jpeg(frame, colours).surplus_bytes
    except DamagedJpegError as error:
        return str(error)
    return f"{surplus_bytes} surplus bytes" if surplus_bytes > SMALL_SURPLUS_BYTES else ""


def odd_images() -> list[NDArray[np.uint8]]:
    """Return black, white, the finest pattern, noise in colours, and noise in grey."""
    dice = np.random.default_rng(0)
    squares = (
        np.kron(np.indices((6, 8)).sum(0) % 2, np.ones((8, 8)))
        .astype(np.uint8)[:, :, None]
        .repeat(3, 2)
        * 255
    )
    flat = [np.full((48, 64, 3), value, np.uint8) for value in (0, 255)]
    return [
        *flat,
        squares,
        *(dice.integers(0, 256, (48, 64, *colours), np.uint8) for colours in ((3,), ())),
    ]


@pytest.mark.parametrize("quality", [5, 50, 75, 95, 100])
@pytest.mark.parametrize(
    "sampling",
    [
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ],
)
@pytest.mark.parametrize("extra", [{}, {"restart": 7}, {"optimize": 1}])
def test_intact_frames_pass(
    images: list[BgrImage], quality: int, sampling: int, extra: dict[str, int]
) -> None:
    for image in (images[0], images[1][:357, :631], *odd_images()):
        assert damage(array(encode(image, quality, sampling, **extra))) == ""


FRAME = encode(np.zeros((48, 64, 3), np.uint8))


@given(
    st.binary(max_size=400),
    st.lists(st.tuples(st.integers(0, len(FRAME) - 1), st.integers(0, 255)), max_size=6),
)
def test_arbitrary_bytes_and_headers_never_crash(
    data: bytes, changes: list[tuple[int, int]]
) -> None:
    assert damage(array(b"\xff\xd8" + data)) and damage(array(data))
    frame = bytearray(FRAME)
    for at, value in changes:
        frame[at] = value
    assert isinstance(damage(array(bytes(frame))), str)


def test_what_drivers_add_is_ignored(images: list[BgrImage]) -> None:
    frame = encode(images[0])

    for sent in (
        frame + bytes(5000),
        frame + b"\x12\x34",
        frame[:-2],
        frame[:-2] + b"\xff\xff\xff\xd9",
        bytes(4) + frame,
        b"\x17\xff\x02\xff\xd8" + frame,
    ):
        assert damage(array(sent)) == ""


def test_surplus_bytes_at_the_end_do_not_hide_that_data_is_cut_off(images: list[BgrImage]) -> None:
    frame = encode(images[0])
    whole = decode_jpeg(array(frame))
    surplus = decode_jpeg(array(frame[:-2] + b"\x11" * 9 + b"\xff\xd9"))

    assert surplus.surplus_bytes > 0 and whole.surplus_bytes == 0
    assert np.array_equal(surplus.image, whole.image)
    for cut in (frame[: len(frame) // 2], frame[: len(frame) // 2] + b"\xff\xd9"):
        with pytest.raises(DamagedJpegError, match="premature end"):
            decode_jpeg(array(cut))


@pytest.mark.parametrize(
    "added",
    [bytes(1), b"\x12\xc7", b"\x55" * 9, b"\xff\x00\xff\x00", b"\x01\xff\xd9\x02", b"\xff\x3c\x00"],
)
@pytest.mark.parametrize("restart", [7, 40, 900])
@pytest.mark.parametrize(
    "sampling",
    [
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ],
)
def test_surplus_bytes_before_restart_markers_change_nothing(
    images: list[BgrImage], added: bytes, restart: int, sampling: int
) -> None:
    """Logitech's C270 and C910 send them; their MJPG was refused."""
    frame = encode(images[0][:357, :631], 75, sampling, restart=restart)

    decoded = decode_jpeg(array(with_surplus(frame, added)))

    assert np.array_equal(decoded.image, decode_jpeg(array(frame)).image)
    assert np.array_equal(intact_file(array(with_surplus(frame, added))), array(frame))


def test_surplus_bytes_of_grey_frames_change_nothing(images: list[BgrImage]) -> None:
    frame = encode(images[0][:, :, 0], restart=80)

    decoded = decode_jpeg(array(with_surplus(frame, b"\x12\x34")))

    assert np.array_equal(decoded.image, decode_jpeg(array(frame)).image)


@pytest.mark.parametrize("restart", [7, 40])
def test_surplus_bytes_do_not_hide_that_a_later_interval_is_cut(
    images: list[BgrImage], restart: int
) -> None:
    """The decoder reports only the first fault of a frame."""
    frame = encode(images[0], restart=restart)
    marks = restart_marks(frame)

    for first, later in ((0, 1), (0, len(marks) - 1), (3, 4)):
        for lost in (1, 2, 20):
            cut = frame[: marks[later] - lost] + frame[marks[later] :]
            sent = cut[: marks[first]] + b"\x12\x34" + cut[marks[first] :]
            assert damage(array(sent)), (first, later, lost)
    without_interval = frame[: marks[2]] + frame[marks[3] :]
    assert damage(array(with_surplus(without_interval, b"\x12")))


def jfif_version_0(frame: bytes) -> bytes:
    return frame.replace(b"JFIF\x00\x01", b"JFIF\x00\x00")


def unknown_colour_code(frame: bytes) -> bytes:
    return frame[:2] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x07" + frame[2:]


def broken_colour_profile(frame: bytes) -> bytes:
    return frame[:2] + b"\xff\xe2\x00\x14ICC_PROFILE\x00\x05\x02ab" + frame[2:]


def scan_without_coefficients(frame: bytes) -> bytes:
    end = scan_start(frame)
    return frame[: end - 3] + bytes(3) + frame[end:]


def bytes_between_tables(frame: bytes) -> bytes:
    at = frame.index(b"\xff\xdb")
    return frame[:at] + b"\x01\x02\x03" + frame[at:]


@pytest.mark.parametrize(
    "habit",
    [
        jfif_version_0,
        unknown_colour_code,
        broken_colour_profile,
        scan_without_coefficients,
        bytes_between_tables,
    ],
)
@pytest.mark.parametrize("restart", [0, 40])
def test_odd_headers_change_nothing_and_hide_nothing(
    images: list[BgrImage], habit: Callable[[bytes], bytes], restart: int
) -> None:
    frame = encode(images[0], restart=restart)

    decoded = decode_jpeg(array(habit(frame)))

    assert np.array_equal(decoded.image, decode_jpeg(array(frame)).image)
    assert damage(array(habit(frame[: len(frame) // 2] + b"\xff\xd9")))


@pytest.mark.parametrize("every", [1, 2, 10])
def test_a_camera_that_sends_surplus_bytes_in_some_frames_loses_none(
    images: list[BgrImage], every: int, caplog: pytest.LogCaptureFixture
) -> None:
    frame = encode(images[0], restart=40)
    decoder = MjpgDecoder()

    for number in range(30):
        sent = frame if number % every else with_surplus(frame, b"\x12\x34")
        assert decoder.decode(array(sent)) is not None
        assert decoder.last_damage == ""

    assert decoder.damaged == 0
    assert not caplog.records, "the cable was blamed"


def test_many_surplus_bytes_are_damage_until_they_are_a_habit(images: list[BgrImage]) -> None:
    """A lost packet can leave them in single frames."""
    frame = encode(images[0])
    padded = array(frame[:-2] + b"\x11" * 300 + b"\xff\xd9")
    decoder = MjpgDecoder()

    for _ in range(HABIT_FRAMES - 1):
        assert decoder.decode(padded) is None
        assert decoder.decode(array(frame)) is not None

    assert decoder.decode(padded) is not None


def test_surplus_bytes_of_a_camera_that_loses_data_are_damage_until_they_are_a_habit(
    images: list[BgrImage],
) -> None:
    frame = encode(images[0], restart=40)
    surplus = array(with_surplus(frame, b"\x12\x34"))
    decoder = MjpgDecoder()

    for _ in range(3):
        assert decoder.decode(array(frame[: len(frame) // 2])) is None
    accepted = [decoder.decode(surplus) is not None for _ in range(3 * SURPLUS_PER_DAMAGE + 1)]

    assert accepted == [False] * (3 * SURPLUS_PER_DAMAGE - 1) + [True] * 2
    assert decoder.decode(array(frame[: len(frame) // 2])) is None, "cut data is never a habit"


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
    frames = [encode(image, restart=40 * (number % 2)) for number, image in enumerate(images)]
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
def test_damaged_frames_of_a_file_are_skipped(
    tmp_path: Path, images: list[BgrImage], suffix: str
) -> None:
    path = tmp_path / f"clip.{suffix}"
    dice = random.Random(2)
    with writing(path, "mjpeg", size=(WIDTH, HEIGHT), pixels="yuvj422p") as (container, stream):
        for number in range(12):
            frame = encode(images[number % 4])
            if number % 3 == 1:
                frame = TRANSPORT[number % 4](frame, frame, dice)
            packet = av.Packet(frame)
            packet.stream = stream
            packet.pts = number
            packet.dts = number
            packet.time_base = Fraction(1, 25)
            packet.is_keyframe = True
            container.mux(packet)
    reader = VideoReader(path)
    seen = list(reader.frames())

    assert len(seen) == 8
    assert reader.damaged == 4
    for (_, image), number in zip(seen, (n for n in range(12) if n % 3 != 1), strict=True):
        assert np.abs(image.astype(int) - images[number % 4]).mean() < 4


@pytest.mark.parametrize("suffix", ["avi", "mkv"])
def test_surplus_bytes_change_no_frame_of_a_file(
    tmp_path: Path, images: list[BgrImage], suffix: str
) -> None:
    """FFmpeg takes surplus bytes before a restart marker for blocks of the image."""
    intact = tmp_path / f"intact.{suffix}"
    recorded = tmp_path / f"c270.{suffix}"
    for path, added in ((intact, b""), (recorded, b"\x12\x34")):
        with writing(path, "mjpeg", size=(WIDTH, HEIGHT), pixels="yuvj422p") as (container, stream):
            for number, image in enumerate(images):
                packet = av.Packet(with_surplus(encode(image, restart=40), added))
                packet.stream = stream
                packet.pts = number
                packet.dts = number
                packet.time_base = Fraction(1, 25)
                packet.is_keyframe = True
                container.mux(packet)

    expected = list(VideoReader(intact).frames())
    seen = list(VideoReader(recorded).frames())

    assert len(seen) == len(expected) == len(images)
    for (time, image), (expected_time, expected_image) in zip(seen, expected, strict=True):
        assert time == expected_time
        assert np.array_equal(image, expected_image)
