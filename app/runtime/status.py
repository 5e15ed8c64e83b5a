"""What the program is doing, as one immutable value: the only thing window and command line show."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from app.core.types import SourceInfo
from app.matting.base import EngineInfo


class Phase(Enum):
    """Where the program is."""

    STARTING = "starting"
    """No matte yet: the outputs show the stand-by card."""
    RUNNING = "running"
    PAUSED = "paused"
    """The user asked for the stand-by card."""
    WAITING = "waiting"
    """The source or the engine failed; the outputs show the stand-by card while it is tried again."""
    RESTING = "resting"
    """Nobody reads the virtual camera: the real one is released until someone does."""
    STOPPED = "stopped"


class Stage(Enum):
    """The part of the program an error comes from."""

    CAPTURE = "capture"
    MATTING = "matting"
    BACKGROUND = "background"
    VIRTUAL_CAMERA = "virtual_camera"
    RECORDING = "recording"
    OUTPUT = "output"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong and that the user should know."""

    stage: Stage
    message: str
    """One sentence: what happened, where, what to do."""
    at_s: float
    """time.time()."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Median and 95th percentile over the last few seconds, in milliseconds."""

    median: float = 0.0
    p95: float = 0.0


@dataclass(frozen=True, slots=True)
class Latencies:
    """Where a frame's time goes, in milliseconds."""

    capture: Latency = Latency()
    """From asking the source to holding the picture (includes waiting for the camera)."""
    step: Latency = Latency()
    """The frame step: network and composite."""
    output: Latency = Latency()
    """Handing a picture to all sinks."""
    end_to_end: Latency = Latency()
    """From the picture's arrival to its first hand-over to the sinks."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """What the governor has lowered at the moment to hold the rate."""

    rate_hz: float
    ratio: float | None
    """The downsample ratio in use; None where it is as chosen."""
    lighter_model: bool
    every: int
    """Every how manieth frame is matted."""

    def __str__(self) -> str:
        words = [f"ratio {self.ratio:.2f}"] if self.ratio is not None else []
        words += ["lighter model"] if self.lighter_model else []
        words += ["every second frame"] if self.every > 1 else []
        return f"Quality lowered to hold {self.rate_hz:g} fps: {', '.join(words)}"


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """A snapshot; taken often, cheap to make."""

    phase: Phase = Phase.STARTING
    source: SourceInfo | None = None
    engine: EngineInfo | None = None
    background: str = ""
    virtual_camera: str | None = None
    """Its device, or its name where the system has no device file; None while there is none."""
    readers: int | None = None
    """How many programs read the virtual camera; None where that is not known."""
    recording: str | None = None
    unmatted: bool = False
    """The camera's own picture goes out because the user chose "none"."""
    busy: str = ""
    """What is being prepared at the moment, such as a model; empty when nothing is."""
    lowered: Lowered | None = None
    """What the program does by itself and the user may wonder about; None while nothing is lowered."""
    size: tuple[int, int] = (0, 0)
    fps_in: float = 0.0
    fps_out: float = 0.0
    latency_ms: Latencies = Latencies()
    frames_in: int = 0
    frames_out: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    seconds: float = 0.0
    problems: tuple[Problem, ...] = field(default=())
    """Open problems, the newest of each stage; a problem goes when its stage works again."""
    errors: tuple[str, ...] = field(default=())
    """Every problem of the run, oldest first, each sentence once."""
