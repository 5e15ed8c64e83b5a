"""The options of the live commands: those that settings declare, those of several settings, and those of a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from app.config.parsing import parse_background, parse_pan, parse_size, read_zones
from app.config.setting import SETTINGS, Setting, with_value
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

Apply = Callable[[Settings, Any], Settings]


@dataclass(frozen=True, slots=True)
class LiveOption:
    """One option."""

    name: str
    """As in Python: `background_fit`."""
    group: str
    """Title of the help."""
    annotation: Any
    default: Any = None
    apply: Apply | None = None
    """Returns the settings with a value of the option; raises UsageError. None: an option of the run."""

    @property
    def parameter(self) -> inspect.Parameter:
        """The parameter of a command, from which typer makes the option."""
        return inspect.Parameter(
            self.name, inspect.Parameter.KEYWORD_ONLY, default=self.default, annotation=self.annotation
        )


@dataclass(frozen=True)
class RunOptions:
    """How the program runs."""

    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop this many seconds after the first frame.")] = None
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None
    status_json: Annotated[Path | None, typer.Option(help="Write the measurements to this JSON file on exit.")] = None
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for a camera and a virtual camera that are absent, as a service.")
    ] = False
    minimised: Annotated[bool, typer.Option("--minimised", help="Start the window minimised.")] = False
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file; without it the window uses its own, other commands the defaults."),
    ] = None
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="Saved scene to start with.")] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="More detailed messages.")] = False


def _several(group: str, name: str, values: str, description: str, apply: Apply) -> LiveOption:
    """Return an option that changes several settings."""
    return LiveOption(name, group, Annotated[str | None, typer.Option(metavar=values, help=description)], None, apply)


def _split(
    group: str,
    name: str,
    values: str,
    description: str,
    settings: tuple[str, ...],
    parse: Callable[[str], tuple[object, ...]],
) -> LiveOption:
    """Return an option whose text has a part for each of these settings."""
    option = f"--{name.replace('_', '-')}"

    def apply(current: Settings, text: str) -> Settings:
        for setting, value in zip(settings, parse(text), strict=True):
            current = with_value(current, setting, value, option)
        return current

    return _several(group, name, values, description, apply)


SEVERAL = (
    _split(
        "Camera",
        "size",
        "WxH",
        "Frame size, such as 1280x720.",
        ("capture.width", "capture.height"),
        parse_size,
    ),
    _several(
        "Background",
        "background",
        "blur[:0-100]|bokeh[:0-100]|FILE|#RRGGBB|green|none",
        "Background behind the person, such as an image or a video; none shows the room.",
        lambda settings, text: settings.replace(background=parse_background(text, settings.background)),
    ),
    _split(
        "Background",
        "background_pan",
        "X,Y",
        "Part of the background that is shown, from -1,-1 (top left) to 1,1.",
        ("background.pan_x", "background.pan_y"),
        parse_pan,
    ),
    _split(
        "Person and framing",
        "pan",
        "X,Y",
        "Position of the zoom, from -1,-1 (top left) to 1,1 (bottom right); 0,0 is the centre.",
        ("framing.pan_x", "framing.pan_y"),
        parse_pan,
    ),
    _several(
        "Person and framing",
        "zones",
        "FILE",
        "JSON file of zones of the frame that are always hidden.",
        lambda settings, file: with_value(settings, "people.zones", read_zones(Path(file))),
    ),
)


def _apply_setting(setting: Setting, option: str) -> Apply:
    def apply(settings: Settings, value: Any) -> Settings:
        if setting.name == "capture.source":
            from app.capture.table import parse_source  # loads FFmpeg

            parse_source(value)
        return with_value(settings, setting.name, setting.parsed(value, option))

    return apply


def _of_settings() -> Iterator[LiveOption]:
    for setting in SETTINGS.values():
        if not setting.option:
            continue
        option = setting.option.partition("/")[0]
        is_switch = setting.annotation is bool and "/" in setting.option
        shown = typer.Option(setting.option, metavar=None if is_switch else setting.values, help=setting.description)
        kind: Any = bool | None if is_switch else str | None
        name = option.removeprefix("--").replace("-", "_")
        group = SECTIONS[setting.path[-2] if len(setting.path) > 1 else setting.name]
        yield LiveOption(name, group, Annotated[kind, shown], None, _apply_setting(setting, option))


def _of_run() -> Iterator[LiveOption]:
    hints = get_type_hints(RunOptions, include_extras=True)
    for field in fields(RunOptions):
        yield LiveOption(field.name, "Run", hints[field.name], field.default)


GROUPS = (*dict.fromkeys(SECTIONS.values()), "Run")
"""Titles of the help."""
OPTIONS: Mapping[str, LiveOption] = {
    option.name: option
    for option in sorted((*SEVERAL, *_of_settings(), *_of_run()), key=lambda option: GROUPS.index(option.group))
}
"""Every live option by its name, in the order of the help; those of several settings come first."""


class LiveOptions:
    """The options of one command line; None, or the default of `RunOptions`, for an option that was not given."""

    def __init__(self, **values: Any) -> None:
        self.given = {name: value for name, value in values.items() if value != OPTIONS[name].default}
        """Those that were given."""

    def __getattr__(self, name: str) -> Any:
        """Return the value of an option."""
        if name not in OPTIONS:
            raise AttributeError(name)
        return self.given.get(name, OPTIONS[name].default)

    def replace(self, **values: Any) -> LiveOptions:
        """Return these options with others."""
        return LiveOptions(**{**self.given, **values})


def with_live_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator: the command's argument `live` becomes these live options; all without names.

    Typer reads the options of a command from its signature.
    """
    options = [option for option in OPTIONS.values() if not names or option.name in names]

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

        parameters = [*own, *(option.parameter for option in options)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__name__, command.__doc__ = run.__name__, run.__doc__
        return command

    return decorate
