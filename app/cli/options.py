"""Options of the live commands and the settings that result from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from app.config import paths, scenes, settings_file
from app.config.parsing import parse_background, parse_pan, parse_ratio, parse_server, parse_size, replace_checked
from app.config.zones_file import read_zones
from app.core.errors import UsageError
from app.core.messages.command_line import CommandLineText
from app.core.messages.remote import RemoteText
from app.core.messages.settings import SettingsText
from app.core.messages.usage import UsageText
from app.core.settings import EdgeSettings, Settings
from app.webrtc.packages import require_packages
from models.table import NETWORKS, bundled
from models.weights import on_hand


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """The options of one command line; None for an option that was not given."""

    source: Annotated[
        str | None, typer.Option(help="auto, camera:INDEX, camera:/dev/videoN, portal, demo, or a video file.")
    ] = None
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Frame size, such as 1280x720.")] = None
    fps: Annotated[float | None, typer.Option(help="Frame rate in frames per second.")] = None
    zoom: Annotated[float | None, typer.Option(help="Digital zoom, 1 (the whole frame) to 4.")] = None
    pan: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y", help="Position of the zoom, from -1,-1 (top left) to 1,1 (bottom right); 0,0 is the centre."
        ),
    ] = None
    auto_framing: Annotated[
        str | None,
        typer.Option(metavar="off|calm|close", help="Crop the output to head and shoulders, and follow them."),
    ] = None
    only_me: Annotated[
        bool | None,
        typer.Option("--only-me/--everybody", help="Show one person only; click the person in the preview."),
    ] = None
    zones: Annotated[
        Path | None,
        typer.Option(help="JSON file of zones of the frame that are always dropped or kept; kept ones show the room."),
    ] = None
    format: Annotated[
        str | None, typer.Option(help="Pixel format of the camera, such as MJPG or YUYV; auto prefers MJPG.")
    ] = None
    engine: Annotated[
        str | None, typer.Option(metavar="local|remote", help="Where the network runs: here, or on --server.")
    ] = None
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Matting server (run.py serve) for --engine remote.")
    ] = None
    model: Annotated[str | None, typer.Option(help=f"One of {', '.join(('auto', *NETWORKS))}.")] = None
    weights: Annotated[Path | None, typer.Option(help="Checkpoint for the model, in place of the registered one.")] = (
        None
    )
    refiner: Annotated[str | None, typer.Option(help="auto, deep-guided-filter or fast-guided-filter.")] = None
    plate: Annotated[Path | None, typer.Option(help="Image of the empty background, for the bgmv2 models.")] = None
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None
    executor: Annotated[str | None, typer.Option(help="auto, eager, cuda-graph or openvino.")] = None
    precision: Annotated[str | None, typer.Option(help="auto, float32, float16, bfloat16 or int8.")] = None
    downsample_ratio: Annotated[
        str | None, typer.Option(metavar="auto|0.05-1", help="Downsample ratio of the frame for the network.")
    ] = None
    governor: Annotated[
        bool | None,
        typer.Option(
            "--governor/--no-governor",
            help="Lower the quality when the machine is too busy; affects only settings on auto.",
        ),
    ] = None
    background: Annotated[
        str | None,
        typer.Option(
            metavar="blur[:0-100]|bokeh[:0-100]|FILE|#RRGGBB|green|none",
            help="Background behind the person; none shows the room.",
        ),
    ] = None
    virtual_camera: Annotated[str | None, typer.Option(help="auto, off, a device or its label.")] = None
    virtual_camera_backend: Annotated[
        str | None, typer.Option(metavar="auto|pyvirtualcam|v4l2", help="What writes to the virtual camera.")
    ] = None
    alpha_output: Annotated[
        str | None,
        typer.Option(
            metavar="off|bgra|side-by-side",
            help="Send the person with alpha: bgra in PipeWire, side-by-side in the virtual camera.",
        ),
    ] = None
    pipewire: Annotated[
        str | None,
        typer.Option(metavar="auto|on|off", help="Offer a PipeWire camera; auto: where PipeWire runs."),
    ] = None
    on_demand: Annotated[
        bool | None,
        typer.Option("--on-demand/--always-on", help="Turn the camera off when no program uses the virtual camera."),
    ] = None
    record: Annotated[Path | None, typer.Option(help="Also record the output to this video file.")] = None
    record_alpha: Annotated[Path | None, typer.Option(help="Also record the alpha matte to this video file.")] = None
    record_rate: Annotated[
        str | None,
        typer.Option(
            metavar="variable|constant",
            help="Record each new frame with its own time, or repeat frames to a constant frame rate.",
        ),
    ] = None
    encoder: Annotated[
        str | None, typer.Option(help="Encoder of recordings: auto, x264, vaapi, nvenc, qsv or videotoolbox.")
    ] = None
    microphone: Annotated[
        str | None, typer.Option(metavar="off|default|NAME", help="Microphone whose sound is recorded with --record.")
    ] = None
    strict: Annotated[
        str | None,
        typer.Option(metavar="on|off", help="Remove what is not attached to a person or stands still like the room."),
    ] = None
    light_match: Annotated[
        float | None,
        typer.Option(metavar="0-100", help="Adapt the person's brightness, colour and contrast to the background."),
    ] = None
    light_wrap: Annotated[
        float | None, typer.Option(metavar="0-100", help="Light of the background on the person's outline.")
    ] = None
    portrait_light: Annotated[float | None, typer.Option(metavar="0-100", help="Soft virtual light on the face.")] = (
        None
    )
    overlay: Annotated[
        Path | None, typer.Option(help="SVG, or image with alpha, over the output; fitted to the safe area.")
    ] = None
    mirror: Annotated[bool | None, typer.Option("--mirror/--no-mirror", help="Mirror the output.")] = None
    global_shortcuts: Annotated[
        bool | None, typer.Option(help="Keys that pause, freeze and choose backgrounds in every program.")
    ] = None
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after this many seconds.")] = None
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None
    status_json: Annotated[Path | None, typer.Option(help="Write the measurements to this JSON file on exit.")] = None
    minimised: Annotated[bool, typer.Option("--minimised", help="Start the window minimised.")] = False
    config: Annotated[Path | None, typer.Option(help="Settings file to use in place of the default one.")] = None
    profile: Annotated[str | None, typer.Option(help="Saved scene to start with.")] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="More detailed messages.")] = False

    def any_given(self) -> bool:
        """Return whether any option differs from its default."""
        return any(getattr(self, field.name) != field.default for field in fields(self))


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


def settings_from(options: LiveOptions) -> StartSettings:
    """Return the settings: command line over scene over settings file over defaults.

    Raises UsageError for an impossible value and SettingsError for an unknown scene.
    """
    if options.config is not None and not options.config.is_file():
        raise UsageError(CommandLineText.NO_SETTINGS_FILE(file=options.config))
    path = options.config or settings_file.default_path()
    saved, warning = settings_file.load(path)
    saved = _without_run_state(saved)
    base = saved
    if options.profile is not None:
        base = scenes.SceneStore(scenes.default_path()).get(options.profile).applied_to(saved)
    base, missing = _with_installed_model(base, options)
    settings = apply_options(base, options)
    return StartSettings(
        settings,
        saved,
        path,
        SettingsText.BOTH(first=warning, second=missing) if warning and missing else warning or missing,
        unmatted_confirmed=settings.background.kind != "none" or options.background is not None,
    )


def _without_run_state(settings: Settings) -> Settings:
    """Return the settings without pause, freeze and recording, which belong to one run."""
    output = settings.output.replace(record=None, record_alpha=None)
    return settings.replace(selected=None, paused=False, frozen=False, output=output)


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
        missing = SettingsText.CHECKPOINT_MISSING(file=matting.weights, bundled=bundled().name)
    elif on_hand(matting.model) is None:
        missing = SettingsText.MODEL_MISSING(model=matting.model, bundled=bundled().name)
    else:
        return settings, None
    return settings.replace(matting=matting.replace(model=bundled().name, weights=None)), missing


def apply_options(base: Settings, options: LiveOptions) -> Settings:
    """Return `base` with the given options. Raises UsageError."""
    width, height = parse_size(options.size) if options.size is not None else (None, None)
    capture = _given(source=options.source, width=width, height=height, fps=options.fps, pixel_format=options.format)
    framing = _given(zoom=options.zoom)
    if options.pan is not None:
        framing["pan_x"], framing["pan_y"] = parse_pan(options.pan)
    people: dict[str, Any] = _given(auto_framing=options.auto_framing, only_me=options.only_me)
    if options.zones is not None:
        people["zones"] = read_zones(options.zones)
    matting: dict[str, Any] = _given(
        location=options.engine,
        server=options.server,
        model=options.model,
        weights=options.weights,
        refiner=options.refiner,
        plate=options.plate,
        device=options.device,
        executor=options.executor,
        precision=options.precision,
        governor=options.governor,
    )
    light = _given(
        light_match=options.light_match, light_wrap=options.light_wrap, portrait_light=options.portrait_light
    )
    matting["edges"] = replace_checked(_edges(base.matting.edges, options.strict), light)
    if options.downsample_ratio is not None:
        matting["downsample_ratio"] = parse_ratio(options.downsample_ratio)
    if matting.get("location", base.matting.location) == "remote":
        _check_server(matting.get("server", base.matting.server))
    output = _given(
        virtual_camera=options.virtual_camera,
        virtual_camera_backend=options.virtual_camera_backend,
        alpha_output=options.alpha_output,
        pipewire=options.pipewire,
        on_demand=options.on_demand,
        record=options.record,
        record_alpha=options.record_alpha,
        record_rate=options.record_rate,
        encoder=options.encoder,
        microphone=options.microphone,
        mirror=options.mirror,
    )
    background = base.background
    if options.background is not None:
        background = parse_background(options.background, base.background)
    return base.replace(
        **_given(global_shortcuts=options.global_shortcuts),
        capture=replace_checked(base.capture, capture),
        framing=replace_checked(base.framing, framing),
        people=replace_checked(base.people, people),
        matting=replace_checked(base.matting, matting),
        background=background,
        output=replace_checked(base.output, output),
        overlay=replace_checked(
            base.overlay, {} if options.overlay is None else {"file": paths.from_user(str(options.overlay)).absolute()}
        ),
    )


def _check_server(server: str) -> None:
    """Raise MattecamError if no server can be reached at this address, or a package is missing."""
    require_packages("--engine remote")
    if not server:
        raise UsageError(RemoteText.NO_SERVER())
    parse_server(server)


def _edges(base: EdgeSettings, strict: str | None) -> EdgeSettings:
    """Parse `on` or `off`. Raises UsageError."""
    if strict is None:
        return base
    if strict not in ("on", "off"):
        raise UsageError(UsageText.ON_OFF(option="--strict", value=strict))
    return base.replace(strict=strict == "on")


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
