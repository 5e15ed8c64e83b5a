"""The connection of a client to a matting server: sends frames, receives mattes, measures the round trip."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from numpy.typing import NDArray

from app.core.errors import RemoteError, UsageError
from app.core.messages.remote import RemoteText
from service.client.signalling import Signalling, reason_of
from service.webrtc.ice import peer_configuration
from service.webrtc.marks import COUNT, STRIP_PX, mark_strip, read_mark
from service.webrtc.receiving import repair_aiortc

CONNECT_S = 8.0
CLOSE_S = 5.0
RESEND_S = 0.1
"""A frame without an answer is sent again after this time: packets of the first frames may be lost."""
CLOCK_HZ = 90_000

Luma = NDArray[np.uint8]


class Received(NamedTuple):
    """A matte of the server."""

    number: int
    """Of the frame that it belongs to, modulo COUNT."""
    alpha: Luma
    """(H, W) as it was decoded: noise of the coding included."""


class ServerLink:
    """One stream to a server. `exchange` is called on one thread; the connection has an event loop of its own."""

    def __init__(
        self, server: str, token: str | None, *, ca_file: Path | None = None, connect_s: float = CONNECT_S
    ) -> None:
        """Connect. Raises UsageError for an impossible address or file, RemoteError if the server takes no stream.

        ca_file: certificate (PEM) that the server's must be signed with; None trusts what the system trusts.
        """
        self._signalling = Signalling(server, token, ca_file)
        self._condition = threading.Condition()
        self._received: Received | None = None
        self._shape = 0, 0
        """Of the frames that are sent, with the mark."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server-link")
        self._thread.start()
        self._camera: _Camera | None = None
        self._connection: RTCPeerConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        try:
            self._run(self._connect(), connect_s)
        except BaseException as error:
            self.close()
            if isinstance(error, (RemoteError, UsageError)) or not isinstance(error, Exception):
                raise
            raise RemoteError(RemoteText.UNREACHABLE(server=self.server, reason=reason_of(error))) from error

    @property
    def server(self) -> str:
        """The address of the server."""
        return self._signalling.server

    def exchange(self, image: NDArray[np.uint8], number: int, after: int | None, timeout_s: float) -> Received | None:
        """Send a frame; return the first matte that is newer than that of frame `after`, None after the timeout.

        image: (H, W, 3) uint8 BGR with even sides. While none comes the frame is sent again.
        """
        strip = np.repeat(mark_strip(number, image.shape[1])[..., None], 3, axis=2)
        marked = np.vstack([image, strip])
        self._shape = marked.shape[0], marked.shape[1]
        deadline_s = time.monotonic() + timeout_s
        while True:
            self._loop.call_soon_threadsafe(self._send, marked)
            with self._condition:
                self._condition.wait_for(
                    lambda: self._newer(after), max(0.0, min(RESEND_S, deadline_s - time.monotonic()))
                )
                if self._newer(after):
                    return self._received
            if time.monotonic() >= deadline_s:
                return None

    def close(self) -> None:
        """End the connection and its thread. Idempotent."""
        if self._loop.is_closed():
            return
        with suppress(Exception):  # the loop ends all the same
            self._run(self._disconnect(), CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._end_tasks())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _newer(self, after: int | None) -> bool:
        received = self._received
        return received is not None and (after is None or 0 < (received.number - after) % COUNT < COUNT // 2)

    def _run(self, work: Coroutine[Any, Any, None], timeout_s: float) -> None:
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, timeout_s), self._loop).result()

    def _send(self, marked: NDArray[np.uint8]) -> None:
        if self._camera is not None:
            self._camera.put(marked)

    async def _connect(self) -> None:
        repair_aiortc()
        self._camera = _Camera()
        servers = await self._signalling.ice_servers()
        connection = self._connection = RTCPeerConnection(peer_configuration(servers))

        @connection.on("track")
        def arrived(track: MediaStreamTrack) -> None:
            self._reading = asyncio.ensure_future(self._read(track))

        connection.addTrack(self._camera)
        codecs = RTCRtpSender.getCapabilities("video").codecs
        vp8 = [codec for codec in codecs if codec.mimeType in ("video/VP8", "video/rtx")]
        connection.getTransceivers()[0].setCodecPreferences(vp8)
        await connection.setLocalDescription(await connection.createOffer())
        answer = await self._signalling.offer(connection.localDescription.sdp)
        try:
            await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except Exception as error:
            raise self._signalling.odd_answer() from error

    async def _read(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                luma = _luma(frame)
                number = read_mark(luma[-STRIP_PX:]) if luma.shape == self._shape else None
                if number is None:
                    continue  # the server's stand-by picture, or no matte of a frame of this size
                with self._condition:
                    self._received = Received(number, luma[:-STRIP_PX])
                    self._condition.notify_all()
        except MediaStreamError:
            return

    async def _disconnect(self) -> None:
        if self._camera is not None:
            self._camera.stop()
        if self._connection is not None:
            await self._connection.close()
        if self._reading is not None:
            self._reading.cancel()

    @staticmethod
    async def _end_tasks() -> None:
        """End what runs still: aiortc forgets tasks of a connection that is closed while it connects."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class _Camera(MediaStreamTrack):
    """Sends the newest frame."""

    kind = "video"

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._started_s = now()
        self._newest: NDArray[np.uint8] | None = None
        self._arrived = asyncio.Event()

    def put(self, image: NDArray[np.uint8]) -> None:
        self._newest = image
        self._arrived.set()

    def stop(self) -> None:
        super().stop()
        self._arrived.set()

    async def recv(self) -> VideoFrame:
        await self._arrived.wait()
        self._arrived.clear()
        image, self._newest = self._newest, None
        if image is None or self.readyState != "live":
            raise MediaStreamError
        frame = VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = round((self._now() - self._started_s) * CLOCK_HZ), Fraction(1, CLOCK_HZ)
        return frame


def _luma(frame: VideoFrame) -> Luma:
    """Return the brightness (H, W) of a decoded frame as it was coded, 0..255."""
    planes = np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)
    return np.ascontiguousarray(planes[: frame.height])
