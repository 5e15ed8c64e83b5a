"""The status of the pipeline as one immutable value, which window and command line show, and as JSON.

The names of the fields of `--status-json` are a public interface.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

import psutil

from app.core.errors import MattecamError, Stage, t
from app.core.files.disk_errors import why_not_written
from app.core.files.names import is_stream
from app.core.files.private_file import write_private
from app.core.framing import WHOLE_VIEW, View
from app.core.types import SourceInfo
from app.matting.base.interface import EngineInfo


class Phase(Enum):
    """What the pipeline is doing."""

    STARTING = "starting"
    """No matte yet; the outputs show the stand-by card."""
    RUNNING = "running"
    PAUSED = "paused"
    """The user asked for the stand-by card."""
    WAITING = "waiting"
    """The source or the engine failed; the outputs show the stand-by card while it is retried."""
    NO_CAMERA = "no_camera"
    """No camera is there: the outputs show the card “No camera” until one comes. The window alone may show the
    demonstration meanwhile."""
    RESTING = "resting"
    """No program reads the virtual camera; the real camera is released until one does."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure that the user should know about."""

    stage: Stage
    message: str
    """One sentence: what happened, where, what to do."""
    at_s: float
    """time.monotonic()."""
    part: object = None
    """Of the stage, as it reports itself: an output by the name of its thread."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Median and 95th percentile over the last few seconds, in milliseconds."""

    median: float = 0.0
    p95: float = 0.0


