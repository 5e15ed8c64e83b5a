"""The command `ctl plate`: the picture of the empty room, taken from the frames of the running program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from app.control.changes import Changes, CommandError, answered
from app.control.commands import countdown_of
from app.core.errors import PlateError, UsageError
from app.core.files.names import is_file
from app.core.messages.control import AnswerText, ControlText
from app.core.messages.matting import PlateText
from app.core.plate_times import COLLECT_S
from app.core.settings import Settings
from app.core.stage import Stage
from app.core.text import Text
from app.core.types import BgrImage
from app.runtime.plate import PlateCapture, model_without_plate

POLL_S = 0.03
PAUSED_CHECK_S = 0.2


class PlateCommand:
    """Takes a plate, uses an existing one, or uses none any more. One is taken at a time."""

    def __init__(self, changes: Changes, keep: Callable[[BgrImage, str], Path]) -> None:
        """keep: stores the plate of a camera, given by its id."""
        self._changes, self._keep = changes, keep
        self._pipeline = changes.pipeline
        self._taking = threading.Lock()

    def run(self, argument: str) -> Text:
        """Execute the command; return after the engine uses the plate. Raises MattecamError."""
        if argument == "drop":
            return self._drop()
        countdown_s = countdown_of(argument)
        if countdown_s is not None:
            return self._take(countdown_s)
        file = Path(argument)
        if not is_file(file):
            raise UsageError(ControlText.PLATE(text=argument))
        return self._use(file)

    def _take(self, countdown_s: float) -> Text:
        """Count down, collect frames of the camera, store the plate if nobody is in it, and use it.

        Like the window's dialog: the camera stays on and holds its exposure until the engine compares frames with the
        plate, and nothing is taken while the user has paused.
        """
        if not self._taking.acquire(blocking=False):
            raise CommandError(ControlText.PLATE_RUNS())
        self._pipeline.demand.takes_plate = True
        try:
            self._wait(countdown_s)
            path = self._keep(*self._collect())
            self._pipeline.retry()  # the file may be the one in use
            return self._use(path)
        finally:
            self._pipeline.demand.takes_plate = False
            self._taking.release()

    def _collect(self) -> tuple[BgrImage, str]:
        """Return the plate and the id of its camera. Raises PlateError."""
        capture = PlateCapture(COLLECT_S)
        while True:
            frame = self._pipeline.newest_frame
            if frame is not None and capture.feed(frame, frame.viewpoint):
                return capture.plate(), capture.camera
            if capture.silent:
                source = self._pipeline.status().source
                camera = self._pipeline.settings.capture.source if source is None else source.name
                raise PlateError(PlateText.SILENT(camera=camera))
            self._wait(POLL_S)

    def _wait(self, seconds: float) -> None:
        """Wait. Raises PlateError if the user has paused or the program ends."""
        left_s = seconds
        while True:
            if self._pipeline.settings.paused:
                raise PlateError(PlateText.PAUSED())
            if left_s <= 0:
                return
            step_s = min(left_s, PAUSED_CHECK_S)
            if self._changes.wait(step_s):
                raise PlateError(PlateText.CANCELLED())
            left_s -= step_s

    def _use(self, file: Path) -> Text:
        settings, in_use = self._changes.follow(lambda now: _with_plate(now, file), ("matting",), Stage.MATTING)
        if (model := model_without_plate(settings.matting.engine)) is not None:
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
