"""What a hostile peer can make the receiver do, each bound by itself."""

from __future__ import annotations

import asyncio
import queue
import threading

import av
import pytest
from aiortc.codecs import get_capabilities
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RTP_HISTORY_SIZE, RtcpReceiverInfo, RtpPacket
from av.frame import Frame

from service.tests.server.hostile import key_frame
from service.webrtc.bounds import (
    FRAMES_PER_S,
    MAX_CODED_FRAMES,
    MAX_DECODED_FRAMES,
    MAX_SOURCES,
    PACKETS_PER_S,
    BoundedNacks,
    BoundedRouter,
    BoundedStatistics,
    Budget,
    decode_frames,
    is_key_frame,
    vp8_size,
)


def codec(name: str = "VP8") -> RTCRtpCodecParameters:
    found = next(one for one in get_capabilities("video").codecs if one.name == name)
    return RTCRtpCodecParameters(found.mimeType, found.clockRate, payloadType=97)


def decoded(*frames: bytes) -> tuple[list[Frame | None], bool]:
    """Give frames to a decoder at once; return what its reader gets, and whether a key frame was asked for."""
    coded: queue.Queue[tuple[RTCRtpCodecParameters, JitterFrame] | None] = queue.Queue()
    damaged = threading.Event()
    for number, data in enumerate(frames):
        coded.put((codec(), JitterFrame(data, 3000 * number)))

    async def run() -> list[Frame | None]:
        made: asyncio.Queue[Frame | None] = asyncio.Queue()
        thread = threading.Thread(target=decode_frames, args=(asyncio.get_running_loop(), coded, made, damaged))
        thread.start()
        while not coded.empty():
            await asyncio.sleep(0.01)
        coded.put(None)
        await asyncio.to_thread(thread.join)
        await asyncio.sleep(0)
        return [made.get_nowait() for _ in range(made.qsize())]

    return asyncio.run(run()), damaged.is_set()


def test_a_reader_that_is_slow_gets_the_newest_frames() -> None:
    async def run() -> list[Frame | None]:
        coded: queue.Queue[tuple[RTCRtpCodecParameters, JitterFrame] | None] = queue.Queue()
        made: asyncio.Queue[Frame | None] = asyncio.Queue()
        data = key_frame(64, 64)
        arguments = asyncio.get_running_loop(), coded, made, threading.Event()
        thread = threading.Thread(target=decode_frames, args=arguments)
        thread.start()
        for number in range(20):
            coded.put((codec(), JitterFrame(data, 3000 * number)))
            while not coded.empty():
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        coded.put(None)
        await asyncio.to_thread(thread.join)
        await asyncio.sleep(0)
        return [made.get_nowait() for _ in range(made.qsize())]

    frames = asyncio.run(run())
    assert frames[-1] is None
    assert len(frames) <= MAX_DECODED_FRAMES + 1
    last = frames[-2]
    assert last is not None
    assert last.pts == 3000 * 19


def test_the_end_is_not_kept_waiting_by_frames() -> None:
    """aiortc waits for the decoder on its event loop, so that all other streams wait as well."""

    class Ended(queue.Queue[tuple[RTCRtpCodecParameters, JitterFrame] | None]):
        taken = 0

        def get(self, *args: object, **options: object) -> tuple[RTCRtpCodecParameters, JitterFrame] | None:
            Ended.taken += 1
            return super().get()

    coded = Ended()
    for number in range(MAX_CODED_FRAMES):
        coded.put((codec(), JitterFrame(key_frame(64, 64), number)))
    coded.put(None)
    loop = asyncio.new_event_loop()
    decode_frames(loop, coded, asyncio.Queue(), threading.Event())
    loop.close()
    assert Ended.taken == 1


def test_a_frame_beyond_the_bound_is_not_decoded_and_ends_the_track() -> None:
    huge = key_frame(64, 64)
    huge = huge[:6] + (16383).to_bytes(2, "little") * 2 + huge[10:]
    assert vp8_size(huge) == (16383, 16383)
    frames, _ = decoded(huge, key_frame(64, 64))
    assert frames == [None]


def test_damaged_data_asks_for_a_key_frame_and_does_not_end_the_decoder() -> None:
    good = key_frame(64, 64)
    frames, damaged = decoded(good[:10] + b"\xff" * 3, b"", b"\x00" * 40, good)
    assert damaged
    assert frames[-1] is None
    shown = frames[-2]
    assert isinstance(shown, av.VideoFrame)
    assert (shown.width, shown.height) == (64, 64)


def test_more_frames_than_a_camera_takes_are_left_out() -> None:
    now_s = [0.0]
    budget = Budget(FRAMES_PER_S, lambda: now_s[0])
    assert sum(budget.spend() for _ in range(1000)) == FRAMES_PER_S
    now_s[0] = 0.5
    assert sum(budget.spend() for _ in range(1000)) == FRAMES_PER_S / 2


class Receiver:
    """Stands for aiortc's receiver."""


def routing() -> BoundedRouter:
    """Return a router with a receiver of packets of type 97."""
    router = BoundedRouter()
    router.register_receiver(Receiver(), ssrcs=[1], payload_types=[97])  # type: ignore[arg-type]
    return router


def test_a_flood_of_sources_ends_the_connection() -> None:
    router = routing()
    for ssrc in range(1, MAX_SOURCES + 1):
        assert isinstance(router.route_rtp(RtpPacket(payload_type=97, ssrc=ssrc)), Receiver)
    with pytest.raises(ConnectionError, match="SSRCs"):
        router.route_rtp(RtpPacket(payload_type=97, ssrc=99))


def test_a_flood_of_packets_ends_the_connection() -> None:
    router, packet = routing(), RtpPacket(payload_type=97, ssrc=1)
    vars(router)["_packets"] = Budget(PACKETS_PER_S, lambda: 0.0)
    assert all(isinstance(router.route_rtp(packet), Receiver) for _ in range(int(PACKETS_PER_S)))
    with pytest.raises(ConnectionError, match="packets"):
        router.route_rtp(packet)


def test_a_gap_in_the_numbers_costs_no_more_than_is_asked_for_again() -> None:
    nacks = BoundedNacks()
    nacks.add(RtpPacket(sequence_number=10))
    assert nacks.add(RtpPacket(sequence_number=13))
    assert nacks.missing == {11, 12}
    assert nacks.add(RtpPacket(sequence_number=32000))
    assert nacks.missing == set(range(32000 - RTP_HISTORY_SIZE + 1, 32000))
    nacks.add(RtpPacket(sequence_number=12))
    assert nacks.max_seq == 32000


def test_a_jitter_fits_its_field() -> None:
    statistics = BoundedStatistics(90_000)
    vars(statistics)["_jitter_q4"] = 1 << 40
    bytes(RtcpReceiverInfo(1, 0, 0, 0, statistics.jitter, 0, 0))


def test_key_frames_are_known() -> None:
    assert is_key_frame(key_frame(64, 64))
    assert not is_key_frame(b"\x11" + key_frame(64, 64)[1:])
    assert not is_key_frame(b"")
    start = b"\x00\x00\x00\x01"
    assert is_key_frame(start + b"\x67\x42" + start + b"\x65\x88")
    assert not is_key_frame(start + b"\x41\x9a")