@dataclass(frozen=True, slots=True)
class Latencies:
    """The latency of each stage, in milliseconds."""

    capture: Latency = Latency()
    """Reading a frame from the source; includes waiting for the camera."""
    step: Latency = Latency()
    """The frame step: network and compositing."""
    output: Latency = Latency()
    """Writing a picture to a sink."""
    end_to_end: Latency = Latency()
    """From the arrival of a frame to the first write of its composite to a sink."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """What the governor has lowered to hold the frame rate."""

    rate_hz: float
    ratio: float | None
    """The downsample ratio in use; None if it is not lowered."""
    lighter_model: bool
    matted_hz: float | None
    """The matting rate; None if every frame is matted."""

    def __str__(self) -> str:
        words = [f"ratio {self.ratio:.2f}"] if self.ratio is not None else []
        words += ["lighter model"] if self.lighter_model else []
        words += [f"{self.matted_hz:.3g} of {self.rate_hz:.3g} fps"] if self.matted_hz is not None else []
        return f"Quality lowered to hold the frame rate: {', '.join(words)}"


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """A snapshot; cheap, taken several times a second."""

    phase: Phase = Phase.STARTING
    source: SourceInfo | None = None
    engine: EngineInfo | None = None
    weights: Path | None = None
    """The file of the engine that the settings name in place of the installed one."""
    background: str = ""
    outputs: Mapping[str, str | None] = field(default_factory=dict)
    """The sinks by the name of their `SinkSpec`: device or name of an open one, otherwise None."""
    readers: int | None = None
    """The number of programs that read the virtual camera; None if unknown. All readers of the PipeWire camera count
    as one."""
    unmatted: bool = False
    """Unmatted frames leave because the user chose the background "none"."""
    revision: int = 0
    """The revision of the settings that is in use, or whose use has failed; see `SettingsOwner`."""
    busy: str = ""
    """What is being prepared, such as `the model`; empty if nothing is."""
    lowered: Lowered | None = None
    """What the governor has lowered; None at full quality."""
    view: View = WHOLE_VIEW
    """The part of the frame that the output covers, within the manual crop: that of auto-framing."""
    hides_person: bool = False
    """Nobody is shown, because it is not certain who the selected person is."""
    size: tuple[int, int] = (0, 0)
    fps_in: float = 0.0
    fps_out: float = 0.0
    latency_ms: Latencies = Latencies()
    frames_in: int = 0
    frames_out: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    encoded_frames: int = 0
    """Frames encoded for recordings of output and matte."""
    recording_dropped: int = 0
    """Frames left out of recordings because the encoder was too slow."""
    recorded: tuple[str, ...] = ()
    """Files of the recordings that ended."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """CPU time of the process within `seconds`."""
    problems: tuple[Problem, ...] = field(default=())
    """Open problems, the newest last; a problem is closed when the part that it comes from works again."""
    errors: tuple[str, ...] = field(default=())
    """Every problem of the run, oldest first, without repetitions."""

    @property
    def virtual_camera(self) -> str | None:
        """Its device file, or its name if the system has no device files; None while there is none."""
        return self.outputs.get("virtual_camera")

    @property
    def pipewire(self) -> str | None:
        """The name of the PipeWire camera; None while there is none."""
        return self.outputs.get("pipewire")

    @property
    def recording(self) -> str | None:
        """The file that the output is recorded to; None while it is not."""
        return self.outputs.get("recording")

    def at_the_end_of(self, running: PipelineStatus) -> PipelineStatus:
        """Return this status, of a stopped pipeline, with what it ran with: engine, source and sinks are closed."""
        return replace(self, **{name: getattr(running, name) for name in _OF_THE_RUN})


_OF_THE_RUN = "source", "engine", "weights", "outputs", "fps_in", "fps_out", "latency_ms"
_COUNTS = "frames_in", "frames_out", "frames_sent", "frames_dropped", "encoded_frames", "recording_dropped"
_STATES = "hides_person", "background", "readers", "busy"
_OF_THE_ENGINE = "model", "executor", "precision", "device", "downsample_ratio"


def status_fields(status: PipelineStatus) -> dict[str, Any]:
    """Return the fields of the JSON; latencies in milliseconds."""
    process = psutil.Process()
    cpu_s = sum(process.cpu_times()[:2])
    return {
        **{name: getattr(status, name) for name in (*_COUNTS, *_STATES)},
        **{name: getattr(status.engine, name, None) for name in _OF_THE_ENGINE},
        "weights": None if status.weights is None else str(status.weights),
        "seconds": round(status.seconds, 3),
        "fps_in": round(status.fps_in, 2),
        "fps_out": round(status.fps_out, 2),
        "latency_ms": {
            stage: {figure: round(value, 2) for figure, value in latency.items()}
            for stage, latency in dataclasses.asdict(status.latency_ms).items()
        },
        "size": list(status.size),
        "view": [round(value, 4) for value in dataclasses.astuple(status.view)],
        "cpu_ms_per_frame": round(cpu_s * 1e3 / max(1, status.frames_out), 1),
        "cpu_percent": round(100 * status.cpu_seconds / max(status.seconds, 0.001), 1),
        "peak_rss_mb": round(_peak_rss_bytes(process) / 1e6, 1),
        "phase": status.phase.value,
        "source": dataclasses.asdict(status.source) if status.source else None,
        **status.outputs,
        "problems": [{"stage": problem.stage.value, "message": problem.message} for problem in status.problems],
        "errors": list(status.errors),
    }


def write_status(path: Path, status: PipelineStatus) -> None:
    """Write the JSON file with mode 0600, in place of a link, or write to a stream. Raise MattecamError."""
    data = (json.dumps(status_fields(status), indent=2) + "\n").encode()
    try:
        if is_stream(path):
            with open(path, "wb", opener=_open_stream) as stream:
                stream.write(data)
        else:
            write_private(path, data)
    except OSError as error:
        raise MattecamError(
            t("The status file {file} cannot be written: {reason}.", file=path, reason=why_not_written(error))
        ) from error


def _open_stream(name: str, flags: int) -> int:
    """Open a pipe only while a program reads from it: without one, opening it waits. Raises OSError."""
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    if sys.platform != "win32":
        os.set_blocking(descriptor, True)
    return descriptor


def _peak_rss_bytes(process: psutil.Process) -> float:
    if sys.platform == "win32":
        peak_bytes = process.memory_info().peak_wset
    else:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak_bytes = peak if sys.platform == "darwin" else peak * 1024
    return float(peak_bytes)
