"""The command `headless`: runs the pipeline without a window and prints measurements."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from app.backgrounds.kinds import named_backgrounds
from app.capture.table import AUTO, finds_camera
from app.cli.headless_run import HeadlessRun, records, summary
from app.cli.options import LiveOptions
from app.cli.proof import PROOF_S, kept_private, with_proof, write_before_after
from app.cli.start import UNUSED_ZONES, StartSettings
from app.cli.terminal import notify
from app.config.scenes import SceneStore, default_path
from app.control.controller import SettingsController
from app.control.files import BackgroundFile, Tiles
from app.control.server import ControlServer
from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, paths
from app.core.errors import UsageError
from app.core.files import is_file, why_not_written
from app.core.settings import Settings
from app.output.camera_list import is_busy, list_virtual_cameras
from app.runtime.context import default_parts
from app.runtime.pipeline import Pipeline, Update
from app.runtime.status import write_status
from app.system.pipewire.connection import daemon_answers
from app.system.process import handled

log = logging.getLogger(__name__)


def run(start: StartSettings, options: LiveOptions) -> int:
    """Run until a limit of `options`, a signal, or a failed start; return the exit code."""
    if start.warning:
        notify(start.warning)
    settings = start.settings
    film, people = paths.from_user(settings.capture.source), settings.people
    if is_file(film) and people.zones_of(str(film.resolve())) != people.zones:
        notify(UNUSED_ZONES)
    seconds = options.seconds
    limited = seconds is not None or options.frames is not None
    proves = not limited and not options.wait and needs_proof(settings)
    if not start.unmatted_confirmed:  # the background "none" was saved, not named for this run
        if limited or proves or records(settings):  # a paused run would end without a result
            raise UsageError(
                'The saved background is "none", which shows the room; add `--background none` to confirm it, or name '
                "another background."
            )
        notify(
            'The saved background is "none", which shows the room, so the outputs show the stand-by card. Start with '
            "`--background none` to confirm it, or choose another with `python3 run.py ctl background` and then "
            "`python3 run.py ctl resume`."
        )
        settings = settings.replace(paused=True)
    if proves:
        settings = with_proof(settings)
        seconds = PROOF_S
        notify(
            f"No window and no virtual camera here, so I record a {seconds:g}-second sample: {settings.output.record}"
        )
        if settings.capture.source == AUTO and not finds_camera(is_busy):
            notify("No camera was found, so the sample shows the demonstration.")
            settings = settings.replace(capture=settings.capture.replace(source="demo"))
    pipeline = Pipeline(settings, parts=default_parts())
    session = HeadlessRun(pipeline, seconds, options.frames, waits=options.wait)
    with (
        handled(lambda _number, _frame: session.interrupt()),
        _controlled(session, keeps_pause=not (limited or proves), proves=proves),
    ):
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
        for file in sorted(session.status.recorded, key=lambda file: file == str(settings.output.record_alpha)):
            typer.echo(f"Recorded {file}")
    elif clip is not None and str(clip) in session.status.recorded and session.sample is not None:
        typer.echo(clip)
        picture = clip.with_name("before-after.png")
        if write_before_after(picture, session.pipeline.release(session.sample)):
            typer.echo(picture)
    if session.failure is not None:
        if session.failure not in session.status.errors:  # workers log their own errors
            notify(session.failure)
        return EXIT_FAILED
    typer.echo(summary(session.status))
    return EXIT_INTERRUPTED if session.interrupted else EXIT_DONE


def needs_proof(settings: Settings) -> bool:
    """Return whether a run without a limit has no output to show its result on.

    With the virtual camera off it is a measurement, which has no output either, but writes no proof.
    """
    if records(settings) or settings.output.virtual_camera != "auto" or list_virtual_cameras():
        return False
    return not (settings.output.offers_pipewire and daemon_answers())


@contextmanager
def _controlled(session: HeadlessRun, *, keeps_pause: bool, proves: bool) -> Iterator[None]:
    """Execute commands of `run.py ctl` inside the context.

    keeps_pause: start paused after a run that crashed while it was paused: a service is started again by itself.
    proves: the run records a proof, which ends with a command that shows more.
    """
    pipeline = session.pipeline
    start = pipeline.settings

    def change(update: Update) -> Settings:
        return pipeline.change(lambda now: kept_private(update(now), start) if proves else update(now))

    controller = SettingsController(
        pipeline,
        tiles=lambda: Tiles([BackgroundFile(*background) for background in named_backgrounds()]),
        scenes=SceneStore(default_path()),
        request_quit=session.end,
        newest=lambda: session.newest,
        change=change,
    )
    server = ControlServer(controller)
    server.start()
    pipeline.watch(server.thread)
    mark = PauseMark(server.folder) if keeps_pause and server.folder is not None else None
    if mark is not None:
        if mark.left_behind:
            notify(
                "The last run crashed while it was paused, so the outputs show the stand-by card; `python3 run.py ctl "
                "resume` goes on."
            )
            pipeline.change(lambda settings: settings.replace(paused=True))
        pipeline.owner.listen(lambda: mark.follow(lambda: pipeline.settings.paused))
    try:
        yield
        if mark is not None and session.failure is None:
            mark.follow(lambda: False)
    finally:
        server.stop()


PAUSE_FILE = "paused"


class PauseMark:
    """Tells the next run that the last one crashed while it was paused. `follow` is thread-safe."""

    def __init__(self, folder: Path) -> None:
        """folder: the private one of the control socket, which this program owns."""
        self._lock = threading.Lock()
        self._file = folder / PAUSE_FILE
        self._paused = self.left_behind = self._file.exists()
        """`left_behind`: whether the last run was paused and did not end as its user asked."""

    def follow(self, is_paused: Callable[[], bool]) -> None:
        """Create or remove the file if the program has been paused or resumed."""
        with self._lock:
            paused = is_paused()
            if paused is self._paused:
                return
            self._paused = paused
            try:
                if paused:
                    self._file.touch(mode=0o600)
                else:
                    self._file.unlink(missing_ok=True)
            except OSError as error:  # the pause itself is in force
                reason = why_not_written(error)
                log.warning("A crash would end the pause, because %s cannot be written: %s.", self._file, reason)
