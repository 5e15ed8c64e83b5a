"""Helpers for tests of the conversion: a trivial engine, and reading of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from app.core.errors import ModelError
from app.core.settings import BackgroundSettings, FramingSettings, MattingSettings
from app.core.types import BlurredBackground, Matte
from app.matting.engine import backend_errors
from app.matting.interface import EngineInfo, StepRequest
from app.offline.convert import ConvertReport, convert_clip
from app.settings import Settings
from mattecam.testing import ImmediateEngine
from tests.clips import frames_of
from tests.stand_ins import always

# As the command line sets it: strict mode steps the first frame of a scene several times.
GREEN = Settings(background=BackgroundSettings(kind="colour", colour="#00ff00")).replaced_at(
    ["strict"], level="off"
)


class HalfEngine(ImmediateEngine):
    """Mattes the left half of every frame as the person.

    Fails as an engine does whose executor raises `error`.
    """

    info = EngineInfo("half", "none", "uint8", "cpu", 1.0, (1, 1))

    def __init__(self, fail_at: int | None = None, error: BaseException | None = None) -> None:
        self.steps = 0
        self.closed = False
        self._fail_at = fail_at
        self._error = error

    def matte(self, step: StepRequest) -> Matte:
        frame = step.frame
        if self.steps == self._fail_at and self._error is not None:
            with backend_errors(self.info.model, self.info.device, self.info.precision):
                raise self._error
        self.steps += 1
        assert not isinstance(step.backdrop, BlurredBackground)
        middle = frame.shape[1] // 2
        composite = frame.copy()
        composite[:, middle:] = step.backdrop[:, middle:]
        alpha = np.zeros(frame.shape[:2], np.uint8)
        alpha[:, :middle] = 255
        return Matte(composite, alpha, frame // 2 if step.want_foreground else None)

    def close(self) -> None:
        self.closed = True


def build_half(
    settings: MattingSettings, width: int, height: int, framing: FramingSettings
) -> HalfEngine:
    return HalfEngine()


def run(
    source: Path,
    target: Path,
    settings: Settings = GREEN,
    engine: HalfEngine | None = None,
    **options: Any,
) -> ConvertReport:
    """Convert with a trivial engine. options: those of `convert`."""
    build = build_half if engine is None else always(engine)
    with patch("app.offline.convert.build_engine", build):
        return convert_clip(source, target, settings=settings, **options)


def failed() -> ModelError:
    return ModelError("The network failed.")


def times_of(path: Path) -> list[float]:
    return [round(frame.time or 0, 4) for frame in frames_of(path)]
