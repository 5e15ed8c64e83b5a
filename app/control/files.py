"""Commands that name files: the background, the picture of the empty room, and recordings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from app.config.setting import UnknownBackgroundError, parse_background
from app.control.changes import CommandError, SettingsChanges, answered
from app.control.commands import COLLECT_S, countdown_of, no_plate
from app.core.errors import PlateError, UsageError, t
from app.core.files import check_outputs, exists, is_file
from app.core.settings import BackgroundSettings, Settings
from app.core.types import BgrImage
from app.matting import choose_model
from app.matting.plate.picture import PlateCapture, needs_plate
from app.runtime.status import PipelineStatus

Backgrounds = Sequence[tuple[str, str | Path]]
"""Names as shown in the window, in its order, each with its value of `--background`."""


def _comparable(name: str) -> str:
    return name.casefold().replace("-", " ").replace("_", " ")


def next_background(current: BackgroundSettings, backgrounds: Backgrounds, *, blur: bool = True) -> BackgroundSettings:
    """Return the background after `current`: blur, every file, then blur again; never "none".

    blur: whether to use it; one that shows text is left out. Raises CommandError if there is no other one.
    """
    paths = list(dict.fromkeys(value for _, value in backgrounds if isinstance(value, Path)))
    if current.kind == "blur":
        following = 0
    elif current.file in paths:
        following = paths.index(current.file) + 1
    else:
        following = len(paths)
    if following == len(paths) and blur and current.kind != "blur":
        return current.replace(kind="blur")
    if not paths:
        raise CommandError("There is no other background; add images or videos first.")
    return parse_background(paths[following % len(paths)], current)


def named_background(text: str, current: BackgroundSettings, backgrounds: Backgrounds) -> BackgroundSettings:
    """Return the background with this name or file name, or that this value of `--background` names.

    Case, "-" and "_" for spaces do not matter in a name. Raises UsageError, which lists the choices.
    """
    for name, value in backgrounds:
        names = (name, value.name, value.stem) if isinstance(value, Path) else (name,)
        if _comparable(text) in map(_comparable, names):
            return parse_background(value, current)
    with suppress(UnknownBackgroundError):
        chosen = parse_background(text, current)
        if chosen.file is None or exists(chosen.file):
            return chosen
    known = ", ".join(name for name, _ in backgrounds)
    raise UsageError(f"There is no background and no file “{text}”; the backgrounds are {known}.")


def description(background: BackgroundSettings, backgrounds: Backgrounds) -> str:
    """Return the background as an answer names it."""
    if background.file is not None:
        return next((name for name, value in backgrounds if value == background.file), background.file.name)
    if background.kind == "colour":
        return background.colour
    if background.kind == "blur" and background.bokeh:
        return "bokeh"
    return "none; the outputs show the room" if background.kind == "none" else background.kind


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
        if not is_file(Path(argument)):
            raise no_plate(argument)
        return self._use(Path(argument))

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
            if self._changes.wait():
                raise PlateError(t("Mattecam stops; no picture of the empty room was taken."))

    def _use(self, file: Path) -> str:
        settings, in_use = self._changes.follow(lambda now: now.replaced_at(["matting"], plate=file), files=True)
        if not needs_plate(model := choose_model(settings.matting.engine)):
            return f"Picture of the empty room: {file}. The model {model} does not use it; `bgmv2-*` do."
        return answered(f"Picture of the empty room: {file}.", in_use)

    def _drop(self) -> str:
        before = self._pipeline.settings.matting.plate
        _, in_use = self._changes.follow(lambda now: now.replaced_at(["matting"], plate=None))
        if before is None:
            raise CommandError("No picture of the empty room is in use.")
        return answered(
            f"The picture of the empty room is no longer used; delete {before} if you do not need it.", in_use
        )


class RecordCommand:
    """Starts and stops recordings of the output or of the matte."""

    def __init__(self, changes: SettingsChanges, field: Literal["record", "record_alpha"]) -> None:
        """field: of `OutputSettings`."""
        self._changes, self._field = changes, field
        self._sink = "recording" if field == "record" else "recording_alpha"

    def run(self, argument: str) -> str:
        """Record to the file that the argument names, or stop. Raises UsageError, and MattecamError if it fails."""
        return self._stop() if argument == "stop" else self._start(Path(argument))

    def _start(self, path: Path) -> str:
        if exists(path):
            raise UsageError(f"{path} already exists; name a new file.")

        def update(settings: Settings) -> Settings:
            files = {"record": settings.output.record, "record_alpha": settings.output.record_alpha}
            running = files.pop(self._field)
            check_outputs(filter(None, (*files.values(), path)))
            if running is not None:
                raise CommandError(f"A recording to {running} is running; stop it first with `ctl record stop`.")
            return settings.replaced_at(["output"], **{self._field: path})

        self._leave_failed(self._file)
        try:
            self._changes.follow(update)
            runs = self._shows(running=True)
            self._check()  # the file may be opened later than the settings are in use
        except CommandError:
            self._leave_failed(path)
            raise
        begins = runs and self._changes.pipeline.status().frames_out != 0
        return f"Recording to {path}." if begins else f"Recording to {path} starts with the first matted frame."

    def _leave_failed(self, path: Path | None) -> None:
        """Take a recording that failed out of the settings and wait until its problem, not the next one's, ends."""
        if self._problem is not None and self._changes.pipeline.status().outputs[self._sink] is None:

            def update(settings: Settings) -> Settings:
                is_other = getattr(settings.output, self._field) != path  # chosen meanwhile
                return settings if is_other else settings.replaced_at(["output"], **{self._field: None})

            self._changes.apply(update)
            self._changes.wait_for(lambda _status: self._problem is None)

    def _stop(self) -> str:
        path = self._file
        self._changes.apply(lambda now: now.replaced_at(["output"], **{self._field: None}))
        if path is None:
            raise CommandError("Nothing is being recorded.")
        if not self._shows(running=False):
            return f"The recording {path} is still being finished."
        self._check()
        if not exists(path):
            raise CommandError(f"Nothing was recorded to {path}: there was no matted frame; resume, then record again.")
        return f"Recorded to {path}."

    @property
    def _file(self) -> Path | None:
        file: Path | None = getattr(self._changes.pipeline.settings.output, self._field)
        return file

    @property
    def _problem(self) -> str | None:
        return self._changes.problem(self._sink.replace("_", "-"))

    def _check(self) -> None:
        if (problem := self._problem) is not None:
            raise CommandError(problem)

    def _shows(self, *, running: bool) -> bool:
        """Wait until the status shows that the recording runs or cannot, or that it ended; return whether it does."""

        def shown(status: PipelineStatus) -> bool:
            return (status.outputs[self._sink] is not None) is running or (running and self._problem is not None)

        return self._changes.wait_for(shown)
