"""One run of the pipeline without a window: start, limits, messages, end."""

from __future__ import annotations

import threading
import time

from app.cli.proof import PROOF_S
from app.cli.terminal import notify
from app.core.errors import Stage, Text, counted
from app.core.settings import Settings
from app.core.types import Picture, PictureKind
from app.runtime.pipeline import Pipeline
from app.runtime.status import Latency, Phase, PipelineStatus
from app.runtime.worker import SlotClosed

START_LIMIT_S = 120.0
POLL_S = 0.25
"""Interval of status polls while no frame wakes the run."""
UNNEEDED: tuple[Stage, ...] = (Stage.MICROPHONE,)
"""Parts without which a run goes on: their problems are reported."""
STANDBY_START_S = 10.0
"""A run on stand-by has started after this time; any other has started with the first frame sent."""


class HeadlessRun:
    """One run of the pipeline on the calling thread."""

    def __init__(self, pipeline: Pipeline, seconds: float | None, frames: int | None, *, waits: bool = False) -> None:
        """seconds, frames: limits, None for none; the seconds count from the first frame sent on.

        A run with a limit of seconds, or that records, fails if no frame comes. One without a limit waits for a camera
        where none is named, and with `waits` for every camera and virtual camera.
        """
        self.pipeline = pipeline
        self._seconds = seconds
        self._frames = frames
        self._waits = waits
        self._from_first_matte = seconds is not None or records(pipeline.settings)
        self._started_s = 0.0
        self._counted_from_s: float | None = None
        """time.monotonic() from which the seconds count."""
        self._start_settings = pipeline.settings
        self.has_started = False
        """A problem no longer ends the run."""
        self._wake = threading.Event()
        self._announced = ""
        self.status = PipelineStatus()
        self.sample: Picture | None = None
        """A composite from the middle of the run."""
        self.newest: Picture | None = None
        """The newest picture, for a snapshot (any thread)."""
        self.failure: str | None = None
        """Why the run failed, in one sentence."""
        self.interrupted = False
        self._ending = False

    def end(self) -> None:
        """End the run (any thread)."""
        self._ending = True
        self._wake.set()

    def interrupt(self) -> None:
        """End the run from a signal handler.

        Must not use `_wake`: the interrupted thread may hold its lock. The run polls `_ending`.
        """
        self.interrupted = True
        self._ending = True

    def run(self) -> None:
        """Run the pipeline until a limit, `end`, `interrupt` or a failed start."""
        pipeline = self.pipeline
        pipeline.listen(self._wake.set)
        if self._frames is not None:
            pipeline.limit_frames(self._frames)
        self._started_s = time.monotonic()
        self._counted_from_s = None if self._from_first_matte else self._started_s
        pipeline.start()
        try:
            while not self._ending and not self._is_over():
                self._wake.wait(POLL_S)
                self._wake.clear()
                self._observe()
        finally:
            stopped = pipeline.stop()
            last = self.status
            self.status = pipeline.status()
        if self.failure is None:
            self.failure = _failure_at_end(last, self.status, stopped, waits=self._awaits_camera(last))

    def _observe(self) -> None:
        decided = self.pipeline.outputs_decided  # before the status, which has their problems then
        status = self.status = self.pipeline.status()
        try:
            self._keep(self.pipeline.preview.get(0))
        except SlotClosed:
            return
        # No composite is due.
        stands_by = status.phase is Phase.RESTING or self.pipeline.settings.paused
        now_s = time.monotonic()
        if self._counted_from_s is None and (status.frames_out > 0 or stands_by):
            self._counted_from_s = now_s
        if isinstance(status.busy, Text):  # the preparation for this machine, which may take longer than a start
            self._started_s = now_s
            if status.busy != self._announced:
                notify(status.busy)
                self._announced = status.busy
        if not self.has_started:
            self.failure = self._failed_start(status)
        if self.failure is None:
            description = described(status) if decided else ""
            if description and description != self._announced:
                notify(description)
                self._announced = description
            stands_by = stands_by or status.phase is Phase.NO_CAMERA
            if decided and (status.frames_out > 0 or (stands_by and now_s - self._started_s >= STANDBY_START_S)):
                self.has_started = True

    def _failed_start(self, status: PipelineStatus) -> str | None:
        """Return the problem for which the start failed: users expect what they named, or an error.

        A problem after a command is answered to the command, and the run goes on.
        """
        settings = self.pipeline.settings  # read after the status: a command changes them before it causes a problem
        if settings is not self._start_settings:
            return None
        unneeded = UNNEEDED
        if self._waits:
            unneeded += (Stage.VIRTUAL_CAMERA, Stage.PIPEWIRE)
        if settings.paused or self._awaits_camera(status):
            unneeded += (Stage.CAPTURE,)  # the source is opened again until the user resumes
        problems = [p for p in status.problems if p.stage not in unneeded]
        failed = [p.message for p in problems if p.stage is not Stage.CAPTURE or status.frames_out == 0]
        return failed[0] if failed else None

    def _awaits_camera(self, status: PipelineStatus) -> bool:
        """Return whether the run goes on without a camera until one comes."""
        limited = self._seconds is not None or self._frames is not None
        any_camera = self.pipeline.settings.capture.source == "auto"
        return self._waits or (status.phase is Phase.NO_CAMERA and any_camera and not limited)

    def _keep(self, picture: Picture | None) -> None:
        if picture is None:
            return
        self.newest = picture
        counted_s = 0.0 if self._counted_from_s is None else time.monotonic() - self._counted_from_s
        first_half = self.sample is None or counted_s < (self._seconds or PROOF_S) / 2
        if picture.kind is PictureKind.COMPOSITE and first_half:
            self.sample = picture

    def _is_over(self) -> bool:
        if self.failure is not None:
            return True
        now_s = time.monotonic()
        if self._counted_from_s is None:
            if self._awaits_camera(self.status):
                self._started_s = now_s
            elif now_s - self._started_s > START_LIMIT_S:
                self.failure = f"No frame was matted within {START_LIMIT_S:.0f} seconds; run `python3 run.py doctor`."
        elif self._seconds is not None and now_s - self._counted_from_s >= self._seconds:
            return True
        return self._frames is not None and self.status.frames_out >= self._frames


