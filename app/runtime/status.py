"""The status of the pipeline as one immutable value, the board that the threads report to, and the
status as JSON.

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
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from pathlib import Path
from typing import Any

import psutil

from app.core.errors import MattecamError, Remedy, Stage, Text, t, text_of
from app.core.files import is_stream, why_not_written, write_private
from app.core.types import WHOLE_VIEW, SourceInfo, View
from app.matting.interface import EngineInfo


class Phase(Enum):
    """What the pipeline is doing. In all phases but RUNNING the outputs show the stand-by card."""

    # No matte yet.
    STARTING = "starting"
    RUNNING = "running"
    # The user asked for the card.
    PAUSED = "paused"
    # The source or the engine failed, and is retried.
    WAITING = "waiting"
    # The card says so until a camera comes. The window
    # alone may show the demonstration meanwhile.
    NO_CAMERA = "no_camera"
    # No program reads the virtual camera: the real one is released until one does.
    RESTING = "resting"
    STOPPED = "stopped"

    @property
    def shows_preparation(self) -> bool:
        """Whether the card stands for what is being prepared.

        The picture or, without a camera, the demonstration.
        """
        return self in (Phase.STARTING, Phase.NO_CAMERA)


class Building(Enum):
    """What is built beside the frames, because it takes longer than one."""

    MODEL = "the model"
    BACKGROUND = "the background"


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure that the user should know about."""

    stage: Stage
    # One sentence: what happened, where, what to do.
    message: str
    at_s: float
    """By time.monotonic()."""
    # Of the stage, as it reports itself: an output by the name of its thread.
    part: object = None
    # A call that takes longer than it should: it may still be done.
    is_late: bool = False
    # Nothing has failed: what it is of goes on.
    is_warning: bool = False
    # These two as in `MattecamError`.
    unusable: bool = False
    remedy: Remedy | None = None

    @property
    def is_failure(self) -> bool:
        """Whether something has failed, and is not only late or goes on."""
        return not self.is_late and not self.is_warning

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

    # Reading a frame from the source, with the wait for the camera.
    capture: Latency = Latency()
    # Network and compositing.
    step: Latency = Latency()
    # Writing a picture to a sink.
    output: Latency = Latency()
    # From the arrival of a frame to the first write of its composite to a sink.
    end_to_end: Latency = Latency()


@dataclass(frozen=True, slots=True)
class Lowered:
    """What the governor has lowered to hold the frame rate."""

    rate_hz: float
    # The downsample ratio in use; None if it is not lowered.
    ratio: float | None
    lighter_model: bool
    # None if every frame is matted.
    matted_hz: float | None

    def __str__(self) -> str:
        words = []
        if self.ratio is not None:
            words.append(f"ratio {self.ratio:.2f}")
        if self.lighter_model:
            words.append("lighter model")
        if self.matted_hz is not None:
            words.append(f"{self.matted_hz:.3g} of {self.rate_hz:.3g} fps")
        return f"Quality lowered to hold the frame rate: {', '.join(words)}"


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """A snapshot; cheap, taken several times a second."""

    phase: Phase = Phase.STARTING
    source: SourceInfo | None = None
    engine: EngineInfo | None = None
    # The file of the engine that the settings name in place of the installed one.
    weights: Path | None = None
    background: str = ""
    # By the name of their `SinkSpec`: device or name of an open one, otherwise None.
    outputs: Mapping[str, str | None] = field(default_factory=dict)
    # The number of programs that read the virtual camera; None if unknown. All readers of the
    # PipeWire camera count as one.
    readers: int | None = None
    # Unmatted frames leave because the user chose the background "none".
    unmatted: bool = False
    # That of the settings in use, or whose use has failed; see `SettingsOwner`.
    revision: int = 0
    building: Building | None = None
    # What the preparation for this computer does, which the model waits for and which happens once.
    first_preparation: Text | None = None
    # None at full quality.
    lowered: Lowered | None = None
    # The part of the frame that the output covers, within the manual crop: that of auto-framing.
    view: View = WHOLE_VIEW
    # Nobody is shown, because it is not certain who the selected person is.
    hides_person: bool = False
    size: tuple[int, int] = (0, 0)
    """(width, height) of the newest frame, in pixels."""
    fps_in: float = 0.0
    fps_out: float = 0.0
    latency_ms: Latencies = Latencies()
    frames_in: int = 0
    frames_out: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    # For recordings of output and matte.
    encoded_frames: int = 0
    # Left out of recordings because the encoder was too slow.
    recording_dropped: int = 0
    # Files of the recordings that ended.
    recorded: tuple[str, ...] = ()
    # Since the start of the run, and CPU time of the process within them.
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    # The open ones, the newest last; one is closed when the part that it comes from works again.
    problems: tuple[Problem, ...] = field(default=())
    # Every problem of the run, oldest first, without repetitions;
    # after the first ones, a sentence names the log.
    errors: tuple[str, ...] = field(default=())

    @property
    def virtual_camera(self) -> str | None:
        """Its device file, or its name if the system has no device files.

        None while there is none.
        """
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
        """What is being prepared for this computer or built, in English; empty if nothing is."""
        if self.first_preparation is not None:
            return self.first_preparation
        return "" if self.building is None else self.building.value


