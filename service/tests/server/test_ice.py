"""STUN and TURN: the file of servers, credentials that expire, and media that cross a TURN server."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from aiortc import RTCConfiguration, RTCIceTransportPolicy, RTCPeerConnection
from aiortc.rtcicetransport import RTCIceGatherer

from app.core.errors import UsageError
from service.client.link import ServerLink
from service.server.ice_file import IceServers, read_ice_servers
from service.server.limits import Limits
from service.tests.server.service import room_and_person, running, until
from service.webrtc.ice import parse_ice_servers, peer_configuration

FRAMES = room_and_person(6)
SECRET = "shared-with-the-turn-server"
TOKEN = "a-secret-of-many-characters"
STUN = {"urls": "stun:stun.example:3478"}
TURN = {"urls": ["turn:turn.example:3478?transport=udp"], "username": "u", "credential": "c"}


def written(folder: Path, entries: Any, mode: int = 0o600) -> Path:
    file = folder / "ice.json"
    file.write_text(json.dumps(entries))
    file.chmod(mode)
    return file


def test_a_file_lists_servers(tmp_path: Path) -> None:
    assert read_ice_servers(None).current() == ()
    stun, turn = read_ice_servers(written(tmp_path, [STUN, TURN])).current()
    assert stun.as_json() == {"urls": ["stun:stun.example:3478"]}
    assert turn.as_json() == TURN


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({}, "a list of objects"),
        ([3], "a list of objects"),
        ([{}], "no urls"),
        ([{"urls": "http://turn.example"}], "malformed"),
        ([{"urls": "turn:turn.example"}], "no username"),
        ([{"urls": [3]}], "not text"),
        ([STUN] * 9, "a list of servers"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, entries: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_ice_servers(written(tmp_path, entries))


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="chmod 600"):
        read_ice_servers(written(tmp_path, [TURN], 0o644))
    with pytest.raises(UsageError, match="No such file"):
        read_ice_servers(tmp_path / "missing.json")


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
def test_a_pipe_is_no_file_of_servers(tmp_path: Path) -> None:
    """It was waited for without a limit; a device such as /dev/zero filled the memory."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a text file"):
        read_ice_servers(tmp_path / "pipe")


def test_a_secret_becomes_credentials_that_expire() -> None:
    now_s = [1000.0]
    servers = IceServers([{"urls": "turn:turn.example", "secret": SECRET}], lambda: now_s[0])
    (first,) = servers.current()
    assert first.username == f"{1000 + 12 * 3600}:mattecam"
    expected = base64.b64encode(hmac.digest(SECRET.encode(), first.username.encode(), "sha1")).decode()
    assert first.credential == expected
    assert Limits().session_s < 12 * 3600, "credentials outlive a stream"
    now_s[0] += 60
    assert servers.current()[0].username != first.username
    assert SECRET not in json.dumps(first.as_json())


async def test_clients_with_the_token_get_the_servers() -> None:
    async with running(token=TOKEN, ice=IceServers([STUN, TURN])) as service:
        async with service.http.get(f"{service.address}/ice") as answer:
            assert answer.status == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with service.http.get(f"{service.address}/ice", headers=headers) as answer:
            servers = parse_ice_servers(await answer.json())
        assert [server.urls[0] for server in servers] == [STUN["urls"], TURN["urls"][0]]


def test_no_public_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a list of servers, aiortc tells a public STUN server the address of this machine."""
    asked: list[str] = []

    def public_servers(*_: object) -> list[str]:
        asked.append("public")
        return []

    monkeypatch.setattr(RTCIceGatherer, "getDefaultIceServers", public_servers)

    async def run() -> None:
        async with running() as service:
            link = await asyncio.to_thread(ServerLink, service.address, None)
            await asyncio.to_thread(link.close)

    asyncio.run(run())
    assert not asked


@contextmanager
def turn_server(folder: Path) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Run coturn on this machine; yield its entry and its log."""
    own = [
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family == socket.AF_INET and not each.address.startswith("127.")
    ]
    if shutil.which("turnserver") is None or not own:
        pytest.skip("needs coturn and a network interface")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((own[0], 0))
        port = probe.getsockname()[1]
    files = [f"--pidfile={folder}/pid", f"--userdb={folder}/db", "--log-file=stdout"]
    auth = ["--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=mattecam", "--fingerprint"]
    net = [f"--listening-ip={own[0]}", f"--relay-ip={own[0]}", f"--listening-port={port}", "--no-tls", "--no-dtls"]
    command = ["turnserver", "-n", "-v", "--no-cli", *net, *auth, *files]
    log: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout
        reader = threading.Thread(target=lambda: log.extend(lines))
        reader.start()
        try:
            yield {"urls": f"turn:{own[0]}:{port}?transport=udp", "secret": SECRET}, log
        finally:
            process.terminate()
            process.wait()
            reader.join()


def test_media_cross_a_turn_server(tmp_path: Path) -> None:
    with turn_server(tmp_path) as (entry, log):

        async def run() -> str:
            async with running(ice=IceServers([entry])) as service:
                async with aiohttp.ClientSession() as http, http.get(f"{service.address}/ice") as answer:
                    servers = parse_ice_servers(await answer.json())
                given = peer_configuration(servers).iceServers
                relayed = RTCConfiguration(iceServers=given, iceTransportPolicy=RTCIceTransportPolicy.RELAY)
                client = service.client(FRAMES, configuration=relayed)
                assert await client.connect(background="green") == 200
                await until(lambda: any(image.shape == FRAMES[0].shape for image in client.received))
                return str(client.connection.localDescription.sdp)

        offer = asyncio.run(run())
    candidates = [line for line in offer.splitlines() if line.startswith("a=candidate")]
    assert candidates and all(" typ relay" in line for line in candidates)
    assert any("ALLOCATE processed, success" in line for line in log), "".join(log)


def test_wrong_credentials_get_no_relay(tmp_path: Path) -> None:
    with turn_server(tmp_path) as (entry, _):
        servers = IceServers([{**entry, "secret": "another"}])

        async def run() -> str:
            connection = RTCPeerConnection(peer_configuration(servers.current()))
            connection.addTransceiver("video")
            try:
                await connection.setLocalDescription(await connection.createOffer())
                return str(connection.localDescription.sdp)
            except Exception as error:  # noqa: BLE001 - aioice raises what the server answered
                return repr(error)
            finally:
                await connection.close()

        assert " typ relay" not in asyncio.run(run())
