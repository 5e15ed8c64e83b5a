"""The program and a server in a process of its own that is killed, stopped and started again."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.settings import CaptureSettings, MattingSettings
from app.core.types import Frame
from app.runtime.parts import default_parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import ServerState
from app.runtime.timing import Timing
from app.testing.parts import FakeSource, Faults
from service.tests.server.command import serving
from service.tests.server.service import ROOM_BGR, Image, room_and_person, share_of
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE
from tests.waiting import eventually

SIZE = (640, 360)
PATIENCE_S = 120.0


class LoudRoom(FakeSource):
    """A person before a wall of a colour that nothing else has."""

    def __init__(self, settings: CaptureSettings, faults: Faults, frames: list[Image]) -> None:
        super().__init__(settings, faults, "camera")
        self.info = replace(self.info, width=SIZE[0], height=SIZE[1])
        self._frames = frames

    def read(self) -> Frame | None:
        frame = super().read()
        return None if frame is None else replace(frame, image=self._frames[frame.index % len(self._frames)])


@pytest.mark.slow
@pytest.mark.error_logs
@pytest.mark.timeout(600)
def test_a_server_that_is_killed_or_hangs_is_replaced_and_asked_again(tmp_path: Path) -> None:
    frames, world = room_and_person(12, SIZE), FakeWorld()
    real = default_parts()
    parts = replace(
        world.parts(),
        open_source=lambda settings: LoudRoom(settings, world.faults, frames),
        build_engine=real.build_engine,
        self_test=real.self_test,
    )
    shown: list[float] = []

    def state() -> ServerState | None:
        shown.extend(share_of(picture.image, ROOM_BGR) for picture in world.pictures()[len(shown) :])
        return pipeline.status().server

    def matted(wanted: ServerState) -> bool:
        before = pipeline.status().frames_out
        eventually(lambda: pipeline.status().frames_out > before + 10, PATIENCE_S)
        return state() is wanted

    with serving(tmp_path / "first.txt") as (process, address):
        matting = MattingSettings(location="remote", server=address)
        settings = BASE.replace(matting=matting, capture=CaptureSettings(width=SIZE[0], height=SIZE[1]))
        pipeline = Pipeline(settings, parts=parts, timing=replace(Timing(), remote_retry_s=1.0))
        pipeline.start()
        try:
            eventually(lambda: state() is ServerState.CONNECTED, PATIENCE_S)
            assert matted(ServerState.CONNECTED)
            process.kill()
            eventually(lambda: state() is ServerState.LOCAL, PATIENCE_S)
            assert matted(ServerState.LOCAL)
            assert address in pipeline.status().problems[0].message
            process.wait()
            with serving(tmp_path / "second.txt") as (again, _):
                eventually(lambda: state() is ServerState.CONNECTED, PATIENCE_S)
                assert matted(ServerState.CONNECTED)
                assert not pipeline.status().problems
                os.kill(again.pid, signal.SIGSTOP)
                eventually(lambda: state() is ServerState.LOCAL, PATIENCE_S)
                assert matted(ServerState.LOCAL)
                os.kill(again.pid, signal.SIGCONT)
                eventually(lambda: state() is ServerState.CONNECTED, PATIENCE_S)
        finally:
            pipeline.stop()
    state()
    assert np.max(shown) < 0.02
    assert len(shown) > 100
