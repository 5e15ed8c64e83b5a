"""Clients of `benchmarks.bench_serve`: cameras with numbered frames, and streams that note what comes back."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from typing import Any

import aiohttp
import av
import numpy as np
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import Packet, VideoFrame
from numpy.typing import NDArray

from app.capture.demo import DemoSource
from service.server.matting import Output
from service.webrtc.ice import peer_configuration
from service.webrtc.marks import COUNT, STRIP_PX, mark_strip, read_mark

FPS = 30
WIDTH, HEIGHT = 640, 360
CLIP = 60


def _numbered(image: VideoFrame, number: int) -> NDArray[np.uint8]:
    planes = np.asarray(image.to_ndarray(format="yuv420p"), np.uint8).copy()
    planes[HEIGHT : HEIGHT + STRIP_PX] = mark_strip(number, WIDTH)
    return planes


class Camera(MediaStreamTrack):
    """Sends numbered frames at a steady rate and notes when."""

    kind = "video"

    def __init__(self, images: list[VideoFrame]) -> None:
        super().__init__()
        self._images = images
        self._started_s = time.perf_counter()
        self.sent_s: dict[int, float] = {}
        self._index = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(max(0.0, self._started_s + self._index / FPS - time.perf_counter()))
        if self.readyState != "live":
            raise MediaStreamError
        number = self._index % COUNT
        planes = _numbered(self._images[self._index % CLIP], number)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = self._index * 90_000 // FPS, Fraction(1, 90_000)
        self.sent_s[number] = time.perf_counter()
        self._index += 1
        return frame


class EncodedCamera(MediaStreamTrack):
    """Sends frames that were encoded before, in turn; their numbers repeat with the clip."""

    kind = "video"

    def __init__(self, packets: list[Packet[Any]]) -> None:
        super().__init__()
        self._packets = packets
        self._started_s = time.perf_counter()
        self.sent_s: dict[int, float] = {}
        self._index = 0

    async def recv(self) -> Packet[Any]:  # aiortc's senders take packets as well
        await asyncio.sleep(max(0.0, self._started_s + self._index / FPS - time.perf_counter()))
        if self.readyState != "live":
            raise MediaStreamError
        number = self._index % CLIP
        packet = Packet(bytes(self._packets[number]))
        packet.pts, packet.time_base = self._index * 90_000 // FPS, Fraction(1, 90_000)
        self.sent_s[number] = time.perf_counter()
        self._index += 1
        return packet


class Stream:
    """One stream and what came back."""

    def __init__(self, images: list[VideoFrame] | list[Packet[Any]], output: Output) -> None:
        first = images[0]
        self._output = output
        self.camera = (
            EncodedCamera([image for image in images if isinstance(image, Packet)])
            if isinstance(first, Packet)
            else Camera([image for image in images if isinstance(image, VideoFrame)])
        )
        self.latencies_s: list[float] = []
        self.arrivals_s: list[float] = []
        self.connection = RTCPeerConnection(peer_configuration(()))
        self._reading: asyncio.Task[None] | None = None

    async def connect(self, address: str, http: aiohttp.ClientSession) -> None:
        """Offer the stream."""

        @self.connection.on("track")
        def arrived(track: MediaStreamTrack) -> None:
            self._reading = asyncio.ensure_future(self._read(track))

        self.connection.addTrack(self.camera)
        codecs = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType in ("video/VP8", "video/rtx")]
        self.connection.getTransceivers()[0].setCodecPreferences(codecs)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = {"type": "offer", "sdp": self.connection.localDescription.sdp, "output": self._output.value}
        async with http.post(f"{address}/offer", json=offer) as answer:
            answer.raise_for_status()
            await self.connection.setRemoteDescription(RTCSessionDescription(**(await answer.json())))

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            now_s = time.perf_counter()
            assert isinstance(frame, VideoFrame)
            if self._output is Output.COMPOSITE:
                self.arrivals_s.append(now_s)
                continue
            brightness = np.frombuffer(bytes(frame.planes[0]), np.uint8).reshape(-1, frame.planes[0].line_size)
            number = read_mark(np.ascontiguousarray(brightness[HEIGHT : HEIGHT + STRIP_PX, :WIDTH]))
            if number is not None and number in self.camera.sent_s:
                self.latencies_s.append(now_s - self.camera.sent_s.pop(number))
                self.arrivals_s.append(now_s)

    async def close(self) -> None:
        """End the stream."""
        self.camera.stop()
        await self.connection.close()
        if self._reading is not None:
            await self._reading


def clip() -> list[VideoFrame]:
    """Return frames of the demo with room for the strip."""
    source = DemoSource(WIDTH, HEIGHT, float(FPS), realtime=False)
    strip = np.zeros((STRIP_PX, WIDTH, 3), np.uint8)
    frames = [np.vstack([source.render(index), strip]) for index in range(CLIP)]
    source.close()
    return [VideoFrame.from_ndarray(frame, format="bgr24").reformat(format="yuv420p") for frame in frames]


def encoded(images: list[VideoFrame]) -> list[Packet[Any]]:
    """Return the frames of the clip with their numbers, encoded as aiortc encodes them; the first is a key frame."""
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT + STRIP_PX, "yuv420p"
    encoder.time_base, encoder.bit_rate = Fraction(1, FPS), 1_000_000
    encoder.options = {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0", "g": str(CLIP)}
    packets = []
    for number, image in enumerate(images):
        frame = VideoFrame.from_ndarray(_numbered(image, number), format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        packets += encoder.encode(frame)
    assert len(packets) == len(images)
    return packets