# Fields that keep their values after the end, when engine, source and sinks are closed.
OF_THE_RUN = ("source", "engine", "weights", "outputs", "fps_in", "fps_out", "latency_ms")
# Fields that the JSON has as they are.
_COPIED = (
    "frames_in",
    "frames_out",
    "frames_sent",
    "frames_dropped",
    "encoded_frames",
    "recording_dropped",
    "hides_person",
    "background",
    "readers",
)
# Fields of `EngineInfo`, which the JSON has beside the others; null without an engine.
_OF_THE_ENGINE = ("model", "executor", "precision", "device", "downsample_ratio")


def status_fields(status: PipelineStatus) -> dict[str, Any]:
    """Return the fields of the JSON; latencies in milliseconds."""
    user_s, system_s = psutil.Process().cpu_times()[:2]
    cpu_s = user_s + system_s
    return {
        **{name: getattr(status, name) for name in _COPIED},
        "busy": status.busy,
        **{name: getattr(status.engine, name, None) for name in _OF_THE_ENGINE},
        "weights": None if status.weights is None else str(status.weights),
        "seconds": round(status.seconds, 3),
        "fps_in": round(status.fps_in, 2),
        "fps_out": round(status.fps_out, 2),
        "latency_ms": _rounded(status.latency_ms),
        "size": list(status.size),
        "view": [round(value, 4) for value in dataclasses.astuple(status.view)],
        "cpu_ms_per_frame": round(cpu_s * 1e3 / max(1, status.frames_out), 1),
        "cpu_percent": round(100 * status.cpu_seconds / max(status.seconds, 0.001), 1),
        "peak_rss_mb": round(peak_memory_bytes() / 1e6, 1),
        "phase": status.phase.value,
        "source": dataclasses.asdict(status.source) if status.source else None,
        **status.outputs,
        "problems": [
            {"stage": problem.stage.value, "message": problem.message}
            for problem in status.problems
        ],
        "errors": list(status.errors),
    }


def _rounded(latencies: Latencies) -> dict[str, dict[str, float]]:
    """Return median and p95 of each stage, to hundredths of a millisecond."""
    return {
        stage: {figure: round(value_ms, 2) for figure, value_ms in latency.items()}
        for stage, latency in dataclasses.asdict(latencies).items()
    }


def peak_memory_bytes() -> int:
    """Return the most memory that this process has held so far."""
    if sys.platform == "win32":
        peak_bytes = psutil.Process().memory_info().peak_wset
    else:
        import resource

        peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if sys.platform == "linux":
            peak_kib = peak_bytes
            # That begins with what the process that started this one had held. Not every
            # container tells this process's own peak.
            for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmHWM"):
                    peak_kib = int(line.split()[1])
            peak_bytes = peak_kib * 1024
    return peak_bytes


