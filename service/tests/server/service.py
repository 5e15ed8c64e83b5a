"""A service in this process and aiortc as its client, for tests."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction

import aiohttp
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from numpy.typing import NDArray

from app.api import EdgeSettings, Matting
from app.capture.demo import DemoSource
from service.server.access import Access, RateLimit
from service.server.backgrounds import resolve_background
from service.server.http import HttpServer
from service.server.ice_file import IceServers
from service.server.limits import Limits
from service.server.matting import Output, StreamMatting
from service.server.service import Service
from service.server.sessions import Request, Sessions
from service.webrtc.receiving import repair_aiortc

SIZE = (320, 180)
ROOM_BGR = (200, 30, 220)
"""The room of `room_and_person`: no background of a service has this colour."""
GREEN_BGR = (64, 177, 0)
"""The background *green*."""
FAST = Limits(streams=2, watch_s=0.05, card_interval_s=0.05)
Image = NDArray[np.uint8]


def share_of(image: Image, colour: tuple[int, int, int], tolerance: int = 40) -> float:
    """The share of pixels of about this colour."""
    return float((np.abs(image.astype(int) - colour).max(axis=2) <= tolerance).mean())


def passes(engine: object, width: int, height: int) -> None:
    """A self-test that every engine passes: the real one takes two steps."""


def matting_for(request: Request) -> StreamMatting:
    background = resolve_background(request.background) or "blur"
    if request.output is Output.MATTE:
        background = "green"
    edges = EdgeSettings(strict="off")  # strict mode hides people until they move
    return StreamMatting(lambda: Matting("mattecam", background=background, edges=edges), passes, request.output)


def room_and_person(count: int, size: tuple[int, int] = SIZE) -> list[Image]:
    """Frames of the demo's person in a room of one loud colour."""
    width, height = size
    source = DemoSource(width, height, 30.0, realtime=False)
    empty = DemoSource(width, height, 1.0, realtime=False, empty_scene_s=1.0, motion=0.0)
    nobody = empty.render(0)
    frames = []
    for index in range(count):
        image = source.render(index).copy()
        image[np.abs(image.astype(int) - nobody).max(axis=2) < 12] = ROOM_BGR
        frames.append(image)
    source.close()
    empty.close()
    return frames


class Frames(MediaStreamTrack):
    """Sends the frames in turn, at this rate; then repeats them."""

    kind = "video"

    def __init__(self, frames: list[Image], fps: float = 20.0) -> None:
        super().__init__()
        self._frames = frames
        self._fps = fps
        self.sent = 0
        self.paused = False

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(1 / self._fps)
        while self.paused and self.readyState == "live":
            await asyncio.sleep(0.05)
        if self.readyState != "live":
            raise MediaStreamError
        frame = VideoFrame.from_ndarray(self._frames[self.sent % len(self._frames)], format="bgr24")
        frame.pts, frame.time_base = round(self.sent * 90_000 / self._fps), Fraction(1, 90_000)
        self.sent += 1
        return frame


class Client:
    """One connection to a service."""

    def __init__(
        self,
        address: str,
        http: aiohttp.ClientSession,
        frames: list[Image],
        fps: float = 20.0,
        configuration: RTCConfiguration | None = None,
    ) -> None:
        self._address = address
        self._http = http
        self.connection = RTCPeerConnection(configuration or RTCConfiguration(iceServers=[]))
        self.camera = Frames(frames, fps)
        self.received: list[Image] = []
        self._reading: asyncio.Task[None] | None = None
        self.status = 0
        self.headers: dict[str, str] = {}

        @self.connection.on("track")
        def arrived(track: MediaStreamTrack) -> None:
            self._reading = asyncio.ensure_future(self._read(track))

    async def connect(self, headers: dict[str, str] | None = None, **fields: str) -> int:
        """Offer the stream; return the HTTP status."""
        self.connection.addTrack(self.camera)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = {"type": "offer", "sdp": self.connection.localDescription.sdp, **fields}
        async with self._http.post(f"{self._address}/offer", json=offer, headers=headers or {}) as answer:
            self.status, self.headers = answer.status, dict(answer.headers)
            if answer.status == 200:
                description = RTCSessionDescription(**(await answer.json()))
                await self.connection.setRemoteDescription(description)
        return self.status

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, VideoFrame)
            self.received.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))

    async def close(self) -> None:
        self.camera.stop()
        await self.connection.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)


class Running:
    """A service that runs, and what a test needs of it."""

    def __init__(self, address: str, sessions: Sessions, server: HttpServer, http: aiohttp.ClientSession) -> None:
        self.address = address
        self.server = server
        self.sessions = sessions
        self.http = http
        self._clients: list[Client] = []

    def client(self, frames: list[Image], fps: float = 20.0, configuration: RTCConfiguration | None = None) -> Client:
        client = Client(self.address, self.http, frames, fps, configuration)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients))


@asynccontextmanager
async def running(
    limits: Limits | None = None,
    *,
    token: str | None = None,
    make_matting: Callable[[Request], StreamMatting] = matting_for,
    names: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
    ice: IceServers | None = None,
    now: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Running]:
    """Run a service on a free port of this machine; everything is closed at the end."""
    repair_aiortc()
    limits = limits or Limits(streams=2)
    ice = ice or IceServers([])
    sessions = Sessions(make_matting, limits, now, ice.current)
    rate = RateLimit(limits.offers_per_minute)
    access = Access(token, loopback_only=True)
    service = Service(sessions, access, rate, lambda: names, lambda: [server.as_json() for server in ice.current()])
    server = HttpServer(service, limits, tls)
    await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        live = Running(f"{'https' if tls else 'http'}://127.0.0.1:{server.port}", sessions, server, http)
        try:
            yield live
        finally:
            await live.close()
            await sessions.close()
            await server.close()
            assert sessions.count == 0
            assert server.connections == 0


async def until(condition: Callable[[], bool], timeout_s: float = 60.0, poll_s: float = 0.02) -> None:
    """Wait for a condition."""
    deadline_s = asyncio.get_running_loop().time() + timeout_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline_s, "the condition did not come true"
        await asyncio.sleep(poll_s)
