"""The VP8 encoder of the service, beside aiortc's."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import aiortc
import av
import cv2
import numpy as np
import pytest
from aiortc import rtcrtpsender
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from numpy.typing import NDArray

from service.server import encoding
from service.server.encoding import CleanVp8Encoder, encoder_for, use_clean_encoder

WIDTH, HEIGHT = 320, 180
VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=97)
H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90_000, payloadType=99)


def moving_matte(number: int) -> NDArray[np.uint8]:
    """Return a planar frame with a soft disc that moves."""
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    planes[:HEIGHT] = 0
    cv2.circle(planes[:HEIGHT], (60 + 4 * number, 90), 50, 255, -1)
    planes[:HEIGHT] = cv2.GaussianBlur(planes[:HEIGHT], (0, 0), 1.5)
    return planes


def video_frame(number: int, planes: NDArray[np.uint8]) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = number * 3000, Fraction(1, 90_000)
    return frame


def sizes_and_errors(encoder: Vp8Encoder, count: int = 30) -> tuple[float, float]:
    """Return the mean size in bytes and the mean squared error of the decoded frames, without the first ones."""
    decoder = av.CodecContext.create("libvpx", "r")
    found = []
    for number in range(count):
        planes = moving_matte(number)
        payloads, _ = encoder.encode(video_frame(number, planes))
        data = b"".join(aiortc.codecs.vpx.vp8_depayload(payload) for payload in payloads)
        (decoded,) = decoder.decode(av.Packet(data))
        difference = decoded.to_ndarray(format="yuv420p")[:HEIGHT].astype(float) - planes[:HEIGHT]
        found.append((len(data), float((difference**2).mean())))
    size, error = np.mean(found[5:], axis=0)
    return float(size), float(error)


def is_keyframe(payloads: list[bytes]) -> bool:
    return not aiortc.codecs.vpx.vp8_depayload(payloads[0])[0] & 1


@pytest.fixture
def sender() -> Iterator[None]:
    """Restore what aiortc's senders use."""
    before = vars(rtcrtpsender)["get_encoder"]
    yield
    vars(rtcrtpsender)["get_encoder"] = before


def test_a_matte_takes_fewer_bytes_than_with_aiortc_and_keeps_its_edges() -> None:
    size, error = sizes_and_errors(CleanVp8Encoder())
    assert size < 0.8 * sizes_and_errors(Vp8Encoder())[0]
    assert error < 1.0, "of 255 squared: 48 dB"


def test_a_keyframe_comes_first_on_request_and_after_a_change() -> None:
    encoder = CleanVp8Encoder()
    first, second = (encoder.encode(video_frame(number, moving_matte(number)))[0] for number in (0, 1))
    assert is_keyframe(first) and not is_keyframe(second)
    assert is_keyframe(encoder.encode(video_frame(2, moving_matte(2)), force_keyframe=True)[0])
    encoder.target_bitrate = round(encoder.target_bitrate * 1.05)
    assert not is_keyframe(encoder.encode(video_frame(3, moving_matte(3)))[0])
    encoder.target_bitrate *= 2
    assert is_keyframe(encoder.encode(video_frame(4, moving_matte(4)))[0])
    assert encoder.codec is not None and encoder.codec.bit_rate == encoder.target_bitrate
    smaller = moving_matte(5)[: HEIGHT * 3 // 4]
    assert is_keyframe(encoder.encode(video_frame(5, smaller))[0])


def test_senders_use_it_for_vp8_alone(sender: None) -> None:
    assert use_clean_encoder()
    assert vars(rtcrtpsender)["get_encoder"] is encoder_for
    assert isinstance(encoder_for(VP8), CleanVp8Encoder)
    assert not isinstance(encoder_for(H264), CleanVp8Encoder)


def test_an_unknown_aiortc_keeps_its_own(sender: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "TESTED_VERSIONS", ())
    before = vars(rtcrtpsender)["get_encoder"]
    assert not use_clean_encoder()
    assert vars(rtcrtpsender)["get_encoder"] is before