def records(settings: Settings) -> bool:
    """Return whether a recording is made."""
    return settings.output.record is not None or settings.output.record_alpha is not None


def summary(status: PipelineStatus) -> str:
    """Return the measurements of a run in one line."""
    latency = status.latency_ms
    engine = status.engine
    ran = f"{engine.model} on {engine.device} ({engine.executor}, {engine.precision})" if engine else "no model"
    # Without a sink no frame arrives anywhere.
    whole = f" end to end {_milliseconds(latency.end_to_end)}," if latency.end_to_end.median else ""
    return (
        f"{counted(status.frames_out, 'frame')} in {status.seconds:.1f} s with {ran},"
        f" step {_milliseconds(latency.step)},{whole} {status.frames_dropped} dropped"
    )


def _milliseconds(latency: Latency) -> str:
    return f"{latency.median:.1f} ms (p95 {latency.p95:.1f})"


def described(status: PipelineStatus) -> str:
    """Return model, executor, device and camera, which has been decided, in one line; empty until an engine runs."""
    if status.engine is None or status.source is None or status.frames_out == 0:
        return ""
    source, engine = status.source, status.engine
    cameras = [name for name in (status.virtual_camera, status.pipewire) if name]
    camera = f", virtual camera {' and '.join(cameras)}" if cameras else ", no virtual camera"
    return (
        f"{source.name} {source.width}x{source.height} at {source.fps:g} fps, {engine.model} on {engine.device}"
        f" ({engine.executor}, {engine.precision}), background {status.background}{camera}"
    )


def _failure_at_end(last: PipelineStatus, end: PipelineStatus, stopped: bool, *, waits: bool) -> str | None:
    for problem in end.problems:
        if problem.stage is Stage.RECORDING:
            return problem.message
    if last.phase in (Phase.WAITING, Phase.NO_CAMERA) and last.problems and not waits:
        return last.problems[-1].message
    return None if stopped else "A part of the program did not stop in time; the driver of a device may hang."
