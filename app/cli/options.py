"""From the command line to the settings of a run: options over scene over settings file, and the files it writes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from tempfile import TemporaryFile
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from app.cli.terminal import notify
from app.config import logs, scenes, settings_file
from app.config.setting import OPTIONS, TRANSPARENT, describe_background
from app.core.errors import MattecamError, SettingsError, Text, UsageError, t
from app.core.files import BrokenFileError, check_outputs, free_name, is_stream, is_taken, why_not_used, why_not_written
from app.core.process import check_memory_limit
from app.core.settings import Settings
from models.table import bundled
from models.weights import on_hand

SECTIONS: Mapping[str, str] = {
    "capture": "Camera",
    "background": "Background",
    "framing": "Person and framing",
    "people": "Person and framing",
    "edges": "Person and framing",
    "output": "Outputs",
    "matting": "Matting",
}
"""Titles of the help, in its order, by section of the settings."""
RUN = "Run"
GROUPS = (*dict.fromkeys(SECTIONS.values()), RUN)
"""Titles of the help."""


@dataclass(frozen=True)
class RunOptions:
    """How the program runs."""

    seconds: Annotated[
        float | None, typer.Option(metavar="N", min=0.1, help="Stop this many seconds after the first frame.")
    ] = None
    frames: Annotated[int | None, typer.Option(metavar="N", min=1, help="Stop after this many frames.")] = None
    status_json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the measurements to this JSON file on exit.")
    ] = None
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a camera and a virtual camera that are absent.")] = (
        False
    )
    minimised: Annotated[bool, typer.Option("--minimised", help="Start the window minimised.")] = False
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings file; without it only the window uses saved settings."),
    ] = None
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="Saved scene to start with.")] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="More detailed messages.")] = False


def _parameters() -> Iterator[inspect.Parameter]:
    """Yield the parameters of a command from which typer makes the options."""
    for name, declared in OPTIONS.items():
        is_switch = "/" in declared.option
        option = typer.Option(
            declared.option,
            metavar=None if is_switch else declared.values,
            help=declared.description,
            rich_help_panel=SECTIONS[declared.section],
        )
        kind: Any = bool | None if is_switch else str | None
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])
    for parameter in inspect.signature(RunOptions, eval_str=True).parameters.values():
        parameter.annotation.__metadata__[0].rich_help_panel = RUN
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def group_of(parameter: inspect.Parameter) -> str:
    """Return the title of the help that an option is under."""
    return str(parameter.annotation.__metadata__[0].rich_help_panel)


PARAMETERS: Mapping[str, inspect.Parameter] = {
    each.name: each for each in sorted(_parameters(), key=lambda each: GROUPS.index(group_of(each)))
}
"""Every live option by its name, in the order of the help; those of several settings come first."""
FILM_OPTIONS = (
    *(
        name
        for name, parameter in PARAMETERS.items()
        if group_of(parameter) in ("Background", "Person and framing", "Matting")
        and name not in ("background", "governor")
    ),
    *("rotate", "flip", "config", "profile", "verbose"),
)
"""Names of the live options that films have too; they have a `--background` of their own."""


class LiveOptions(SimpleNamespace):
    """The options of one command line; None, or the default of `RunOptions`, for an option that was not given."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**{**{name: parameter.default for name, parameter in PARAMETERS.items()}, **values})

    @property
    def given(self) -> dict[str, Any]:
        """Those that were given."""
        return {name: value for name, value in vars(self).items() if value != PARAMETERS[name].default}

    def replace(self, **values: Any) -> LiveOptions:
        """Return these options with others."""
        return LiveOptions(**{**vars(self), **values})


