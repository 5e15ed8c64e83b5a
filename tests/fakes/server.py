"""A matting server that a test switches off."""

from __future__ import annotations

import threading
from dataclasses import replace

from app.core.errors import MattecamError, RemoteError
from app.core.settings import EngineSettings
from app.core.types import Matte
from app.testing.parts import FakeEngine, Faults, StepInput

SERVER = "https://matting.example:8765"


class Network:
    """What reaches the server."""

    def __init__(self) -> None:
        self.up = True
        self.offers = 0
        self.sends = True
        self.breaks: MattecamError | None = None
        """What every step raises."""
        self.levels: set[tuple[bool, str]] = set()
        """Of every step: whether on the server, level of strict mode."""
        self.answers = threading.Event()
        """Cleared, an offer waits for it."""
        self.answers.set()


class Place(FakeEngine):
    """An engine here or on a server that the test switches off."""

    network = Network()

    def __init__(self, settings: EngineSettings, width: int, height: int, faults: Faults) -> None:
        self.remote = settings.location == "remote"
        if self.remote:
            self.network.offers += 1
            self.network.answers.wait(60)
            if not self.network.up:
                raise RemoteError("The server does not answer.")
        super().__init__(settings, width, height, faults)
        if self.remote:
            self.info = replace(self.info, executor="webrtc", device=SERVER, round_trip_ms=27.0)

    def matte(self, step: StepInput) -> Matte:
        self.network.levels.add((self.remote, step.edges.strict))
        if self.remote and not (self.network.up and self.network.sends):
            raise RemoteError("The server sends no mattes.")
        if self.remote and self.network.breaks is not None:
            raise self.network.breaks
        return super().matte(step)
