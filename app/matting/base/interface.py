"""Interfaces of matting: the engine, and the backend that runs the frame step for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.core.matte_edit import MatteEdit, Plane
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte
from app.matting.base.state import StateArrays


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Description of an engine and where it runs; shown to the user."""

    model: str
    executor: str
    precision: str
    device: str
    downsample_ratio: float
    small_size: tuple[int, int]
    """(width, height) of the network's input."""
    round_trip_ms: float | None = None
    """Time from sending a frame to its matte, for a network on a server."""


class MatteEditor(Protocol):
    """Decides per frame what is done to the matte between the network and the composite."""

    def edit(self, small: Plane, alpha: Plane) -> MatteEdit:
        """Return the change of this frame's matte; called once per step, on the thread that runs it.

        small: (3, h, w) the network's input, RGB in 0..1. alpha: (h, w) in 0..1. Neither may be modified.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pending:
    """A step whose network has run."""

    result: Callable[[], Matte]
    """Returns matte and composite in new arrays, which the caller may keep. Called at most once, before the next step;
    raises ModelError."""
    detach: Callable[[], None] = lambda: None
    """Copies what the next step overwrites: `result` may then run on any thread beside that step and after `close`, but
    must have ended before the result of that step and before any other method of the engine."""


class MattingEngine(Protocol):
    """Extracts the person from consecutive frames and composites them over the backdrop.

    Owns the recurrent state, which is reset by `reset` and whenever the frame's size changes. Used and closed on one
    thread; may be built on another.
    """

    @property
    def info(self) -> EngineInfo:
        """Return the model, executor, precision, device and ratio in use."""
        ...

    @property
    def overlaps(self) -> bool:
        """Whether a higher frame rate results if a step's result is computed beside the next step; see `Pending`."""
        ...

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
    ) -> Pending:
        """Run the network on the next frame and return the pending matte.

        frame: (H, W, 3) uint8 BGR. backdrop: the same size, or a BlurredBackground. Raises ModelError if the network
        fails or its output is not finite; never returns the frame itself.
        """
        ...

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far (a new source, scene or engine).

        seen: alpha (H, W) of the last frame, if another engine matted this stream until now. Strict mode shows the
        people in it at once; otherwise people appear when they first move.
        """
        ...

    def close(self) -> None:
        """Release the device. Idempotent."""
        ...


class NotAMatteError(Exception):
    """The network's output contains NaN or infinity."""


class Backend(Protocol):
    """Runs the frame step for one network, size and ratio, and owns the recurrent state.

    All backends return the same results within the tolerances of the contract test.
    """

    @property
    def name(self) -> str:
        """Name of the executor in the settings: `eager`, `openvino`, ..."""
        ...

    @property
    def precision(self) -> str:
        """Precision of the network: `float32`, `float16`, `bfloat16` or `int8`."""
        ...

    @property
    def device(self) -> str:
        """Name of the device, shown to the user."""
        ...

    @property
    def overlaps(self) -> bool:
        """See `MattingEngine.overlaps`."""
        ...

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
        still: bool = False,
    ) -> Pending:
        """Run one step; see `MattingEngine.step`. Raises NotAMatteError. The caller has validated the sizes.

        still: so little has moved since the last step that the network's last result may be used once more.
        """
        ...

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state. seen: see `MattingEngine.reset`."""
        ...

    def state(self) -> StateArrays:
        """Return copies of all arrays that the next step depends on."""
        ...

    def load_state(self, arrays: StateArrays) -> None:
        """Continue after the frame at which `arrays` were saved. Raises KeyError or ValueError if they do not fit."""
        ...

    def close(self) -> None:
        """Release the device. Idempotent."""
        ...
