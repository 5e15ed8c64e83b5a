"""A controller that records its commands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.control.commands import Command, Status
from app.control.controller import SettingsController
from app.control.server import ControlServer
from app.control.transport import ControlAddress, default_address
from app.core.errors import SettingsError, UsageError


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
            raise SettingsError("There is no scene 'nowhere'; none is saved yet.")
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
