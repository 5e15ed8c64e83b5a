"""The user's settings as immutable data.

Every worker reads a `Settings` value once per frame; a change creates a new value (`replace`). Reading and writing
the settings file is `app.config.settings_file`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from app.core.matting_settings import HIDES_TEXT, setting, shown_strength
from app.core.matting_settings import MAX_RATIO as MAX_RATIO
from app.core.matting_settings import MAX_ZOOM as MAX_ZOOM
from app.core.matting_settings import MIN_RATIO as MIN_RATIO
from app.core.matting_settings import EdgeSettings as EdgeSettings
from app.core.matting_settings import EngineSettings as EngineSettings
from app.core.matting_settings import MattingSettings as MattingSettings
from app.core.matting_settings import Model as Model
from app.core.matting_settings import StrictLevel as StrictLevel
from app.core.window_settings import COLOUR as COLOUR
from app.core.window_settings import CaptureSettings as CaptureSettings
from app.core.window_settings import WindowSettings as WindowSettings


class BackgroundSettings(Model):
    """The background that replaces the camera's."""

    kind: Literal["blur", "image", "video", "colour", "none"] = setting(
        "blur", "What replaces the camera's background; none shows the room."
    )
    path: Path | None = setting(None, "Image or video; kept while another kind is used.")
    colour: str = setting("#00b140", "Colour of the kind colour.", pattern=COLOUR)
    blur_strength: float = setting(85.0, f"Strength of the blur; from {HIDES_TEXT:g} on it hides text.", 0, 100)
    """The same at every level of strict mode, which may show a stronger one: `Settings.shown_blur`."""
    bokeh: bool = setting(False, "Blur with discs that keep highlights, like a lens.")
    fit: Literal["fill", "fit"] = setting(
        "fill", "Whether the background covers the frame or is shown whole.", option="--background-fit"
    )
    zoom: float = setting(1.0, "Enlarge the background.", 1, MAX_ZOOM, option="--background-zoom")
    pan_x: float = setting(0.0, "Part of an enlarged background that is shown: -1 left, 1 right.", -1, 1)
    pan_y: float = setting(0.0, "Part of an enlarged background that is shown: -1 top, 1 bottom.", -1, 1)

    @property
    def opened(self) -> tuple[object, ...]:
        """What a background is opened for: the values without those that an open background follows."""
        return tuple(value for name, value in self if name not in FOLLOWED)

    @property
    def file(self) -> Path | None:
        """The image or video that is used; None for another kind."""
        return self.path if self.kind in ("image", "video") else None

    def with_file(self, kind: str, path: Path) -> BackgroundSettings:
        """Return the settings with a file, which starts in the middle unless it is the one in use."""
        moved = {} if path == self.path else {"zoom": 1.0, "pan_x": 0.0, "pan_y": 0.0}
        return self.replace(kind=kind, path=path, **moved)


FOLLOWED = ("fit", "zoom", "pan_x", "pan_y")
"""Fields of `BackgroundSettings` that change a background in use, without opening it again."""


def opens_alike(one: BackgroundSettings | CaptureSettings, other: BackgroundSettings | CaptureSettings | None) -> bool:
    """Return whether the same background or source is open under both."""
    return other is not None and one.opened == other.opened


SETTINGS_VERSION = 3

MAX_ZONES = 200


class FramingSettings(Model):
    """Crop of the source's frames: digital zoom and pan."""

    zoom: float = setting(1.0, "Digital zoom, 1 (the whole frame) to 4.", 1, MAX_ZOOM, option="--zoom")
    pan_x: float = setting(0.0, "Position of the zoom: -1 at the left edge of the frame, 1 at the right edge.", -1, 1)
    pan_y: float = setting(0.0, "Position of the zoom: -1 at the top edge of the frame, 1 at the bottom edge.", -1, 1)


Fraction = Annotated[float, Field(ge=0, le=1)]


class Zone(Model):
    """A part of the camera's frame that is always hidden; not cropped by the framing."""

    kind: Literal["drop"] = "drop"
    points: Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=1, max_length=1000)]
    """A brush stroke or an outline: (x, y) in fractions of the frame's width and height.

    The frame is that of the camera before `CaptureSettings.orientation` turns it: what a zone hides stays hidden.
    """
    radius: Annotated[float, Field(ge=0, le=0.5)] = 0.03
    """Of the brush, as a fraction of the frame's height."""
    filled: bool = False
    """Whether the points are an outline that is filled."""
    camera: str = ""
    """Stable id of the camera that it was painted for; empty: any camera."""


class PeopleSettings(Model):
    """What follows the people in the frame."""

    auto_framing: Literal["off", "calm", "close"] = setting(
        "off", "Crop the output to head and shoulders, and follow them.", option="--auto-framing"
    )
    """In effect while `FramingSettings.zoom` is 1."""
    only_me: bool = setting(
        False, "Show one person only; click the person in the preview.", option="--only-me/--everybody"
    )
    """The largest person, or the one at `Settings.selected`."""
    zones: tuple[Zone, ...] = setting(
        (), "Parts of the frame that are always hidden, also people.", max_length=MAX_ZONES
    )

    def zones_of(self, camera: str) -> tuple[Zone, ...]:
        """Return the zones of a camera, given by its stable id, and those of cameras that may be the same one.

        An id gets a port (`#usb-2`) only while two cameras share it, so that without it nobody can tell them apart.
        """
        shared = _without_port(camera)

        def may_be_of(zone: Zone) -> bool:
            return _without_port(zone.camera) == shared or camera.endswith(f"#{zone.camera}")

        return tuple(zone for zone in self.zones if zone.camera in ("", camera) or may_be_of(zone))

    def with_zone(self, zone: Zone) -> PeopleSettings:
        """Return these settings with one more zone; unchanged where there are `MAX_ZONES`, so that none is shown."""
        return self.replace(zones=(*self.zones, zone)) if len(self.zones) < MAX_ZONES else self


