"""The command `run.py serve` as a process: its errors, SIGTERM, and a client that is killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from app.cli.main import main
from service.tests.server.command import serving
from service.tests.server.service import Client, room_and_person, until
from tests.paths import ROOT

SLACK_S = 15.0
"""For a busy machine."""
CLIENT = """
import asyncio, sys
import aiohttp
from service.tests.server.service import Client, room_and_person
async def run():
    async with aiohttp.ClientSession() as http:
        client = Client(sys.argv[1], http, room_and_person(6))
        assert await client.connect() == 200
        while len(client.received) < 3:
            await asyncio.sleep(0.1)
        print("connected", flush=True)
        await asyncio.sleep(600)
asyncio.run(run())
"""


@pytest.fixture(autouse=True)
def _without_preparation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals need no compiled network; commands that run as a process of their own prepare it."""
    monkeypatch.setattr("app.cli.serve.prepare", lambda settings: None)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--host", "0.0.0.0"), 2, "name a file with a secret token"),
        (("--strict", "maybe"), 2, "it must be one of 'off', 'balanced' or 'strict'"),
        (("--tls-cert", "cert.pem"), 2, "belong together"),
        (("--tls-cert", "no.pem", "--tls-key", "no.key"), 2, "cannot be used"),
        (("--tls-cert", __file__, "--tls-key", __file__), 2, "they are not a certificate (PEM) and its private key."),
        (("--tls-cert", "PIPE", "--tls-key", "PIPE"), 2, "they are not a certificate (PEM) and its private key."),
        (("--token-file", "/proc/no/token"), 2, "cannot be used"),
        (("--host", "192.0.2.1", "--token-file", "TOKEN"), 1, "choose another --host"),
        (("--host", "no.such.host.invalid", "--token-file", "TOKEN"), 1, "choose another --host"),
    ],
)
def test_wrong_options_are_named_at_once(
    options: tuple[str, ...],
    code: int,
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepared: list[object] = []
    monkeypatch.setattr("app.cli.serve.prepare", prepared.append)
    files = {"TOKEN": str(tmp_path / "token"), "PIPE": str(tmp_path / "pipe")}
    os.mkfifo(files["PIPE"])
    assert main(["serve", *(files.get(each, each) for each in options)]) == code
    assert says in capsys.readouterr().err
    assert bool(prepared) == (code == 1)  # only whoever listens knows whether an address is one of this machine


def test_a_port_in_use_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 1
    message = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port." in message


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("app.config.webrtc_service.PACKAGES", ("aiohttp", "no_such_package"))
    assert main(["serve"]) == 1
    message = capsys.readouterr().err
    assert "needs the packages no_such_package; run `" in message
    assert " -m pip install -r service/requirements.txt`" in message
    assert main(["headless", "--engine", "remote", "--server", "https://x"]) == 1
    assert "--engine remote needs the packages no_such_package" in capsys.readouterr().err


async def listening(address: str, http: aiohttp.ClientSession) -> None:
    async def healthy() -> bool:
        with suppress(aiohttp.ClientError):
            async with http.get(f"{address}/healthz") as answer:
                return answer.status == 200
        return False

    while not await healthy():
        await asyncio.sleep(0.3)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sigterm_drains_and_a_second_one_ends(tmp_path: Path) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            await asyncio.wait_for(listening(address, http), 200)
            client = Client(address, http, room_and_person(6))
            assert await client.connect() == 200
            await until(lambda: len(client.received) > 3)
            process.send_signal(signal.SIGTERM)
            await until(lambda: "waiting up to" in log.read_text())
            other = Client(address, http, room_and_person(2))
            assert await other.connect() == 503
            await other.close()
            seen = len(client.received)
            await until(lambda: len(client.received) > seen + 3)
            process.send_signal(signal.SIGTERM)
            await until(lambda: process.poll() is not None)
            await client.close()

    log = tmp_path / "log.txt"
    with serving(log) as (process, address):
        asyncio.run(run())
        assert process.wait(60) == 0
    assert "Traceback" not in log.read_text()
    assert not re.search(r"192\.|candidate|ufrag", log.read_text()), "nothing about clients is logged"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_state_of_a_killed_client_is_released(tmp_path: Path) -> None:
    async def run() -> tuple[float, float]:
        async with aiohttp.ClientSession() as http:
            await asyncio.wait_for(listening(address, http), 200)
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            client = subprocess.Popen(
                [sys.executable, "-c", CLIENT, address], stdout=subprocess.PIPE, cwd=ROOT, env=environment
            )
            assert client.stdout is not None
            line = await asyncio.to_thread(client.stdout.readline)
            assert line.strip() == b"connected"
            client.kill()
            client.wait()
            client.stdout.close()
            loop = asyncio.get_running_loop()
            killed_s = loop.time()
            parked_s = closed_s = 0.0
            while not closed_s:
                async with http.get(f"{address}/healthz") as answer:
                    fields = await answer.json()
                took_s = loop.time() - killed_s
                parked_s = parked_s or (took_s if fields["parked"] or not fields["streams"] else 0.0)
                closed_s = took_s if not fields["streams"] else 0.0
                await asyncio.sleep(0.1)
            return parked_s, closed_s

    with serving(tmp_path / "log.txt") as (_, address):
        parked_s, closed_s = asyncio.run(run())
    print(f"state released after {parked_s:.1f} s, closed after {closed_s:.1f} s")  # noqa: T201 - for docs/serve.md
    assert parked_s <= 6.0 + SLACK_S
    assert closed_s <= 17.0 + SLACK_S
