"""Media and packets of a hostile client: the service goes on, releases the stream, and never shows the room."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from aiortc.rtp import RTCP_BYE, RTCP_PSFB, RTCP_RTPFB, RtcpByePacket

from service.tests.server.hostile import Attacker, attacker, key_frame
from service.tests.server.service import (
    FAST,
    GREEN_BGR,
    ROOM_BGR,
    SIZE,
    Client,
    Image,
    Running,
    room_and_person,
    running,
    share_of,
    until,
)
from service.webrtc import bounds
from service.webrtc.bounds import MAX_SOURCES, Budget
from tests.fakes.clock import Clock

pytestmark = pytest.mark.timeout(300)

FRAMES = room_and_person(8)
LIMITS = replace(FAST, close_s=60.0, hang_up_s=2.0)
SILENCE_S = 5.0
Attack = Callable[[Attacker], Awaitable[None]]


def beside_another_stream(*attacks: Attack, ended_by: str = "") -> list[Image]:
    """Attack a service, one attack after the other, while another client streams; return what the attackers got.

    ended_by: why the service ends an attacker's stream; if it is empty, silence passes until that ends it.
    """

    async def run() -> tuple[list[Image], list[Image]]:
        clock, own = Clock(), list[Image]()
        async with running(replace(LIMITS, offers_per_minute=100.0), now=clock) as service:
            other = service.client(FRAMES)
            assert await other.connect(background="green") == 200
            await until(lambda: any(share_of(image, GREEN_BGR) > 0.3 for image in other.received))
            for count, attack in enumerate(attacks, 1):
                hostile = await attacker(service, background="#0000ff")
                with suppress(ConnectionError):  # the service has closed it
                    await attack(hostile)
                await goes_on(other, frames=5)
                while service.sessions.count == 2:
                    if not ended_by:
                        clock.advance(SILENCE_S)
                    await goes_on(other, frames=2)
                assert closed(service, ended_by) == count
                own += hostile.client.received
            while not await healthy(service):  # a step under way seems as long as the clock was advanced
                await goes_on(other, frames=1)
            again = await attacker(service)  # its place is free
            await again.client.close()
            return other.received, own

    others, own = asyncio.run(run())
    assert max(share_of(image, ROOM_BGR) for image in others) < 0.02
    assert not any(share_of(image, (255, 0, 0)) > 0.01 for image in others), "the background of another stream"
    assert not any(share_of(image, GREEN_BGR) > 0.01 for image in own), "the background of another stream"
    return own


def closed(service: Running, reason: str) -> float:
    """Return how many streams the service has closed for a reason that begins so."""
    lines = service.sessions.metrics.text().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if f'closed_total{{reason="{reason}' in line)


async def goes_on(client: Client, frames: int) -> None:
    """Wait until a client has received more frames."""
    goal = len(client.received) + frames
    await until(lambda: len(client.received) > goal)


async def healthy(service: Running) -> bool:
    async with service.http.get(f"{service.address}/healthz") as answer:
        return answer.status == 200


def test_a_stream_of_impossible_size_is_closed() -> None:
    def of_size(width: int, height: int) -> Attack:
        return lambda hostile: hostile.frames(key_frame(width, height), count=10)

    own = beside_another_stream(
        of_size(1, 1), of_size(17, 1), of_size(2, 400), of_size(16382, 60), ended_by="frame too"
    )
    assert all(share_of(image, (0, 0, 0), 2) < 0.9 for image in own), "a card or nothing"


def test_a_client_that_changes_its_size_all_the_time_is_closed() -> None:
    sizes = [key_frame(160 + 16 * number, 96) for number in range(10)]
    beside_another_stream(lambda hostile: hostile.frames(*sizes, count=50, interval_s=0.01), ended_by="size changes")


@pytest.mark.long
def test_damaged_video_shows_no_room() -> None:
    generator = random.Random(3)
    frames = [bytearray(key_frame(*SIZE, image)) for image in FRAMES]

    async def attack(hostile: Attacker) -> None:
        for number in range(60):
            data = bytearray(frames[number % len(frames)])
            for _ in range(generator.randrange(20)):
                data[generator.randrange(12, len(data))] = generator.randrange(256)
            await hostile.frame(bytes(data[: generator.choice([len(data), len(data) // 2, 5])]))
            await asyncio.sleep(0.02)
            await hostile.frame(generator.randbytes(generator.randrange(1, 3000)))

    beside_another_stream(attack)


@pytest.mark.long
def test_video_of_another_codec_and_without_time_is_survived() -> None:
    async def attack(hostile: Attacker) -> None:
        good = key_frame(*SIZE)
        for number in range(40):
            await hostile.frame(b"\x65" + bytes(200), codec="H264")
            await hostile.frame(good, codec="H264")
            await hostile.frame(good, step=0)
            await hostile.frame(good, step=-300_000_000 * (number % 2))
            await asyncio.sleep(0.02)

    beside_another_stream(attack)


@pytest.mark.long
def test_many_sources_do_not_keep_a_place_for_ever() -> None:
    """aiortc cannot report on more than 255, and then never ends its receiver."""

    async def attack(hostile: Attacker) -> None:
        data = key_frame(64, 64)
        for ssrc in range(1000, 1400):
            await hostile.packet(b"\x10" + data, ssrc=ssrc)
            await asyncio.sleep(0.005)

    beside_another_stream(attack)
    assert MAX_SOURCES < 32


@pytest.mark.long
def test_gaps_and_floods_of_packets_do_not_stop_other_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_one_second(rate_hz: float) -> bounds.Budget:
        """Count all packets as those of one second, however slowly a busy machine sends them."""
        return Budget(rate_hz, lambda: 0.0) if rate_hz == bounds.PACKETS_PER_S else Budget(rate_hz)

    monkeypatch.setattr(bounds, "Budget", of_one_second)

    async def attack(hostile: Attacker) -> None:
        own_router = vars(hostile.transport)["_rtp_router"]
        vars(own_router)["_packets"] = Budget(1e9)  # the service must end the connection, not its client
        for number in range(100):
            await hostile.packet(b"\x10\x00", number=number * 32_000 & 0xFFFF)
            await asyncio.sleep(0.001)  # after a lost packet, SRTP could not tell the number of the next
        hostile.number = 99 * 32_000 + 1 & 0xFFFF
        for _ in range(3 * round(bounds.PACKETS_PER_S)):
            await hostile.packet(b"\x10\x00")
            await asyncio.sleep(0)  # the service reads one packet each time; more would be lost in the socket's buffer

    beside_another_stream(attack, ended_by="disconnected")


@pytest.mark.long
def test_feedback_that_lies_or_is_cut_off_is_survived() -> None:
    async def attack(hostile: Attacker) -> None:
        own = struct.pack("!LL", hostile.ssrc, 0)
        sent = next(
            line for line in hostile.client.connection.remoteDescription.sdp.splitlines() if line.startswith("a=ssrc:")
        )
        theirs = struct.pack("!LL", hostile.ssrc, int(sent[7:].split()[0]))
        for number in range(100):
            await hostile.frame(key_frame(64, 64))
            await hostile.report(RTCP_PSFB, 1, theirs)
            await hostile.report(RTCP_RTPFB, 1, theirs + struct.pack("!HH", number, 0xFFFF) * 200)
            rate = b"REMB\x01" + [b"\xff\xff\xff", b"\x00\x00\x00"][number % 2] + theirs[4:]
            await hostile.report(RTCP_PSFB, 15, own + rate)
            await asyncio.sleep(0.01)
        await hostile.report(RTCP_BYE, 31, b"\0\0\0\0")
        await hostile.report(RTCP_PSFB, 15, own + b"REMB\xff\x00\x00\x00")

    beside_another_stream(attack)


def test_a_client_that_says_bye_while_frames_wait_delays_nobody() -> None:
    data = key_frame(1920, 1088, np.random.default_rng(1).integers(0, 256, (1088, 1920, 3), np.uint8))

    async def attack(hostile: Attacker) -> None:
        for _ in range(6):
            await hostile.frame(data)
            await asyncio.sleep(0.005)
        await hostile.transport._send_rtp(bytes(RtcpByePacket([hostile.ssrc])))  # noqa: SLF001

    beside_another_stream(attack)


@pytest.mark.long
async def test_a_stream_goes_on_after_lost_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(LIMITS) as service:
        client = service.client(FRAMES, fps=100.0)
        assert await client.connect(background="green") == 200
        await until(lambda: any(share_of(image, GREEN_BGR) > 0.3 for image in client.received))
        transport = client.connection.getSenders()[0].transport
        send = transport._send_rtp  # noqa: SLF001 - where packets can be lost
        lost: list[bytes] = []

        async def lose(data: bytes) -> None:
            if len(lost) < 150 and not 192 <= data[1] <= 208:
                lost.append(data)
                return
            await send(data)

        monkeypatch.setattr(transport, "_send_rtp", lose)
        await until(lambda: len(lost) == 150)
        count = len(client.received)
        await until(lambda: sum(share_of(image, GREEN_BGR) > 0.3 for image in client.received[count + 5 :]) > 5)
        assert max(share_of(image, ROOM_BGR) for image in client.received) < 0.02


async def test_an_offer_that_trickles_in_and_idle_connections_are_closed() -> None:
    async with running(replace(LIMITS, request_s=0.5)) as service:
        host, _, port = service.address.removeprefix("http://").partition(":")
        heads = [
            b"",
            b"GET / HTTP/1.1\r\nX-a: ",
            b"POST /offer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        ]
        for head in heads:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(head)
            await asyncio.wait_for(reader.read(), 60.0)
            writer.close()


async def test_strangers_without_the_token_do_not_use_up_the_offers() -> None:
    async with running(replace(LIMITS, offers_per_minute=4.0), token="a-secret-of-many-characters") as service:
        for _ in range(10):
            stranger = service.client(FRAMES)
            assert await stranger.connect() == 401
        known = service.client(FRAMES)
        assert await known.connect({"Authorization": "Bearer a-secret-of-many-characters"}) == 200
