"""Interfaces of matting: the engine, and the executor that runs the frame step for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from app.core.settings import EdgeSettings
from app.core.shaping import Plane, Shape
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte


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


class MattingEngine(Protocol):
    """Extracts the person from consecutive frames and composites them over the backdrop.

    Owns the recurrent state, which is reset by `reset` and whenever the frame's size changes. Used and closed on one
    thread; may be built on another.
    """

    @property
    def info(self) -> EngineInfo:
        """Return the model, executor, precision, device and ratio in use."""
        ...

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        """Return the matte and composite of the next frame in new arrays, which the caller may keep.

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


class MatteShaper(Protocol):
    """Decides per frame what is done to the matte between the network and the composite."""

    def shape(self, small: Plane, alpha: Plane) -> Shape:
        """Return the change of this frame's matte; called once per step, on the thread that runs it.

        small: (3, h, w) the network's input, RGB in 0..1. alpha: (h, w) in 0..1. Neither may be modified.
        """
        ...


@runtime_checkable
class ShapingEngine(Protocol):
    """An engine whose mattes can be shaped."""

    def step_shaped(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        shaper: MatteShaper | None,
        *,
        want_foreground: bool = False,
    ) -> Matte:
        """Run one step as `MattingEngine.step` does, with the shaper's change of the matte.

        Raises ModelError if the executor in use cannot shape mattes.
        """
        ...


@runtime_checkable
class OverlappingEngine(Protocol):
    """An engine whose steps can overlap: one ends on another thread while the network runs on the next frame."""

    @property
    def overlaps(self) -> bool:
        """Whether steps that overlap give a higher frame rate with the executor in use."""
        ...

    def begin(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False
    ) -> Callable[[], Matte]:
        """Run the network on the next frame; return the rest of the step, which returns the matte.

        The rest is called at most once, on any thread, and may run during the next `begin` and after `close`. It must
        have ended before the next rest begins and before any other method is called. Parameters and errors of both
        are those of `MattingEngine.step`.
        """
        ...


@runtime_checkable
class ShapingExecutor(Protocol):
    """An executor whose mattes can be shaped."""

    def run_shaped(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool, shaper: MatteShaper
    ) -> Matte:
        """Run one step as `Executor.run` does, with the shaper's change of the matte."""
        ...


@runtime_checkable
class OverlappingExecutor(Protocol):
    """An executor whose steps can overlap; see `OverlappingEngine`."""

    @property
    def overlaps(self) -> bool:
        """Whether steps that overlap give a higher frame rate."""
        ...

    def begin(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool
    ) -> Callable[[], Matte]:
        """Run the network on the next frame; return the rest of the step. `reset` may be called while it runs."""
        ...


class NotAMatteError(Exception):
    """The network's output contains NaN or infinity."""


class Executor(Protocol):
    """Runs the frame step for one network, size and ratio, and owns the recurrent state.

    All executors return the same results within the tolerances of the contract test.
    """

    @property
    def name(self) -> str:
        """Name used in the settings: `eager`, `openvino`, ..."""
        ...

    @property
    def precision(self) -> str:
        """Precision of the network: `float32`, `float16`, `bfloat16` or `int8`."""
        ...

    @property
    def device(self) -> str:
        """Name of the device, shown to the user."""
        ...

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """Run one step and return new arrays. Raises NotAMatteError. The caller has validated the sizes."""
        ...

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state. seen: see `MattingEngine.reset`."""
        ...

    def close(self) -> None:
        """Release the device. Idempotent."""
        ...
