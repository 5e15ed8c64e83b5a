"""The program without a window: runs the pipeline until it is told to stop, and says what it did."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from app.cli.options import LiveOptions, StartSettings
from app.cli.proof import PROOF_S, Proof, plan_proof, proof_parts, write_before_after
from app.cli.recover import offer_recovery
from app.compositing.library import named_backgrounds
from app.config.scenes import SceneStore, default_path
from app.control import BackgroundFile, ControlServer, SettingsController
from app.core.settings import Settings
from app.core.types import Picture, PictureKind
from app.output.virtual_camera import list_virtual_cameras
from app.plate.capture import mismatch
from app.runtime.parts import default_parts
from app.runtime.pipeline import Pipeline
from app.runtime.slot import SlotClosed
from app.runtime.status import Phase, PipelineStatus, Stage
from app.runtime.status_fields import status_fields, write_status

EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130
START_LIMIT_S = 120.0
LOOK_S = 0.25
"""How often the run is looked at while no frame wakes it."""


def run(start: StartSettings, options: LiveOptions) -> int:
    """Run until the limits of `options`, a signal, or a failure of the start; gives the exit code."""
    if start.warning:
        say(f"mattecam: {start.warning}")
    offer_recovery()
    settings = start.settings
    proof: Proof | None = None
    parts = default_parts()
    seconds = options.seconds
    if needs_proof(settings, options):
        proof, settings = plan_proof(settings)
        parts = proof_parts(parts)
        seconds = PROOF_S
        say("mattecam: there is no window, no virtual camera and no --record, so a short proof is recorded.")
    session = Session(Pipeline(settings, parts=parts), seconds, options.frames, from_first_matte=records(settings))
    with _stop_on_signals(session), _controlled(session):
        session.run()
    if options.status_json is not None:
        write_status(options.status_json, session.status)
    if proof is not None and session.sample is not None:
        typer.echo(proof.clip)
        if write_before_after(proof.picture, session.pipeline.release(session.sample)):
            typer.echo(proof.picture)
    if session.failure is not None:
        if session.failure not in session.status.errors:  # the log has shown those
            say(f"mattecam: {session.failure}")
        return EXIT_FAILED
    typer.echo(summary(session.status))
    return EXIT_INTERRUPTED if session.interrupted else EXIT_DONE


def needs_proof(settings: Settings, options: LiveOptions) -> bool:
    """Return whether the run has no output to show its result on.

    Without a virtual camera by choice, or with a limit of seconds or frames, the run is a measurement: it has no
    output either, but nothing is written.
    """
    if records(settings) or options.seconds is not None or options.frames is not None:
        return False
    return settings.output.virtual_camera == "auto" and not list_virtual_cameras()


def records(settings: Settings) -> bool:
    """Whether a recording is made: then a slow start must not use the seconds up."""
    return settings.output.record is not None or settings.output.record_alpha is not None


def summary(status: PipelineStatus) -> str:
    """One line of what was measured."""
    latency = status.latency_ms
    engine = status.engine
    ran = f"{engine.model} on {engine.device} ({engine.executor}, {engine.precision})" if engine else "no model"
    return (
        f"{status.frames_out} frames in {status.seconds:.1f} s with {ran},"
        f" step {latency.step.median:.1f} ms (p95 {latency.step.p95:.1f}),"
        f" end to end {latency.end_to_end.median:.1f} ms (p95 {latency.end_to_end.p95:.1f}),"
        f" {status.frames_dropped} dropped"
    )


def say(text: str) -> None:
    """A line for the user that is no result."""
    typer.echo(text, err=True)


class Session:
    """One run of the pipeline on the calling thread."""

    def __init__(
        self, pipeline: Pipeline, seconds: float | None, frames: int | None, *, from_first_matte: bool = False
    ) -> None:
        """from_first_matte: the seconds begin with the first composite, so that a slow start does not use them up."""
        self.pipeline = pipeline
        self._seconds = seconds
        self._frames = frames
        self._from_first_matte = from_first_matte
        self._started_s = 0.0
        self._begun_s: float | None = None
        """When the seconds began to count."""
        self._wake = threading.Event()
        self._told = ""
        self.status = PipelineStatus()
        self.sample: Picture | None = None
        """A composite from the middle of the run."""
        self.failure: str | None = None
        self.interrupted = False
        self._ending = False

    def end(self) -> None:
        """End the run in good order (any thread)."""
        self._ending = True
        self._wake.set()

    def interrupt(self) -> None:
        """End the run; safe in a signal handler, which must not touch `_wake`: the thread that it interrupts may be
        inside `_wake.wait`, holding its lock. The run looks again by itself.
        """
        self.interrupted = True
        self._ending = True

    def run(self) -> None:
        """Start, wait for the end, stop; `failure` tells what went wrong."""
        pipeline = self.pipeline
        pipeline.listen(self._wake.set)
        self._started_s = time.monotonic()
        self._begun_s = None if self._from_first_matte else self._started_s
        pipeline.start()
        try:
            while not self._ending and not self._over():
                self._wake.wait(LOOK_S)
                self._wake.clear()
                self._look()
        finally:
            ended = pipeline.stop()
            last = self.status
            self.status = pipeline.status()
        if self.failure is None:
            self.failure = _failure_at_end(last, self.status, ended)

    def _look(self) -> None:
        self.status = self.pipeline.status()
        status = self.status
        try:
            picture = self.pipeline.preview.get(0)
        except SlotClosed:
            picture = None
        middle = self.sample is None or status.seconds < (self._seconds or PROOF_S) / 2
        if picture is not None and picture.kind is PictureKind.COMPOSITE and middle:
            self.sample = picture
        if self._begun_s is None and status.frames_out > 0:
            self._begun_s = time.monotonic()
        if not self._told:
            # What was asked for has not worked yet: another network in its place would be a surprise.
            refused = [p.message for p in status.problems if p.stage is Stage.MATTING or status.frames_out == 0]
            self.failure = refused[0] if refused else None
        told = _running(status)
        if told and told != self._told:
            self._told = told
            say(f"mattecam: {told}")
            plate, source = self.pipeline.settings.matting.plate, status.source
            warning = mismatch(plate, source) if plate is not None and source is not None else None
            if warning is not None:
                say(f"mattecam: {warning}")

    def _over(self) -> bool:
        if self.failure is not None:
            return True
        now_s = time.monotonic()
        if self._begun_s is None:
            if now_s - self._started_s > START_LIMIT_S:
                self.failure = f"No matte came within {START_LIMIT_S:.0f} seconds; run `run.py doctor` to see why."
        elif self._seconds is not None and now_s - self._begun_s >= self._seconds:
            return True
        return self._frames is not None and self.status.frames_out >= self._frames


def _running(status: PipelineStatus) -> str:
    if status.engine is None or status.source is None or status.frames_out == 0:
        return ""
    source, engine = status.source, status.engine
    camera = f", virtual camera {status.virtual_camera}" if status.virtual_camera else ", no virtual camera"
    return (
        f"{source.name} {source.width}x{source.height} at {source.fps:g} fps, {engine.model} on {engine.device}"
        f" ({engine.executor}, {engine.precision}), background {status.background}{camera}"
    )


def _failure_at_end(last: PipelineStatus, end: PipelineStatus, ended: bool) -> str | None:
    for problem in end.problems:
        if problem.stage is Stage.RECORDING:
            return problem.message
    if last.phase is Phase.WAITING and last.problems:
        return last.problems[-1].message
    return None if ended else "A part of the program did not end in time; the driver of a device may hang."


@contextmanager
def _controlled(session: Session) -> Iterator[None]:
    """Listen to `run.py ctl` meanwhile."""
    pipeline = session.pipeline
    controller = SettingsController(
        change=pipeline.change,
        settings=lambda: pipeline.settings,
        status_fields=lambda: status_fields(pipeline.status()),
        backgrounds=lambda: [BackgroundFile(*background) for background in named_backgrounds()],
        find_scene=SceneStore(default_path()).get,
        request_quit=session.end,
    )
    server = ControlServer(controller)
    server.start()
    pipeline.watch("control", Stage.SETTINGS, lambda: server.died)
    try:
        yield
    finally:
        server.stop()


@contextmanager
def _stop_on_signals(session: Session) -> Iterator[None]:
    def handle(number: int, frame: FrameType | None) -> None:
        session.interrupt()

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
