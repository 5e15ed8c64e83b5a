"""The user's settings as immutable data.

Every worker reads a `Settings` value once per frame; a change creates a new value (`replace`). Reading and writing
the settings file is `app.config.settings_file`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import Self

from app.core.background_settings import BackgroundSettings as BackgroundSettings
from app.core.blur_scale import StrictLevel as StrictLevel
from app.core.blur_scale import full_strength, level_strength
from app.core.matting_settings import MAX_RATIO as MAX_RATIO
from app.core.matting_settings import MIN_RATIO as MIN_RATIO
from app.core.matting_settings import EdgeSettings as EdgeSettings
from app.core.matting_settings import EngineSettings as EngineSettings
from app.core.matting_settings import MattingSettings as MattingSettings
from app.core.settings_base import MAX_ZOOM as MAX_ZOOM
from app.core.settings_base import Model as Model

SETTINGS_VERSION = 2

MIN_SCALE, MAX_SCALE = 0.1, 3.0
"""Of the person over the background."""
MAX_ZONES = 200


class CaptureSettings(Model):
    """The source of the frames and its format."""

    source: str = "auto"
    """`auto`, `demo`, `camera:INDEX`, `camera:/dev/videoN`, `camera:STABLE-ID`, `portal`, `portal:NAME` or a video
    file."""
    width: Annotated[int, Field(ge=16, le=7680)] = 1280
    height: Annotated[int, Field(ge=16, le=4320)] = 720
    fps: Annotated[float, Field(ge=1, le=240)] = 30.0
    pixel_format: str = "auto"
    """A FOURCC such as `MJPG` or `YUYV`; `auto` prefers MJPG if the camera offers it."""
    lock_exposure: bool = False
    """Lock exposure and white balance once they have settled, if the camera supports it; keeps the plate valid."""


class FramingSettings(Model):
    """Crop of the source's frames: digital zoom and pan."""

    zoom: Annotated[float, Field(ge=1, le=MAX_ZOOM)] = 1.0
    pan_x: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """-1: crop at the left edge of the frame, 1: at the right edge. No effect without a zoom."""
    pan_y: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """-1: crop at the top edge of the frame, 1: at the bottom edge."""


class PlacementSettings(Model):
    """Where the moved frame of the camera lies over the background; the defaults leave the person in place."""

    x: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """Centre of the moved frame, right of the output's centre, in fractions of the output's width."""
    y: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """The same downward, in fractions of the output's height."""
    scale: Annotated[float, Field(ge=MIN_SCALE, le=MAX_SCALE)] = 1.0
    """Size of the person relative to the frame."""


Fraction = Annotated[float, Field(ge=0, le=1)]


class Zone(Model):
    """A part of the camera's frame that always stays or always goes; not cropped by the framing."""

    kind: Literal["keep", "drop"]
    points: Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=1, max_length=1000)]
    """A brush stroke or an outline: (x, y) in fractions of the frame's width and height."""
    radius: Annotated[float, Field(ge=0, le=0.5)] = 0.03
    """Of the brush, as a fraction of the frame's height."""
    filled: bool = False
    """Whether the points are an outline that is filled."""
    camera: str = ""
    """Stable id of the camera that it was painted for; empty: any camera."""


class PeopleSettings(Model):
    """What follows the people in the frame."""

    auto_framing: Literal["off", "calm", "close"] = "off"
    """Crop the output to head and shoulders; in effect while `FramingSettings.zoom` is 1."""
    only_me: bool = False
    """Hide everybody but one person: the largest one, or the one at `Settings.selected`."""
    zones: Annotated[tuple[Zone, ...], Field(max_length=MAX_ZONES)] = ()
    """Drop zones hide everything, also people; keep zones show the room. Drop zones win."""

    def zones_of(self, camera: str) -> tuple[Zone, ...]:
        """Return the zones of a camera, given by its stable id."""
        return tuple(zone for zone in self.zones if zone.camera in ("", camera))

    def with_zone(self, zone: Zone) -> Self:
        """Return these settings with one more zone; the oldest goes where there are too many."""
        return self.replace(zones=(*self.zones, zone)[-MAX_ZONES:])


