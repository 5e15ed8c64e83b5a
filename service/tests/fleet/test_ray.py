"""A fleet on Ray Serve on this machine: scaling by streams, a replica that is killed, a redeployment."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil
import pytest

pytest.importorskip("ray", reason="service/requirements-fleet.txt is not installed")
pytest.importorskip("starlette", reason="service/requirements-fleet.txt is not installed")

from service.tests.fleet.token import TOKEN, token_file
from service.tests.server.service import ROOM_BGR, Client, Image, room_and_person, until
from tests.paths import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
    pytest.mark.timeout(900),
]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
FRAMES = room_and_person(20)
START_S = 300.0
CHANGE_S = 240.0


def show(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - the log that docs/serve.md shows


class Fleet:
    """A driver process and the fleet that it runs."""

    def __init__(self, process: subprocess.Popen[str], address: str, log: Path) -> None:
        self._process = process
        self._log = log
        self.address = address

    def _tell(self, line: str) -> dict[str, int]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        for answer in self._process.stdout:
            if answer.startswith("{"):  # Ray prints messages of its own
                break
        else:
            raise AssertionError(f"the driver ended with code {self._process.wait()}: {self._log.read_text()}")
        states: dict[str, int] = json.loads(answer)
        return states

    async def deploy(self, **options: Any) -> None:
        await asyncio.to_thread(self._tell, f"deploy {json.dumps(options)}")

    async def states(self) -> dict[str, int]:
        return await asyncio.to_thread(self._tell, "status")

    async def running(self, count: int, timeout_s: float = CHANGE_S) -> float:
        """Wait for this many replicas; return the seconds that it took."""
        began_s = time.monotonic()
        while (await self.states()).get("RUNNING", 0) != count:
            assert time.monotonic() - began_s < timeout_s, await self.states()
            await asyncio.sleep(0.3)
        return time.monotonic() - began_s

    def quit(self) -> None:
        with suppress(ValueError):
            self._process.communicate("quit\n", timeout=90)


@contextmanager
def running_fleet(log: Path) -> Iterator[Fleet]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "service.tests.fleet.driver", str(port)]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT
        ) as process,
    ):
        started = Fleet(process, f"http://127.0.0.1:{port}", log)
        try:
            yield started
            started.quit()
        finally:
            for each in own_processes():
                with suppress(psutil.Error):
                    each.kill()
            process.kill()


def own_processes(name: str = "") -> list[psutil.Process]:
    """Processes of this test's Ray: they inherit its data folder."""
    mine = os.environ["MATTECAM_DATA_DIR"]
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid == os.getpid() or process.environ().get("MATTECAM_DATA_DIR") != mine:
                continue
            if name in process.name() or name in " ".join(process.cmdline()):
                found.append(process)
    return found


def replicas() -> set[int]:
    return {process.pid for process in own_processes("ServeReplica")}


def is_matted(image: Image) -> bool:
    """Whether it is the composite: the green background, and nothing of the room."""
    near = [float((np.abs(image.astype(int) - colour).max(axis=2) <= 40).mean()) for colour in ((64, 177, 0), ROOM_BGR)]
    assert near[1] < 0.02, "the room is shown"
    return near[0] > 0.3


class Newest(list[Image]):
    """Keeps one frame: a stream may run for minutes."""

    def append(self, image: Image) -> None:
        self[:] = [image]


async def connected(client: Client, timeout_s: float = CHANGE_S) -> float:
    """Wait for a composite; return the seconds that it took."""
    began_s = time.monotonic()
    client.received.clear()

    def newest_is_matted() -> bool:
        newest = list(client.received)
        client.received.clear()
        return any(is_matted(image) for image in newest)

    await until(newest_is_matted, timeout_s, poll_s=0.2)
    return time.monotonic() - began_s


