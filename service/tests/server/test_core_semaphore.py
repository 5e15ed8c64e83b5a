"""As many streams as cores step at once, and those that wait step their newest frame."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from app.api import Matting
from app.core.types import BgrImage
from service.server import sessions
from service.server.core_semaphore import CoreSemaphore
from service.server.limits import Limits
from service.server.matting import SentFrame, StreamMatting
from service.server.sessions import Request
from service.tests.server.service import Client, passes, running, until
from tests.waiting import eventually

LEVELS = 60
"""Frames of a client differ by four in brightness."""


class Overlap:
    """Counts the threads inside it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0
        self.entries = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            self.entries += 1
            self.most = max(self.most, self._inside)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1


def test_no_more_steps_than_cores_run_at_once() -> None:
    cores, overlap = CoreSemaphore(2, longest_wait_s=60.0), Overlap()

    def step(_: int) -> None:
        with cores.held(), overlap:
            time.sleep(0.005)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(step, range(30)))
    assert (overlap.entries, overlap.most) == (30, 2)


def test_a_step_that_never_ends_stops_no_other_stream() -> None:
    cores = CoreSemaphore(1, longest_wait_s=0.05)
    with cores.held():
        for _ in range(3):
            with cores.held():
                pass
    with cores.held(), pytest.raises(ValueError, match="a step failed"), cores.held():
        raise ValueError("a step failed")


class Slow(StreamMatting):
    """Notes the brightness of the frames that it steps; a step lasts as long as `wait`."""

    def __init__(self, overlap: Overlap, wait: Callable[[], None]) -> None:
        super().__init__(lambda: Matting("mattecam"), passes)
        self._overlap, self._wait = overlap, wait
        self.stepped: list[float] = []

    @property
    def active(self) -> bool:
        return True

    def step(self, image: BgrImage) -> SentFrame:
        with self._overlap:
            self.stepped.append(float(image.mean()))
            self._wait()
        return self.card(image.shape[1], image.shape[0])


@pytest.mark.timeout(120)
def test_streams_share_one_core_and_step_the_newest_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "CoreSemaphore", partial(CoreSemaphore, longest_wait_s=60.0))
    overlap, made, clients, ended = Overlap(), list[Slow](), list[Client](), threading.Event()

    def sent() -> int:
        return sum(client.camera.sent for client in clients)

    def wait() -> None:
        """Step while each client sends two frames, however long that takes."""
        goal = sent() + 4
        eventually(lambda: sent() >= goal or ended.is_set())

    def make(_: Request) -> StreamMatting:
        made.append(Slow(overlap, wait))
        return made[-1]

    async def run() -> None:
        frames = [np.full((64, 96, 3), 4 * level, np.uint8) for level in range(LEVELS)]
        async with running(Limits(streams=2, steps_at_once=1), make_matting=make) as service:
            for _ in range(2):
                clients.append(service.client(frames, fps=20.0))
                assert await clients[-1].connect() == 200
            await until(lambda: len(made) == 2 and all(len(one.stepped) >= 8 for one in made))
            ended.set()

    asyncio.run(run())
    assert overlap.most == 1
    for one in made:
        levels = [round(brightness / 4) for brightness in one.stepped]
        passed = [(after - before) % LEVELS for before, after in pairwise(levels)]
        assert sum(passed) >= 2 * len(passed), "frames that came during a step were replaced"
