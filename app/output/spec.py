"""What the program knows of a kind of sink: when it is wanted, how it is opened, where its failures are reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from app.core.concurrency.turns import Turns
from app.core.settings import Settings
from app.core.stage import Stage
from app.output.base import FrameSink
from app.output.recording import RecordingCounts
from app.output.sound.base import OpenSource

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What the sinks of one run share."""

    settings: Callable[[], Settings]
    """The settings in force."""
    open_microphone: OpenSource
    report: Callable[[Stage, Exception | None], None]
    """Reports a problem of a stage; None where it works again."""
    turns: Turns = field(default_factory=Turns)
    """Of the frame steps, between which frames are encoded."""
    counts: RecordingCounts = field(default_factory=RecordingCounts)

    @property
    def fps(self) -> float:
        """The nominal frame rate."""
        return self.settings().capture.fps


OpenSink: TypeAlias = Callable[[Any, int, int, SinkContext], FrameSink]
"""(what is wanted, width and height in pixels, context); raises SinkOpenError."""


@dataclass(frozen=True, slots=True)
class SinkSpec(Generic[K]):
    """A row of `app/output/table.py`."""

    name: str
    """In the status and its JSON; with hyphens the name of the sink's thread."""
    wanted: Callable[[Settings], K | None]
    """The sink that the settings ask for; None for no such sink."""
    open: Callable[[K, int, int, SinkContext], FrameSink]
    """As `OpenSink`."""
    stage: Stage = Stage.OUTPUT
    """Where failures are reported."""
    retry_s: float | None = 2.0
    """Wait before a sink that failed is opened again; None: not until the settings change (a recording would
    overwrite what is already on disk)."""
    optional: Callable[[K], bool] = lambda wanted: False
    """Whether a failure to open it is no problem to report."""
    waits_for_readers: bool = False
    """Whether it needs frames only while a program reads it; another sink needs them while it is wanted."""
    from_first_matte: bool = False
    """Whether the stand-by cards of the program's start are left out."""
