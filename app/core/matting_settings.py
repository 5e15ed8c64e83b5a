"""Settings of matting: edges and light, the engine, and what takes effect without another engine."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from app.core.blur_scale import StrictLevel
from app.core.settings_base import Model
from models.table import NETWORKS

log = logging.getLogger(__name__)

MIN_RATIO, MAX_RATIO = 0.05, 1.0
STRICT_SWITCH: dict[object, StrictLevel] = {True: "strict", "on": "strict", False: "off"}
"""What the values of version 0.2, a switch, mean as levels."""


class EdgeSettings(Model):
    """Edge and light controls, applied to matte and foreground between network and composite."""

    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The alpha that a raised contrast leaves unchanged."""
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    """0 leaves the matte unchanged, 1 makes it a binary mask at the threshold."""
    grow_px: Annotated[int, Field(ge=-20, le=20)] = 0
    """Dilates (above 0) or erodes the person, in output pixels."""
    feather_px: Annotated[int, Field(ge=0, le=40)] = 0
    """Softens the edge outward, in output pixels; the inside stays opaque."""
    temporal_smoothing: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Temporal smoothing: how strongly small changes of alpha between frames are damped."""
    despill: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Strength of the removal of green cast from the semi-transparent edge."""
    strict: StrictLevel = "balanced"
    """What is removed from the matte. balanced: what is mistaken for a person; strict: what does not move, too."""
    person_region: bool = True
    """Unless `strict` is off, let the network see the part of the frame around people where they are far away."""
    light_match: Annotated[float, Field(ge=0, le=100)] = 0.0
    """How far the person's brightness, white balance and contrast follow the background's; not that of blur."""
    light_wrap: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Light of the background that falls on the person's outline."""
    portrait_light: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Virtual soft light on the face."""

    @model_validator(mode="before")
    @classmethod
    def _accept_old_names(cls, data: object) -> object:
        """Read files of version 0.1, which call the temporal smoothing `steadiness`."""
        if isinstance(data, dict) and "steadiness" in data:
            return {
                **{name: value for name, value in data.items() if name != "steadiness"},
                "temporal_smoothing": data["steadiness"],
            }
        return data

    @field_validator("strict", mode="before")
    @classmethod
    def _level_of_switch(cls, value: object) -> object:
        return STRICT_SWITCH.get(value, value) if isinstance(value, bool | str) else value


class EngineSettings(Model):
    """Settings that identify an engine: the network and how it runs. A change requires another engine."""

    location: Literal["local", "remote"] = "local"
    """Where the network runs: on this machine, or on a `server`."""
    server: str = ""
    """Address of the matting server, such as `https://matting.example:8765`."""
    server_token_file: Path | None = None
    """File with the server's token; None reads the file that `$MATTECAM_SERVER_TOKEN_FILE` names, if any."""
    server_ca_file: Path | None = None
    """Certificate (PEM) that the server's must be signed with; None trusts what the system trusts."""
    model: str = "auto"
    weights: Path | None = None
    refiner: Literal["auto", "deep-guided-filter", "fast-guided-filter"] = "auto"
    plate: Path | None = None
    device: str = "auto"
    executor: Literal["auto", "eager", "openvino"] = "auto"
    precision: Literal["auto", "float32", "float16", "bfloat16", "int8"] = "auto"
    downsample_ratio: Annotated[float, Field(ge=MIN_RATIO, le=MAX_RATIO)] | None = None
    """None selects a ratio for which the short side of the network's input is about 270 pixels."""

    @field_validator("executor", mode="before")
    @classmethod
    def _removed_executor(cls, value: object) -> object:
        """Replace the executors of older versions that were removed."""
        if value in ("compiled", "cuda-graph"):
            log.warning("The executor %s was removed; the executor is chosen automatically.", value)
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
    """Engine settings, and settings that take effect at the next frame without another engine."""

    governor: bool = True
    """Reduce settings left on auto (ratio, model) and the matting rate while the machine cannot hold the frame rate."""
    edges: EdgeSettings = EdgeSettings()

    @property
    def engine(self) -> EngineSettings:
        """The settings that identify the engine."""
        return EngineSettings(**{name: getattr(self, name) for name in EngineSettings.model_fields})
