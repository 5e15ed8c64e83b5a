"""The options of the live commands: those that settings declare, and those of a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.config.setting import OPTIONS
from app.core.settings import Settings

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

    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop this many seconds after the first frame.")] = None
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None
    status_json: Annotated[Path | None, typer.Option(help="Write the measurements to this JSON file on exit.")] = None
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a camera and a virtual camera that are absent.")] = (
        False
    )
    minimised: Annotated[bool, typer.Option("--minimised", help="Start the window minimised.")] = False
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file; without it only the window uses saved settings."),
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


class LiveOptions:
    """The options of one command line; None, or the default of `RunOptions`, for an option that was not given."""

    def __init__(self, **values: Any) -> None:
        self.given = {name: value for name, value in values.items() if value != PARAMETERS[name].default}
        """Those that were given."""

    def __getattr__(self, name: str) -> Any:
        """Return the value of an option."""
        if name not in PARAMETERS:
            raise AttributeError(name)
        return self.given.get(name, PARAMETERS[name].default)

    def replace(self, **values: Any) -> LiveOptions:
        """Return these options with others."""
        return LiveOptions(**{**self.given, **values})


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
    settings = base
    for name in PARAMETERS:
        if name not in options.given or name not in OPTIONS:
            continue
        if name == "source":
            from app.capture.table import parse_source  # loads FFmpeg

            parse_source(options.source)
        settings = OPTIONS[name].applied(settings, options.given[name])
    return settings