def write_status(path: Path, status: PipelineStatus) -> None:
    """Write the JSON file with mode 0600, in place of a link, or write to a stream.

    Raise MattecamError.
    """
    data = (json.dumps(status_fields(status), indent=2) + "\n").encode()
    try:
        # A pipe or /dev/stdout is written to, not replaced by a file.
        if is_stream(path):
            with open(path, "wb", opener=_open_stream) as stream:
                stream.write(data)
        else:
            write_private(path, data)
    except OSError as error:
        reason = why_not_written(error)
        raise MattecamError(
            t("The status file {file} cannot be written: {reason}.", file=path, reason=reason)
        ) from error


def _open_stream(name: str, flags: int) -> int:
    """Open a pipe only while a program reads from it: without one, opening it waits.

    Raises OSError.
    """
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    if sys.platform != "win32":
        os.set_blocking(descriptor, True)
    return descriptor


_log = logging.getLogger(__name__)
# Of all problems of a run together: the status is sent as a whole to each client that asks.
MAX_ERRORS = 100
MAX_ERROR_CHARS = 50_000
MORE_ERRORS = "There were further problems; the log has them."
MAX_SAMPLES = 1000
RATE_SPAN_S = 2.0
# Older samples do not count: after a recording ends, its latency is no longer that of now.
LATENCY_SPAN_S = 5.0


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
        # Number of events that are counted; set before the first one.
        self.limit: int | None = None

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
        durations_ms = sorted(duration_ms for _, duration_ms in self._recent(self._now()))
        if not durations_ms:
            return Latency()
        median = durations_ms[len(durations_ms) // 2]
        p95 = durations_ms[int(len(durations_ms) * 0.95)]
        return Latency(median, p95)

    def per_second(self) -> float:
        """Return events per second; 0 without events."""
        now_s = self._now()
        times_s = [at_s for at_s, _ in self._recent(now_s)]
        if len(times_s) < 2:
            return 0.0
        first_s = times_s[0]
        last_s = times_s[-1]
        intervals = len(times_s) - 1
        # Once the next event is overdue, the time without it counts as well: a stall shows at once.
        overdue_s = now_s - (last_s - first_s) / intervals
        elapsed_s = max(last_s, overdue_s) - first_s
        return intervals / elapsed_s if elapsed_s > 0 else 0.0

    def _recent(self, now_s: float) -> list[tuple[float, float]]:
        with self._lock:
            while self._samples and self._samples[0][0] <= now_s - self._span_s:
                self._samples.popleft()
            return list(self._samples)


class RunErrors:
    """Every problem of a run, oldest first and each once, within limits. Not thread-safe."""

    def __init__(self) -> None:
        self._messages: list[str] = []
        self._chars = 0

    def add(self, message: str) -> None:
        """Keep a message; beyond the limits, one sentence in its place names the log."""
        if message in self._messages:
            return
        self._chars += len(message)
        if len(self._messages) < MAX_ERRORS and self._chars <= MAX_ERROR_CHARS:
            self._messages.append(message)
        elif MORE_ERRORS not in self._messages:
            self._messages.append(MORE_ERRORS)
            self._chars = MAX_ERROR_CHARS  # none is added from now on, however short it is

    @property
    def messages(self) -> tuple[str, ...]:
        """Those kept so far."""
        return tuple(self._messages)


# A line of the log that comes again within this time is counted instead.
REPEAT_S = 60.0
# Of those written last, so that lines that always differ take no memory.
MAX_REMEMBERED_LINES = 50


class RepeatedLines:
    """Keeps lines of the log that come again and again, as of a camera that fails after each
    opening, to one a minute. Not thread-safe.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._written_at_s: dict[str, float] = {}
        self._left_out: Counter[str] = Counter()

    def to_write(self, line: str) -> str | None:
        """Return a line with how often it was left out before; None where it is left out now."""
        now_s = self._now()
        written_at_s = self._written_at_s.get(line)
        if written_at_s is not None and now_s - written_at_s < REPEAT_S:
            self._left_out[line] += 1
            return None
        self._written_at_s.pop(line, None)  # the dictionary is in the order of writing
        self._written_at_s[line] = now_s
        times = self._left_out.pop(line, 0)
        if len(self._written_at_s) > MAX_REMEMBERED_LINES:
            oldest = next(iter(self._written_at_s))
            del self._written_at_s[oldest]
            self._left_out.pop(oldest, None)
        if times == 0:
            return line
        return f"{line} (and {times} times since this line was last written)"


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened; only the differences of two moments mean anything."""

    at_s: float
    """By time.perf_counter()."""
    # CPU time of the process until then.
    cpu_s: float

    @classmethod
    def now(cls) -> Moment:
        """Return this moment."""
        return cls(time.perf_counter(), time.process_time())


class StatusBoard:
    """Problems, rates and latencies of a run.

    Thread-safe; what else the status shows belongs to the part it is of.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The open ones, by stage and by the part of it that reported them.
        self._problems: dict[tuple[Stage, object], Problem] = {}
        # These two under the lock, as the problems.
        self._errors = RunErrors()
        self._lines = RepeatedLines()
        self._started = Moment.now()
        self.capture_ms = Meter(LATENCY_SPAN_S)
        self.step_ms = Meter(LATENCY_SPAN_S)
        self.output_ms = Meter(LATENCY_SPAN_S)
        self.end_to_end_ms = Meter(LATENCY_SPAN_S)
        self.frames_in = Meter(RATE_SPAN_S)
        self.frames_out = Meter(RATE_SPAN_S)
        self.frames_sent = Meter(RATE_SPAN_S)
        # (width, height) of the newest frame, and so of the card; None before the first
        # one. Set by matting.
        self.size: tuple[int, int] | None = None
        # Revisions of the settings that are in use, or whose use has failed: by the
        # source, by matting of its frames, and by the picture sent.
        self.captured = 0
        self.matted = 0
        self.sent = 0

    def report(
        self,
        stage: Stage,
        problem: Exception | str | None,
        part: object = None,
        *,
        is_late: bool = False,
        is_warning: bool = False,
        remedy: Remedy | None = None,
    ) -> None:
        """Report the problem of a part of `stage`, which stays open until None is reported.

        The part works (again).

        A repeated report changes nothing. remedy: of a text, as of `MattecamError`, which has its
        own.
        """
        message = text_of(problem) if isinstance(problem, Exception) else problem
        with self._lock:
            known = self._problems.get((stage, part))
            known_message = None if known is None else known.message
            if message == known_message:
                return
            if message is None:
                del self._problems[stage, part]
                line = self._lines.to_write(f"Over: {known_message}")
            else:
                unusable = False
                if isinstance(problem, MattecamError):
                    unusable = problem.unusable
                    remedy = problem.remedy
                new = Problem(
                    stage,
                    message,
                    time.monotonic(),
                    part,
                    is_late,
                    is_warning,
                    unusable,
                    remedy,
                )
                self._problems[stage, part] = new
                self._errors.add(message)
                line = self._lines.to_write(message)
        if line is None:
            return
        if message is None:
            _log.info("%s", line)
        else:
            _log.warning(
                "%s",
                line,
                exc_info=problem if isinstance(problem, Exception) else None,
            )

    def read(self) -> PipelineStatus:
        """Return a snapshot."""
        revision = self.sent  # before the problems with these settings
        with self._lock:
            problems = tuple(sorted(self._problems.values(), key=attrgetter("at_s")))
            errors = self._errors.messages
        now = Moment.now()
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
            seconds=now.at_s - self._started.at_s,
            cpu_seconds=now.cpu_s - self._started.cpu_s,
            problems=problems,
            errors=errors,
        )
