"""The command `headless`.

Runs the pipeline without a window, prints measurements, and may record a proof of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
import typer

from app.backgrounds.kinds import named_backgrounds
from app.capture.table import AUTO, finds_camera
from app.cli.options import LiveOptions
from app.cli.start import (
    CONFIRM,
    UNUSED_ZONES,
    StartSettings,
    unmatted_not_confirmed,
    why_unconfirmed,
)
from app.cli.terminal import notify
from app.config.scenes import SceneStore, path_beside
from app.control.controller import SettingsController
from app.control.program import RunningProgram
from app.control.server import ControlServer
from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, paths
from app.core.errors import MattecamError, Stage, UsageError, counted
from app.core.files import is_file, why_not_written
from app.core.paths import program_command
from app.core.process import handled
from app.core.threads import on_own_thread
from app.core.types import Outgoing, Picture, PictureKind
from app.core.worker import SlotClosed
from app.matting.interface import EngineInfo
from app.output.base import write_snapshot
from app.output.camera_list import is_busy
from app.output.interrupted import kept_after_crash
from app.output.table import has_camera
from app.runtime.context import default_parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import Building, Latency, Phase, PipelineStatus, Problem, write_status
from app.settings import Settings

log = logging.getLogger(__name__)


def run(start: StartSettings, options: LiveOptions) -> int:
    """Run until a limit of `options`, a signal, or a failed start; return the exit code."""
    if start.warning:
        notify(start.warning)
    on_own_thread("kept-recordings", tell_kept)
    settings = start.settings
    film = paths.from_user(settings.capture.source)
    people = settings.people
    if is_file(film) and people.zones_of(str(film.resolve())) != people.zones:
        notify(UNUSED_ZONES)
    limits = Limits(options.seconds, options.frames)
    # With the virtual camera off, a run is a measurement,
    # which has no output either, but writes no proof.
    shows_nothing = not records(settings) and settings.output.virtual_camera == "auto"
    proves = not limits.are_set and not options.wait and shows_nothing and not has_camera(settings)
    if not start.unmatted_confirmed:  # the background "none" was saved, not named for this run
        if limits.are_set or proves or records(settings):  # a paused run would end without a result
            raise unmatted_not_confirmed()
        notify(
            'The saved background is "none", which shows the room, so the outputs show the '
            "stand-by card. Start with `--background none` to confirm it, or choose another with "
            f"`{program_command()} ctl background` and then `{program_command()} ctl pause off`."
        )
        settings = settings.replace(paused=True)
    if settings.unconfirmed:  # by the window, which wrote the file of --config
        if limits.are_set or proves or records(settings):
            raise UsageError(f"{why_unconfirmed(start.path)}; {CONFIRM}.")
        shown = (
            f"so the outputs show the stand-by card; `{program_command()} ctl pause off` goes on"
        )
        notify(f"{why_unconfirmed(start.path)}, {shown}.")
        settings = settings.replace(paused=True)
    if proves:
        settings = with_proof(settings)
        limits = Limits(seconds=PROOF_S)
        notify(
            f"No window and no virtual camera here, so I record a {PROOF_S:g}-second sample: "
            f"{settings.output.record}",
        )
        if settings.capture.source == AUTO and not finds_camera(is_busy):
            notify("No camera was found, so the sample shows the demonstration.")
            settings = settings.replace(capture=settings.capture.replace(source="demo"))
    pipeline = Pipeline(settings, parts=default_parts())
    session = HeadlessRun(pipeline, limits, waits=options.wait)
    # No command changes what a sample shows, which nobody has asked to save.
    control: AbstractContextManager[None] = nullcontext()
    if not proves:
        control = _controlled(session, path_beside(start.path), keeps_pause=not limits.are_set)
    with handled(lambda _number, _frame: session.interrupt()), control:
        session.run()
    try:
        return report(session, settings, proves=proves)
    finally:
        if options.status_json is not None:
            write_status(options.status_json, session.status)


def report(session: HeadlessRun, settings: Settings, *, proves: bool) -> int:
    """Print the results or the failure; return the exit code."""
    clip = settings.output.record
    if not proves:
        # Both end at the same time, in any order: the output is named first.
        matte = str(settings.output.record_alpha)
        for file in sorted(session.status.recorded, key=lambda file: file == matte):
            typer.echo(f"Recorded {file}")
    elif clip is not None and str(clip) in session.status.recorded and session.sample is not None:
        typer.echo(clip)
        picture = clip.with_name("before-after.png")
        if write_before_after(picture, session.pipeline.release(session.sample)):
            typer.echo(picture)
    if session.failure is not None:
        if session.failure not in session.status.errors:  # workers log their own errors
            notify(session.failure)
        return EXIT_USAGE if session.named_unusable else EXIT_FAILED
    typer.echo(summary(session.status))
    return EXIT_INTERRUPTED if session.interrupted else EXIT_DONE


def tell_kept() -> None:
    """Print which recordings a crash left. Their disk may not answer."""
    kept = kept_after_crash()
    if kept is not None:
        notify(kept)


@contextmanager
def _controlled(session: HeadlessRun, scenes: Path, *, keeps_pause: bool) -> Iterator[None]:
    """Execute commands of `run.py ctl` inside the context.

    scenes: the file with them. keeps_pause: start paused after a run that crashed while it was
    paused: a service is started again by itself.
    """
    pipeline = session.pipeline
    controller = SettingsController(
        pipeline,
        backgrounds=_backgrounds,
        scenes=SceneStore(scenes),
        request_quit=session.end,
    )
    program = RunningProgram()
    server = ControlServer(controller, program)
    for thread in server.threads:
        pipeline.watch(thread)
    server.listen()
    has_ended = False

    def forget_pause() -> None:
        # A run that failed is started again by its service, and must then be paused as before.
        if keeps_pause and has_ended:
            program.forget_pause()

    try:
        if keeps_pause:
            _keep_pause(pipeline, program)
        server.start()  # no command is answered before the pause is in force
        yield
        has_ended = session.failure is None
    finally:
        server.stop(last=forget_pause)


def _backgrounds() -> list[tuple[str, str | Path]]:
    """Return what `ctl background` knows by name, with its value."""
    words: list[tuple[str, str | Path]] = [("none", "none"), ("blur", "blur"), ("green", "green")]
    return words + [(name, path) for path, name in named_backgrounds()]


def _keep_pause(pipeline: Pipeline, program: RunningProgram) -> None:
    """Pause if the last run crashed while it was paused, and tell the next run about this one."""
    if program.was_paused:
        if program.problem is None:
            notify(
                "The last run crashed while it was paused, so the outputs show the stand-by card; "
                f"`{program_command()} ctl pause off` goes on."
            )
        else:  # a command reaches the other one
            notify(
                "Another Mattecam is paused, or crashed while it was paused, so the outputs show "
                f"the stand-by card; end the other one, then `{program_command()} ctl pause off` "
                "goes on."
            )
        pipeline.change(lambda settings: settings.replace(paused=True))
    program.keep_pause(lambda: pipeline.settings.paused)
    pipeline.owner.listen(program.mark_pause)


START_LIMIT_S = 120.0
# The same while a network is loaded: a busy computer takes minutes to import
# and compile what it needs, and a driver that hangs would never end.
BUILD_LIMIT_S = 600.0
# Interval of looks at the pipeline.
POLL_S = 0.1
# A run on stand-by, or without its background, has started
# after this time; another with the first frame sent.
STANDBY_START_S = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run ends by itself; None: no such limit."""

    # They count from the first frame sent on.
    seconds: float | None = None
    frames: int | None = None

    @property
    def are_set(self) -> bool:
        """Whether there is one."""
        return self.seconds is not None or self.frames is not None