def _without_port(camera: str) -> str:
    return re.sub(r"#(\d+|(pci|platform|usb)-[\w.:-]+)$", "", camera)


class OutputSettings(Model):
    """The virtual camera and other outputs."""

    virtual_camera: str = setting("auto", "auto, off, a device or its label.", option="--virtual-camera")
    virtual_camera_backend: Literal["auto", "pyvirtualcam", "v4l2"] = setting(
        "auto", "What writes to the virtual camera.", option="--virtual-camera-backend"
    )
    """auto: pyvirtualcam, or V4L2 where that is not installed or fails."""
    alpha_output: Literal["off", "bgra"] = setting(
        "off",
        "Send the person with alpha: bgra in the PipeWire camera.",
        option="--alpha-output",
    )
    pipewire: Literal["auto", "on", "off"] = setting(
        "auto", "Offer a PipeWire camera; auto: where PipeWire runs.", option="--pipewire"
    )
    """auto: if PipeWire runs and the virtual camera is not off."""
    on_demand: bool = setting(
        True, "Turn the camera off when no program uses the virtual camera.", option="--on-demand/--always-on"
    )
    """Not while the window is visible."""
    record: Path | None = setting(None, "Also record the output to this video file.", option="--record")
    record_alpha: Path | None = setting(
        None, "Also record the alpha matte to this video file.", option="--record-alpha"
    )
    record_rate: Literal["variable", "constant"] = setting(
        "variable",
        "Record each new frame with its own time, or repeat frames to a constant frame rate.",
        option="--record-rate",
    )
    encoder: Literal["auto", "x264", "vaapi", "nvenc", "qsv", "videotoolbox"] = setting(
        "auto", "Encoder of recordings; auto takes the first hardware encoder that works.", option="--encoder"
    )
    microphone: str = setting(
        "off",
        "Microphone whose sound is recorded with --record.",
        option="--microphone",
        values="off|default|NAME",
        min_length=1,
        max_length=300,
    )
    mirror: bool = setting(
        False, "Mirror what leaves, with the background; --flip mirrors the camera.", option="--mirror/--no-mirror"
    )
    standby_text: str = setting("", "Text of the stand-by card.", max_length=200)
    standby_image: Path | None = setting(None, "Image of the stand-by card.")

    @property
    def offers_pipewire(self) -> bool:
        """Whether a PipeWire camera is asked for where PipeWire runs."""
        return self.pipewire == "on" or (self.pipewire == "auto" and self.virtual_camera != "off")


class Settings(Model):
    """All settings of the program."""

    version: int = SETTINGS_VERSION
    capture: CaptureSettings = CaptureSettings()
    framing: FramingSettings = FramingSettings()
    people: PeopleSettings = PeopleSettings()
    matting: MattingSettings = MattingSettings()
    background: BackgroundSettings = BackgroundSettings()
    output: OutputSettings = OutputSettings()
    window: WindowSettings = WindowSettings()
    """Never part of a scene."""
    selected: tuple[Fraction, Fraction] | None = None
    """Where the user last selected a person, in fractions of the camera's upright frame; never saved."""
    paused: bool = False
    """The outputs show the stand-by card."""
    frozen: bool = False
    """The outputs keep the last composite, while `hides` stays the same."""

    @property
    def hides(self) -> tuple[object, ...]:
        """What decides which part of the room a picture shows."""
        return self.hides_in(self.framing, self.background)

    def hides_in(self, framing: FramingSettings, background: BackgroundSettings) -> tuple[object, ...]:
        """Return `hides` of a picture whose framing and background may not be the chosen ones."""
        edges = self.matting.edges
        return (
            (background.kind, background.blur_strength, background.bokeh),
            (edges.strict, edges.threshold, edges.contrast, edges.grow_px, edges.feather_px),
            (self.people, self.selected, framing),
            self.capture.orientation,
        )

    def ends_freeze(self, hides: tuple[object, ...] | None) -> bool:
        """Return whether a picture may not stay frozen, because these settings hide something else than it does.

        hides: of the picture; None for the stand-by card, which may.
        """
        return self.frozen and hides not in (None, self.hides)

    @property
    def kept(self) -> Settings:
        """The settings without what belongs to one run: selected person, pause, freeze and recordings."""
        output = self.output.replace(record=None, record_alpha=None)
        return self.replace(output=output, selected=None, paused=False, frozen=False)

    @property
    def shown_blur(self) -> float:
        """The strength of a blurred background as it is shown."""
        return shown_strength(self.background.blur_strength, self.matting.edges.strict)

    @property
    def text_is_readable(self) -> bool:
        """Whether the background is a blur too weak to hide text; the background "none" is no blur."""
        return self.background.kind == "blur" and self.shown_blur < HIDES_TEXT