async def offered(address: str, http: aiohttp.ClientSession, timeout_s: float = CHANGE_S) -> Client:
    """Offer a stream until a replica takes it, as clients do."""
    began_s = time.monotonic()
    while True:
        client = Client(address, http, FRAMES, 6.0)
        client.received = Newest()
        if await client.connect(HEADERS, background="green") == 200:
            return client
        assert client.status in (500, 503), client.status
        await client.close()
        assert time.monotonic() - began_s < timeout_s, "no replica takes the stream"
        await asyncio.sleep(0.5)


def in_a_fleet(folder: Path, work: Callable[[Fleet, aiohttp.ClientSession], Awaitable[None]]) -> None:
    async def run(started: Fleet) -> None:
        async with aiohttp.ClientSession() as http:
            await work(started, http)

    with running_fleet(folder / "log.txt") as started:
        asyncio.run(run(started))
    assert not replicas()


def test_streams_scale_the_fleet_and_a_killed_replica_is_replaced(tmp_path: Path) -> None:
    options = {
        "token_file": str(token_file(tmp_path)),
        "cores": 1,
        "streams": 1,
        "min_replicas": 1,
        "max_replicas": 2,
        "drain_s": 5,
        "downscale_delay_s": 8,
    }

    async def work(fleet: Fleet, http: aiohttp.ClientSession) -> None:
        await fleet.deploy(**options)
        show(f"1 replica serves after {await fleet.running(1, START_S):.1f} s")
        (first,) = replicas()
        one = await offered(fleet.address, http)
        show(f"first stream matted after {await connected(one):.1f} s")
        show(f"2 replicas after {await fleet.running(2):.1f} s: one stream takes the only place of a replica")
        two = await offered(fleet.address, http)
        await connected(two)
        assert len(replicas()) == 2
        (second,) = replicas() - {first}
        os.kill(first, signal.SIGKILL)
        killed_s = time.monotonic()
        show("killed the replica of the first stream")
        await one.close()
        one = await offered(fleet.address, http)
        show(f"a new offer was taken after {time.monotonic() - killed_s:.1f} s")
        await connected(one)
        show(f"its first composite came {time.monotonic() - killed_s:.1f} s after the kill")
        await connected(two)
        assert first not in replicas() and second in replicas()
        await one.close()
        await two.close()
        show(f"1 replica {await fleet.running(1):.1f} s after both streams ended")

    in_a_fleet(tmp_path, work)


def test_a_redeployment_drains_the_streams(tmp_path: Path) -> None:
    options = {"token_file": str(token_file(tmp_path)), "cores": 1, "streams": 4, "min_replicas": 1, "max_replicas": 1}

    async def work(fleet: Fleet, http: aiohttp.ClientSession) -> None:
        await fleet.deploy(**options, drain_s=60)
        await fleet.running(1, START_S)
        old = replicas()
        one = await offered(fleet.address, http)
        await connected(one)
        await fleet.deploy(**options, drain_s=8)
        deployed_s = time.monotonic()
        show("redeployed while a stream runs")
        await until(lambda: bool(replicas() - old), CHANGE_S)
        two = await offered(fleet.address, http)
        show(f"a new replica takes offers after {time.monotonic() - deployed_s:.1f} s")
        await connected(two)
        assert old < replicas(), "the old replica goes on with its stream"
        await connected(one)
        show(f"the old stream still shows composites after {time.monotonic() - deployed_s:.1f} s")
        await one.close()
        ended_s = time.monotonic()
        await until(lambda: not old & replicas(), CHANGE_S)
        show(f"the old replica ended {time.monotonic() - ended_s:.1f} s after its last stream")
        old = replicas()
        await fleet.deploy(**options, drain_s=9)
        deployed_s = time.monotonic()
        await until(lambda: two.connection.connectionState == "closed", CHANGE_S)
        cut_s = time.monotonic() - deployed_s
        show(f"a stream that does not end was closed {cut_s:.1f} s after the second redeployment (drain_s: 8)")
        assert cut_s >= 8
        await two.close()

    in_a_fleet(tmp_path, work)