class HeadlessRun:
    """One run of the pipeline on the calling thread."""

    def __init__(self, pipeline: Pipeline, limits: Limits, *, waits: bool = False) -> None:
        """A run with a limit of seconds, or that records, fails if no frame comes. One without a
        limit waits for a camera where none is named, and with `waits` for every camera and virtual
        camera.
        """
        self.pipeline = pipeline
        self._limits = limits
        self._waits = waits
        self._started_s = 0.0
        # time.monotonic() at which a network was last seen being loaded.
        self._loading_s = 0.0
        # time.monotonic() from which the seconds count.
        self._counted_from_s: float | None = None
        self._start_settings = pipeline.settings
        # A problem no longer ends the run.
        self.has_started = False
        self._announced = ""
        self.status = PipelineStatus()
        # The newest composite.
        self.sample: Picture | None = None
        # Why the run failed, in one sentence.
        self.failure: str | None = None
        # It failed because something that was named cannot be used.
        self.named_unusable = False
        self.interrupted = False
        self._ending = False
        self._wake: SimpleQueue[None] = SimpleQueue()

    def end(self) -> None:
        """End the run (any thread, and from a signal handler, which must take no lock:
        `SimpleQueue` needs none).
        """
        self._ending = True
        self._wake.put(None)

    def interrupt(self) -> None:
        """End the run from a signal handler."""
        self.interrupted = True
        self.end()

    def run(self) -> None:
        """Run the pipeline until a limit, `end`, `interrupt` or a failed start."""
        pipeline = self.pipeline
        if self._limits.frames is not None:
            pipeline.limit_frames(self._limits.frames)
        self._started_s = time.monotonic()
        if self._limits.seconds is None and not records(pipeline.settings):
            self._counted_from_s = self._started_s
        pipeline.start()
        try:
            while not self._ending and not self._is_over():
                with suppress(Empty):
                    self._wake.get(timeout=POLL_S)
                self._observe()
        finally:
            stopped = pipeline.stop()
            last = self.status
            self.status = pipeline.status()
        # A run of few frames may end before the problem of a background is known.
        if not self.has_started:
            self._note_failed_start(self.status, late=True)
        if self.failure is None:
            problem = _problem_at_end(last, self.status, waits=self._awaits_camera(last))
            if problem is not None:
                self._fail(problem)
            elif not stopped:
                self.failure = (
                    "A part of the program did not stop in time; the driver of a device may hang."
                )

    def _observe(self) -> None:
        now_s = time.monotonic()
        late = now_s - self._started_s >= STANDBY_START_S
        # Before the status, which has their problems then.
        decided = self.pipeline.outputs_decided and (self.pipeline.pictures_decided or late)
        status = self.pipeline.status()
        self.status = status
        try:
            picture = self.pipeline.preview.get(0)
        except SlotClosed:
            return
        if picture is not None and picture.kind is PictureKind.COMPOSITE:
            self.sample = picture
        # No composite is due.
        stands_by = status.phase is Phase.RESTING or self.pipeline.settings.paused
        if self._counted_from_s is None and (status.frames_out > 0 or stands_by):
            self._counted_from_s = now_s
        first_preparation = status.first_preparation
        if first_preparation is not None:
            self._started_s = now_s  # it may take longer than a start
            self._announce(first_preparation)
        if not self.has_started:
            self._note_failed_start(status, late=late)
        if self.failure is None:
            if decided:
                self._announce(described(status))
            stands_by = stands_by or status.phase is Phase.NO_CAMERA
            if decided and (status.frames_out > 0 or (stands_by and late)):
                self.has_started = True

    def _announce(self, sentence: str) -> None:
        """Print a sentence, once in a row; an empty one not at all."""
        if sentence and sentence != self._announced:
            notify(sentence)
            self._announced = sentence

    def _note_failed_start(self, status: PipelineStatus, *, late: bool) -> None:
        """Note the problem for which the start failed: users expect what they named, or an error.

        A problem after a command is answered to the command, and the run goes on. late: wait for no
        disk any longer, such as one that starts to turn.
        """
        # Read after the status: a command changes them before it causes a problem.
        settings = self.pipeline.settings
        if _without_recordings(settings) != _without_recordings(self._start_settings):
            return
        unneeded = {Stage.MICROPHONE, Stage.SCREEN_LOCK}  # the run goes on without it
        if self._waits:
            unneeded |= {Stage.VIRTUAL_CAMERA, Stage.PIPEWIRE}
        if status.frames_out > 0 or settings.paused or self._awaits_camera(status):
            unneeded.add(Stage.CAPTURE)  # the source is opened again until the user resumes
        if not late and not self.pipeline.pictures_decided:
            unneeded |= {Stage.BACKGROUND, Stage.OUTPUT}
        if not records(self._start_settings):
            unneeded.add(Stage.RECORDING)  # a command asked for it
        for problem in status.problems:
            if problem.stage not in unneeded and not problem.is_warning:
                self._fail(problem)
                return

    def _fail(self, problem: Problem) -> None:
        self.failure = problem.message
        named = not is_automatic(self._start_settings, problem.stage)
        # What worked at the start has failed since.
        self.named_unusable = problem.unusable and named and not self.has_started

    def _awaits_camera(self, status: PipelineStatus) -> bool:
        """Return whether the run goes on without a camera until one comes."""
        if self._waits:
            return True
        takes_any_camera = self.pipeline.settings.capture.source == "auto"
        return status.phase is Phase.NO_CAMERA and takes_any_camera and not self._limits.are_set

    def _failed_start(self, now_s: float) -> str | None:
        """Return why no frame is awaited any more; None while one may still come."""
        waited_s = now_s - self._started_s
        limit_s = BUILD_LIMIT_S
        if self.status.building is Building.MODEL:
            self._loading_s = now_s
        else:
            # What was loaded for minutes has not yet had the time of a frame.
            waited_s = min(waited_s, now_s - self._loading_s)
            limit_s = START_LIMIT_S
        if waited_s <= limit_s:
            return None
        return (
            f"No frame was matted within {limit_s:.0f} seconds; run `{program_command()} doctor`."
        )

    def _is_over(self) -> bool:
        limits = self._limits
        if self.failure is not None:
            return True
        now_s = time.monotonic()
        if self._counted_from_s is None:
            if self._awaits_camera(self.status):
                self._started_s = now_s
            else:
                self.failure = self._failed_start(now_s)
                if self.failure is not None:
                    return True  # the next look would be of a start without a problem
        elif limits.seconds is not None and now_s - self._counted_from_s >= limits.seconds:
            return True
        return limits.frames is not None and self.status.frames_out >= limits.frames


