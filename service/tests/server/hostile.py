"""A client that sends packets of its own making, for tests."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import av
import numpy as np
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtp import RtpPacket

from service.tests.server.service import Client, Image, Running, until

PAYLOAD = 1200
TICKS = 3000
"""Of a frame at 30 fps."""


def key_frame(width: int, height: int, image: Image | None = None) -> bytes:
    """Return a VP8 key frame, black without an image (H, W, 3)."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.bit_rate = Fraction(1, 30), 4_000_000
    codec.options = {"deadline": "realtime", "cpu-used": "-16", "lag-in-frames": "0"}
    shown = np.zeros((height, width, 3), np.uint8) if image is None else image
    frame = av.VideoFrame.from_ndarray(shown, format="bgr24").reformat(format="yuv420p")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


class Attacker:
    """A connected client whose camera sends nothing; the packets come from the test."""

    def __init__(self, client: Client) -> None:
        self.client = client
        sender = client.connection.getSenders()[0]
        self.transport = sender.transport
        self.ssrc = int(vars(sender)["_ssrc"])
        codecs = vars(client.connection.getTransceivers()[0])["_codecs"]
        self.payload_types = {codec.name: int(codec.payloadType) for codec in codecs}
        self.number = 100
        self.time = 0

    async def packet(
        self,
        payload: bytes,
        *,
        last: bool = True,
        codec: str = "VP8",
        ssrc: int | None = None,
        number: int | None = None,
    ) -> None:
        """Send one RTP packet."""
        made = RtpPacket(
            payload_type=self.payload_types[codec],
            marker=int(last),
            sequence_number=self.number if number is None else number,
            timestamp=self.time & 0xFFFFFFFF,
            ssrc=self.ssrc if ssrc is None else ssrc,
            payload=payload,
        )
        self.number = (self.number + 1) & 0xFFFF
        await self.transport._send_rtp(made.serialize())  # noqa: SLF001 - no client of good will needs it

    async def frame(self, data: bytes, *, step: int = TICKS, codec: str = "VP8") -> None:
        """Send a coded frame."""
        self.time += step
        for start in range(0, max(1, len(data)), PAYLOAD):
            head = bytes(VpxPayloadDescriptor(int(start == 0), 0)) if codec == "VP8" else b""
            await self.packet(head + data[start : start + PAYLOAD], last=start + PAYLOAD >= len(data), codec=codec)

    async def frames(self, *data: bytes, count: int = 30, interval_s: float = 1 / 30) -> None:
        """Send coded frames in turn."""
        for index in range(count):
            await self.frame(data[index % len(data)])
            await asyncio.sleep(interval_s)

    async def report(self, kind: int, count: int, body: bytes) -> None:
        """Send one RTCP packet. body: a multiple of four bytes."""
        head = bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2, "big")
        await self.transport._send_rtp(head + body)  # noqa: SLF001 - as above


async def attacker(service: Running, background: str = "blur") -> Attacker:
    """Connect to a service."""
    client = service.client([np.zeros((180, 320, 3), np.uint8)])
    client.camera.paused = True
    assert await client.connect(background=background) == 200
    await until(lambda: client.connection.connectionState == "connected")
    return Attacker(client)
