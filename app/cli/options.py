"""The options of the live commands, and the settings they make."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from app.config import scenes, settings_file
from app.config.parsing import parse_background, parse_pan, parse_ratio, parse_size, replace_checked
from app.core.errors import UsageError
from app.core.messages.command_line import CommandLineText
from app.core.messages.usage import UsageText
from app.core.settings import EdgeSettings, Settings
from models.table import NETWORKS


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the user wrote; None where nothing was said."""

    source: Annotated[
        str | None, typer.Option(help="auto, camera:INDEX, camera:/dev/videoN, demo, or a video file.")
    ] = None
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Picture size, such as 1280x720.")] = None
    fps: Annotated[float | None, typer.Option(help="Pictures per second.")] = None
    zoom: Annotated[float | None, typer.Option(help="Use only a part of the picture, 1 (all of it) to 4.")] = None
    pan: Annotated[
        str | None,
        typer.Option(metavar="X,Y", help="Which part, from -1,-1 (upper left) over 0,0 (middle) to 1,1 (lower right)."),
    ] = None
    format: Annotated[str | None, typer.Option(help="Camera format, such as MJPG or YUYV; auto prefers MJPG.")] = None
    model: Annotated[str | None, typer.Option(help=f"One of {', '.join(('auto', *NETWORKS))}.")] = None
    weights: Annotated[Path | None, typer.Option(help="A checkpoint in place of the registered one.")] = None
    refiner: Annotated[str | None, typer.Option(help="auto, deep-guided-filter or fast-guided-filter.")] = None
    plate: Annotated[Path | None, typer.Option(help="Picture of the empty scene, for the bgmv2 models.")] = None
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None
    executor: Annotated[str | None, typer.Option(help="auto, eager, cuda-graph or openvino.")] = None
    precision: Annotated[str | None, typer.Option(help="auto, float32, float16 or bfloat16.")] = None
    downsample_ratio: Annotated[
        str | None, typer.Option(metavar="auto|0.05-1", help="Size of the frame the network sees.")
    ] = None
    governor: Annotated[
        bool | None,
        typer.Option("--governor/--no-governor", help="Lower what is on auto while the machine is too busy."),
    ] = None
    background: Annotated[
        str | None,
        typer.Option(metavar="blur[:0-100]|FILE|#RRGGBB|green|none", help="What stands behind the person."),
    ] = None
    virtual_camera: Annotated[str | None, typer.Option(help="auto, off, a device or its label.")] = None
    on_demand: Annotated[
        bool | None,
        typer.Option("--on-demand/--always-on", help="Release the camera while nobody reads the virtual camera."),
    ] = None
    record: Annotated[Path | None, typer.Option(help="Also write the output to this video.")] = None
    record_alpha: Annotated[Path | None, typer.Option(help="Also write the matte to this video.")] = None
    strict: Annotated[
        str | None,
        typer.Option(metavar="on|off", help="Remove what is not attached to a person or stands still like the room."),
    ] = None
    mirror: Annotated[bool | None, typer.Option("--mirror/--no-mirror", help="Mirror the output.")] = None
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None
    status_json: Annotated[Path | None, typer.Option(help="Write what was measured to this file at the end.")] = None
    minimised: Annotated[bool, typer.Option("--minimised", help="Start the window minimised.")] = False
    config: Annotated[Path | None, typer.Option(help="Settings file to use in place of the usual one.")] = None
    profile: Annotated[str | None, typer.Option(help="Saved scene to start with.")] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="More words.")] = False

    def given(self) -> bool:
        """Whether any option was written."""
        return any(getattr(self, field.name) != field.default for field in fields(self))


@dataclass(frozen=True, slots=True)
class StartSettings:
    """The settings a run starts with."""

    settings: Settings
    saved: Settings
    """What the settings file holds, without the words of the command line."""
    path: Path
    """The settings file."""
    warning: str | None
    """A sentence about a settings file that could not be used."""


def settings_from(options: LiveOptions) -> StartSettings:
    """Command line over scene over settings file over defaults.

    Raises UsageError for an impossible value and SettingsError for an unknown scene.
    """
    if options.config is not None and not options.config.is_file():
        raise UsageError(CommandLineText.NO_SETTINGS_FILE(file=options.config))
    path = options.config or settings_file.default_path()
    saved, warning = settings_file.load(path)
    saved = _without_run(saved)
    base = saved
    if options.profile is not None:
        base = scenes.SceneStore(scenes.default_path()).get(options.profile).applied_to(saved)
    return StartSettings(apply_options(base, options), saved, path, warning)


def _without_run(settings: Settings) -> Settings:
    """Without what belongs to the run that asked for it."""
    output = settings.output.replace(record=None, record_alpha=None)
    return settings.replace(paused=False, frozen=False, output=output)


def apply_options(base: Settings, options: LiveOptions) -> Settings:
    """`base` with what the user wrote; raises UsageError."""
    width, height = parse_size(options.size) if options.size is not None else (None, None)
    capture = _said(source=options.source, width=width, height=height, fps=options.fps, pixel_format=options.format)
    framing = _said(zoom=options.zoom)
    if options.pan is not None:
        framing["pan_x"], framing["pan_y"] = parse_pan(options.pan)
    matting: dict[str, Any] = _said(
        model=options.model,
        weights=options.weights,
        refiner=options.refiner,
        plate=options.plate,
        device=options.device,
        executor=options.executor,
        precision=options.precision,
        governor=options.governor,
    )
    matting["edges"] = _edges(base.matting.edges, options.strict)
    if options.downsample_ratio is not None:
        matting["downsample_ratio"] = parse_ratio(options.downsample_ratio)
    output = _said(
        virtual_camera=options.virtual_camera,
        on_demand=options.on_demand,
        record=options.record,
        record_alpha=options.record_alpha,
        mirror=options.mirror,
    )
    background = base.background
    if options.background is not None:
        background = parse_background(options.background, base.background)
    return base.replace(
        capture=replace_checked(base.capture, capture),
        framing=replace_checked(base.framing, framing),
        matting=replace_checked(base.matting, matting),
        background=background,
        output=replace_checked(base.output, output),
    )


def _edges(base: EdgeSettings, strict: str | None) -> EdgeSettings:
    """Raises UsageError for anything but on and off."""
    if strict is None:
        return base
    if strict not in ("on", "off"):
        raise UsageError(UsageText.ON_OFF(option="--strict", value=strict))
    return base.replace(strict=strict == "on")


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
