"""Bounds on what a peer can make aiortc do: memory, decoded sizes and rates, work per packet.

aiortc queues frames without limit, decodes frames of any size, and waits on the event loop until a decoder has worked
through its queue, which stops all streams.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable

from aiortc.codecs import get_decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcdtlstransport import RtpReceiver, RtpRouter, RtpSender
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpreceiver import NackGenerator, StreamStatistics
from aiortc.rtp import RTP_HISTORY_SIZE, AnyRtcpPacket, RtpPacket
from aiortc.utils import uint16_add
from av.frame import Frame

MAX_SOURCES = 16
"""SSRCs of a connection: a stream has two, and a browser may replace them."""
PACKETS_PER_S = 4000.0
"""Sustained, of a connection; 1080p at 8 Mbit/s has 900."""
FRAMES_PER_S = 120.0
"""Frames decoded, sustained, of a connection."""
MAX_CODED_FRAMES = 32
"""Frames that may wait for the decoder."""
MAX_DECODED_FRAMES = 4
"""Frames that may wait for their reader; older ones are dropped."""
MAX_DECODED_PIXELS = 4096 * 2304
MAX_JITTER = 2**32 - 1
VP8_START_CODE = b"\x9d\x01\x2a"
NAL_START = b"\x00\x00\x00\x01"
NAL_IDR, NAL_PARAMETERS = 5, 7

_log = logging.getLogger(__name__)


class Budget:
    """A token bucket of one second."""

    def __init__(self, rate_hz: float, now: Callable[[], float] = time.monotonic) -> None:
        self._rate_hz = self._level = rate_hz
        self._now = now
        self._at_s = now()

    def spend(self) -> bool:
        """Return whether one more is within the rate."""
        now_s = self._now()
        self._level = min(self._rate_hz, self._level + (now_s - self._at_s) * self._rate_hz)
        self._at_s = now_s
        allowed = self._level >= 1
        self._level -= int(allowed)
        return allowed


class BoundedRouter(RtpRouter):
    """Ends the connection of a peer that floods it with packets or SSRCs; each SSRC costs memory and a report.

    aiortc takes a ConnectionError as the end of the connection.
    """

    def __init__(self) -> None:
        super().__init__()
        self._packets = Budget(PACKETS_PER_S)

    def route_rtp(self, packet: RtpPacket) -> RtpReceiver | None:
        """Return the receiver of a packet, None if there is none. Raises ConnectionError for a flood."""
        self._count()
        receiver = super().route_rtp(packet)
        if len(self.ssrc_table) > MAX_SOURCES:
            raise ConnectionError("too many SSRCs")
        return receiver

    def route_rtcp(self, packet: AnyRtcpPacket) -> set[RtpReceiver | RtpSender]:
        """Return the receivers and senders that a packet is for. Raises ConnectionError for a flood."""
        self._count()
        return super().route_rtcp(packet)

    def _count(self) -> None:
        if not self._packets.spend():
            raise ConnectionError("too many packets")


class BoundedNacks(NackGenerator):
    """Notes at most as many missing packets as are asked for again; aiortc counts through every gap."""

    def add(self, packet: RtpPacket) -> bool:
        """Note a packet; return whether packets are missing before it."""
        if self.max_seq is not None:
            gap = uint16_add(packet.sequence_number, -self.max_seq)
            if RTP_HISTORY_SIZE < gap < 1 << 15:
                self.missing.clear()
                self.max_seq = uint16_add(packet.sequence_number, -RTP_HISTORY_SIZE)
        return super().add(packet)


class BoundedStatistics(StreamStatistics):
    """Reports a jitter that fits its field; otherwise the reporting task ends and the receiver cannot be stopped."""

    @property
    def jitter(self) -> int:
        """In ticks of the RTP clock."""
        return min(super().jitter, MAX_JITTER)


def is_key_frame(data: bytes) -> bool:
    """Return whether a coded frame, VP8 or H.264 with start codes, needs no earlier frame."""
    if data.startswith(NAL_START):
        return any(unit and unit[0] & 0x1F in (NAL_IDR, NAL_PARAMETERS) for unit in data.split(NAL_START))
    return vp8_size(data) is not None


def vp8_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in the header of a VP8 key frame, None for other data."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != VP8_START_CODE:
        return None
    return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF


class _FrameDecoder:
    """Decodes the frames of one receiver within the bounds."""

    def __init__(self, damaged: threading.Event) -> None:
        """damaged: is set where a key frame must be requested."""
        self._damaged = damaged
        self._codec = ""
        self._decode: Callable[[JitterFrame], list[Frame]] = lambda frame: []
        self._budget = Budget(FRAMES_PER_S)
        self._broken = False
        """Frames were left out, so that only a key frame can be decoded."""

    def leave_out(self) -> None:
        """Take note of a frame that is not decoded."""
        self._broken = True
        self._damaged.set()

    def frames(self, codec: RTCRtpCodecParameters, coded: JitterFrame) -> list[Frame]:
        """Return the decoded frames; none for data that cannot be decoded. Raises ValueError for a frame too large."""
        if not coded.data or (self._broken and not is_key_frame(coded.data)):  # empty data would end the decoder
            return []
        if not self._budget.spend():
            self.leave_out()
            return []
        self._broken = False
        width, height = vp8_size(coded.data) or (0, 0)
        if width * height > MAX_DECODED_PIXELS:
            raise ValueError("the frame is too large")
        if codec.name != self._codec:
            decoder = get_decoder(codec)
            vars(decoder)["codec"].options = {"max_pixels": str(MAX_DECODED_PIXELS)}
            self._codec, self._decode = codec.name, decoder.decode
        try:
            return self._decode(coded)
        except Exception as error:  # noqa: BLE001 - whatever damaged data does, the thread goes on
            _log.debug("A %s frame was not decoded: %s", codec.name, error)
            self._damaged.set()
            return []


def decode_frames(
    loop: asyncio.AbstractEventLoop,
    coded: queue.Queue[tuple[RTCRtpCodecParameters, JitterFrame] | None],
    decoded: asyncio.Queue[Frame | None],
    damaged: threading.Event,
) -> None:
    """Decode frames until None comes, which is found before what waits ahead of it. A receiver's thread runs this."""
    decoder = _FrameDecoder(damaged)
    waiting = coded.get()
    while waiting is not None:
        codec, frame = waiting
        try:
            for made in decoder.frames(codec, frame):
                loop.call_soon_threadsafe(_put_newest, decoded, made)
        except ValueError:
            break
        waiting = _next(coded, decoder)
    loop.call_soon_threadsafe(decoded.put_nowait, None)
    while waiting is not None:  # the receiver goes on until the connection is closed
        waiting = coded.get()


def _next(
    coded: queue.Queue[tuple[RTCRtpCodecParameters, JitterFrame] | None], decoder: _FrameDecoder
) -> tuple[RTCRtpCodecParameters, JitterFrame] | None:
    """Return the next frame, None at the end."""
    if coded.queue and coded.queue[-1] is None:
        return None
    while coded.qsize() > MAX_CODED_FRAMES:
        if coded.get() is None:
            return None
        decoder.leave_out()
    return coded.get()


def _put_newest(decoded: asyncio.Queue[Frame | None], frame: Frame) -> None:
    while decoded.qsize() >= MAX_DECODED_FRAMES:
        decoded.get_nowait()
    decoded.put_nowait(frame)
