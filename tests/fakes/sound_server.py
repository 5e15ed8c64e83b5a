"""Stand-in for the sound server: sources come and go, and streams end as those of PulseAudio and PipeWire do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.system.pulse import SoundServer, Source, SourceStream

AGE_S = 0.03
"""Of the newest sample."""


class FakeStream(SourceStream):
    """A stream of one source, which is filled with that source's value."""

    def __init__(self, server: FakeSoundServer, source: str, block_bytes: int) -> None:
        self._server = server
        self._wanted_source = source
        self._block_bytes = block_bytes
        self._is_killed = source not in server.sources
        self.redirected_to = ""
        """Another source that a program connects it to against the request."""
        self.closed = 0

    @property
    def is_lost(self) -> bool:
        # Once its source has gone, a stream stays dead: a source of the same name is another one.
        self._is_killed = self._is_killed or self._wanted_source not in self._server.sources
        return self._is_killed

    @property
    def source(self) -> str:
        return "" if self.is_lost else self.redirected_to or self._wanted_source

    def read(self) -> tuple[bytes, float]:
        assert not self.closed, "the library ends the process"
        if self.is_lost or self._server.is_silent:
            return b"", 0.0
        return np.full(self._block_bytes // 2, len(self.source), "<i2").tobytes(), AGE_S

    def close(self) -> None:
        self.closed += 1


class FakeSoundServer(SoundServer):
    """Connects to nothing. Each `wait` first runs the next of `events`."""

    def __init__(self, *names: str, default: str = "") -> None:
        """names: of the sources; what ends in `.monitor` is what a loudspeaker plays."""
        self.sources = {
            name: Source(name, f"Title of {name}", name.endswith(".monitor")) for name in names
        }
        self.default_source = default or next(iter(names), "")
        self.events: list[Callable[[], object]] = []
        self.streams: list[FakeStream] = []
        self.is_silent = False
        self.is_gone = False
        self.closed = 0

    @property
    def is_connected(self) -> bool:
        return not self.is_gone

    def wait(self, timeout_s: float) -> None:
        assert not self.closed, "the library ends the process"
        if self.events:
            self.events.pop(0)()

    def record(self, source: str, rate: int, block_bytes: int) -> SourceStream:
        self.streams.append(FakeStream(self, source, block_bytes))
        return self.streams[-1]

    def close(self) -> None:
        assert all(stream.closed for stream in self.streams), "streams are closed first"
        self.closed += 1
