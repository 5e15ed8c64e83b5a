"""The options of the live commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

from models.table import NETWORKS


@dataclass(frozen=True)
class CameraOptions:
    """What delivers the video."""

    source: Annotated[
        str | None, typer.Option(help="auto, camera:INDEX, camera:/dev/videoN, portal, demo, or a video file.")
    ] = None
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Frame size, such as 1280x720.")] = None
    fps: Annotated[float | None, typer.Option(help="Frame rate in frames per second.")] = None
    format: Annotated[
        str | None, typer.Option(help="Pixel format of the camera, such as MJPG or YUYV; auto prefers MJPG.")
    ] = None
    on_demand: Annotated[
        bool | None,
        typer.Option("--on-demand/--always-on", help="Turn the camera off when no program uses the virtual camera."),
    ] = None


@dataclass(frozen=True)
class BackgroundOptions:
    """What is behind the person."""

    background: Annotated[
        str | None,
        typer.Option(
            metavar="blur[:0-100]|bokeh[:0-100]|FILE|PDF|FOLDER|screen[:N]|region:X,Y,WxH|window:TITLE|#RRGGBB|green|none",
            help="Background behind the person, such as an image, a video, slides or a screen; none shows the room.",
        ),
    ] = None
    distance_blur: Annotated[bool | None, typer.Option(help="Blur what is farther from the person more strongly.")] = (
        None
    )
    background_fit: Annotated[
        str | None, typer.Option(metavar="fill|fit", help="Whether the background covers the frame or is shown whole.")
    ] = None
    background_zoom: Annotated[float | None, typer.Option(metavar="1-4", help="Enlarge the background.")] = None
    background_pan: Annotated[
        str | None,
        typer.Option(metavar="X,Y", help="Part of the background that is shown, from -1,-1 (top left) to 1,1."),
    ] = None
    slide: Annotated[int | None, typer.Option(min=1, help="Slide to begin with, if the background is slides.")] = None
    parallax: Annotated[
        float | None, typer.Option(metavar="0-100", help="Move the background slowly against the head.")
    ] = None


@dataclass(frozen=True)
class PersonOptions:
    """Who is shown, and where."""

    zoom: Annotated[float | None, typer.Option(help="Digital zoom, 1 (the whole frame) to 4.")] = None
    pan: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y", help="Position of the zoom, from -1,-1 (top left) to 1,1 (bottom right); 0,0 is the centre."
        ),
    ] = None
    place: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y[,SCALE]|CORNER[:PERCENT]|reset",
            help="Move and scale the person over the background, such as 0.2,0,0.8 or bottom-right:35.",
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


@dataclass(frozen=True)
class OutputOptions:
    """What leaves."""

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
    overlay: Annotated[
        Path | None, typer.Option(help="SVG, or image with alpha, over the output; fitted to the safe area.")
    ] = None
    overlay_text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Text over the output; {time} and {date} show the local time.")
    ] = None
    mirror: Annotated[bool | None, typer.Option("--mirror/--no-mirror", help="Mirror the output.")] = None
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


@dataclass(frozen=True)
class MattingOptions:
    """How the matte is computed."""

    strict: Annotated[
        str | None,
        typer.Option(
            metavar="off|balanced|strict",
            help="Hide things mistaken for people; strict: everything that is not a moving person.",
        ),
    ] = None
    region: Annotated[
        str | None, typer.Option(metavar="on|off", help="Let the network see the part of the frame around people.")
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
    executor: Annotated[str | None, typer.Option(help="auto, eager or openvino.")] = None
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


@dataclass(frozen=True)
class RunOptions:
    """How the program runs."""

    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after this many seconds.")] = None
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many frames.")] = None
    status_json: Annotated[Path | None, typer.Option(help="Write the measurements to this JSON file on exit.")] = None
    minimised: Annotated[bool, typer.Option("--minimised", help="Start the window minimised.")] = False
    global_shortcuts: Annotated[
        bool | None, typer.Option(help="Keys that pause, freeze and choose backgrounds in every program.")
    ] = None
    config: Annotated[Path | None, typer.Option(help="Settings file to use in place of the default one.")] = None
    profile: Annotated[str | None, typer.Option(help="Saved scene to start with.")] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="More detailed messages.")] = False


GROUPS: Mapping[str, type] = {
    "Camera": CameraOptions,
    "Background": BackgroundOptions,
    "Person and framing": PersonOptions,
    "Outputs": OutputOptions,
    "Matting": MattingOptions,
    "Run": RunOptions,
}
"""Titles of the help and the options below each."""


@dataclass(frozen=True)
class LiveOptions(RunOptions, MattingOptions, OutputOptions, PersonOptions, BackgroundOptions, CameraOptions):
    """The options of one command line; None for an option that was not given."""

    def any_given(self) -> bool:
        """Return whether any option differs from its default."""
        return any(getattr(self, field.name) != field.default for field in fields(self))


def names_of(group: type) -> tuple[str, ...]:
    """Return the names of the options of a group."""
    return tuple(group.__annotations__)


def group_of(name: str) -> str | None:
    """Return the title of the group with this option; None for an option of one command alone."""
    return next((title for title, group in GROUPS.items() if name in names_of(group)), None)
