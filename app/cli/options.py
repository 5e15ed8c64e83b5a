"""Options: declared with the settings, parsed by typer, and applied to settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from app.config.setting import OPTIONS, check_plate
from app.core.files import is_file
from app.settings import Settings

# Titles of the help, in its order, by section of the settings.
SECTIONS: Mapping[str, str] = {
    "capture": "Camera",
    "background": "Background",
    "framing": "Person and framing",
    "people": "Person and framing",
    "light": "Person and framing",
    "strict": "Person and framing",
    "output": "Outputs",
    "matting": "Matting",
}
RUN = "Run"
# Titles of the help.
GROUPS = (*dict.fromkeys(SECTIONS.values()), RUN)


@dataclass(frozen=True)
class RunOptions:
    """How the program runs."""

    seconds: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0.1,
            help="Stop this many seconds after the first frame.",
        ),
    ] = None
    frames: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Stop after this many frames.",
        ),
    ] = None
    status_json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the measurements to this JSON file on exit.",
        ),
    ] = None
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Wait for a camera and a virtual camera that are absent.",
        ),
    ] = False
    minimised: Annotated[
        bool,
        typer.Option(
            "--minimised",
            help="Start the window minimised.",
        ),
    ] = False
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings file; without it only the window uses saved settings.",
        ),
    ] = None
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Saved scene to start with; with --config, of scenes.json beside that file.",
        ),
    ] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="More detailed messages.")] = False


def _parameters() -> Iterator[inspect.Parameter]:
    """Yield the parameters of a command from which typer makes the options."""
    for name, declared in OPTIONS.items():
        is_switch = "/" in declared.names
        option = typer.Option(
            declared.names,
            metavar=None if is_switch else declared.values,
            help=declared.description,
            rich_help_panel=SECTIONS[declared.settings[0].path[-2]],
        )
        kind: Any = bool | None if is_switch else str | None
        yield inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[kind, option],
        )
    for parameter in _fields(RunOptions):
        parameter.annotation.__metadata__[0].rich_help_panel = RUN
        yield parameter


def _fields(function: Callable[..., object]) -> list[inspect.Parameter]:
    """Return the parameters of a function or a dataclass; a command may have them in any order."""
    # Not get_type_hints: Python 3.10 wraps the annotation
    # of an argument with the default None in Optional.
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]


def group_of(parameter: inspect.Parameter) -> str:
    """Return the title of the help that an option is under."""
    return str(parameter.annotation.__metadata__[0].rich_help_panel)


def _place_in_help(parameter: inspect.Parameter) -> int:
    return GROUPS.index(group_of(parameter))


# Every live option by its name, in the order of the help.
PARAMETERS: Mapping[str, inspect.Parameter] = {
    parameter.name: parameter for parameter in sorted(_parameters(), key=_place_in_help)
}


def _is_of_films(name: str) -> bool:
    if name in ("rotate", "flip", "config", "profile", "verbose"):
        return True
    # Films have a `--background` of their own, and no rate to hold.
    if name in ("background", "governor"):
        return False
    return group_of(PARAMETERS[name]) in ("Background", "Person and framing", "Matting")


# Names of the live options that films have too.
FILM_OPTIONS = tuple(name for name in PARAMETERS if _is_of_films(name))


class LiveOptions(SimpleNamespace):
    """The options of one command line.

    None, or the default of `RunOptions`, for an option that was not given.
    """

    def __init__(self, **values: Any) -> None:
        defaults = {name: parameter.default for name, parameter in PARAMETERS.items()}
        super().__init__(**{**defaults, **values})

    @property
    def given(self) -> dict[str, Any]:
        """Those that were given."""
        return {
            name: value for name, value in vars(self).items() if value != PARAMETERS[name].default
        }

    def replace(self, **values: Any) -> LiveOptions:
        """Return these options with others."""
        return LiveOptions(**{**vars(self), **values})


def with_live_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator: typer reads what follows from the signature of the command.

    The argument `live` becomes these live options, all without names; one that is a dataclass
    becomes its fields.
    """
    options = [option for name, option in PARAMETERS.items() if not names or name in names]

    def decorate(run: Callable[..., None]) -> Callable[..., None]:
        made: dict[str, tuple[Callable[..., object], list[inspect.Parameter]]] = {}
        parameters: list[inspect.Parameter] = []
        for each in _fields(run):
            if each.name == "live":
                made[each.name] = (LiveOptions, options)
                parameters += options
            elif isinstance(each.annotation, type) and is_dataclass(each.annotation):
                fields = _fields(each.annotation)
                made[each.name] = (each.annotation, fields)
                parameters += fields
            else:
                parameters.append(each)

        def command(**values: Any) -> None:
            parts = {}
            for name, (make, fields) in made.items():
                parts[name] = make(**{field.name: values.pop(field.name) for field in fields})
            run(**parts, **values)

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__name__ = run.__name__
        command.__doc__ = run.__doc__
        return command

    return decorate


def apply_options(base: Settings, options: LiveOptions) -> Settings:
    """Return `base` with the given options. Raises UsageError."""
    given = dict(options.given)
    if "source" in given:
        from app.capture.table import parse_source, source_file  # loads FFmpeg

        parse_source(options.source)
        film = source_file(options.source)
        if film is not None and is_file(film):
            # A scene keeps it, and starts in another folder.
            given["source"] = str(film.absolute())
    for name in PARAMETERS:
        if name in given and name in OPTIONS:
            base = OPTIONS[name].applied(base, given[name])
    if "plate" in options.given:
        check_plate(base.matting.plate)
    return base
