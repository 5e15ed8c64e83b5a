"""The commands `ctl record` and `ctl record-alpha`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from app.control.changes import Changes, CommandError
from app.core.errors import UsageError
from app.core.messages.control import AnswerText, ControlText
from app.core.settings import Settings
from app.core.text import Text


class Recording:
    """Starts and stops recordings of the output or of the matte."""

    def __init__(self, changes: Changes, field: Literal["record", "record_alpha"], shown_as: str) -> None:
        """field: of `OutputSettings`. shown_as: the field of the status that names the file; empty: there is none."""
        self._changes, self._field, self._shown_as = changes, field, shown_as

    def run(self, argument: str) -> Text:
        """Record to the file that the argument names, or stop. Raises UsageError, and MattecamError if it fails."""
        return self._stop() if argument == "stop" else self._start(Path(argument))

    def _start(self, path: Path) -> Text:
        if path.exists():
            raise UsageError(ControlText.FILE_EXISTS(file=path))

        def update(settings: Settings) -> Settings:
            running: Path | None = getattr(settings.output, self._field)
            if running is not None:
                raise UsageError(ControlText.ALREADY_RECORDING(file=running))
            return settings.replace(output=settings.output.replace(**{self._field: path}))

        self._changes.follow(update, "output", "recording")
        return AnswerText.RECORDING(file=path) if self._shows(running=True) else AnswerText.RECORDING_WAITS(file=path)

    def _stop(self) -> Text:
        path: Path | None = None

        def update(settings: Settings) -> Settings:
            nonlocal path
            path = getattr(settings.output, self._field)
            return settings.replace(output=settings.output.replace(**{self._field: None}))

        self._changes.apply(update)
        if path is None:
            raise UsageError(ControlText.NOT_RECORDING())
        if not self._shows(running=False):
            return AnswerText.RECORDING_ENDS(file=path)
        problem = self._changes.problem("recording")
        if problem is not None:
            raise CommandError(problem)
        return AnswerText.RECORDED(file=path)

    def _shows(self, *, running: bool) -> bool:
        """Wait until the status shows whether the recording runs; without a field in the status, until it settled."""
        if not self._shown_as:
            return self._changes.confirmation.wait_until_settled()
        return self._changes.confirmation.wait_for(lambda status: (status[self._shown_as] is not None) is running)
