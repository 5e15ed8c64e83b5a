"""The parts of the user's settings as immutable data; `app.settings` puts them together.

A blur strength is one number, 0 to 100, at every level of strict mode. The level `balanced` shows
at least `HIDES_TEXT` (`shown_strength`), and every step of the engine applies that.
"""

from __future__ import annotations

import operator
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from app.core.declaration import Hides, Model, look, setting
from app.core.errors import Stage
from app.core.targets import kind_of
from app.core.types import Orientation, Rotation
from models.table import NETWORKS

MAX_ZOOM = 4.0

StrictLevel = Literal["off", "balanced"]

# From this strength on, text 60 px high at 720p is unreadable even after deconvolution.
HIDES_TEXT = 70.0


def shown_strength(strength: float, level: StrictLevel) -> float:
    """Return the strength of the blur that is shown, 0 to 100, where `strength` is chosen."""
    if level == "off":
        return strength
    return max(strength, HIDES_TEXT)


# What the settings of a part have in common.
_share = partial(look, low=0, high=1, unit="share")
_shift = partial(look, low=-1, high=1, unit="shift")
_engine = partial(setting, scope="scene", stage=Stage.MATTING)
_background = partial(setting, scope="scene", stage=Stage.BACKGROUND)
_camera = partial(setting, scope="device", stage=Stage.CAPTURE)
_virtual_camera = partial(setting, scope="device", stage=Stage.VIRTUAL_CAMERA)
_pipewire = partial(setting, scope="device", stage=Stage.PIPEWIRE)
_program = partial(setting, scope="program", stage=None)

MIN_RATIO = 0.05
MAX_RATIO = 1.0


class EdgeSettings(Model):
    """Edge controls, applied to matte and foreground between network and composite."""

    threshold: float = _share(
        0.5,
        "How opaque a pixel must be to stay when the edge is hardened.",
        title="Threshold",
        hides=Hides("edges", operator.lt),
    )
    # A harder edge shows more above the threshold, a softer one more below it.
    contrast: float = _share(
        0.0,
        "From the soft matte to a hard mask at the threshold.",
        title="Hardness",
        hides=Hides("edges", operator.ne),
    )
    grow_px: int = look(
        0,
        "Move the edge outward⟦ (above 0)⟧ or inward⟦, in output pixels⟧.",
        -20,
        20,
        title="Shrink or grow",
        hides=Hides("edges", operator.gt),
        unit="px",
    )
    feather_px: int = look(
        0,
        "Soften the edge outward⟦, in output pixels⟧; the inside stays opaque.",
        0,
        40,
        title="Feather outward",
        hides=Hides("edges", operator.gt),
        unit="px",
    )
    temporal_smoothing: float = _share(
        0.0,
        "Reduce flicker of the edge.",
        title="Temporal smoothing",
    )
    despill: float = _share(
        0.0,
        "Remove a green cast from hair and edges.",
        title="Remove colour fringe",
    )


class StrictSettings(Model):
    """Strict mode, `app.matting.strict`.

    It is declared here, because engines of mattes stand above the settings.
    """

    level: StrictLevel = look(
        "balanced",
        "Balanced: hide things mistaken for people, and nothing of a person.",
        title="Hide things mistaken for people",
        option="--strict",
        hides=Hides("things", lambda level, other: level == "off" != other),
    )


