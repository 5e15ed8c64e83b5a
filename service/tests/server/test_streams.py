"""Streams through the service, with aiortc as the client on this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from app.api import Matting
from app.core.errors import ModelError
from app.matting.base.interface import MattingEngine
from service.server.core_semaphore import CoreSemaphore
from service.server.matting import Output, SentFrame, StreamMatting
from service.server.metrics import Metrics
from service.server.session import StreamSession
from service.server.sessions import Request
from service.tests.server.service import (
    FAST,
    GREEN_BGR,
    ROOM_BGR,
    SIZE,
    Image,
    Running,
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


@pytest.mark.parametrize(("closes", "reason"), [(True, "disconnected"), (False, "fault")])
async def test_a_track_that_ends_as_the_connection_closes_is_no_fault(closes: bool, reason: str) -> None:
    """aiortc ends the track first, and says last that the connection is closed."""
    connection, ended = RTCPeerConnection(RTCConfiguration(iceServers=[])), asyncio.Event()
    metrics, matting = Metrics(lambda: 1, 1, lambda: 0.0), StreamMatting(lambda: Matting("mattecam"), passes)
    session = StreamSession(
        connection, matting, Output.COMPOSITE, FAST, metrics, CoreSemaphore(1), lambda _session: ended.set()
    )
    if closes:
        await connection.close()
    session.start()
    session.track.stop()
    await asyncio.wait_for(ended.wait(), 60.0)
    assert f'mattecam_streams_closed_total{{reason="{reason}"}} 1.0' in metrics.text().decode()


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

    async with running(replace(FAST, stalled_s=0.5, end_s=0.2), make_matting=make) as service:
        client = service.client(FRAMES)
        assert await client.connect(background="green") == 200
        await until(lambda: service.sessions.stalled)
        async with service.http.get(f"{service.address}/healthz") as answer:
            assert answer.status == 503
            assert (await answer.json())["status"] == "stalled"
        await asyncio.wait_for(service.sessions.close(), 60.0)
        assert service.sessions.count == 1, "a step that hangs keeps its place, but does not keep the service alive"
        goes_on.set()
        await until(lambda: service.sessions.count == 0)


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
