"""One connection: receives video, mattes the newest frame off the event loop, sends the result, watches for silence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import NamedTuple

import numpy as np
from aiortc import RTCPeerConnection
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from service.server.access import RateLimit
from service.server.core_semaphore import CoreSemaphore
from service.server.limits import Limits
from service.server.matting import Output, SentFrame, StreamMatting, fitted
from service.server.metrics import Metrics
from service.server.pacing import RateGuard
from service.server.track import CLOCK_HZ, MattedTrack

FIRST_CARD = (640, 360)

_log = logging.getLogger(__name__)


class _Stepped(NamedTuple):
    """A step: what to send, for which frame, and how long it took without waiting for a core."""

    outgoing: SentFrame
    frame: VideoFrame
    seconds: float


class StreamSession:
    """Owns a connection, its matting and its thread. Used on the event loop."""

    def __init__(
        self,
        connection: RTCPeerConnection,
        matting: StreamMatting,
        output: Output,
        limits: Limits,
        metrics: Metrics,
        cores: CoreSemaphore,
        closed: Callable[[StreamSession], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """cores: of all streams. closed: called once, when everything has been released."""
        self.connection = connection
        self._matting = matting
        self._output = output
        self._limits = limits
        self._metrics = metrics
        self._cores = cores
        self._closed = closed
        self._now = now
        self.track = MattedTrack(limits, now)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stream")
        self._guard = RateGuard()
        self._size: tuple[int, int] | None = None
        self._size_changes = RateLimit(limits.size_changes_per_minute, now)
        self._newest: deque[VideoFrame] = deque(maxlen=1)
        """Filled on the event loop, emptied on the thread."""
        self._waiting_since_s: float | None = None
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._opened_s = self._frame_s = now()
        self._ending = False
        self.step_began_s: float | None = None
        """When the step that runs now began; None between steps."""
        self.step_ended_s: float | None = None

    def start(self) -> None:
        """Begin to watch the connection, and to matte once its video arrives."""

        @self.connection.on("track")
        def arrived(track: MediaStreamTrack) -> None:
            if track.kind == "video":
                self._tasks.append(asyncio.ensure_future(self._receive(track)))

        @self.connection.on("connectionstatechange")
        async def changed() -> None:
            if self.connection.connectionState in ("closed", "failed"):
                self.end("disconnected")

        self._tasks.append(asyncio.ensure_future(self._matte()))
        self._tasks.append(asyncio.ensure_future(self._watch()))

    @property
    def busy_for_s(self) -> float:
        """How long the step that runs now, or a frame that waits for one, has taken; 0 without either."""
        began_s = [at_s for at_s in (self.step_began_s, self._waiting_since_s) if at_s is not None]
        return self._now() - min(began_s) if began_s else 0.0

    @property
    def parked(self) -> bool:
        """Whether frames have stopped, and the state of the stream has been released."""
        return self._silent and not self._matting.active

    @property
    def _silent(self) -> bool:
        return self._now() - self._frame_s >= self._limits.park_s

    def end(self, reason: str) -> None:
        """Close the connection soon. Idempotent."""
        if not self._ending:
            self._ending = True
            self._metrics.closed(reason)
            self._close_task = asyncio.ensure_future(self._close())

    async def wait_closed(self) -> None:
        """End the session if it runs, and wait until everything is released."""
        self.end("shutdown")
        await asyncio.shield(self._close_task)

    async def _receive(self, track: MediaStreamTrack) -> None:
        """Keep the newest frame."""
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                unfit = self._unfit(frame)
                if unfit is not None:
                    self.end(unfit)
                    return
                self._frame_s = self._now()
                if not self._guard.admits(self._frame_s):
                    self._metrics.frame("skipped")
                    continue
                if self._newest:
                    self._metrics.frame("dropped")
                else:
                    self._waiting_since_s = self._frame_s
                self._newest.append(frame)
                self._arrived.set()
        self.end("disconnected")

    def _unfit(self, frame: VideoFrame) -> str | None:
        """Return why the stream must end because of a frame, None if it may go on."""
        sides, limits = (frame.width, frame.height), self._limits
        if frame.width * frame.height > limits.max_frame_pixels or max(sides) > limits.max_frame_side:
            return "frame too large"
        if min(sides) < limits.min_frame_side:
            return "frame too small"
        changed, self._size = sides != self._size, sides
        return "size changes" if changed and not self._size_changes.permits("") else None

    async def _matte(self) -> None:
        """Matte frames until the session ends. A fault ends this session, so that it stops no other."""
        try:
            await self._matte_frames()
        except Exception as error:  # noqa: BLE001 - whatever it is, the service goes on
            _log.warning("A stream ended because of a fault of the program (%s).", type(error).__name__)
            self.end("fault")

    async def _matte_frames(self) -> None:
        loop = asyncio.get_running_loop()
        self.track.set_card(await loop.run_in_executor(self._thread, self._matting.card, *FIRST_CARD))
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if not self._newest:
                continue
            self.step_began_s = asked_s = self._now()
            outgoing, frame, seconds = await loop.run_in_executor(self._thread, self._step)
            self.step_began_s, self.step_ended_s = None, self._now()
            if outgoing.matted:
                self._guard.note(self.step_ended_s - asked_s, self.step_ended_s)
                self._metrics.step_s.observe(seconds)
            self._metrics.frame("matted" if outgoing.matted else "standby")
            ticks = 0 if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base * CLOCK_HZ
            self.track.put(outgoing, round(ticks))

    def _step(self) -> _Stepped:
        """Matte the frame that is the newest when a core is free. Called on the thread of this stream.

        A step that builds the engine, for seconds, holds no core.
        """
        with self._cores.held() if self._matting.active else nullcontext():
            began_s, self._waiting_since_s = self._now(), None
            frame = self._newest.pop()
            bgr = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            outgoing = self._matting.step(fitted(bgr, self._limits.matted_pixels, self._output))
            return _Stepped(outgoing, frame, self._now() - began_s)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._limits.watch_s)
            now_s = self._now()
            if now_s - self._frame_s >= self._limits.close_s:
                self.end("no frames")
            elif now_s - self._opened_s >= self._limits.session_s:
                self.end("too long")
            elif self.track.readyState != "live":  # aiortc ends it where frames cannot be encoded, and as it closes
                self.end("disconnected" if self.connection.signalingState == "closed" else "fault")
            elif self._silent and self._matting.active:
                with suppress(Exception):  # a device that is lost; the stream is closed all the same
                    await loop.run_in_executor(self._thread, self._park)

    def _park(self) -> None:
        """Release the state, unless a frame has arrived during the step before. Called on the thread of this stream."""
        if self._silent:
            self._matting.park()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.track.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._hang_up()
        loop = asyncio.get_running_loop()
        with suppress(Exception):
            await loop.run_in_executor(self._thread, self._matting.park)
        self._thread.shutdown(wait=False)
        self._closed(self)

    async def _hang_up(self) -> None:
        """Close the connection. What hangs in it is cut, so that its place and its ports are released."""
        with suppress(Exception):
            await asyncio.wait_for(self.connection.close(), self._limits.hang_up_s)
            return
        for transceiver in self.connection.getTransceivers():
            with suppress(Exception):
                await transceiver.receiver.transport.stop()
                await transceiver.receiver.transport.transport.stop()
