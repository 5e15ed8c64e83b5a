"""Offers that the service refuses, and what it answers."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiortc", reason="requirements-serve.txt is not installed")

from aiortc import RTCPeerConnection

from app.core.errors import UsageError
from app.serve.access import Access, RateLimit, token_of
from app.serve.backgrounds import background_names, resolve_background
from app.serve.limits import Limits
from tests.serve.service import Running, room_and_person, running

TOKEN = "a-secret-of-many-characters"
FRAMES = room_and_person(2)


async def video_offer(*kinds: str) -> str:
    connection = RTCPeerConnection()
    for kind in kinds or ("video",):
        connection.addTransceiver(kind)
    await connection.setLocalDescription(await connection.createOffer())
    sdp = connection.localDescription.sdp
    await connection.close()
    return str(sdp)


async def status_of(service: Running, fields: Any, **headers: str) -> int:
    async with service.http.post(f"{service.address}/offer", json=fields, headers=headers) as answer:
        await answer.read()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        return answer.status


def test_token_and_origin_are_checked() -> None:
    async def run() -> None:
        async with running(token=TOKEN) as service:
            offer = {"type": "offer", "sdp": await video_offer()}
            known = {"Authorization": f"Bearer {TOKEN}"}
            assert await status_of(service, offer) == 401
            assert await status_of(service, offer, Authorization="Bearer wrong") == 401
            assert await status_of(service, offer, Origin="https://evil.example", **known) == 403
            assert await status_of(service, offer, Origin="null", **known) == 403
            assert service.sessions.count == 0
            assert await status_of(service, offer, Origin=service.address, **known) == 200
            async with service.http.get(f"{service.address}/metrics") as answer:
                assert answer.status == 401
            async with service.http.get(f"{service.address}/healthz") as answer:
                assert answer.status == 200

    asyncio.run(run())


def test_headers_that_are_no_text_are_refused() -> None:
    access = Access(TOKEN, loopback_only=False)
    assert not access.knows("Bearer \udcff\udc80"), "how aiohttp passes bytes on that are no UTF-8"
    assert not access.permits_origin("http://[", "here")


def test_a_page_that_poses_as_ours_is_refused_without_a_token() -> None:
    """A name that leads to this machine (DNS rebinding) makes a foreign page one of the same origin."""

    async def run() -> None:
        async with running() as service:
            offer = {"type": "offer", "sdp": await video_offer()}
            assert await status_of(service, offer, Host="evil.example", Origin="http://evil.example") == 403
            assert await status_of(service, offer) == 200

    asyncio.run(run())


def test_offers_that_are_too_large_or_not_understood_are_refused() -> None:
    async def run() -> None:
        async with running(replace(Limits(streams=1), offers_per_minute=600)) as service:
            sdp = await video_offer()
            good = {"type": "offer", "sdp": sdp}
            assert await status_of(service, {**good, "sdp": sdp + "a=x\r\n" * 20_000}) == 413
            for bad in (
                {**good, "type": "answer"},
                {**good, "sdp": 3},
                {**good, "sdp": "v=0"},
                {**good, "output": "frame"},
                {**good, "background": "none"},
                {**good, "background": "/etc/passwd"},
                {**good, "background": ["blur"]},
                ["offer"],
                "offer",
                {**good, "sdp": await video_offer("video", "video")},
                {**good, "sdp": await video_offer("audio")},
                {**good, "sdp": await video_offer("video", "audio")},
                {**good, "sdp": sdp + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 65},
            ):
                assert await status_of(service, bad) == 400, bad
            async with service.http.post(f"{service.address}/offer", data=b"{" * 5000) as answer:
                assert answer.status == 415
            assert service.sessions.count == 0

    asyncio.run(run())


def test_too_many_offers_are_refused_for_a_while() -> None:
    async def run() -> None:
        async with running(replace(Limits(), offers_per_minute=6)) as service:
            given = [await status_of(service, "x") for _ in range(5)]
            assert given == [400, 400, 400, 429, 429]

    asyncio.run(run())


def test_the_rate_limit_refills_and_forgets() -> None:
    now_s = [0.0]
    rate = RateLimit(60.0, lambda: now_s[0])
    assert sum(rate.permits("a") for _ in range(100)) == 30
    assert rate.permits("b")
    now_s[0] = 1.0
    assert [rate.permits("a"), rate.permits("a")] == [True, False]
    for index in range(5000):
        now_s[0] += 1.0
        assert rate.permits(f"client {index}")


def test_a_client_without_origin_needs_only_the_token() -> None:
    access = Access(TOKEN, loopback_only=False)
    assert access.permits_origin(None, "matting.example")
    assert access.permits_origin("https://matting.example", "Matting.example")
    assert not access.permits_origin("https://other.example", "matting.example")
    assert not access.permits_origin("https://matting.example", None)
    assert access.knows(f"bearer {TOKEN}")
    assert not access.knows(None)
    assert not access.knows(TOKEN)
    assert not Access(None, loopback_only=True).permits_origin(None, "[::")


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_the_token_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token, created = token_of(path)
    assert created and len(token) >= 32 and path.stat().st_mode & 0o777 == 0o600
    assert token_of(path) == (token, False)
    path.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        token_of(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(UsageError, match="fewer than 16"):
        token_of(path)
    with pytest.raises(UsageError, match="cannot be used"):
        token_of(tmp_path)


def test_a_client_names_backgrounds_never_files(tmp_path: Path) -> None:
    assert resolve_background("blur") == "blur"
    assert resolve_background("blur:30") == "blur:30"
    assert resolve_background("#0a0b0c") == "#0a0b0c"
    name = background_names()[0]
    assert Path(resolve_background(name) or "").is_file()
    file = tmp_path / "own.png"
    file.write_bytes(b"")
    for refused in ("none", "", "blur:x", "blur:101", "#12", "green2", str(file), "../1-office.jpg", "demo"):
        assert resolve_background(refused) is None, refused
