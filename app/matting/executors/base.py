"""The seam between the engine and what runs the frame step."""

from __future__ import annotations

from typing import Protocol

from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, Matte


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

    def reset(self) -> None:
        """Start the recurrent state anew."""
        ...

    def close(self) -> None:
        """Release the device; a second call does nothing."""
        ...
