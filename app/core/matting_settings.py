"""The base of all settings; settings of matting: edges and light, the engine, what needs no other one; the blur scale.

A blur strength is one number, 0 to 100, at every level of strict mode. The level `balanced` shows at least
`HIDES_TEXT` (`shown_strength`), and every step of the engine applies that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.table import NETWORKS

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on

MAX_ZOOM = 4.0


class Model(BaseModel):
    """Base of all settings: immutable, validated, rejects unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def replace(self, **changes: Any) -> Self:
        """Return a validated copy with `changes` (pydantic's model_copy does not validate)."""
        return type(self).model_validate({**dict(self), **changes})

    def replaced_at(self, path: Sequence[str], /, **changes: Any) -> Self:
        """Return the same with `changes` of the part at `path`, such as `("matting", "edges")`."""
        if not path:
            return self.replace(**changes)
        return self.replace(**{path[0]: getattr(self, path[0]).replaced_at(path[1:], **changes)})


def setting(
    default: Any,
    description: str,
    low: float | None = None,
    high: float | None = None,
    *,
    option: str = "",
    values: str = "",
    **constraints: Any,
) -> Any:
    """Declare a setting. Command line, `ctl`, checks of files and the table of the settings are derived from it.

    description: help of the option. low, high: the range, both included. option: such as `--mirror`, for a switch with
    two names `--on-demand/--always-on`; empty for a setting without an option. values: what the help shows in place of
    what the type allows. constraints: further arguments of pydantic's `Field`.
    """
    shown = {name: text for name, text in (("option", option), ("values", values)) if text}
    return Field(default, description=description, ge=low, le=high, json_schema_extra={**shown}, **constraints)


StrictLevel = Literal["off", "balanced"]

HIDES_TEXT = 70.0
"""Least strength at which text 60 px high at 720p is unreadable even after deconvolution."""


def shown_strength(strength: float, level: StrictLevel) -> float:
    """Return the strength, 0 to 100, with which a level of strict mode blurs where `strength` is chosen."""
    return strength if level == "off" else max(strength, HIDES_TEXT)


MIN_RATIO, MAX_RATIO = 0.05, 1.0


class EdgeSettings(Model):
    """Edge and light controls, applied to matte and foreground between network and composite."""

    threshold: float = setting(0.5, "The alpha that a raised contrast leaves unchanged.", 0, 1)
    contrast: float = setting(0.0, "0 leaves the matte unchanged, 1 makes it a binary mask at the threshold.", 0, 1)
    grow_px: int = setting(0, "Dilate (above 0) or erode the person, in output pixels.", -20, 20)
    feather_px: int = setting(0, "Soften the edge outward, in output pixels; the inside stays opaque.", 0, 40)
    temporal_smoothing: float = setting(0.0, "How strongly small changes of alpha between frames are damped.", 0, 1)
    despill: float = setting(0.0, "Remove a green cast from the semi-transparent edge.", 0, 1)
    strict: StrictLevel = setting("balanced", "Hide things mistaken for people.", option="--strict")
    light_match: float = setting(
        0.0, "Adapt the person's brightness, colour and contrast to the background.", 0, 100, option="--light-match"
    )
    portrait_light: float = setting(0.0, "Soft virtual light on the face.", 0, 100, option="--portrait-light")


class EngineSettings(Model):
    """Settings that identify an engine: the network and how it runs. A change requires another engine."""

    model: str = setting("auto", f"One of {', '.join(('auto', *NETWORKS))}.", option="--model")
    weights: Path | None = setting(
        None, "Checkpoint for the model, in place of the registered one.", option="--weights"
    )
    refiner: Literal["auto", "deep-guided-filter", "fast-guided-filter"] = setting(
        "auto", "How the matte is upsampled.", option="--refiner"
    )
    plate: Path | None = setting(None, "Image of the empty background, for models that need one.", option="--plate")
    device: str = setting("auto", "auto, cpu, cuda, cuda:N or mps.", option="--device")
    executor: Literal["auto", "eager", "openvino"] = setting(
        "auto", "Software that runs the network.", option="--executor"
    )
    precision: Literal["auto", "float32", "float16", "bfloat16", "int8"] = setting(
        "auto", "Number format of the computation.", option="--precision"
    )
    downsample_ratio: float | None = setting(
        None, "Downsample ratio of the frame for the network.", MIN_RATIO, MAX_RATIO, option="--downsample-ratio"
    )
    """None selects a ratio for which the short side of the network's input is about 270 pixels."""

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
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", value):
            raise ValueError("it must be auto, cpu, cuda, cuda:N or mps")
        return value


class MattingSettings(EngineSettings):
    """Engine settings, and settings that take effect at the next frame without another engine."""

    governor: bool = setting(
        True,
        "Lower the quality when the machine is too busy; affects only settings on auto.",
        option="--governor/--no-governor",
    )
    edges: EdgeSettings = EdgeSettings()

    @property
    def engine(self) -> EngineSettings:
        """The settings that identify the engine."""
        return EngineSettings(**{name: getattr(self, name) for name in EngineSettings.model_fields})
