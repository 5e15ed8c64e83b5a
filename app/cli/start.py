"""What a run starts with.

Options over scene over settings file over defaults, and the files it writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

from app.cli.options import LiveOptions, apply_options
from app.cli.terminal import notify
from app.config import logs, scenes, settings_file
from app.config.setting import TRANSPARENT
from app.core.errors import SettingsError, Text, UsageError, t
from app.core.files import (
    check_outputs,
    free_name,
    is_file,
    is_stream,
    is_taken,
    why_not_written,
    write_error,
)
from app.core.paths import program_command
from app.core.process import check_memory_limit
from app.core.user_file import BrokenFileError, in_time, why_not_used
from app.settings import Settings
from models.table import bundled
from models.weights import on_hand

# The first field of a status file.
STATUS_FIELD = b'"frames_in"'
HEAD_BYTES = 200
# What to do about settings that are not confirmed: a part of a sentence.
CONFIRM = "resume in the window once, or name another file with --config"
UNUSED_ZONES = (
    "Zones that were painted for a camera are not used for films; name a file with --zones."
)


def checked_files(settings: Settings, status_json: Path | None) -> tuple[Settings, Text | None]:
    """Return the settings with a new name for each recording whose file exists, and a sentence
    about it.

    Raises UsageError if two files of the run are the same or a recording has no name of a video,
    SinkError if the status file cannot be written.
    """
    output = settings.output
    source = Path(settings.capture.source)
    written = (output.record, output.record_alpha, status_json)
    check_outputs(filter(None, written), source if source.is_file() else None)
    if status_json is not None:
        _check_status_file(status_json)
    taken: dict[str, Path] = {}
    new: dict[str, Path] = {}
    for name, path in (("record", output.record), ("record_alpha", output.record_alpha)):
        if path is None:
            continue
        from app.output.recording import check_name  # loads FFmpeg

        check_name(path)
        if is_taken(path):
            taken[name] = path
            new[name] = free_name(path)
    if not taken:
        return settings, None
    sentence = t(
        "Files of this name exist and are kept: {files}. This run records to {new}.",
        files=tuple(taken.values()),
        new=tuple(new.values()),
    )
    return settings.replace(output=output.replace(**new)), sentence


def _check_status_file(path: Path) -> None:
    if str(path) == "-":
        raise UsageError(
            "“-” does not stand for standard input or output; name a file or a folder.",
        )
    try:
        if is_stream(path):
            return
        if path.exists():
            with path.open("r+b") as file:
                head = file.read(HEAD_BYTES)
            if head and STATUS_FIELD not in head:
                raise UsageError(
                    f"{path} exists and holds no measurements of an earlier run; name another file "
                    "with --status-json.",
                )
        # The system names the reason; the file leaves no trace.
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise write_error(error)(
            t(
                "The status file {file} cannot be written: {reason}.",
                file=path,
                reason=why_not_written(error),
            )
        ) from error


@dataclass(frozen=True, slots=True)
class StartSettings:
    """The settings a run starts with."""

    settings: Settings
    # Contents of the settings file, without command-line options.
    saved: Settings
    # The settings file.
    path: Path
    # Sentences for the user about saved values that could not be used.
    warning: str | None
    # False if the background is "none" because it was saved, not because the command line names it.
    unmatted_confirmed: bool = True


def settings_from(options: LiveOptions, *, window: bool = False) -> StartSettings:
    """Return the settings: command line over scene over settings file over defaults.

    window: whether to use the settings file of the window; without it only a file that `--config`
    names is used.

    Raises UsageError for an impossible value, an unknown scene or a file of --config that cannot be
    used, SettingsError for a file of scenes that cannot be read.
    """
    if options.config is not None:
        _check_there(options.config)
    path = options.config or settings_file.default_path()
    warning = None
    if window and options.config is None:
        saved, warning = settings_file.load(path)
    else:
        saved = _of_run(options.config)
    saved = saved.kept  # without what belongs to one run, such as a pause
    base = saved
    if options.profile is not None:
        base = _scene(options.profile, scenes.path_beside(path)).applied_to(base)
    base, missing = _with_installed_model(base, options)
    settings, renamed = checked_files(apply_options(base, options), options.status_json)
    return StartSettings(
        settings,
        saved,
        path,
        _sentences(warning, missing, renamed),
        unmatted_confirmed=settings.background.kind != "none" or options.background is not None,
    )


def _scene(name: str, file: Path) -> scenes.Scene:
    """Return a saved scene.

    Raises UsageError for an unknown one, SettingsError for a file that cannot be read.
    """
    try:
        return in_time(file, partial(scenes.SceneStore(file).get, name))
    except UsageError as error:
        if file != scenes.default_path():
            error.extend(f"With --config, scenes are those of {file}.")
        raise
    except TimeoutError as error:
        raise SettingsError(
            t(
                "The scenes file {file} does not answer; reconnect its disk.",
                file=file,
            )
        ) from error


def _check_there(file: Path) -> None:
    """Raise UsageError if the file of --config does not exist, or its disk does not answer."""
    try:
        is_there = in_time(file, partial(is_file, file))
    except TimeoutError as error:
        raise _not_usable(file, error) from error
    if not is_there:
        raise UsageError(f"There is no settings file {file}; check --config.")


def _not_usable(file: Path, error: BrokenFileError | OSError) -> UsageError:
    return UsageError(
        f"The settings file {file} cannot be used: {why_not_used(error)}; "
        "correct or replace it, or leave --config out.",
    )


def _of_run(file: Path | None) -> Settings:
    """Return the settings in the file of --config, which is left as it is. Raises UsageError.

    A file that is named and cannot be used is a mistake, and may be no file of settings at all.
    """
    if file is None:
        return Settings()
    try:
        return settings_file.read(file)
    except (BrokenFileError, OSError) as error:
        raise _not_usable(file, error) from error


def why_unconfirmed(file: Path) -> str:
    """Return why a run with the settings in a file needs a word of the user.

    A part of a sentence.
    """
    return (
        f"The settings file {file} took the place of one that could not be read, and what that hid "
        "is unknown"
    )


def unmatted_not_confirmed() -> UsageError:
    """Return the error for a saved background "none" that this run does not name."""
    return UsageError(
        'The saved background is "none", which shows the room; add `--background none` to '
        "confirm it, or name another background."
    )


def film_settings(options: LiveOptions, background: str | None = None) -> StartSettings:
    """Return the settings of a film: command line over scene over the file of --config.

    Green without a background.

    background: as on the command line. Raises UsageError.
    """
    names_settings = options.profile is not None or options.config is not None
    if background is None and not names_settings:
        background = "green"
    elif background == TRANSPARENT:
        background = "green"  # the picture is cut out: nothing of it is seen
    if background is not None:
        options = options.replace(background=background)
    start = settings_from(options)
    if start.settings.unconfirmed:
        raise UsageError(f"{why_unconfirmed(start.path)}; {CONFIRM}.")
    if not start.unmatted_confirmed:
        raise unmatted_not_confirmed()
    if any(zone.camera for zone in start.settings.people.zones):
        notify(UNUSED_ZONES)
    return start


def on_console(
    options: LiveOptions,
    make: Callable[[LiveOptions], StartSettings] = settings_from,
) -> Settings:
    """Return the settings of a command that logs to the console, and print what of them could
    not be used.

    Raises UsageError, and MattecamError for too little memory.
    """
    logs.set_up_console(verbose=options.verbose)
    start = make(options)
    check_memory_limit()
    if start.warning:
        notify(start.warning)
    return start.settings


def what_is_used(options: LiveOptions, file: Path | None) -> str:
    """Return the sentence about what a run is based on. file: of its settings, None for none."""
    base = "the default settings" if file is None else f"the settings in {file}"
    if options.profile is not None:
        base = f"the scene “{options.profile}” and {base}"
    return f"Using {base}."


def _sentences(*texts: str | None) -> str | None:
    joined: str | None = None
    for text in texts:
        if text:
            joined = text if joined is None else t("{first} {second}", first=joined, second=text)
    return joined


def _with_installed_model(settings: Settings, options: LiveOptions) -> tuple[Settings, str | None]:
    """Replace a saved model that is not installed by the bundled one; return a sentence about it.

    A model that the command line names is not replaced: the user expects this model or an error.
    """
    model = settings.matting.model
    weights = settings.matting.weights
    if model == "auto" or options.model is not None or options.weights is not None:
        return settings, None
    is_installed = on_hand(model) is not None if weights is None else weights.is_file()
    if is_installed:
        return settings, None
    return settings.replaced_at(["matting"], model=bundled().name, weights=None), t(
        "The saved model {model} is not installed; {bundled} is used instead⟦ (`{program} weights "
        "list` shows what is installed)⟧.",
        model=weights or model,
        bundled=bundled().name,
        program=program_command(),
    )