OverlayPlace = Literal[
    "top-left", "top", "top-right", "left", "centre", "right", "bottom-left", "bottom", "bottom-right"
]


class OverlaySettings(Model):
    """A picture and a text over the output."""

    file: Path | None = None
    """SVG, or an image with alpha."""
    place: OverlayPlace = "top-right"
    text: Annotated[str, Field(max_length=120)] = ""
    """`{time}` and `{date}` show the local time and date."""
    text_place: OverlayPlace = "bottom-left"
    size: Annotated[float, Field(ge=10, le=400)] = 100.0
    """Percent of the picture's own size in frames 720 pixels high; it is never larger than the safe area."""


class OutputSettings(Model):
    """The virtual camera and other outputs."""

    virtual_camera: str = "auto"
    """`auto`, `off`, a device (`/dev/video10`) or its label."""
    virtual_camera_backend: Literal["auto", "pyvirtualcam", "v4l2"] = "auto"
    """What writes to the virtual camera. auto: pyvirtualcam, or V4L2 where that is not installed or fails."""
    alpha_output: Literal["off", "bgra", "side-by-side"] = "off"
    """How the person is sent with alpha. bgra: through PipeWire; side-by-side: through the virtual camera."""
    pipewire: Literal["auto", "on", "off"] = "auto"
    """Whether to offer a PipeWire camera too. auto: if PipeWire runs and the virtual camera is not off."""
    on_demand: bool = True
    """Release the camera while no program reads the virtual camera and the window is not visible."""
    record: Path | None = None
    record_alpha: Path | None = None
    record_rate: Literal["variable", "constant"] = "variable"
    """`variable` writes each new composite with its own time; `constant` repeats frames to a constant frame rate."""
    encoder: Literal["auto", "x264", "vaapi", "nvenc", "qsv", "videotoolbox"] = "auto"
    """Of recordings; `auto` takes the first hardware encoder that works, else x264."""
    microphone: Annotated[str, Field(min_length=1, max_length=300)] = "off"
    """Sound of recordings: `off`, `default` or the name of a microphone."""
    mirror: bool = False
    standby_text: Annotated[str, Field(max_length=200)] = ""
    standby_image: Path | None = None

    @property
    def offers_pipewire(self) -> bool:
        """Whether a PipeWire camera is asked for where PipeWire runs."""
        return self.pipewire == "on" or (self.pipewire == "auto" and self.virtual_camera != "off")


class Settings(Model):
    """All settings of the program."""

    version: int = SETTINGS_VERSION
    capture: CaptureSettings = CaptureSettings()
    framing: FramingSettings = FramingSettings()
    placement: PlacementSettings = PlacementSettings()
    people: PeopleSettings = PeopleSettings()
    matting: MattingSettings = MattingSettings()
    background: BackgroundSettings = BackgroundSettings()
    output: OutputSettings = OutputSettings()
    overlay: OverlaySettings = OverlaySettings()
    global_shortcuts: bool = False
    """Keys that pause, freeze and choose backgrounds while another program has the focus; never part of a scene."""
    selected: tuple[Fraction, Fraction] | None = None
    """Where the user last selected a person, in fractions of the camera's frame; never saved."""
    paused: bool = False
    """The outputs show the stand-by card."""
    frozen: bool = False
    """The outputs keep the last composite, while `hides` stays the same."""

    @property
    def hides(self) -> tuple[object, ...]:
        """What decides which part of the room a picture shows."""
        background, edges = self.background, self.matting.edges
        return (
            (background.kind, background.blur_strength, background.bokeh, background.distance_blur),
            (edges.strict, edges.threshold, edges.contrast, edges.grow_px, edges.feather_px),
            (self.people.zones, self.people.only_me, self.selected, self.framing),
        )

    def with_strict(self, level: StrictLevel) -> Self:
        """Return the settings at another level of strict mode, with the blur as it was where the level allows it."""
        edges, background = self.matting.edges, self.background
        full = full_strength(background.blur_strength, edges.strict)
        same_scale = (level == "off") == (edges.strict == "off")
        strength = background.blur_strength if same_scale else level_strength(full, level)
        return self.replace(
            matting=self.matting.replace(edges=edges.replace(strict=level)),
            background=background.replace(blur_strength=strength),
        )
