"""The status of the pipeline as one immutable value, the board that the threads report to, and the status as JSON.

The names of the fields of `--status-json` are a public interface.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import psutil

from app.core.errors import MattecamError, Remedy, Stage, Text, t, text_of
from app.core.files import is_stream, why_not_written, write_private
from app.core.geometry import WHOLE_VIEW, View
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

    @property
    def shows_preparation(self) -> bool:
        """Whether the card stands for what is being prepared: the picture or, without a camera, the demonstration."""
        return self in (Phase.STARTING, Phase.NO_CAMERA)


class Preparing(Enum):
    """What is built beside the frames, because it takes longer than one."""

    MODEL = "the model"
    BACKGROUND = "the background"


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
    is_late: bool = False
    """Whether it may still be done: a call that takes longer than it should."""
    unusable: bool = False
    """As of `MattecamError`."""
    remedy: Remedy | None = None
    """As of `MattecamError`."""

    @property
    def error(self) -> MattecamError:
        """The error that reports it."""
        error = MattecamError(self.message, self.remedy)
        error.unusable = self.unusable
        return error


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
    preparing: Preparing | None = None
    first_preparation: Text | None = None
    """What the preparation for this computer does, which the model waits for and which happens once."""
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
    """Every problem of the run, oldest first, without repetitions; after the first ones, a sentence names the log."""

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

    @property
    def busy(self) -> str:
        """What is being prepared, in English; empty if nothing is."""
        if self.first_preparation is not None:
            return self.first_preparation
        return "" if self.preparing is None else self.preparing.value


OF_THE_RUN = "source", "engine", "weights", "outputs", "fps_in", "fps_out", "latency_ms"
"""Fields that keep their values after the end, when engine, source and sinks are closed."""
_COUNTS = "frames_in", "frames_out", "frames_sent", "frames_dropped", "encoded_frames", "recording_dropped"
_STATES = "hides_person", "background", "readers"
_OF_THE_ENGINE = "model", "executor", "precision", "device", "downsample_ratio"


def status_fields(status: PipelineStatus) -> dict[str, Any]:
    """Return the fields of the JSON; latencies in milliseconds."""
    process = psutil.Process()
    cpu_s = sum(process.cpu_times()[:2])
    if sys.platform == "win32":
        peak_rss_bytes = process.memory_info().peak_wset
    else:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak_rss_bytes = peak if sys.platform == "darwin" else peak * 1024
    return {
        **{name: getattr(status, name) for name in (*_COUNTS, *_STATES)},
        "busy": status.busy,
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
        "peak_rss_mb": round(peak_rss_bytes / 1e6, 1),
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


_log = logging.getLogger(__name__)
MAX_ERRORS = 100
MAX_ERROR_CHARS = 50_000
"""Of all problems of a run together: the status is sent as a whole to each client that asks."""
MORE_ERRORS = "There were further problems; the log has them."
MAX_SAMPLES = 1000
RATE_SPAN_S = 2.0
LATENCY_SPAN_S = 5.0
"""Older samples do not count: after a recording ends, its latency is no longer that of now."""


class Meter:
    """Counts events and collects their durations. Thread-safe."""

    def __init__(self, span_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """span_s: older events do not count for rate and latency."""
        self._lock = threading.Lock()
        self._now = now
        self._span_s = span_s
        self._samples: deque[tuple[float, float]] = deque(maxlen=MAX_SAMPLES)
        """(time in seconds, duration in milliseconds)"""
        self._count = 0
        self.limit: int | None = None
        """Number of events that are counted; set before the first one."""

    def add(self, duration_s: float = 0.0) -> bool:
        """Count one event, now. Return False, and count nothing, beyond the limit."""
        with self._lock:
            if self.limit is not None and self._count >= self.limit:
                return False
            self._count += 1
            self._samples.append((self._now(), duration_s * 1e3))
            return True

    @property
    def count(self) -> int:
        """The number of events so far."""
        with self._lock:
            return self._count

    def latency(self) -> Latency:
        """Return median and 95th percentile of the durations; zeros without an event."""
        ordered = sorted(duration_ms for _, duration_ms in self._recent(self._now()))
        if not ordered:
            return Latency()
        return Latency(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))])

    def per_second(self) -> float:
        """Return events per second; 0 without events."""
        now_s = self._now()
        recent = [at_s for at_s, _ in self._recent(now_s)]
        if len(recent) < 2:
            return 0.0
        # Over the span from the first recent event to now, so that a stall shows at once.
        elapsed_s = max(recent[-1], now_s - (recent[-1] - recent[0]) / (len(recent) - 1)) - recent[0]
        return (len(recent) - 1) / elapsed_s if elapsed_s > 0 else 0.0

    def _recent(self, now_s: float) -> list[tuple[float, float]]:
        with self._lock:
            while self._samples and self._samples[0][0] <= now_s - self._span_s:
                self._samples.popleft()
            return list(self._samples)


class StatusBoard:
    """Problems, rates and latencies of a run. Thread-safe; what else the status shows belongs to the part it is of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: dict[tuple[Stage, object], Problem] = {}
        """Open problems, by stage and by the part of it that reported them."""
        self._errors: list[str] = []
        self._error_chars = 0
        self._started_s = time.perf_counter()
        self._started_cpu_s = time.process_time()
        self.capture_ms = Meter(LATENCY_SPAN_S)
        self.step_ms = Meter(LATENCY_SPAN_S)
        self.output_ms = Meter(LATENCY_SPAN_S)
        self.end_to_end_ms = Meter(LATENCY_SPAN_S)
        self.frames_in = Meter(RATE_SPAN_S)
        self.frames_out = Meter(RATE_SPAN_S)
        self.frames_sent = Meter(RATE_SPAN_S)
        self.size: tuple[int, int] | None = None
        """(width, height) of the newest frame, and so of the card; None before the first one. Set by matting."""
        self.captured = self.matted = self.sent = 0
        """Revisions of the settings that are in use, or whose use has failed: by the source, by matting of its frames,
        and by the picture sent."""

    def report(
        self,
        stage: Stage,
        problem: Exception | str | None,
        part: object = None,
        *,
        is_late: bool = False,
        remedy: Remedy | None = None,
    ) -> None:
        """Report the problem of a part of `stage`, which stays open until None is reported: the part works (again).

        A repeated report changes nothing. remedy: of a text, as of `MattecamError`, which has its own.
        """
        message = text_of(problem) if isinstance(problem, Exception) else problem
        with self._lock:
            known = self._problems.get((stage, part))
            if message == (None if known is None else known.message):
                return
            if message is None:
                del self._problems[stage, part]
            else:
                unusable = False
                if isinstance(problem, MattecamError):
                    unusable = problem.unusable
                    remedy = problem.remedy
                new = Problem(stage, message, time.monotonic(), part, is_late, unusable, remedy)
                self._problems[stage, part] = new
                self._keep_error(message)
        if message is not None:
            _log.warning("%s", message, exc_info=problem if isinstance(problem, Exception) else None)
        elif known is not None:
            _log.info("Over: %s", known.message)

    def _keep_error(self, message: str) -> None:
        """Add a problem to those of the run, within its limits; call it under the lock."""
        if message in self._errors:
            return
        self._error_chars += len(message)
        if len(self._errors) < MAX_ERRORS and self._error_chars <= MAX_ERROR_CHARS:
            self._errors.append(message)
        elif MORE_ERRORS not in self._errors:
            self._errors.append(MORE_ERRORS)
            self._error_chars = MAX_ERROR_CHARS  # none is added from now on, however short it is

    def read(self) -> PipelineStatus:
        """Return a snapshot."""
        revision = self.sent  # before the problems with these settings
        with self._lock:
            problems = tuple(sorted(self._problems.values(), key=lambda problem: problem.at_s))
            errors = tuple(self._errors)
        return PipelineStatus(
            fps_in=self.frames_in.per_second(),
            fps_out=self.frames_out.per_second(),
            latency_ms=Latencies(
                self.capture_ms.latency(),
                self.step_ms.latency(),
                self.output_ms.latency(),
                self.end_to_end_ms.latency(),
            ),
            frames_in=self.frames_in.count,
            frames_out=self.frames_out.count,
            frames_sent=self.frames_sent.count,
            revision=revision,
            seconds=time.perf_counter() - self._started_s,
            cpu_seconds=time.process_time() - self._started_cpu_s,
            problems=problems,
            errors=errors,
        )
