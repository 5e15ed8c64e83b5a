"""A running pipeline and the controller of its settings; a server and a controller that records commands."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import cv2
import pytest

from app.config.scenes import SceneStore
from app.control import changes
from app.control.commands import Command, Status, parse_words
from app.control.controller import SettingsController
from app.control.files import Backgrounds
from app.control.server import ControlServer
from app.control.transport import ControlAddress, default_address
from app.core.errors import PlateError, SettingsError, UsageError
from app.core.settings import Settings, SettingsOwner
from app.core.types import BgrImage, Picture, PictureKind
from app.matting.plate.picture import plate_path, save_plate
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, PipelineStatus
from mattecam.testing import room_picture
from tests.fakes.world import BASE, FakeWorld
from tests.waiting import eventually


@dataclass
class Recorder(SettingsController):
    """Records commands only.

    It fails for the scenes "nowhere" and "unknown", crashes for the scene "defect", blocks for the scene "slow".
    """

    commands: list[Command] = field(default_factory=list)
    threads: set[threading.Thread] = field(default_factory=set)
    closed: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)

    def run(self, command: Command) -> str:
        if command == Command("scene", "nowhere"):
            raise SettingsError("The scenes file cannot be read.")
        if command == Command("scene", "unknown"):
            raise UsageError("There is no scene unknown.")
        if command == Command("scene", "defect"):
            raise ZeroDivisionError("a defect")
        if command == Command("scene", "slow"):
            self.entered.set()
            self.closed.wait(60)
        self.commands.append(command)
        self.threads.add(threading.current_thread())
        return f"{command.name} done"

    def status(self) -> Status:
        return {"model": "mattecam", "size": [640, 480], "virtual_camera": None, "paused": True, "phase": "paused"}

    def close(self) -> None:
        self.closed.set()


@contextmanager
def serving(
    at: Callable[[], ControlAddress] = default_address, controller: SettingsController | None = None
) -> Iterator[ControlServer]:
    """Run a control server."""
    server = ControlServer(controller or Recorder(), at=at)
    server.start()
    try:
        yield server
    finally:
        stopped = server.stop(timeout_s=60.0)
    assert stopped


class Program:
    """A running pipeline and the controller that changes its settings."""

    def __init__(self, folder: Path) -> None:
        self.world = FakeWorld()
        self.pipeline = Pipeline(BASE, parts=self.world.parts())
        self.scenes = SceneStore(folder / "scenes.json")
        self.quit = threading.Event()
        self.picture: Picture | None = None
        self.scenes_changed = Mock()
        self.plates: list[tuple[BgrImage, str]] = []
        """Those that were taken, with their cameras."""
        self.plate_error: PlateError | None = None
        self.picture_file = folder / "beach.png"
        cv2.imwrite(str(self.picture_file), room_picture())
        self.backgrounds: Callable[[], Backgrounds] = lambda: [("Beach", self.picture_file)]
        self.controller = self.controller_with(confirm_s=30.0)

    def controller_with(self, confirm_s: float) -> SettingsController:
        """Return a controller that waits so long for what a command changes."""
        return SettingsController(
            self.pipeline,
            backgrounds=lambda: self.backgrounds(),
            scenes=self.scenes,
            request_quit=self.quit.set,
            newest=self.first_picture,
            scenes_changed=self.scenes_changed,
            store_plate=self.store_plate,
            confirm_s=confirm_s,
        )

    def run(self, text: str) -> str:
        return self.controller.run(parse_words(text.split()))

    def first_picture(self) -> Picture | None:
        self.picture = self.picture or self.pipeline.preview.get(60)
        return self.picture

    def store_plate(self, plate: BgrImage, camera: str) -> Path:
        if self.plate_error is not None:
            raise self.plate_error
        self.plates.append((plate, camera))
        path = plate_path(camera, plate.shape[1], plate.shape[0])
        save_plate(path, plate, camera)
        return path

    @property
    def settings(self) -> Settings:
        return self.pipeline.settings

    def sent_after(self, count: int = 5) -> list[PictureKind]:
        """Return the kinds of the next pictures that reach an output, but for a write that may be under way."""
        before = len(self.world.pictures()) + 1
        eventually(lambda: len(self.world.pictures()) >= before + count)
        return [picture.kind for picture in self.world.pictures()[before:]]


class SettingsAlone:
    """Settings that no pipeline uses, with their controller: each change is in effect at once."""

    def __init__(self, folder: Path) -> None:
        self.owner = SettingsOwner(BASE)
        self.change = self.owner.change
        self.scenes = SceneStore(folder / "scenes.json")
        self.image = folder / "beach.png"
        cv2.imwrite(str(self.image), room_picture())
        self.outputs_decided = True
        self.controller = SettingsController(
            cast("Pipeline", self),
            backgrounds=list,
            scenes=self.scenes,
            request_quit=lambda: None,
        )

    def run(self, text: str) -> str:
        return self.controller.run(parse_words(text.split()))

    def read_files_again(self) -> None:
        """Do nothing: no file is open."""

    @property
    def settings(self) -> Settings:
        return self.owner.current

    def status(self) -> PipelineStatus:
        phase = Phase.PAUSED if self.settings.paused else Phase.RUNNING
        recordings = {"recording": None, "recording_alpha": None}
        return PipelineStatus(phase=phase, outputs=recordings, revision=self.owner.revision)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsAlone:
    monkeypatch.setattr(changes, "POLL_S", 0.0)
    return SettingsAlone(tmp_path)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path)
    program.pipeline.start()
    eventually(lambda: program.pipeline.status().phase is Phase.RUNNING)
    eventually(lambda: len(program.world.pictures()) > 0)
    yield program
    program.world.faults.heal()
    assert program.pipeline.stop()


posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets and permissions")


def socket_address(folder: Path) -> ControlAddress:
    folder.mkdir(mode=0o700, exist_ok=True)
    return ControlAddress(folder)


@pytest.fixture(params=["socket", "pipe"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> ControlAddress:
    folder = socket_address(tmp_path / "run").folder
    if request.param == "socket":
        return ControlAddress(folder)
    # multiprocessing speaks the same protocol over a Unix socket as over a named pipe
    return ControlAddress(folder, str(tmp_path / "pipe") if sys.platform != "win32" else rf"\\.\pipe\{tmp_path.name}")


@pytest.fixture
def controller() -> Recorder:
    return Recorder()


@pytest.fixture
def server(address: ControlAddress, controller: Recorder) -> Iterator[ControlServer]:
    with serving(lambda: address, controller) as server:
        assert address.knock()
        yield server
