"""The settings that result from the options of the live commands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from app.capture.source_name import parse_source
from app.cli.live_options import LiveOptions
from app.config import paths, scenes, settings_file
from app.config.parsing import (
    describe_background,
    parse_background,
    parse_overlay_text,
    parse_pan,
    parse_place,
    parse_ratio,
    parse_server,
    parse_size,
    replace_checked,
)
from app.config.run_files import checked_files
from app.config.zones_file import read_zones
from app.core.background_settings import BackgroundSettings
from app.core.errors import BackgroundError, UsageError
from app.core.messages.command_line import CommandLineText
from app.core.messages.remote import RemoteText
from app.core.messages.settings import SettingsText
from app.core.messages.usage import UsageText
from app.core.settings import Settings
from app.core.text import Text
from app.media.slides import open_slides
from models.table import bundled
from models.weights import on_hand
from service.webrtc.packages import require_packages


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

    Raises UsageError for an impossible value and SettingsError for an unknown scene.
    """
    if options.config is not None and not options.config.is_file():
        raise UsageError(CommandLineText.NO_SETTINGS_FILE(file=options.config))
    path = options.config or settings_file.default_path()
    saved, warning = settings_file.load(path) if window or options.config is not None else (Settings(), None)
    base = saved = _without_run_state(saved)
    if options.profile is not None:
        base = scenes.SceneStore(scenes.default_path()).get(options.profile).applied_to(base)
    base, missing = _with_installed_model(base, options)
    settings, renamed = checked_files(apply_options(base, options), options.status_json)
    settings, raised = _with_strict_for_server(settings, options)
    _check_slide(settings.background, options.slide)
    return StartSettings(
        settings,
        saved,
        path,
        _sentences(warning, missing, renamed, raised),
        unmatted_confirmed=settings.background.kind != "none" or options.background is not None,
    )


def what_is_used(settings: Settings, options: LiveOptions, file: Path | None) -> Text:
    """Return the sentence about what a run uses. file: the settings file on which it is based, None for none."""
    base = CommandLineText.DEFAULTS()
    if file is not None:
        base = CommandLineText.SETTINGS_OF(file=file)
    if options.profile is not None:
        base = CommandLineText.SCENE_OVER(scene=options.profile, base=base)
    capture = settings.capture
    return CommandLineText.USED(
        base=base,
        source=capture.source,
        width=capture.width,
        height=capture.height,
        fps=f"{capture.fps:g}",
        model=settings.matting.model,
        background=describe_background(settings.background),
        camera=settings.output.virtual_camera,
    )


def _sentences(*texts: str | None) -> str | None:
    given = [text for text in texts if text]
    return reduce(lambda first, second: SettingsText.BOTH(first=first, second=second), given) if given else None


def _without_run_state(settings: Settings) -> Settings:
    """Return the settings without what belongs to one run: pause, freeze, recording, and a captured screen.

    A screen may show anything by now, and nobody may be there to see that it is sent.
    """
    output = settings.output.replace(record=None, record_alpha=None)
    background = settings.background
    if background.kind == "screen":
        background = background.replace(kind="blur")
    return settings.replace(selected=None, paused=False, frozen=False, background=background, output=output)


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


def _with_strict_for_server(settings: Settings, options: LiveOptions) -> tuple[Settings, Text | None]:
    """Raise strict mode where it is off and a server makes the mattes; return a sentence about it.

    Raises UsageError where the command line asks for both.
    """
    if settings.matting.location != "remote" or settings.matting.edges.strict != "off":
        return settings, None
    if options.strict is not None:
        raise UsageError(UsageText.STRICT_WITH_SERVER())
    return settings.with_strict("balanced"), SettingsText.STRICT_WITH_SERVER()


def _check_slide(background: BackgroundSettings, number: int | None) -> None:
    """Raise UsageError unless the slides have this number. None: the command line names none."""
    if number is None or background.kind != "slides" or background.path is None:
        return
    try:
        slides = open_slides(background.path)
    except BackgroundError:
        return  # the run says why
    count = slides.count
    slides.close()
    if number > count:
        raise UsageError(UsageText.SLIDE(number=number, file=background.path, count=count))


def apply_options(base: Settings, options: LiveOptions) -> Settings:
    """Return `base` with the given options. Raises UsageError."""
    if options.strict is not None:
        base = base.with_strict(replace_checked(base.matting.edges, {"strict": options.strict}).strict)
    width, height = parse_size(options.size) if options.size is not None else (None, None)
    if options.source is not None:
        parse_source(options.source)
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
    switches = _given(person_region=_switch("--region", options.region))
    light = _given(
        light_match=options.light_match, light_wrap=options.light_wrap, portrait_light=options.portrait_light
    )
    matting["edges"] = replace_checked(base.matting.edges, switches | light)
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
    view = _given(
        distance_blur=options.distance_blur,
        fit=options.background_fit,
        zoom=options.background_zoom,
        slide=options.slide,
        parallax=options.parallax,
    )
    if options.background_pan is not None:
        view["pan_x"], view["pan_y"] = parse_pan(options.background_pan)
    return base.replace(
        **_given(global_shortcuts=options.global_shortcuts),
        capture=replace_checked(base.capture, capture),
        framing=replace_checked(base.framing, framing),
        placement=base.placement if options.place is None else parse_place(options.place),
        people=replace_checked(base.people, people),
        matting=replace_checked(base.matting, matting),
        background=replace_checked(background, view),
        output=replace_checked(base.output, output),
        overlay=replace_checked(base.overlay, _overlay(options)),
    )


def _overlay(options: LiveOptions) -> dict[str, Any]:
    file = None if options.overlay is None else paths.from_user(str(options.overlay)).absolute()
    text = None if options.overlay_text is None else parse_overlay_text(options.overlay_text)
    return _given(file=file, text=text)


def _check_server(server: str) -> None:
    """Raise MattecamError if no server can be reached at this address, or a package is missing."""
    require_packages("--engine remote")
    if not server:
        raise UsageError(RemoteText.NO_SERVER())
    parse_server(server)


def _switch(option: str, value: str | None) -> bool | None:
    """Parse `on` or `off`; None stays None. Raises UsageError."""
    if value not in ("on", "off", None):
        raise UsageError(UsageText.ON_OFF(option=option, value=value))
    return None if value is None else value == "on"


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
