"""Interfaces of the matting: the engine, and the executor that runs the frame step for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is and where it runs; shown to the user."""

    model: str
    executor: str
    precision: str
    device: str
    downsample_ratio: float
    small_size: tuple[int, int]
    """(width, height) of the frame the network sees."""


class MattingEngine(Protocol):
    """Cuts the person out of one frame after another and puts them before the backdrop.

    It owns the recurrent state, which starts anew after `reset` and whenever the frame's size changes. Used and closed
    on one thread; it may be built on another.
    """

    @property
    def info(self) -> EngineInfo:
        """Model, executor, precision, device and ratio in use."""
        ...

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        """The matte and composite of the next frame; fresh arrays, the caller may keep them.

        frame: (H, W, 3) uint8 BGR. backdrop: the same size, or a BlurredRoom. Raises ModelError when the network
        fails or gives a picture that is not a matte (not a number); never returns the frame itself.
        """
        ...

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far (a new source, scene or engine).

        seen: alpha (H, W) of the last frame, if another engine matted this stream until now. Strict mode shows the
        people in it at once; otherwise people appear when they first move.
        """
        ...

    def close(self) -> None:
        """Release the device; a second call does nothing."""
        ...


class NotAMatteError(Exception):
    """The network's output holds values that are not numbers."""


class Executor(Protocol):
    """Runs the frame step for one network, size and ratio, and keeps the recurrent state.

    Every executor gives the same pictures within the tolerances of the contract test.
    """

    @property
    def name(self) -> str:
        """As in the settings: `eager`, `openvino` ..."""
        ...

    @property
    def precision(self) -> str:
        """Of the network: `float32`, `float16` or `bfloat16`."""
        ...

    @property
    def device(self) -> str:
        """Where it runs, for the user."""
        ...

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """One step; fresh arrays. Raises NotAMatteError. The sizes have been checked."""
        ...

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state. seen: see `MattingEngine.reset`."""
        ...

    def close(self) -> None:
        """Release the device; a second call does nothing."""
        ...


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether `error` or its cause is a lack of memory; torch and OpenVINO only say so in the text."""
    if error is None:
        return False
    lacking = isinstance(error, MemoryError) or "out of memory" in str(error).lower()
    return lacking or is_out_of_memory(error.__cause__)
