"""HTTP connections: how many, from whom, how long; and what a client cannot do with one."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from service.server.access import client_network
from service.server.http import MAX_HEADERS, MAX_LINE_BYTES
from service.server.limits import Limits
from service.tests.server.service import Running, running, until
from tests.certificates import self_signed, server_context

LIMITS = Limits(connections=24, connections_of_client=8)
GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
OTHERS = [f"127.0.0.{number}" for number in (2, 3, 4)]
"""Addresses of further clients; Linux has them all."""


async def connected(service: Running, address: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection that says nothing."""
    return await asyncio.open_connection("127.0.0.1", service.server.port, local_addr=(address, 0))


async def answered(
    service: Running, request: bytes, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> bytes:
    """Send bytes and return all that comes back until the service closes the connection, b"" if it does at once."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", service.server.port, local_addr=(address, 0), ssl=tls, server_hostname="" if tls else None
    )
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 60.0)
    except OSError:  # closed with what was sent unread
        return b""
    finally:
        writer.close()


async def is_served(service: Running, address: str, tls: ssl.SSLContext | None = None) -> bool:
    return (await answered(service, GET + b"Connection: close\r\n\r\n", address, tls)).startswith(b"HTTP/1.1 200")


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), 60.0) == b""
    except OSError:
        return True


def trusting(cert: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=cert)
    context.check_hostname = False
    return context


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="needs further addresses of this machine")
async def test_connections_that_never_shake_hands_keep_nobody_out(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    limits = replace(LIMITS, handshake_s=60.0)  # that of asyncio: the number alone must protect others
    async with running(limits, tls=server_context(cert, key)) as service:
        silent = [await connected(service) for _ in range(60)]
        await until(lambda: service.server.connections == limits.connections_of_client)
        refused = [await is_closed(reader) for reader, _ in silent[limits.connections_of_client :]]
        assert all(refused), "further connections of the same client"
        assert await is_served(service, OTHERS[0], trusting(cert))
        for _, writer in silent:
            writer.close()


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="needs further addresses of this machine")
async def test_a_handshake_that_takes_too_long_frees_its_place(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    async with running(replace(LIMITS, connections=6, handshake_s=3.0), tls=server_context(cert, key)) as service:
        silent = [await connected(service, address) for address in OTHERS for _ in range(2)]
        await until(lambda: service.server.connections == 6)
        assert all([await is_closed(reader) for reader, _ in silent])
        assert await is_served(service, "127.0.0.1", trusting(cert))
        assert (await answered(service, b"\x16\x03\x01\x00\x05hello"))[:1] in (b"", b"\x15"), "no handshake at all"
        await until(lambda: service.server.connections == 0)
        for _, writer in silent:
            writer.close()


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="needs further addresses of this machine")
async def test_a_full_service_refuses_connections_and_recovers() -> None:
    async with running(LIMITS) as service:
        silent = [await connected(service, address) for address in OTHERS for _ in range(8)]
        await until(lambda: service.server.connections == LIMITS.connections)
        assert not await is_served(service, "127.0.0.1")
        for _, writer in silent:
            writer.close()
        await until(lambda: service.server.connections == 0)
        assert await is_served(service, "127.0.0.1")


async def test_who_reads_no_answer_loses_the_connection() -> None:
    """Requests in a pipeline, until no buffer takes another answer."""
    async with running(replace(LIMITS, connection_s=1.0, hang_up_s=0.3)) as service:
        _, writer = await connected(service)
        for _ in range(2000):
            writer.write(GET.replace(b"/healthz", b"/page.js") + b"\r\n")
        await until(lambda: service.server.connections == 1)
        await until(lambda: service.server.connections == 0)
        writer.transport.abort()


@pytest.mark.parametrize(
    "head",
    [
        b"X: 1\r\n" * (MAX_HEADERS + 10),
        b"X: " + b"a" * (MAX_LINE_BYTES + 10) + b"\r\n",
        b"X" * (MAX_LINE_BYTES + 10) + b": 1\r\n",
    ],
)
async def test_headers_have_a_limit(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("aiohttp.server"), "disabled", True)  # as the service does
    async with running(LIMITS) as service:
        assert b" 400 " in (await answered(service, GET + head + b"\r\n"))[:13]


async def test_a_packed_offer_is_not_unpacked() -> None:
    """64 KB could unpack to 64 MB."""
    async with running(LIMITS) as service:
        body = zlib.compress(b'{"type": "offer"' + b" " * 40_000_000 + b"}")
        assert len(body) < service.sessions.limits.max_offer_bytes
        headers = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
        async with service.http.post(f"{service.address}/offer", data=body, headers=headers) as answer:
            assert answer.status == 400


async def test_addresses_that_this_machine_lacks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers without IPv6 name ::1 localhost all the same."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 0))
        for address in ("192.0.2.1", "127.0.0.1")
    ]

    async def resolve(*_: object, **options: object) -> object:
        return found

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    async with running() as live:
        assert await is_served(live, "127.0.0.1")
    found.pop()
    with pytest.raises(OSError, match="assign"):
        async with running():
            pass


def test_a_client_is_a_network_of_ipv6() -> None:
    assert client_network("192.0.2.7") == "192.0.2.7"
    assert client_network("::ffff:192.0.2.7") == "192.0.2.7"
    assert client_network("2001:db8::1") == client_network("2001:db8::ffff:2") != client_network("2001:db8:0:1::1")
    assert client_network("") == ""
