"""A backend that fails when a test says so."""

from __future__ import annotations

import numpy as np

from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte
from app.matting.base.interface import MatteEditor, Pending, StateArrays, StepGeometry

FRAME = np.zeros((48, 64, 3), np.uint8)


class FailingBackend:
    """Backend that raises a given error."""

    name, precision, device, overlaps = "fake", "float32", "nowhere", False

    def __init__(self, geometry: StepGeometry) -> None:
        self.geometry = geometry
        self.error: Exception | None = None
        self.reset_error: Exception | None = None
        self.resets = 0
        self.closed = 0

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
        if self.error is not None:
            raise self.error
        return Pending(lambda: Matte(frame.copy(), frame[..., 0].copy()))

    def state(self) -> StateArrays:
        return {}

    def load_state(self, arrays: StateArrays) -> None: ...

    def reset(self, seen: AlphaImage | None = None) -> None:
        self.resets += 1
        if self.reset_error is not None:
            raise self.reset_error

    def close(self) -> None:
        self.closed += 1