class EngineSettings(Model):
    """Settings that identify an engine: the network and how it runs.

    A change requires another engine.
    """

    model: str = _engine(
        "auto",
        "auto or a network; weights list shows the names.",
        option="--model",
    )
    weights: Path | None = _engine(
        None, "Checkpoint for the model, in place of the registered one.", option="--weights"
    )
    refiner: Literal["auto", "deep-guided-filter", "fast-guided-filter"] = _engine(
        "auto", "How the matte is upsampled.", title="Refiner", option="--refiner"
    )
    plate: Path | None = _engine(
        None,
        "Image of the empty background, for models that need one.",
        option="--plate",
    )
    device: str = _engine(
        "auto",
        "Processor that runs the network⟦: auto, cpu, cuda, cuda:N, mps or intel⟧.",
        title="Device",
        option="--device",
    )
    executor: Literal["auto", "eager", "openvino"] = _engine(
        "auto", "Software that runs the network.", title="Executor", option="--executor"
    )
    precision: Literal["auto", "float32", "float16", "bfloat16", "int8"] = _engine(
        "auto", "Number format of the computation.", title="Precision", option="--precision"
    )
    # With None, the short side of the network's input has about 270 pixels.
    downsample_ratio: float | None = _engine(
        None,
        "Resolution of the network's input⟦ as a share of the frame's⟧: more is finer and slower.",
        MIN_RATIO,
        MAX_RATIO,
        title="Detail",
        option="--downsample-ratio",
        unit="share",
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        names = ("auto", *NETWORKS)
        if value not in names:
            raise ValueError(f"it must be one of {', '.join(names)}")
        return value

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if value != "auto":
            kind_of(value)
        return value


class MattingSettings(EngineSettings):
    """Engine settings, and settings that take effect at the next frame without another engine."""

    governor: bool = look(
        True,
        "Lower automatic settings and the frame rate while this computer cannot keep up.",
        title="Lower quality when this computer is busy",
        option="--governor/--no-governor",
    )
    edges: EdgeSettings = EdgeSettings()

    @property
    def engine(self) -> EngineSettings:
        """The settings that identify the engine."""
        return EngineSettings(**{name: getattr(self, name) for name in EngineSettings.model_fields})


COLOUR = r"^#[0-9a-fA-F]{6}$"


class CaptureSettings(Model):
    """The source of the frames and its format."""

    # Also `camera:STABLE-ID`, and `portal` for the first camera of PipeWire.
    source: str = _camera(
        "auto",
        "auto, camera:INDEX, camera:/dev/videoN, portal:NAME, demo or a file.",
        option="--source",
    )
    width: int = _camera(1280, "Width of the frames.", 16, 7680, option="--size", unit="px")
    height: int = _camera(720, "Height of the frames.", 16, 4320, option="--size", unit="px")
    fps: float = _camera(
        30.0,
        "Frames per second of the camera.",
        1,
        240,
        title="Frame rate",
        option="--fps",
        unit="fps",
    )
    pixel_format: str = _camera(
        "auto",
        "Pixel format of the camera⟦, such as MJPG or YUYV⟧.",
        title="Format",
        option="--format",
    )
    # Of YUV and JPEG; of other formats they are clear.
    colours: Literal["auto", "bt601", "bt601-full", "bt709", "bt709-full"] = _camera(
        "auto",
        "How the camera encodes colours⟦: auto as its driver says, else the matrix, and full for "
        "the full range⟧.",
        title="Colours of the camera",
        option="--camera-colours",
    )
    # `auto`: where the driver says so, or the frames show it. Films are deinterlaced
    # as they say themselves.
    deinterlace: Literal["auto", "on", "off"] = _camera(
        "auto",
        "Remove the combs of interlaced video⟦ of a camera or grabber⟧.",
        title="Deinterlace",
        option="--deinterlace",
    )
    # If the camera supports it; keeps the plate valid.
    lock_exposure: bool = setting(
        False,
        "Lock exposure and white balance once they have settled (Linux).",
        scope="device",
        stage=None,
    )
    # Added to what a film's own metadata says.
    rotate: Rotation = setting(
        0,
        "Turn the camera⟦ or film⟧ clockwise, in degrees.",
        title="Turn the camera",
        option="--rotate",
        hides=Hides(),
        scope="device",
        stage=None,
    )
    # After the turn. Zones, plates and framing follow; `output.mirror` mirrors what
    # leaves, with the background.
    flip: bool = setting(
        False,
        "Swap left and right of the camera⟦ or film⟧, not of the background.",
        title="Swap left and right of the camera",
        option="--flip/--no-flip",
        hides=Hides(),
        scope="device",
        stage=None,
    )

    @field_validator("rotate", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        # Options and `ctl` give words, and a choice of numbers takes no word.
        if isinstance(value, str) and value.isdecimal():
            return int(value)
        return value

    @property
    def orientation(self) -> Orientation:
        """How the frames are turned."""
        return Orientation(self.rotate, self.flip)


class BackgroundSettings(Model):
    """The background that replaces the camera's."""

    kind: Literal["blur", "image", "video", "colour", "none"] = _background(
        "blur",
        "What replaces the camera's background; none shows the room.",
        option="--background",
        hides=Hides(),
    )
    path: Path | None = _background(None, "Image or video; kept while another kind is used.")
    colour: str = _background("#00b140", "Colour of the kind colour.", pattern=COLOUR)
    # The same at every level of strict mode, which may show a stronger one:
    # `Settings.shown_blur`.
    blur_strength: float = _background(
        85.0,
        f"Strength of the blur; from {HIDES_TEXT:g} on it hides text.",
        0,
        100,
        hides=Hides(),
        unit="percent",
    )
    bokeh: bool = _background(
        False,
        "Blur like a wide lens: lights become discs; needs the executor OpenVINO.",
        title="Bokeh",
        hides=Hides(),
    )
    fit: Literal["fill", "fit"] = look(
        "fill",
        "Whether the background covers the frame or is shown whole.",
        option="--background-fit",
    )
    zoom: float = look(
        1.0,
        "Enlarge the image behind the person.",
        1,
        MAX_ZOOM,
        title="Zoom",
        option="--background-zoom",
        unit="factor",
    )
    pan_x: float = _shift(
        0.0,
        "Part of the background that is shown⟦: -1 left, 1 right⟧.",
        title="Left–right",
        option="--background-pan",
    )
    pan_y: float = _shift(
        0.0,
        "Part of the background that is shown⟦: -1 top, 1 bottom⟧.",
        title="Up–down",
        option="--background-pan",
    )

    @property
    def text(self) -> str:
        """The background as the command line writes it, such as `blur:50` or a file."""
        if self.kind == "blur":
            name = "bokeh" if self.bokeh else "blur"
            return f"{name}:{self.blur_strength:g}"
        if self.kind == "colour":
            return self.colour
        if self.kind == "none":
            return "none"
        return str(self.path)

    @property
    def file(self) -> Path | None:
        """The image or video that is used; None for another kind."""
        if self.kind not in ("image", "video"):
            return None
        return self.path

    def with_file(self, kind: str, path: Path) -> BackgroundSettings:
        """Return the settings with a file, which starts in the middle unless it is in use."""
        if path == self.path:
            return self.replace(kind=kind, path=path)
        return self.replace(kind=kind, path=path, zoom=1.0, pan_x=0.0, pan_y=0.0)


class FramingSettings(Model):
    """Crop of the source's frames: digital zoom and pan."""

    zoom: float = look(
        1.0,
        "Enlarge a part of the camera image.",
        1,
        MAX_ZOOM,
        title="Zoom",
        option="--zoom",
        hides=Hides(),
        unit="factor",
    )
    pan_x: float = _shift(
        0.0,
        "Part of the camera image that is shown⟦: -1 left, 1 right⟧.",
        title="Left–right",
        option="--pan",
        hides=Hides(),
    )
    pan_y: float = _shift(
        0.0,
        "Part of the camera image that is shown⟦: -1 top, 1 bottom⟧.",
        title="Up–down",
        option="--pan",
        hides=Hides(),
    )


class OutputSettings(Model):
    """The virtual camera and other outputs."""

    virtual_camera: str = _virtual_camera(
        "auto",
        "Device that programs read⟦: auto, off, a device or its label⟧.",
        title="Device",
        option="--virtual-camera",
    )
    # auto: pyvirtualcam; where that is not installed or fails V4L2, on Windows the camera of OBS.
    virtual_camera_backend: Literal["auto", "pyvirtualcam", "v4l2"] = _virtual_camera(
        "auto",
        "Library for the virtual camera.",
        title="Virtual camera backend",
        option="--virtual-camera-backend",
    )
    alpha_output: Literal["off", "bgra"] = _pipewire(
        "off",
        "For programs that put another picture behind the person⟦: bgra sends alpha in the "
        "PipeWire camera⟧.",
        title="Send cut-out person to OBS",
        option="--alpha-output",
    )
    # auto: if PipeWire runs and the virtual camera is not off.
    pipewire: Literal["auto", "on", "off"] = _pipewire(
        "auto",
        "Offer a camera that browsers and Flatpak programs find by its portal⟦; auto: where "
        "PipeWire runs⟧.",
        title="PipeWire camera",
        option="--pipewire",
    )
    # Not while the window is visible.
    on_demand: bool = setting(
        True,
        "Turn the camera off while no program reads it and the window is hidden.",
        title="Switch the real camera off while nobody watches",
        option="--on-demand/--always-on",
        scope="device",
        stage=None,
    )
    pause_when_locked: bool = setting(
        False,
        "Show others the card while the screen of this computer is locked⟦ (Linux)⟧.",
        title="Pause while the screen is locked",
        option="--pause-when-locked/--run-when-locked",
        scope="program",
        stage=Stage.SCREEN_LOCK,
        hides=Hides("locked", operator.lt),
    )
    record: Path | None = setting(
        None,
        "Also record the output to this video file.",
        option="--record",
        scope="run",
        stage="recording",
    )
    record_alpha: Path | None = setting(
        None,
        "Also record the alpha matte to this video file.",
        option="--record-alpha",
        scope="run",
        stage="recording-alpha",
    )
    record_rate: Literal["variable", "constant"] = _program(
        "variable",
        "Record frames with their own times, or at a constant frame rate.",
        option="--record-rate",
    )
    encoder: Literal["auto", "x264", "vaapi", "nvenc", "qsv", "videotoolbox"] = _program(
        "auto",
        "Encoder of recordings; auto takes a hardware encoder that works.",
        option="--encoder",
    )
    microphone: str = setting(
        "off",
        "Microphone whose sound is recorded⟦ with --record⟧.",
        title="Microphone",
        option="--microphone",
        values="off|default|NAME",
        min_length=1,
        max_length=300,
        scope="program",
        stage=Stage.MICROPHONE,
    )
    mirror: bool = look(
        False,
        "Mirror what leaves, with the background and texts in it.",
        title="Mirror the output",
        option="--mirror/--no-mirror",
    )
    standby_text: str = setting(
        "",
        "Text of the card that others see while you are paused.",
        title="Stand-by text",
        max_length=200,
        scope="scene",
        stage=Stage.OUTPUT,
    )
    standby_image: Path | None = setting(
        None,
        "Image of the card that others see while you are paused.",
        title="Stand-by image",
        scope="scene",
        stage=Stage.OUTPUT,
    )

    @property
    def offers_pipewire(self) -> bool:
        """Whether a PipeWire camera is asked for where PipeWire runs."""
        if self.pipewire == "auto":
            return self.virtual_camera != "off"
        return self.pipewire == "on"


Theme = Literal["system", "light", "dark"]
Language = Literal["system", "en", "de", "es"]


class WindowSettings(Model):
    """What the window looks like and remembers. None of it affects the output."""

    first_run_done: bool = _program(False, "")
    close_to_tray: bool = _program(
        False,
        "Other programs keep receiving your video when the window is closed.",
        title="Keep running in the tray when the window is closed",
    )
    mirror_preview: bool = _program(
        True, "Show the preview as a mirror; the output stays as it is.", title="Mirror the preview"
    )
    show_panel: bool = _program(True, "Show the side panel.")
    all_settings: bool = _program(
        False,
        "Show every setting in the side panel, not only what most people need.",
    )
    show_readout: bool = _program(True, "Show frame rate and delay on the preview.")
    theme: Theme = _program("system", "Light or dark colours of the window.", title="Theme")
    language: Language = _program(
        "system",
        "Language of the window⟦, from the next start on⟧.",
        title="Language",
    )
    own_colour: str = _program(
        "#3a5f8a",
        "The colour of the tile Colour.",
        pattern=COLOUR,
        values="#RRGGBB",
    )
    recordings_dir: Path | None = _program(
        None, "Folder of recordings; none: Mattecam in your folder of videos.", values="FOLDER"
    )
    # Size and position of the window, as encoded by Qt, in base 64.
    geometry: str = _program("", "")
    # The last settings of each camera, by its stable id.
    cameras: dict[str, CaptureSettings] = _program({}, "")
