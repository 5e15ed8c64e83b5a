"""Buffers and results of a captured step; see `cuda_graph`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor

from app.core.types import BgrImage
from app.matting.step.core import State
from app.matting.torch_backend.graph_backend import Mark


class Results(NamedTuple):
    """Outputs of a captured step on the device, at fixed addresses."""

    composite: Tensor
    alpha: Tensor
    finite: Tensor
    slope: Tensor
    offset: Tensor
    room: Tensor | None = None


@dataclass(eq=False)
class Turn:
    """Buffers of a frame, and the steps captured on them."""

    frame: Tensor
    picture: Tensor
    taps: Tensor
    foreground: Tensor
    state: State
    """State before the step."""
    frame_up: Tensor
    """Pinned host memory for uploads, as are the next two."""
    picture_up: Tensor
    taps_up: Tensor
    shown: BgrImage | None = None
    """Background currently in `picture`."""
    strength: float | None = None
    """Blur strength of `taps`."""
    graphs: dict[tuple[bool, bool], tuple[Results, Callable[[], None]]] = field(default_factory=dict)
    """Captured steps, keyed by whether the backdrop is a blurred background, and whether strict mode is on."""


@dataclass(frozen=True)
class Flight:
    """A submitted frame: host buffers of its results, and the event that signals their arrival."""

    composite: Tensor
    alpha: Tensor
    foreground: Tensor | None
    finite: Tensor
    arrived: Mark
