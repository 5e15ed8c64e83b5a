"""What a hostile or broken server can send to a client: it ends in one sentence, and never in a frame."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from fractions import Fraction

import numpy as np
import pytest
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from app.core.errors import RemoteError
from app.core.settings import EdgeSettings
from service.client.engine import RemoteEngine
from service.client.link import ServerLink
from service.tests.threaded import on_thread
from service.webrtc.marks import STRIP_PX, mark_strip, read_mark

pytestmark = pytest.mark.timeout(120)
SIZE = (640, 360)
EDGES = EdgeSettings(strict="off")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONNECTIONS = web.AppKey("CONNECTIONS", list[RTCPeerConnection])
"""Those that are closed at the end."""


def answering(offer: Handler, ice: Handler | None = None) -> AbstractContextManager[str]:
    """Run an HTTP server on a thread of its own; yield its address."""
    return on_thread(serving(offer, ice))


@asynccontextmanager
async def serving(offer: Handler, ice: Handler | None) -> AsyncIterator[str]:

    async def no_ice(request: web.Request) -> web.StreamResponse:
        return web.json_response([])

    async def close_connections(served: web.Application) -> None:
        await asyncio.gather(*(connection.close() for connection in served[CONNECTIONS]))

    served = web.Application()
    served[CONNECTIONS] = []
    served.on_shutdown.append(close_connections)
    served.router.add_get("/ice", ice or no_ice)
    served.router.add_post("/offer", offer)
    runner = web.AppRunner(served, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def says(body: bytes | str, status: int = 200, **headers: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        given = body.encode() if isinstance(body, str) else body
        return web.Response(body=given, status=status, headers={"Content-Type": "application/json", **headers})

    return answer


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        ("", 200, {}),
        ("[" * 100_000, 200, {}),
        ('{"sdp": 3}', 200, {}),
        ('{"sdp": "v=0\\r\\nno such thing"}', 200, {}),
        ('{"sdp": "' + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\\r\\n" * 1000 + '"}', 200, {}),
        ('{"sdp": "' + "x" * 400_000 + '"}', 200, {}),
        (b"\x1f\x8b\x08" + bytes(100), 200, {"Content-Encoding": "gzip"}),
        ("x" * 5_000_000, 500, {}),
        ("", 302, {"Location": "http://127.0.0.1:9/"}),
    ],
)
def test_an_answer_that_is_none_is_refused_in_a_sentence(
    body: bytes | str, status: int, headers: dict[str, str]
) -> None:
    with answering(says(body, status, **headers)) as address, pytest.raises(RemoteError) as caught:
        ServerLink(address, None)
    message = str(caught.value)
    assert message.startswith(f"The server {address} refused the stream: ")
    assert len(message) < 400
    assert message.count("\n") == 0


def test_a_reason_carries_no_control_characters() -> None:
    reason = "\x1b[2J\x1b]0;title\x07\nno\r\nplace\x00"
    with answering(says(reason, 400)) as address, pytest.raises(RemoteError) as caught:
        ServerLink(address, None)
    assert str(caught.value).isprintable()
    assert "no place" in str(caught.value)


def test_a_list_of_ice_servers_without_end_is_refused() -> None:
    endless = says("[" + '"stun:x",' * 100_000)
    with answering(says("{}"), endless) as address, pytest.raises(RemoteError, match="its answer is not understood"):
        ServerLink(address, None)


class Sent(MediaStreamTrack):
    """Sends what `made` makes of each frame of the client."""

    kind = "video"

    def __init__(self, made: Callable[[np.ndarray, int], np.ndarray | None]) -> None:
        super().__init__()
        self._made = made
        self.given: asyncio.Queue[VideoFrame] = asyncio.Queue()
        self._count = 0

    async def recv(self) -> VideoFrame:
        while self.readyState == "live":
            frame = await self.given.get()
            planes = np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)
            luma = np.ascontiguousarray(planes[: frame.height])
            number = read_mark(luma[-STRIP_PX:])
            image = None if number is None else self._made(luma, number)
            if image is None:
                continue
            made = VideoFrame.from_ndarray(np.repeat(image[..., None], 3, axis=2), format="bgr24")
            self._count += 1
            made.pts, made.time_base = self._count * 3000, Fraction(1, 90_000)
            return made
        raise MediaStreamError


def streaming(made: Callable[[np.ndarray, int], np.ndarray | None]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        request.app[CONNECTIONS].append(connection)
        sent = Sent(made)

        @connection.on("track")
        def arrived(track: MediaStreamTrack) -> None:
            async def read() -> None:
                try:
                    while True:
                        frame = await track.recv()
                        assert isinstance(frame, VideoFrame)
                        sent.given.put_nowait(frame)
                except MediaStreamError:
                    sent.stop()

            tasks.append(asyncio.ensure_future(read()))

        tasks: list[asyncio.Task[None]] = []
        await connection.setRemoteDescription(RTCSessionDescription((await request.json())["sdp"], "offer"))
        connection.addTrack(sent)
        await connection.setLocalDescription(await connection.createAnswer())
        return web.json_response({"sdp": connection.localDescription.sdp, "type": "answer"})

    return answer


def marked(alpha: np.ndarray, number: int) -> np.ndarray:
    return np.vstack([alpha, mark_strip(number, alpha.shape[1])])


def small(luma: np.ndarray, number: int) -> np.ndarray | None:
    return marked(np.full((64, 320), 255, np.uint8), number)


def large(luma: np.ndarray, number: int) -> np.ndarray | None:
    return marked(np.full((1200, 1600), 255, np.uint8), number)


def strip_alone(luma: np.ndarray, number: int) -> np.ndarray | None:
    return mark_strip(number, luma.shape[1])


def noise(luma: np.ndarray, number: int) -> np.ndarray | None:
    return np.random.default_rng(number).integers(0, 256, luma.shape, np.uint8)


def of_frames_to_come(luma: np.ndarray, number: int) -> np.ndarray | None:
    return marked(np.full((luma.shape[0] - STRIP_PX, luma.shape[1]), 255, np.uint8), number + 1000)


@pytest.mark.parametrize("made", [small, large, strip_alone, noise, of_frames_to_come])
def test_mattes_that_are_none_are_silence(
    made: Callable[[np.ndarray, int], np.ndarray | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.client.engine.FIRST_MATTE_S", 0.5)
    frame = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    with answering(streaming(made)) as address:
        engine = RemoteEngine(ServerLink(address, None), *SIZE, silence_s=0.5)
        try:
            began_s = time.monotonic()
            with pytest.raises(RemoteError, match=f"{address} sends no mattes; matting runs on this computer"):
                engine.step(frame, np.zeros_like(frame), EDGES).result()
            assert time.monotonic() - began_s < 60
        finally:
            engine.close()


def test_a_true_matte_is_taken() -> None:
    """The server of these tests can be used."""
    frame = np.full((360, 640, 3), 90, np.uint8)

    def person(luma: np.ndarray, number: int) -> np.ndarray | None:
        alpha = np.zeros((luma.shape[0] - STRIP_PX, luma.shape[1]), np.uint8)
        alpha[:, : luma.shape[1] // 2] = 255
        return marked(alpha, number)

    with answering(streaming(person)) as address:
        look = lambda image: np.full(image.shape[:2], 255, np.uint8)  # noqa: E731 - finds people everywhere
        engine = RemoteEngine(ServerLink(address, None), *SIZE, look=look)
        try:
            assert engine.step(frame, np.zeros_like(frame), EDGES).result().composite[:, : SIZE[0] // 3].mean() > 80
        finally:
            engine.close()
