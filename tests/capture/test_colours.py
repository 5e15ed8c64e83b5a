"""YUV colours of cameras: what drivers declare, and that each kind becomes the colours that were sent."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from contextlib import closing

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.capture import devices
from app.capture.camera import CameraSource
from app.capture.colours import (
    BT601,
    BT709,
    JPEG,
    NAMED,
    RawConverter,
    YuvColours,
    declared,
    reinterpreted,
)
from app.core.settings import CaptureSettings
from app.core.types import BgrImage
from app.system import v4l2
from app.system.v4l2 import CAN_CAPTURE, CAN_CAPTURE_MPLANE, CapturedKind
from tests.capture.conftest import PATIENT, WEBCAM, FakeCapture
from tests.capture.yuv_frames import nv12, uyvy, yu12, yuyv
from tests.stand_ins import always

G_FMT = 0xC0D05604
QUERYCAP = 0x80685600
SRGB = 8
REC709 = 3
JPEG_SPACE = 7
BT2020_SPACE = 10
BT2020_MATRIX = 9  # AVCOL_SPC_BT2020_NCL
INTERLACED = 4
PROGRESSIVE = 1
DECLARED = {
    "bt601": CapturedKind(colorspace=SRGB),
    "bt601-full": CapturedKind(colorspace=JPEG_SPACE),
    "bt709": CapturedKind(colorspace=REC709),
    "bt709-full": CapturedKind(colorspace=REC709, quantization=1),
}
"""What drivers say of the values of the setting."""


def patches() -> BgrImage:
    """Return black, white, greys and saturated colours in patches of 8 by 8 pixels."""
    colours = np.random.default_rng(4).integers(0, 256, (6, 8, 3))
    colours[0, :6] = [[0] * 3, [255] * 3, [8] * 3, [250] * 3, [0, 0, 255], [255, 0, 0]]
    return np.kron(colours, np.ones((8, 8, 1))).astype(np.uint8)


def largest_difference(one: BgrImage, other: BgrImage) -> int:
    return int(cv2.absdiff(one, other).max())


PACKED: dict[str, Callable[[BgrImage, YuvColours], NDArray[np.uint8]]] = {
    "YUYV": yuyv,
    "UYVY": uyvy,
    "YU12": yu12,
    "NV12": nv12,
}


@pytest.mark.parametrize("colours", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("fourcc", PACKED)
def test_raw_frames_become_the_colours_that_were_sent(fourcc: str, colours: YuvColours) -> None:
    image = patches()

    converted = RawConverter(fourcc, colours).to_bgr(PACKED[fourcc](image, colours))

    assert converted is not None
    assert largest_difference(converted, image) <= 4


def test_a_raw_frame_of_another_shape_is_refused() -> None:
    assert RawConverter("YUYV", BT709).to_bgr(np.zeros((48, 64, 3), np.uint8)) is None
    assert RawConverter("NV12", BT709).to_bgr(np.zeros((48, 64, 2), np.uint8)) is None
    assert RawConverter("YU12", BT709).to_bgr(np.zeros((7, 5), np.uint8)) is None


def test_what_was_converted_as_another_kind_is_corrected() -> None:
    image = cv2.addWeighted(patches(), 0.4, np.full((48, 64, 3), 80, np.uint8), 1, 0)
    as_601 = cv2.cvtColor(yuyv(np.asarray(image, np.uint8), BT709), cv2.COLOR_YUV2BGR_YUY2)

    corrected = reinterpreted(np.asarray(as_601, np.uint8), BT601, BT709)

    assert largest_difference(np.asarray(as_601, np.uint8), np.asarray(image, np.uint8)) > 8
    assert largest_difference(corrected, np.asarray(image, np.uint8)) <= 2
    assert reinterpreted(corrected, JPEG, JPEG) is corrected


@pytest.mark.parametrize(
    ("kind", "colours"),
    [
        (CapturedKind(), BT601),
        (CapturedKind(colorspace=SRGB), BT601),
        (CapturedKind(colorspace=REC709), BT709),
        (CapturedKind(colorspace=REC709, ycbcr_encoding=1), BT601),
        (CapturedKind(colorspace=SRGB, ycbcr_encoding=2), BT709),
        (CapturedKind(colorspace=SRGB, quantization=1), JPEG),
        (CapturedKind(colorspace=JPEG_SPACE), JPEG),
        (CapturedKind(colorspace=JPEG_SPACE, quantization=2), BT601),
        (CapturedKind(colorspace=BT2020_SPACE), YuvColours(BT2020_MATRIX, is_full_range=False)),
        (CapturedKind(colorspace=99, ycbcr_encoding=99, quantization=99), BT601),
    ],
)
def test_colours_are_those_that_the_driver_declares(
    kind: CapturedKind, colours: YuvColours
) -> None:
    assert declared(kind) == colours


class RawCapture(FakeCapture):
    """A grabber whose frames OpenCV converts as BT.601 of limited range, or leaves undecoded."""

    raw: NDArray[np.uint8]

    def retrieve(self) -> tuple[bool, BgrImage | None]:
        if not self.asked.get(cv2.CAP_PROP_CONVERT_RGB, 1):
            return True, self.raw
        return True, np.asarray(cv2.cvtColor(self.raw, cv2.COLOR_YUV2BGR_YUY2), np.uint8)


@pytest.fixture
def grabber() -> type[RawCapture]:
    RawCapture.made = []
    RawCapture.shows = {"YUYV": patches()}
    RawCapture.undecoded = []
    return RawCapture


def first_image(grabber: type[RawCapture], kind: CapturedKind, **settings: object) -> BgrImage:
    wanted = CaptureSettings(pixel_format="YUYV").replace(**settings)
    source = CameraSource(WEBCAM, wanted, PATIENT, grabber, always(kind))  # type: ignore[arg-type]
    with closing(source):
        frame = source.read()
        assert frame is not None
        return frame.image


@pytest.mark.linux("app.system.v4l2")
@pytest.mark.parametrize("name", NAMED)
def test_a_grabber_shows_the_colours_that_its_driver_declares(
    name: str, grabber: type[RawCapture]
) -> None:
    """They were up to 20 levels off."""
    grabber.raw = yuyv(patches(), NAMED[name])

    image = first_image(grabber, DECLARED[name])

    assert largest_difference(image, patches()) <= 4


@pytest.mark.linux("app.system.v4l2")
@pytest.mark.parametrize("name", NAMED)
def test_a_setting_corrects_a_driver_that_says_nothing(
    name: str, grabber: type[RawCapture]
) -> None:
    grabber.raw = yuyv(patches(), NAMED[name])

    image = first_image(grabber, CapturedKind(), colours=name)

    assert largest_difference(image, patches()) <= 4


class CombedCapture(RawCapture):
    """A bar that moves by 8 pixels from field to field."""

    def retrieve(self) -> tuple[bool, BgrImage | None]:
        self.shown += 1
        combed = np.zeros((48, 64, 3), np.uint8)
        for field in (0, 1):
            left = (16 * self.shown + 8 * field) % 48
            combed[field::2, left : left + 16] = 200
        self.raw = yuyv(combed, BT601)
        return super().retrieve()

    shown = 0


@pytest.mark.linux("app.system.v4l2")
@pytest.mark.parametrize("field", [INTERLACED, PROGRESSIVE])
def test_interlaced_frames_are_deinterlaced_where_the_driver_says_so(
    field: int, grabber: type[RawCapture]
) -> None:
    CombedCapture.made = []
    CombedCapture.shows = grabber.shows
    CombedCapture.undecoded = []

    image = first_image(CombedCapture, CapturedKind(field))

    is_combed = bool(cv2.absdiff(image[0:48:2], image[1:48:2]).max() > 100)
    assert is_combed is (field == PROGRESSIVE)


@pytest.mark.linux("app.system.v4l2")
@pytest.mark.parametrize("has_planes", [False, True], ids=["one plane", "several planes"])
def test_the_driver_is_asked_by_ioctl(has_planes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = CAN_CAPTURE_MPLANE if has_planes else CAN_CAPTURE
    queues = []

    def ioctl(node: int, request: int, argument: bytearray) -> int:
        if request == QUERYCAP:
            argument[:] = struct.pack("16s32s32sIII12x", b"card", b"Card", b"bus", 0, flags, 0)
            return 0
        assert request == G_FMT
        queues.append(struct.unpack_from("I", argument)[0])
        if has_planes:
            struct.pack_into(
                "III II 160x BBBB", argument, 8, 720, 576, 0, INTERLACED, REC709, 2, 0, 2, 1
            )
        else:
            struct.pack_into(
                "III IIII IIII",
                argument,
                8,
                720,
                576,
                0,
                INTERLACED,
                1440,
                829440,
                REC709,
                0,
                0,
                2,
                1,
            )
        return 0

    monkeypatch.setattr("app.system.v4l2.fcntl.ioctl", ioctl)

    kind = v4l2.captured_kind(7)

    assert kind == CapturedKind(INTERLACED, REC709, ycbcr_encoding=2, quantization=1)
    assert kind.is_interlaced
    assert queues == [9 if has_planes else 1]


def test_a_driver_that_cannot_be_asked_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: str) -> tuple[int, int]:
        raise OSError(errno.EBUSY, "taken", path)

    assert devices.captured_kind("/dev/null") == CapturedKind(), "other devices are not opened"
    monkeypatch.setattr("app.system.v4l2.device_number", refused)
    assert devices.captured_kind("/dev/video0") == CapturedKind()
