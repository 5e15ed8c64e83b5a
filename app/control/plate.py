"""The command `ctl plate`: the picture of the empty room."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from app.control.changes import Changes, CommandError, answered
from app.control.commands import Command, countdown_of, takes_plate
from app.core.errors import UsageError
from app.core.files.names import is_file
from app.core.messages.control import AnswerText, ControlText
from app.core.settings import Settings
from app.core.stage import Stage
from app.core.text import Text
from app.core.types import BgrImage
from app.runtime.plate.live import take_live_plate
from models.table import needs_plate


class PlateCommand:
    """Takes a plate, uses an existing one, or uses none any more. One is taken at a time."""

    def __init__(self, changes: Changes, keep: Callable[[BgrImage, str], Path]) -> None:
        """keep: as in `take_live_plate`."""
        self._changes, self._keep = changes, keep
        self._taking = threading.Lock()

    def run(self, argument: str) -> Text:
        """Execute the command; return after the engine uses the plate. Raises MattecamError."""
        if argument == "drop":
            return self._drop()
        if takes_plate(Command("plate", argument)):
            return self._use(self._taken(countdown_of(argument)))
        file = Path(argument)
        if not is_file(file):
            raise UsageError(ControlText.PLATE(text=argument))
        return self._use(file)

    def _taken(self, countdown_s: float | None) -> Path:
        if not self._taking.acquire(blocking=False):
            raise CommandError(ControlText.PLATE_RUNS())
        try:
            return take_live_plate(self._changes.pipeline, countdown_s, self._changes.wait, keep=self._keep)
        finally:
            self._taking.release()

    def _use(self, file: Path) -> Text:
        settings, in_use = self._changes.follow(lambda now: _with_plate(now, file), ("matting",), Stage.MATTING)
        model = settings.matting.model
        if model != "auto" and not needs_plate(model):
            return AnswerText.PLATE_UNUSED(file=file, model=model)
        return answered(AnswerText.PLATE(file=file), in_use)

    def _drop(self) -> Text:
        before: Path | None = None

        def update(settings: Settings) -> Settings:
            nonlocal before
            before = settings.matting.plate
            return _with_plate(settings, None)

        _, in_use = self._changes.follow(update, ("matting",), Stage.MATTING)
        if before is None:
            raise CommandError(ControlText.NO_PLATE())
        return answered(AnswerText.PLATE_DROPPED(file=before), in_use)


def _with_plate(settings: Settings, file: Path | None) -> Settings:
    return settings.replace(matting=settings.matting.replace(plate=file))
