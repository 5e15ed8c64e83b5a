"""Offers that the service refuses, and what it answers."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCPeerConnection

from app.core.errors import UsageError
from app.core.files.private_file import write_private
from service.server.access import Access, RateLimit, token_of
from service.server.backgrounds import background_names, resolve_background
from service.server.limits import Limits
from service.tests.server.service import Running, room_and_person, running
from service.webrtc.token import read_token

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


async def test_token_and_origin_are_checked() -> None:
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


def test_headers_that_are_no_text_are_refused() -> None:
    access = Access(TOKEN, loopback_only=False)
    assert not access.knows("Bearer \udcff\udc80"), "how aiohttp passes bytes on that are no UTF-8"
    assert not access.permits_origin("http://[", "here")


async def test_a_page_that_poses_as_ours_is_refused_without_a_token() -> None:
    """A name that leads to this machine (DNS rebinding) makes a foreign page one of the same origin."""
    async with running() as service:
        offer = {"type": "offer", "sdp": await video_offer()}
        assert await status_of(service, offer, Host="evil.example", Origin="http://evil.example") == 403
        assert await status_of(service, offer) == 200


async def test_offers_that_are_too_large_or_not_understood_are_refused() -> None:
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
            {**good, "sdp": "\r\n".join(line for line in sdp.splitlines() if "fingerprint" not in line)},
        ):
            assert await status_of(service, bad) == 400, bad
        async with service.http.post(f"{service.address}/offer", data=b"{" * 5000) as answer:
            assert answer.status == 415
        assert service.sessions.count == 0


async def test_too_many_offers_are_refused_for_a_while() -> None:
    async with running(replace(Limits(), offers_per_minute=6)) as service:
        given = [await status_of(service, "x") for _ in range(5)]
        assert given == [400, 400, 400, 429, 429]


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


@pytest.mark.parametrize(
    "token",
    [
        "0123456789abcdef" * 2,
        "0123456789ABCDEF" * 2,
        "q-8_ZrT7mK.x~Lw3+aB9e=",
        "0123456789" * 4,
        "abcdefghij01234567890zyxw",
    ],
)
def test_a_token_of_128_bits_is_read(token: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    write_private(path, f"{token}\n".encode())
    assert read_token(path) == token


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"short", "fewer than 128 random bits"),
        (b"a-secret-of-many-char", "fewer than 128 random bits"),
        (b"0123456789abcdef01234567", "fewer than 128 random bits"),
        (b"0123456789" * 3, "fewer than 128 random bits"),
        (b"ab" * 40, "fewer than 128 random bits"),
        (b"root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/usr/sbin/nologin\n", "not a token"),
        (b"two words that are long enough", "not a token"),
        (b"\x1b]0;title\x07" + b"0123456789abcdef" * 2, "not a token"),
        (b"\xff" * 40, "not a token"),
        (b"", "not a token"),
    ],
)
def test_a_token_file_holds_nothing_but_a_token(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    write_private(path, content)
    with pytest.raises(UsageError, match=says):
        read_token(path)


@pytest.mark.skipif(os.name != "posix", reason="pipes and owners of files")
def test_a_token_is_neither_a_pipe_nor_the_file_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(UsageError, match="not a token"):
        read_token(pipe)
    path = tmp_path / "token"
    token_of(path)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner == 0:  # a file of root is trusted
        assert read_token(path)
        os.chown(path, 12345, 12345)
    with pytest.raises(UsageError, match="other users have rights to it"):
        read_token(path)


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


async def test_metrics_are_made_for_those_with_the_token_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(token=TOKEN) as service:
        made: list[int] = []

        def text() -> bytes:
            made.append(1)
            return b""

        monkeypatch.setattr(service.sessions.metrics, "text", text)
        async with service.http.get(f"{service.address}/metrics") as answer:
            assert answer.status == 401 and not made
        known = {"Authorization": f"Bearer {TOKEN}"}
        async with service.http.get(f"{service.address}/metrics", headers=known) as answer:
            assert answer.status == 200 and made


async def test_wrong_tokens_wait_and_the_right_one_never_does() -> None:
    limits = replace(Limits(), wrong_tokens_per_minute=6.0, wrong_token_s=3600.0)
    async with running(limits, token=TOKEN) as service:

        async def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with service.http.get(f"{service.address}/ice", headers=headers) as answer:
                return answer.status

        assert [await status("wrong") for _ in range(3)] == [401] * 3, "a burst"
        waiting = [asyncio.ensure_future(status("wrong")) for _ in range(4)]
        assert await status(TOKEN) == 200, "of the same address"
        assert await status("") == 401, "no guess"
        done, _ = await asyncio.wait(waiting, timeout=0.3)
        assert not done
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_twelve_videos_of_one_name_are_refused() -> None:
    """aiortc takes them for one video, and fails when it answers."""
    async with running(Limits(streams=1)) as service:
        session, _, media = (await video_offer()).partition("m=video")
        offer = {"type": "offer", "sdp": session + f"m=video{media}" * 12}
        assert await status_of(service, offer) == 400
        assert service.sessions.count == 0
