"""Commands that name files: the background, the picture of the empty room, and recordings."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from app.config.setting import SETTINGS, UnknownBackgroundError, parse_background
from app.control.changes import SettingsChanges, answered
from app.control.commands import COLLECT_S, PLATE_CHECKS_S, countdown_of
from app.core.errors import MattecamError, PlateError, UsageError, t
from app.core.files import check_outputs, exists, no_answer
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.matting import choose_model
from app.matting.plate.picture import PlateCapture, needs_plate
from app.runtime.status import Phase
from app.settings import Settings

# Names as shown in the window, in its order, each with its value of `--background`.
Backgrounds = Sequence[tuple[str, str | Path]]


def _comparable(name: str) -> str:
    return name.casefold().replace("-", " ").replace("_", " ")


def next_background(
    current: BackgroundSettings,
    backgrounds: Backgrounds,
    *,
    blur: bool = True,
) -> BackgroundSettings:
    """Return the background after `current`: blur, every file, then blur again; never "none".

    blur: whether to use it; one that shows text is left out. Raises MattecamError if there is no
    other one.
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
        raise MattecamError("There is no other background; add images or videos first.")
    return parse_background(paths[following % len(paths)], current)


def named_background(
    text: str,
    current: BackgroundSettings,
    backgrounds: Backgrounds,
) -> BackgroundSettings:
    """Return the background with this name or file name, or that this value of `--background`
    names.

    Case, "-" and "_" for spaces do not matter in a name. Raises UsageError, which lists the
    choices.
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


def background_of_word(text: str, current: BackgroundSettings) -> BackgroundSettings | None:
    """Return the background of a word that hides the room without any file; None for other texts.

    Raises UsageError.

    Such a change must not wait for a disk.
    """
    if re.fullmatch(r"green|#[0-9a-fA-F]{6}|(blur|bokeh)(:.*)?", text) is None:
        return None
    return parse_background(text, current)


def description(background: BackgroundSettings, backgrounds: Backgrounds) -> str:
    """Return the background as an answer names it."""
    if background.file is not None:
        for name, value in backgrounds:
            if value == background.file:
                return name
        return background.file.name
    if background.kind == "colour":
        return background.colour
    if background.kind == "blur" and background.bokeh:
        return "bokeh"
    if background.kind == "none":
        return "none; the outputs show the room"
    return background.kind


# Holds the camera while the picture of the empty room
# is taken; the window may take one at the same time.
TAKER = "ctl plate"


class PlateTaking:
    """Takes the picture of the empty room, one at a time."""

    def __init__(self, changes: SettingsChanges, keep: Callable[[BgrImage, str], Path]) -> None:
        """keep: stores the plate of a camera, given by its id, and returns its file.
        Raises MattecamError.
        """
        self._changes = changes
        self._keep = keep
        self._taking = threading.Lock()

    async def take(self, argument: str) -> str:
        """Count down, collect frames of the camera, store the plate if nobody is in it, and use it.

        Like the window's dialog: the camera stays on and holds its exposure until the engine
        compares frames with the plate, and nothing is taken while the user has paused. Raises
        MattecamError.
        """
        capture = PlateCapture(countdown_of(argument), COLLECT_S)
        changes = self._changes
        demand = changes.pipeline.demand
        if not self._taking.acquire(blocking=False):
            raise MattecamError("A picture of the empty room is already being taken; wait for it.")
        demand.begin_plate(TAKER)
        try:
            await self._collect(capture)
            file = await changes.files.run(
                partial(self._store, capture),
                t("The picture of the empty room is not stored yet; its disk may not answer."),
                named_after_s=PLATE_CHECKS_S,
            )
            settings, in_use = await changes.follow(
                lambda now: now.replaced_at(["matting"], plate=file),
                named=file,
            )
        finally:
            demand.end_plate(TAKER)
            self._taking.release()
        engine = settings.matting.engine
        model = await changes.files.run(partial(choose_model, engine), no_answer(file))
        if not needs_plate(model):
            return (
                f"Picture of the empty room: {file}. The model {model} does not use it; `bgmv2-*` "
                "do."
            )
        return answered(f"Picture of the empty room: {file}.", in_use)

    async def _collect(self, capture: PlateCapture) -> None:
        while True:
            self._check_not_paused()
            if capture.feed(self._changes.pipeline.newest_frame):
                return
            if await self._changes.waits.pause():
                raise PlateError(t("Mattecam stops; no picture of the empty room was taken."))

    def _store(self, capture: PlateCapture) -> Path:
        plate = capture.plate()
        self._check_not_paused()  # the user may have paused while it was computed
        return self._keep(plate, capture.camera)

    def _check_not_paused(self) -> None:
        if self._changes.pipeline.settings.paused:
            raise PlateError(
                t(
                    "While Mattecam is paused, no picture of the empty room is taken; resume and "
                    "take it again.",
                ),
            )


# Fields of `OutputSettings`.
RecordField = Literal["record", "record_alpha"]


async def record(changes: SettingsChanges, field: RecordField, argument: str) -> str:
    """Record the output or the matte to the file that the argument names, or stop.

    Whether a recording runs is decided while the settings are changed: of two commands at once, one
    is refused. Raises UsageError, and MattecamError if it fails.
    """
    if argument == "stop":
        return await _stop_recording(changes, field)
    path = Path(argument)
    other: RecordField = "record_alpha" if field == "record" else "record"
    other_file = getattr(changes.pipeline.settings.output, other)
    # Links are followed here: no disk may hold up the change of the settings.
    await changes.files.run(partial(_check_new, path, other_file), no_answer(path))

    def update(settings: Settings) -> Settings:
        running = getattr(settings.output, field)
        if running is not None:
            command = field.replace("_", "-")
            raise MattecamError(
                f"A recording to {running} is running; stop it first with `ctl {command} stop`.",
            )
        if getattr(settings.output, other) == path:
            raise UsageError(
                f"{path} cannot be written: it is also another output; choose another name.",
            )
        return settings.replaced_at(["output"], **{field: path})

    try:
        _, in_use = await changes.follow(update)
    except MattecamError:
        changes.pipeline.forget_failed_outputs()  # it is told in the answer
        raise
    if getattr(changes.pipeline.settings.output, field) != path:
        raise MattecamError(f"The recording to {path} was stopped meanwhile.")
    begins = in_use and changes.pipeline.status().frames_out != 0
    if begins:
        return f"Recording to {path}."
    return f"Recording to {path} starts with the first matted frame."


def _check_new(path: Path, other: Path | None) -> None:
    """Raise UsageError unless a path names a new file, which is not the other output."""
    if exists(path):
        raise UsageError(f"{path} already exists; name a new file.")
    check_outputs(filter(None, (other, path)))


async def _stop_recording(changes: SettingsChanges, field: RecordField) -> str:
    stopped = Path()
    recorder = SETTINGS[f"output.{field}"].stage
    earlier = changes.problem(recorder)

    def update(now: Settings) -> Settings:
        nonlocal stopped
        running: Path | None = getattr(now.output, field)
        if running is None:
            raise MattecamError("Nothing is being recorded.")
        stopped = running
        return now.replaced_at(["output"], **{field: None})

    changes.apply(update)
    if not await changes.wait_until_used(with_outputs=True):
        return f"The recording {stopped} is still being finished."
    problem = changes.problem(recorder)
    if problem is not None and problem != earlier:
        raise problem.error
    if await changes.files.run(partial(exists, stopped), no_answer(stopped)):
        return f"Recorded to {stopped}."
    if changes.pipeline.phase is Phase.RUNNING:
        raise MattecamError(
            f"Nothing was recorded to {stopped}: it was stopped before its first frame.",
        )
    raise MattecamError(
        f"Nothing was recorded to {stopped}: there was no matted frame; resume, then record again.",
    )
