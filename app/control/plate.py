"""The command `ctl plate`: the picture of the empty room, taken from the frames of the running program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from app.control.changes import CommandError, SettingsChanges, answered
from app.control.commands import COLLECT_S, countdown_of
from app.core.errors import PlateError, UsageError, t
from app.core.files import is_file
from app.core.settings import Settings
from app.core.types import BgrImage
from app.matting import choose_model
from app.matting.plate.picture import PlateCapture
from models.table import needs_plate

POLL_S = 0.03


class PlateCommand:
    """Takes a plate, uses an existing one, or uses none any more. One is taken at a time."""

    def __init__(self, changes: SettingsChanges, keep: Callable[[BgrImage, str], Path]) -> None:
        """keep: stores the plate of a camera, given by its id."""
        self._changes, self._keep = changes, keep
        self._pipeline = changes.pipeline
        self._taking = threading.Lock()

    def run(self, argument: str) -> str:
        """Execute the command; return after the engine uses the plate. Raises MattecamError."""
        if argument == "drop":
            return self._drop()
        countdown_s = countdown_of(argument)
        if countdown_s is not None:
            return self._take(countdown_s)
        file = Path(argument)
        if not is_file(file):
            raise UsageError(
                f"There is no file “{argument}”; write take, take and the seconds of the countdown (0 to 60), drop, "
                "or an image."
            )
        return self._use(file)

    def _take(self, countdown_s: float) -> str:
        """Count down, collect frames of the camera, store the plate if nobody is in it, and use it.

        Like the window's dialog: the camera stays on and holds its exposure until the engine compares frames with the
        plate, and nothing is taken while the user has paused.
        """
        if not self._taking.acquire(blocking=False):
            raise CommandError("A picture of the empty room is already being taken; wait for it.")
        self._pipeline.demand.takes_plate = True
        try:
            return self._use(self._keep(*self._collect(countdown_s)))
        finally:
            self._pipeline.demand.takes_plate = False
            self._taking.release()

    def _collect(self, countdown_s: float) -> tuple[BgrImage, str]:
        """Return the plate and the id of its camera. Raises PlateError, also if the user pauses or the program ends."""
        capture = PlateCapture(countdown_s, COLLECT_S)
        while True:
            if self._pipeline.settings.paused:
                raise PlateError(
                    t("While Mattecam is paused, no picture of the empty room is taken; resume and take it again.")
                )
            if capture.feed(self._pipeline.newest_frame):
                return capture.plate(), capture.camera
            if self._changes.wait(POLL_S):
                raise PlateError(t("Mattecam stops; no picture of the empty room was taken."))

    def _use(self, file: Path) -> str:
        settings, in_use = self._changes.follow(lambda now: _with_plate(now, file), files=True)
        if not needs_plate(model := choose_model(settings.matting.engine)):
            return f"Picture of the empty room: {file}. The model {model} does not use it; `bgmv2-*` do."
        return answered(f"Picture of the empty room: {file}.", in_use)

    def _drop(self) -> str:
        before: Path | None = None

        def update(settings: Settings) -> Settings:
            nonlocal before
            before = settings.matting.plate
            return _with_plate(settings, None)

        _, in_use = self._changes.follow(update)
        if before is None:
            raise CommandError("No picture of the empty room is in use.")
        return answered(
            f"The picture of the empty room is no longer used; delete {before} if you do not need it.", in_use
        )


def _with_plate(settings: Settings, file: Path | None) -> Settings:
    return settings.replace(matting=settings.matting.replace(plate=file))
