"""A running pipeline and the controller of its settings; a server and a controller that records commands."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from app.config.scenes import SceneStore
from app.control import changes
from app.control.changes import POLL_S
from app.control.commands import Command, Status, parse_words
from app.control.controller import SettingsController
from app.control.files import Backgrounds
from app.control.program import RunningProgram
from app.control.server import ControlServer
from app.control.transport import ControlAddress, default_address
from app.core.errors import SettingsError, Stage, UsageError
from app.core.types import Picture, PictureKind
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, PipelineStatus
from app.settings import Settings, SettingsOwner
from mattecam.testing import room_picture
from tests.fakes.world import BASE, FakeWorld, Hold, shown
from tests.stand_ins import always
from tests.waiting import eventually


@dataclass
class Recorder(SettingsController):
    """Records commands only.

    It fails for the scenes "nowhere" and "unknown", crashes for the scene "defect", blocks for the
    scene "slow".
    """

    commands: list[Command] = field(default_factory=list)
    slow: Hold = field(default_factory=Hold)

    async def run(self, command: Command) -> str:
        if command == Command("scene", "nowhere"):
            raise SettingsError("The scenes file cannot be read.")
        if command == Command("scene", "unknown"):
            raise UsageError("There is no scene unknown.")
        if command == Command("scene", "defect"):
            raise ZeroDivisionError("a defect")
        if command == Command("scene", "slow"):
            self.slow.entered.set()
            while not self.slow.go_on.is_set():
                await asyncio.sleep(POLL_S)
            await asyncio.sleep(0.3)  # it is not done when it is asked to end
        self.commands.append(command)
        return f"{command.name} done"

    def status(self) -> Status:
        state = {
            "model": "mattecam",
            "phase": "running",
            "frozen": True,
            "fps_out": 30,
            "background": "blur:50",
        }
        return {**state, "recording": "a.mp4", "recording_alpha": "b.mkv"}

    def close(self) -> None:
        self.slow.go_on.set()


def address_in(folder: Path) -> ControlAddress:
    """Return the address of a private folder: a socket, or on Windows a pipe of its own."""
    folder.mkdir(mode=0o700)
    pipe = rf"\\.\pipe\{folder.parent.name}" if sys.platform == "win32" else None
    return ControlAddress(folder, pipe)


@contextmanager
def serving(
    at: Callable[[], ControlAddress] = default_address, controller: SettingsController | None = None
) -> Iterator[ControlServer]:
    """Run a control server."""
    server = ControlServer(controller or Recorder(), RunningProgram(at))
    server.listen()
    server.start()
    try:
        yield server
    finally:
        stopped = server.stop(timeout_s=60.0)
    assert stopped


def executed(controller: SettingsController, text: str) -> str:
    """Execute a command on this thread and return its answer."""
    return asyncio.run(controller.run(parse_words(text.split())))


class Program:
    """A running pipeline and the controller that changes its settings."""

    def __init__(self, folder: Path, world: FakeWorld, pipeline: Pipeline) -> None:
        self.world = world
        self.pipeline = pipeline
        self.scenes = SceneStore(folder / "scenes.json")
        self.scenes_changed = Mock()
        self.picture = shown(pipeline)
        self.picture_file = folder / "beach.png"
        cv2.imwrite(str(self.picture_file), np.full((48, 64, 3), 33, np.uint8))
        self.backgrounds: Callable[[], Backgrounds] = always([("Beach", self.picture_file)])
        self.controller = self.controller_with(confirm_s=30.0)

    def controller_with(self, confirm_s: float) -> SettingsController:
        """Return a controller that waits so long for what a command changes."""
        return SettingsController(
            self.pipeline,
            backgrounds=self.listed_backgrounds,
            scenes=self.scenes,
            request_quit=Mock(),
            scenes_changed=self.scenes_changed,
            confirm_s=confirm_s,
        )

    def listed_backgrounds(self) -> Backgrounds:
        """Return what `backgrounds` lists now: tests replace it."""
        return self.backgrounds()

    def run(self, text: str) -> str:
        return executed(self.controller, text)

    @property
    def settings(self) -> Settings:
        return self.pipeline.settings

    def pictures_after(self, count: int = 5) -> list[Picture]:
        """Return the next pictures that reach the outputs, but for a write to each that may be under way."""
        before = [(sink, len(sink.pictures) + 1) for sink in self.world.sinks]
        eventually(lambda: sum(len(sink.pictures[number:]) for sink, number in before) >= count)
        return [picture for sink, number in before for picture in sink.pictures[number:]]

    def sent_after(self, count: int = 5) -> list[PictureKind]:
        return [picture.kind for picture in self.pictures_after(count)]

    def sends(self, kind: PictureKind) -> bool:
        """Whether one of the next pictures is of this kind."""
        return kind in self.sent_after()

    def takes_plate(self) -> bool:
        return self.pipeline.demand.takes_plate

    def records(self) -> bool:
        return self.settings.output.record is not None

    def problems(self) -> object:
        """Return what the state tells of them."""
        return self.controller.status()["problems"]


class SettingsAlone:
    """Settings that no pipeline uses, with their controller: each change is in effect at once."""

    def __init__(self, folder: Path) -> None:
        self.owner = SettingsOwner(BASE)
        self.change = self.owner.change
        self.phase = Phase.PAUSED
        self.image = folder / "beach.png"
        cv2.imwrite(str(self.image), room_picture())
        self.outputs_decided = self.pictures_decided = True
        self.controller = SettingsController(
            cast("Pipeline", self),
            backgrounds=list,
            scenes=SceneStore(folder / "scenes.json"),
            request_quit=Mock(),
        )

    def run(self, text: str) -> str:
        return executed(self.controller, text)

    def read_files_again(self) -> None:
        """Do nothing: no file is open."""

    def report(self, stage: Stage, problem: str | None, part: object) -> None:
        """Fail: no disk is slow."""
        raise AssertionError(f"{stage} {part}: {problem}")

    @property
    def settings(self) -> Settings:
        return self.owner.current

    @property
    def revision_in_use(self) -> int:
        return self.owner.revision

    def status(self) -> PipelineStatus:
        recordings = {"recording": None, "recording_alpha": None}
        return PipelineStatus(phase=Phase.PAUSED, outputs=recordings, revision=self.owner.revision)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsAlone:
    monkeypatch.setattr(changes, "POLL_S", 0.0)
    return SettingsAlone(tmp_path)


@pytest.fixture
def program(tmp_path: Path, world: FakeWorld, pipeline: Pipeline) -> Iterator[Program]:
    yield Program(tmp_path, world, pipeline)
    world.faults.heal()
