"""Streams through the service, with aiortc as the client on this machine."""

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
from app.core.errors import ModelError
from app.matting.base.interface import MattingEngine
from service.server.core_semaphore import CoreSemaphore
from service.server.limits import Limits
from service.server.matting import Output, SentFrame, StreamMatting
from service.server.metrics import Metrics
from service.server.session import StreamSession
from service.server.sessions import Request
from service.tests.server.service import (
    FAST,
    GREEN_BGR,
    ROOM_BGR,
    SIZE,
    Client,
    Image,
    Running,
    matting_for,
    passes,
    room_and_person,
    running,
    share_of,
    until,
)
from tests.fakes.clock import Clock

pytestmark = pytest.mark.timeout(300)

FRAMES = room_and_person(12)


def test_frames_show_the_room() -> None:
    assert all(share_of(frame, ROOM_BGR) > 0.4 for frame in FRAMES)


async def test_a_stream_is_matted_and_never_shows_the_room() -> None:
    async with running(FAST) as service:
        client = service.client(FRAMES)
        assert await client.connect(background="green") == 200
        await until(lambda: sum(share_of(image, GREEN_BGR) > 0.3 for image in client.received) >= 5)
        received = client.received
    assert max(share_of(image, ROOM_BGR) for image in received) < 0.02
    assert received[-1].shape == (*SIZE[::-1], 3)
    person = share_of(received[-1], GREEN_BGR)
    assert 0.3 < person < 0.95, "a person covers part of the background"


def failing(engine: MattingEngine, width: int, height: int) -> None:
    raise ModelError("it does not find a person")


def broken_from_the_start(request: Request) -> StreamMatting:
    def make() -> Matting:
        raise ModelError("there are no weights")

    return StreamMatting(make, passes)


def fails_its_self_test(request: Request) -> StreamMatting:
    return StreamMatting(lambda: Matting("mattecam"), failing)


@pytest.mark.parametrize("broken", [broken_from_the_start, fails_its_self_test])
async def test_a_failing_engine_shows_the_card(broken: Callable[[Request], StreamMatting]) -> None:
    async with running(FAST, make_matting=broken) as service:
        client = service.client(FRAMES)
        await client.connect(background="green")
        await until(lambda: len(client.received) >= 5 and client.camera.sent > 10)
        received = client.received
    assert max(share_of(image, ROOM_BGR) for image in received) < 0.01
    assert max(share_of(image, GREEN_BGR) for image in received) < 0.01


async def test_the_card_comes_before_the_first_frame_and_after_silence() -> None:
    clock = Clock()
    limits = replace(FAST, stale_s=30.0, park_s=6000.0, close_s=6000.0)

    def card_again() -> bool:
        clock.advance(limits.stale_s)  # again and again: frames on their way begin the silence anew
        return share_of(client.received[-1], GREEN_BGR) < 0.01

    async with running(limits, now=clock) as service:
        client = service.client(FRAMES)
        client.camera.paused = True
        await client.connect(background="green")
        await until(lambda: len(client.received) >= 3)
        before = list(client.received)
        client.camera.paused = False
        await until(lambda: share_of(client.received[-1], GREEN_BGR) > 0.3)
        client.camera.paused = True
        await until(card_again)
    assert max(share_of(image, GREEN_BGR) for image in before) < 0.01
    assert max(share_of(image, ROOM_BGR) for image in client.received) < 0.02


async def connected(service: Running) -> None:
    client = service.client(FRAMES)
    assert await client.connect(background="green") == 200
    await until(lambda: any(share_of(image, GREEN_BGR) > 0.3 for image in client.received))


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


async def test_a_client_that_hangs_up_frees_its_place_at_once() -> None:
    async with running(replace(FAST, streams=1)) as service:
        first = service.client(FRAMES)
        assert await first.connect(background="green") == 200
        await until(lambda: len(first.received) > 0)
        second = service.client(FRAMES)
        assert await second.connect() == 503
        assert int(second.headers["Retry-After"]) > 0
        await first.close()
        await until(lambda: service.sessions.count == 0)
        assert b'mattecam_streams_closed_total{reason="disconnected"} 1.0' in service.sessions.metrics.text()
        assert await service.client(FRAMES).connect() == 200


async def test_draining_refuses_new_streams_and_ends_the_others_at_the_limit() -> None:
    async with running(replace(FAST, drain_s=1.0)) as service:
        client = service.client(FRAMES)
        await client.connect(background="green")
        await until(lambda: len(client.received) > 0)
        draining = asyncio.ensure_future(service.sessions.drain(asyncio.Event()))
        await asyncio.sleep(0.2)
        assert await service.client(FRAMES).connect() == 503
        async with service.http.get(f"{service.address}/healthz") as answer:
            assert answer.status == 503
            assert (await answer.json())["status"] == "draining"
        assert not draining.done(), "the running stream goes on"
        await asyncio.wait_for(draining, 60.0)
        assert service.sessions.count == 0


async def test_a_step_that_hangs_is_a_stall() -> None:
    goes_on = threading.Event()

    class Hanging(StreamMatting):
        def step(self, image: Image) -> SentFrame:
            goes_on.wait(60)
            return super().step(image)

    def make(request: Request) -> StreamMatting:
        return Hanging(lambda: Matting("mattecam"), passes)

    async with running(replace(FAST, stalled_s=0.5), make_matting=make) as service:
        client = service.client(FRAMES)
        assert await client.connect(background="green") == 200
        await until(lambda: service.sessions.stalled)
        async with service.http.get(f"{service.address}/healthz") as answer:
            assert answer.status == 503
            assert (await answer.json())["status"] == "stalled"
        goes_on.set()


async def test_a_fault_ends_its_own_stream_alone() -> None:
    class Broken(StreamMatting):
        def step(self, image: Image) -> SentFrame:
            raise SystemError("a fault of the program")

    def make(request: Request) -> StreamMatting:
        return Broken(lambda: Matting("mattecam"), passes)

    async with running(replace(FAST, stalled_s=0.5), make_matting=make) as service:
        assert await service.client(FRAMES).connect(background="green") == 200
        await until(lambda: service.sessions.count == 0)
        assert not service.sessions.stalled
        assert b'mattecam_streams_closed_total{reason="fault"} 1.0' in service.sessions.metrics.text()


async def test_health_and_metrics_count_streams_and_steps() -> None:
    async with running(FAST) as service:
        await connected(service)
        async with service.http.get(f"{service.address}/healthz") as answer:
            fields = await answer.json()
        assert answer.status == 200
        assert (fields["status"], fields["streams"], fields["limit"]) == ("ok", 1, 2)
        assert 0 <= fields["last_step_age_s"] < 60
        async with service.http.get(f"{service.address}/metrics") as answer:
            text = await answer.text()
        assert "mattecam_streams 1.0" in text
        assert 'mattecam_offers_total{status="200"} 1.0' in text
        assert 'mattecam_frames_total{result="matted"}' in text
        assert "127.0.0.1" not in text
