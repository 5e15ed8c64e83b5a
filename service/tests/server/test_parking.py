"""A stream whose client falls silent is parked, and goes on or is closed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiortc import RTCPeerConnection
from aiortc.mediastreams import MediaStreamTrack
from av import VideoFrame

from app.api import EdgeSettings, Matting
from service.server.core_semaphore import CoreSemaphore
from service.server.limits import Limits
from service.server.matting import Output, SentFrame, StreamMatting
from service.server.metrics import Metrics
from service.server.session import StreamSession
from service.server.sessions import Request
from service.tests.server.service import (
    FAST,
    Client,
    Image,
    matting_for,
    passes,
    room_and_person,
    running,
    until,
)
from tests.fakes.clock import Clock

pytestmark = pytest.mark.timeout(300)

FRAMES = room_and_person(12)


async def test_a_silent_client_is_parked_and_then_closed() -> None:
    made: list[StreamMatting] = []

    def make(request: Request) -> StreamMatting:
        made.append(matting_for(request))
        return made[-1]

    clock = Clock()

    async def silent(client: Client, condition: Callable[[], bool], seconds: float) -> None:
        """Let so much time pass again and again: frames on their way begin the silence anew."""
        client.camera.paused = True
        while not condition():
            clock.advance(seconds)
            await asyncio.sleep(0.1)

    limits = replace(FAST, park_s=60.0, close_s=6000.0)
    async with running(limits, make_matting=make, now=clock) as service:
        client = service.client(FRAMES)
        await client.connect(background="green")
        await until(lambda: made[0].active)
        await silent(client, lambda: not made[0].active, limits.park_s)
        assert service.sessions.count == 1
        client.camera.paused = False
        await until(lambda: made[0].active)
        await silent(client, lambda: service.sessions.count == 0, limits.close_s)
        assert b'mattecam_streams_closed_total{reason="no frames"} 1.0' in service.sessions.metrics.text()


class HandedFrames(MediaStreamTrack):
    """Sends the frames that the test puts into it."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._frames: asyncio.Queue[VideoFrame] = asyncio.Queue()

    def put(self) -> None:
        self._frames.put_nowait(VideoFrame.from_ndarray(FRAMES[0], format="bgr24"))

    @property
    def all_taken(self) -> bool:
        return self._frames.empty()

    async def recv(self) -> VideoFrame:
        return await self._frames.get()


class HeldMatting(StreamMatting):
    """Holds each call of the method `held` until `goes_on` is set."""

    def __init__(self, held: str) -> None:
        super().__init__(lambda: Matting("mattecam", edges=EdgeSettings(strict="off")), passes)
        self.held = held
        self.begun, self.goes_on = threading.Event(), threading.Event()
        self.parks = self.steps = 0

    def _hold(self, method: str) -> None:
        if method == self.held and self.active:
            self.begun.set()
            assert self.goes_on.wait(60)

    def step(self, image: Image) -> SentFrame:
        self._hold("step")
        sent = super().step(image)
        self.steps += 1
        return sent

    def park(self) -> None:
        self._hold("park")
        super().park()
        self.parks += 1


@asynccontextmanager
async def streaming(matting: HeldMatting, clock: Clock) -> AsyncIterator[tuple[StreamSession, HandedFrames]]:
    """A session without a client, which has had one frame."""
    limits = replace(FAST, park_s=60.0, close_s=6000.0)
    metrics = Metrics(lambda: 1, 1, lambda: 0.0)
    cores, camera = CoreSemaphore(None), HandedFrames()
    connection = RTCPeerConnection()
    session = StreamSession(connection, matting, Output.COMPOSITE, limits, metrics, cores, lambda session: None, clock)
    session.start()
    try:
        connection.emit("track", camera)
        camera.put()
        await until(lambda: matting.steps == 1)
        yield session, camera
    finally:
        matting.goes_on.set()
        await session.wait_closed()


async def test_a_stream_that_goes_on_while_it_is_parked_can_be_parked_again() -> None:
    matting, clock = HeldMatting("park"), Clock()
    async with streaming(matting, clock) as (session, camera):
        clock.advance(60)
        await until(matting.begun.is_set)
        camera.put()
        await until(lambda: session.busy_for_s > 0)
        matting.goes_on.set()
        await until(lambda: matting.steps == 2)
        await until(lambda: matting.parks == 1)
        assert matting.active and not session.parked
        clock.advance(60)
        await until(lambda: session.parked)
        assert not matting.active


async def test_a_stream_whose_frame_comes_during_a_long_step_keeps_its_state() -> None:
    matting, clock = HeldMatting("step"), Clock()
    async with streaming(matting, clock) as (_, camera):
        camera.put()
        await until(matting.begun.is_set)
        clock.advance(60)
        await asyncio.sleep(10 * FAST.watch_s)
        camera.put()
        await until(lambda: camera.all_taken)
        matting.goes_on.set()
        await until(lambda: matting.steps == 3)
        assert matting.parks == 0


def test_the_limits_of_silence_are_those_asked_for() -> None:
    assert (Limits().park_s, Limits().close_s) == (5.0, 15.0)
    assert Limits().park_s + Limits().watch_s < 6, "state of a client that was killed is held for less than 6 s"
