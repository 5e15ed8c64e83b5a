"""The command `ctl plate`: the picture of the empty room, taken from the frames of the running program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.control.changes import Changes, CommandError, answered
from app.control.commands import Command, countdown_of, takes_plate
from app.core.errors import PlateError, UsageError
from app.core.files.names import is_file
from app.core.messages.control import AnswerText, ControlText
from app.core.messages.matting import PlateText
from app.core.plate_times import COLLECT_S, COUNTDOWN_S
from app.core.settings import Settings
from app.core.stage import Stage
from app.core.text import Text
from app.core.types import BgrImage
from app.runtime.pipeline import Pipeline
from app.runtime.plate import PlateCapture, keep_plate
from models.table import needs_plate

T = TypeVar("T")
POLL_S = 0.03
PAUSED_CHECK_S = 0.2


def take_live_plate(
    pipeline: Pipeline,
    countdown_s: float | None,
    wait: Callable[[float], bool],
    use: Callable[[Path], T],
    *,
    keep: Callable[[BgrImage, str], Path] = keep_plate,
) -> T:
    """Count down, collect frames of the pipeline's camera, store the plate if nobody is in it, and use it.

    Like the window's dialog: the camera stays on and holds its exposure meanwhile, and nothing is taken while the user
    has paused. The pipeline then rebuilds an engine that uses a plate. countdown_s: None for that of the window.
    wait: waits for so many seconds and returns whether to cancel. use: returns once an engine that compares frames with
    the plate keeps the exposure held, and what to return. keep: stores the plate of a camera, given by its id. Raises
    PlateError, and what `use` raises (any thread).
    """
    pipeline.demand.takes_plate = True
    try:
        _pause(pipeline, COUNTDOWN_S if countdown_s is None else countdown_s, wait)
        path = keep(*_collect(pipeline, wait))
        pipeline.retry()  # the file may be the one in use
        return use(path)
    finally:
        pipeline.demand.takes_plate = False


def _collect(pipeline: Pipeline, wait: Callable[[float], bool]) -> tuple[BgrImage, str]:
    """Return the plate and the id of its camera. Raises PlateError."""
    capture = PlateCapture(COLLECT_S)
    while True:
        frame = pipeline.newest_frame
        if frame is not None and capture.feed(frame, frame.camera):
            return capture.plate(), capture.camera
        if capture.silent:
            source = pipeline.status().source
            raise PlateError(
                PlateText.SILENT(camera=pipeline.settings.capture.source if source is None else source.name)
            )
        _pause(pipeline, POLL_S, wait)


def _pause(pipeline: Pipeline, seconds: float, wait: Callable[[float], bool]) -> None:
    """Wait. Raises PlateError if the user has paused or the program ends."""
    left_s = seconds
    while True:
        if pipeline.settings.paused:
            raise PlateError(PlateText.PAUSED())
        if left_s <= 0:
            return
        step_s = min(left_s, PAUSED_CHECK_S)
        if wait(step_s):
            raise PlateError(PlateText.CANCELLED())
        left_s -= step_s


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
            return self._take(countdown_of(argument))
        file = Path(argument)
        if not is_file(file):
            raise UsageError(ControlText.PLATE(text=argument))
        return self._use(file)

    def _take(self, countdown_s: float | None) -> Text:
        if not self._taking.acquire(blocking=False):
            raise CommandError(ControlText.PLATE_RUNS())
        try:
            wait = self._changes.wait
            return take_live_plate(self._changes.pipeline, countdown_s, wait, self._use, keep=self._keep)
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
