"""The commands `ctl record` and `ctl record-alpha`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from app.control.changes import CommandError, SettingsChanges
from app.core.errors import UsageError
from app.core.files import check_outputs, exists
from app.core.settings import Settings
from app.runtime.status import PipelineStatus


class RecordCommand:
    """Starts and stops recordings of the output or of the matte."""

    def __init__(self, changes: SettingsChanges, field: Literal["record", "record_alpha"]) -> None:
        """field: of `OutputSettings`."""
        self._changes, self._field = changes, field
        self._sink = "recording" if field == "record" else "recording_alpha"
        self._part = self._sink.replace("_", "-")
        """As in `Problem`."""

    def run(self, argument: str) -> str:
        """Record to the file that the argument names, or stop. Raises UsageError, and MattecamError if it fails."""
        return self._stop() if argument == "stop" else self._start(Path(argument))

    def _start(self, path: Path) -> str:
        if exists(path):
            raise UsageError(f"{path} already exists; name a new file.")

        def update(settings: Settings) -> Settings:
            output = settings.output
            running: Path | None = getattr(output, self._field)
            other = output.record_alpha if self._field == "record" else output.record
            if other is not None:
                check_outputs((other, path))
            if running is not None:
                raise CommandError(f"A recording to {running} is running; stop it first with `ctl record stop`.")
            return settings.replace(output=output.replace(**{self._field: path}))

        self._leave_failed(getattr(self._changes.pipeline.settings.output, self._field))
        try:
            self._changes.follow(update)
            runs = self._shows(running=True)
            problem = self._problem()  # the file may be opened later than the settings are in use
            if problem is not None:
                raise CommandError(problem)
        except CommandError:
            self._leave_failed(path)
            raise
        begins = runs and self._changes.pipeline.status().frames_out != 0
        return f"Recording to {path}." if begins else f"Recording to {path} starts with the first matted frame."

    def _leave_failed(self, path: Path | None) -> None:
        """Take a recording that failed out of the settings and wait until its problem, not the next one's, ends."""
        if self._problem() is not None and self._changes.pipeline.status().outputs[self._sink] is None:
            self._changes.apply(partial(self._without, path))
            self._changes.wait_for(lambda _status: self._problem() is None)

    def _stop(self) -> str:
        path: Path | None = None

        def update(settings: Settings) -> Settings:
            nonlocal path
            path = getattr(settings.output, self._field)
            return settings.replace(output=settings.output.replace(**{self._field: None}))

        self._changes.apply(update)
        if path is None:
            raise CommandError("Nothing is being recorded.")
        if not self._shows(running=False):
            return f"The recording {path} is still being finished."
        problem = self._problem()
        if problem is not None:
            raise CommandError(problem)
        if not exists(path):
            raise CommandError(f"Nothing was recorded to {path}: there was no matted frame; resume, then record again.")
        return f"Recorded to {path}."

    def _problem(self) -> str | None:
        return self._changes.problem(self._part)

    def _without(self, path: Path | None, settings: Settings) -> Settings:
        if getattr(settings.output, self._field) != path:
            return settings  # another one was chosen meanwhile
        return settings.replace(output=settings.output.replace(**{self._field: None}))

    def _shows(self, *, running: bool) -> bool:
        """Wait until the status shows that the recording runs or cannot, or that it ended; return whether it does."""

        def shown(status: PipelineStatus) -> bool:
            return (status.outputs[self._sink] is not None) is running or (running and self._problem() is not None)

        return self._changes.wait_for(shown)
