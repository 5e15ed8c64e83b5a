"""Everything the user can choose, as immutable data.

A `Settings` value is read once per frame by every worker; a change makes a new value (`replace`). Reading and writing
the settings file is `app.config.settings_file`.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import Self

from models.table import NETWORKS

log = logging.getLogger(__name__)

SETTINGS_VERSION = 1

MIN_RATIO, MAX_RATIO = 0.05, 1.0
MAX_ZOOM = 4.0


class Model(BaseModel):
    """Immutable, validated, and strict about unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def replace(self, **changes: Any) -> Self:
        """A copy with `changes`, validated again (pydantic's model_copy does not validate)."""
        return type(self).model_validate({**dict(self), **changes})


class CaptureSettings(Model):
    """Where frames come from."""

    source: str = "auto"
    """`auto`, `demo`, `camera:INDEX`, `camera:/dev/videoN`, `camera:STABLE-ID` or a video file."""
    width: Annotated[int, Field(ge=16, le=7680)] = 1280
    height: Annotated[int, Field(ge=16, le=4320)] = 720
    fps: Annotated[float, Field(ge=1, le=240)] = 30.0
    pixel_format: str = "auto"
    """A FOURCC such as `MJPG` or `YUYV`; `auto` prefers MJPG where the camera offers it."""
    lock_exposure: bool = False
    """Hold the camera's exposure and white balance once they have settled, where it allows that; for the plate."""


class FramingSettings(Model):
    """Which part of the source's picture is used: a digital zoom, and where in the picture it looks."""

    zoom: Annotated[float, Field(ge=1, le=MAX_ZOOM)] = 1.0
    pan_x: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """-1: at the left edge of the source's picture, 1: at the right one; without a zoom all of it is seen anyway."""
    pan_y: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """-1: at the upper edge, 1: at the lower one."""


class EdgeSettings(Model):
    """How the matte's edge is treated, after the network and before the composite."""

    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The alpha that stays where it is when the contrast is raised."""
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    """0 leaves the matte alone, 1 makes it a hard mask at the threshold."""
    grow_px: Annotated[int, Field(ge=-20, le=20)] = 0
    """Grows (above 0) or shrinks the person, in output pixels."""
    feather_px: Annotated[int, Field(ge=0, le=40)] = 0
    """Softens the edge outward, in output pixels: the inside stays opaque."""
    steadiness: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How strongly small changes of alpha over time are held back."""
    despill: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How strongly green cast is taken out of the half-transparent edge."""
    strict: bool = True
    """Remove from the matte what is not attached to a person or agrees with the learned background."""


class EngineSettings(Model):
    """What identifies an engine: which network, and how it runs. A change needs another engine."""

    model: str = "auto"
    weights: Path | None = None
    refiner: Literal["auto", "deep-guided-filter", "fast-guided-filter"] = "auto"
    plate: Path | None = None
    device: str = "auto"
    executor: Literal["auto", "eager", "cuda-graph", "openvino"] = "auto"
    precision: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    downsample_ratio: Annotated[float, Field(ge=MIN_RATIO, le=MAX_RATIO)] | None = None
    """None: chosen so that the small frame's short side is about 270 px."""

    @field_validator("executor", mode="before")
    @classmethod
    def _removed_executor(cls, value: object) -> object:
        """Settings of version 0.1 may name the executor `compiled`, which was removed."""
        if value == "compiled":
            log.warning("The executor compiled was removed; the executor is chosen automatically.")
            return "auto"
        return value

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        names = ("auto", *NETWORKS)
        if value not in names:
            raise ValueError(f"there is no model {value!r}; the models are {', '.join(names)}")
        return value

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", value):
            raise ValueError(f"there is no device {value!r}; use auto, cpu, cuda, cuda:N or mps")
        return value


class MattingSettings(EngineSettings):
    """The engine's settings, and those that take effect at the next frame without another engine."""

    governor: bool = True
    """Lower what is left on auto (ratio, model) and the matted rate while the machine is too busy to hold the rate."""
    edges: EdgeSettings = EdgeSettings()

    @property
    def engine(self) -> EngineSettings:
        """The settings that identify the engine."""
        return EngineSettings(**{name: getattr(self, name) for name in EngineSettings.model_fields})


class BackgroundSettings(Model):
    """What stands behind the person."""

    kind: Literal["blur", "image", "video", "colour", "none"] = "blur"
    path: Path | None = None
    """The image or video; kept while another kind is chosen."""
    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#00b140"
    blur_strength: Annotated[float, Field(ge=0, le=100)] = 50.0
    fit: Literal["fill", "fit"] = "fill"


class OutputSettings(Model):
    """Where pictures go."""

    virtual_camera: str = "auto"
    """`auto`, `off`, a device (`/dev/video10`) or its label."""
    on_demand: bool = True
    """Release the camera while nobody reads the virtual camera or looks at the window."""
    record: Path | None = None
    record_alpha: Path | None = None
    mirror: bool = False
    standby_text: Annotated[str, Field(max_length=200)] = ""
    standby_image: Path | None = None


class Settings(Model):
    """All of it."""

    version: int = SETTINGS_VERSION
    capture: CaptureSettings = CaptureSettings()
    framing: FramingSettings = FramingSettings()
    matting: MattingSettings = MattingSettings()
    background: BackgroundSettings = BackgroundSettings()
    output: OutputSettings = OutputSettings()
    paused: bool = False
    """The outputs show the stand-by card."""
    frozen: bool = False
    """The outputs keep the last composite."""