def with_live_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator: the command's argument `live` becomes these live options; all without names.

    Typer reads the options of a command from its signature.
    """
    options = [option for name, option in PARAMETERS.items() if not names or name in names]

    def decorate(run: Callable[..., None]) -> Callable[..., None]:
        # Not get_type_hints: Python 3.10 wraps the annotation of an argument with the default None in Optional.
        own = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(run, eval_str=True).parameters.items()
            if name != "live"
        ]

        def command(**values: Any) -> None:
            live = LiveOptions(**{option.name: values.pop(option.name) for option in options})
            run(live=live, **values)

        parameters = [*own, *options]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__name__, command.__doc__ = run.__name__, run.__doc__
        return command

    return decorate


def apply_options(base: Settings, options: LiveOptions) -> Settings:
    """Return `base` with the given options. Raises UsageError."""
    if "source" in options.given:
        from app.capture.table import parse_source  # loads FFmpeg

        parse_source(options.source)
    for name in PARAMETERS:
        if name in options.given and name in OPTIONS:
            base = OPTIONS[name].applied(base, options.given[name])
    return base


STATUS_FIELD = b'"frames_in"'
"""The first field of a status file."""
HEAD_BYTES = 200
UNUSED_ZONES = "Zones that were painted for a camera are not used for films; name a file with --zones."


def checked_files(settings: Settings, status_json: Path | None) -> tuple[Settings, Text | None]:
    """Return the settings with a new name for each recording whose file exists, and a sentence about it.

    Raises UsageError if two files of the run are the same or a recording has no name of a video, MattecamError if the
    status file cannot be written.
    """
    output, source = settings.output, Path(settings.capture.source)
    written = (output.record, output.record_alpha, status_json)
    check_outputs(filter(None, written), source if source.is_file() else None)
    if status_json is not None:
        _check_status_file(status_json)
    named = {name: getattr(output, name) for name in ("record", "record_alpha")}
    for path in filter(None, named.values()):
        from app.media.video_writer import SUFFIXES  # loads FFmpeg

        if path.suffix.lower() not in SUFFIXES:
            raise UsageError(
                t(
                    "The recording {file} cannot be started: {reason}.",
                    file=path,
                    reason=t("the name of a video must end in {suffixes}; choose another name", suffixes=SUFFIXES),
                )
            )
    taken = {name: path for name, path in named.items() if path is not None and is_taken(path)}
    if not taken:
        return settings, None
    new = {name: free_name(path) for name, path in taken.items()}
    sentence = t(
        "Files of this name exist and are kept: {files}. This run records to {new}.",
        files=tuple(taken.values()),
        new=tuple(new.values()),
    )
    return settings.replace(output=output.replace(**new)), sentence


def _check_status_file(path: Path) -> None:
    if str(path) == "-":
        raise UsageError("“-” does not stand for standard input or output; name a file or a folder.")
    try:
        if is_stream(path):
            return
        if path.exists():
            with path.open("r+b") as file:
                head = file.read(HEAD_BYTES)
            if head and STATUS_FIELD not in head:
                raise UsageError(
                    f"{path} exists and holds no measurements of an earlier run; name another file with --status-json."
                )
        with TemporaryFile(dir=path.parent):  # the system names the reason; the file leaves no trace
            pass
    except OSError as error:
        raise MattecamError(
            t("The status file {file} cannot be written: {reason}.", file=path, reason=why_not_written(error))
        ) from error


@dataclass(frozen=True, slots=True)
class StartSettings:
    """The settings a run starts with."""

    settings: Settings
    saved: Settings
    """Contents of the settings file, without command-line options."""
    path: Path
    """The settings file."""
    warning: str | None
    """Sentences for the user about saved values that could not be used."""
    unmatted_confirmed: bool = True
    """False if the background is "none" because it was saved, not because the command line names it."""


def settings_from(options: LiveOptions, *, window: bool = False) -> StartSettings:
    """Return the settings: command line over scene over settings file over defaults.

    window: whether to use the settings file of the window; without it only a file that `--config` names is used.

    Raises UsageError for an impossible value and SettingsError for an unknown scene or a damaged file.
    """
    if options.config is not None and not options.config.is_file():
        raise UsageError(f"There is no settings file {options.config}; check --config.")
    path = options.config or settings_file.default_path()
    saved, warning = settings_file.load(path) if window else (_of_run(options.config), None)
    saved = saved.kept
    base = saved
    if options.profile is not None:
        base = scenes.SceneStore(scenes.default_path()).get(options.profile).applied_to(base)
    base, missing = _with_installed_model(base, options)
    settings, renamed = checked_files(apply_options(base, options), options.status_json)
    return StartSettings(
        settings,
        saved,
        path,
        _sentences(warning, missing, renamed),
        unmatted_confirmed=settings.background.kind != "none" or options.background is not None,
    )


def _of_run(file: Path | None) -> Settings:
    """Return the settings in the file of --config, which is left as it is. Raises SettingsError.

    Only the window, which writes its file, starts without a damaged one: nobody sees what else runs or is converted.
    """
    if file is None:
        return Settings()
    try:
        return settings_file.read(file)
    except (BrokenFileError, OSError) as error:
        raise SettingsError(
            f"The settings file {file} cannot be used: {why_not_used(error)}; correct or replace it, or leave --config "
            "out."
        ) from error


def film_settings(options: LiveOptions, background: str | None = None) -> StartSettings:
    """Return the settings of a film: command line over scene over the file of --config; green without a background.

    background: as on the command line. Strict mode is off unless the command line asks for it. Raises UsageError.
    """
    if background == TRANSPARENT or (background is None and options.profile is None and options.config is None):
        background = "green"
    if background is not None:
        options = options.replace(background=background)
    start = settings_from(options.replace(strict=options.strict or "off"))
    zones = start.settings.people.zones
    if any(zone.camera for zone in zones):
        notify(UNUSED_ZONES)
    return start


def on_console(options: LiveOptions, make: Callable[[LiveOptions], StartSettings] = settings_from) -> Settings:
    """Return the settings of a command that logs to the console, and print what of them could not be used.

    Raises UsageError, and MattecamError for too little memory.
    """
    logs.set_up_console(verbose=options.verbose)
    start = make(options)
    check_memory_limit()
    if start.warning:
        notify(start.warning)
    return start.settings


def what_is_used(settings: Settings, options: LiveOptions, file: Path | None) -> str:
    """Return the sentence about what a run uses. file: the settings file on which it is based, None for none."""
    base = "the default settings"
    if file is not None:
        base = f"the settings in {file}"
    if options.profile is not None:
        base = f"the scene “{options.profile}” and {base}"
    capture = settings.capture
    return (
        f"Using {base}: source {capture.source}, {capture.width}x{capture.height} at {capture.fps:g} fps, model "
        f"{settings.matting.model}, background {describe_background(settings.background)}, virtual camera "
        f"{settings.output.virtual_camera}."
    )


def _sentences(*texts: str | None) -> str | None:
    given = [text for text in texts if text]
    return reduce(lambda first, second: t("{first} {second}", first=first, second=second), given) if given else None


def _with_installed_model(settings: Settings, options: LiveOptions) -> tuple[Settings, str | None]:
    """Replace a saved model that is not installed by the bundled one; return a sentence about it.

    A model that the command line names is not replaced: the user expects this model or an error.
    """
    matting = settings.matting
    if options.model is not None or options.weights is not None or matting.model == "auto":
        return settings, None
    if matting.weights is not None:
        if matting.weights.is_file():
            return settings, None
        missing = t(
            "The saved weights file {file} does not exist; {bundled} is used instead (check the path).",
            file=matting.weights,
            bundled=bundled().name,
        )
    elif on_hand(matting.model) is None:
        missing = t(
            "The saved model {model} is not installed; {bundled} is used instead⟦ (`python3 run.py weights download "
            "{model}` installs it)⟧.",
            model=matting.model,
            bundled=bundled().name,
        )
    else:
        return settings, None
    return settings.replace(matting=matting.replace(model=bundled().name, weights=None)), missing
