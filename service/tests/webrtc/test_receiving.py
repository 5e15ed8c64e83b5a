"""The repaired jitter buffer, and a check of what it relies on in aiortc."""

from __future__ import annotations

import aiortc
import pytest
from aiortc import rtcdtlstransport, rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

from service.webrtc import bounds, receiving
from service.webrtc.receiving import GIVE_UP_FRAMES, LOOPBACK, TESTED_VERSIONS, MarkerJitterBuffer, repair_aiortc


def packet(number: int, time: int, data: bytes, *, last: bool = False) -> RtpPacket:
    made = RtpPacket(sequence_number=number, timestamp=time, marker=int(last))
    vars(made)["_data"] = data
    return made


KEY = b"\x10\x00\x00\x9d\x01\x2a\x40\x01\xb4\x00"
"""Header of a VP8 key frame of 320x180."""


def video_buffer() -> MarkerJitterBuffer:
    """Return a buffer that has had a key frame, in packet 9."""
    buffer = MarkerJitterBuffer(capacity=64, is_video=True)
    assert added(buffer, packet(9, 0, KEY, last=True)) == [KEY]
    return buffer


def added(buffer: JitterBuffer, *packets: RtpPacket) -> list[bytes | None]:
    found: list[JitterFrame | None] = [buffer.add(one)[1] for one in packets]
    return [None if frame is None else frame.data for frame in found]


def test_this_version_of_aiortc_was_checked() -> None:
    """After an update: repeat the tests of this file and the measurement of docs/serve.md, then add the version."""
    assert aiortc.__version__ in TESTED_VERSIONS


def test_aiortc_alone_delays_a_frame_until_the_next_begins() -> None:
    """Once this fails, the repair is no longer needed."""
    buffer = JitterBuffer(capacity=64, is_video=True)
    first = [packet(10, 0, b"a"), packet(11, 0, b"b", last=True)]
    assert added(buffer, *first, packet(12, 3000, b"c")) == [None, None, b"ab"]


def test_a_frame_leaves_with_its_marker() -> None:
    one = added(
        video_buffer(),
        packet(10, 0, b"a"),
        packet(11, 0, b"b", last=True),
        packet(12, 3000, b"c", last=True),
        packet(13, 6000, b"d"),
    )
    assert one == [None, b"ab", b"c", None]


def test_a_lost_packet_is_waited_for() -> None:
    assert added(
        video_buffer(),
        packet(10, 0, b"a", last=True),
        packet(12, 3000, b"c", last=True),
        packet(11, 3000, b"b"),
        packet(13, 6000, b"d", last=True),
    ) == [b"a", None, None, b"bc"]


def test_packets_of_padding_are_no_frame() -> None:
    given = [
        packet(10, 0, b"a", last=True),
        packet(11, 0, b""),
        packet(12, 3000, b"c"),
        packet(13, 3000, b"d", last=True),
    ]
    assert added(video_buffer(), *given) == [b"a", None, None, b"cd"]


def test_frames_after_a_loss_wait_for_a_key_frame() -> None:
    buffer = video_buffer()
    asked, found = [], []
    for number in range(100, 140):
        keyframe_needed, frame = buffer.add(packet(number, 3000 * number, b"delta", last=True))
        asked.append(keyframe_needed)
        found.append(frame)
    assert found == [None] * 40, "they refer to a frame that was lost"
    assert asked[0]
    assert sum(asked) >= 3, "a request may be lost as well"
    assert added(buffer, packet(140, 3000 * 140, KEY, last=True)) == [KEY]
    assert added(buffer, packet(141, 3000 * 141, b"delta", last=True)) == [b"delta"]


def test_a_packet_that_never_comes_is_given_up_soon() -> None:
    buffer = video_buffer()
    made = [buffer.add(packet(11 + number, 3000 * number, b"delta", last=True)) for number in range(GIVE_UP_FRAMES + 1)]
    assert [frame for _, frame in made] == [None] * len(made)
    assert [asked for asked, _ in made] == [False] * GIVE_UP_FRAMES + [True]
    late, key = packet(10, 0, b"late", last=True), packet(11 + len(made), 90_000, KEY, last=True)
    assert added(buffer, late, key) == [None, KEY]


def test_the_first_frame_is_a_key_frame() -> None:
    buffer = MarkerJitterBuffer(capacity=64, is_video=True)
    assert added(buffer, packet(1, 0, b"delta", last=True), packet(2, 3000, KEY, last=True)) == [None, KEY]


def test_sound_is_left_alone() -> None:
    buffer = MarkerJitterBuffer(capacity=16, prefetch=0)
    assert added(buffer, packet(1, 0, b"a", last=True), packet(2, 160, b"b", last=True)) == [None, b"a"]


def test_an_unknown_version_is_left_alone(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(rtcrtpreceiver, "JitterBuffer", JitterBuffer)
    monkeypatch.setattr(aiortc, "__version__", "9.9.9")
    assert not repair_aiortc()
    assert vars(rtcrtpreceiver)["JitterBuffer"] is JitterBuffer
    assert "9.9.9" in caplog.text
    monkeypatch.setattr(aiortc, "__version__", TESTED_VERSIONS[0])
    assert repair_aiortc()
    assert vars(rtcrtpreceiver)["JitterBuffer"] is MarkerJitterBuffer
    assert vars(rtcrtpreceiver)["decoder_worker"] is bounds.decode_frames
    assert vars(rtcdtlstransport)["RtpRouter"] is bounds.BoundedRouter


def test_a_machine_without_a_network_uses_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_gathered_addresses", lambda use_ipv4, use_ipv6: [])
    assert receiving.host_addresses(True, True) == [LOOPBACK]
    monkeypatch.setattr(receiving, "_gathered_addresses", lambda use_ipv4, use_ipv6: ["192.0.2.7"])
    assert receiving.host_addresses(True, True) == ["192.0.2.7"]