def _without_recordings(settings: Settings) -> Settings:
    """Return the settings without what a recording that failed takes out of them by itself."""
    return settings.replaced_at(["output"], record=None, record_alpha=None)


def is_automatic(settings: Settings, stage: Stage) -> bool:
    """Return whether the program chooses the device of a stage by itself."""
    chosen = {
        Stage.CAPTURE: settings.capture.source,
        Stage.VIRTUAL_CAMERA: settings.output.virtual_camera,
    }
    return chosen.get(stage) == AUTO


def records(settings: Settings) -> bool:
    """Return whether a recording is made."""
    return settings.output.record is not None or settings.output.record_alpha is not None


def summary(status: PipelineStatus) -> str:
    """Return the measurements of a run in one line."""
    if status.frames_out == 0:
        return f"No frame was sent in {status.seconds:.1f} s."
    latency = status.latency_ms
    ran = "no model" if status.engine is None else _engine_words(status.engine)
    whole = ""
    if latency.end_to_end.median:  # without a sink no frame arrives anywhere
        whole = f" end to end {_milliseconds(latency.end_to_end)},"
    return (
        f"{counted(status.frames_out, 'frame')} in {status.seconds:.1f} s with {ran},"
        f" step {_milliseconds(latency.step)},{whole} {status.frames_dropped} dropped"
    )


def _engine_words(engine: EngineInfo) -> str:
    return f"{engine.model} on {engine.device} ({engine.executor}, {engine.precision})"


def _milliseconds(latency: Latency) -> str:
    return f"{latency.median:.1f} ms (p95 {latency.p95:.1f})"


def described(status: PipelineStatus) -> str:
    """Return model, executor, device and camera, which has been decided, in one line.

    Empty until an engine runs.
    """
    if status.engine is None or status.source is None or status.frames_out == 0:
        return ""
    source = status.source
    cameras = [name for name in (status.virtual_camera, status.pipewire) if name]
    camera = "no virtual camera"
    if cameras:
        camera = f"virtual camera {' and '.join(cameras)}"
    return (
        f"{source.name} {source.width}x{source.height} at {source.fps:g} fps,"
        f" {_engine_words(status.engine)}, background {status.background}, {camera}"
    )


def _problem_at_end(last: PipelineStatus, end: PipelineStatus, *, waits: bool) -> Problem | None:
    """Return the problem for which a run without a failure so far has failed; None without one."""
    for problem in end.problems:
        if problem.stage is Stage.RECORDING:
            return problem
    if last.phase in (Phase.WAITING, Phase.NO_CAMERA) and last.problems and not waits:
        return last.problems[-1]
    return None


PROOF_S = 10.0


def with_proof(settings: Settings) -> Settings:
    """Return the settings that record the clip.

    Raises UsageError for the background "none", whose clip would show the camera's surroundings,
    and MattecamError if the folder cannot be created.
    """
    if settings.background.kind == "none":
        raise UsageError(
            'With the background "none" a proof would show the unprocessed camera frame; name a '
            "file with --record, or choose another background."
        )
    folder = paths.data_dir() / "proof"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MattecamError(
            f"The proof cannot be written to {folder}: {why_not_written(error)}. Another folder "
            "can be named in MATTECAM_DATA_DIR."
        ) from error
    return settings.replace(output=settings.output.replace(record=folder / "proof.mp4"))


def write_before_after(path: Path, picture: Outgoing) -> bool:
    """Write frame and composite side by side and return whether that was done.

    Only a composite of a frame of the demo source is written: a frame of any other source shows the
    user's surroundings. Raises SinkError if the file cannot be written.
    """
    frame = picture.frame
    if frame is None or not frame.synthetic or picture.kind is not PictureKind.COMPOSITE:
        return False
    gap = np.full((picture.size[1], 8, 3), 255, np.uint8)
    write_snapshot(path, np.hstack([frame.image, gap, picture.image]))
    return True
