"""Engines whose output does not depend on when the kernels are ready."""

from __future__ import annotations

from app.core.settings import EngineSettings
from app.matting.base import MattingEngine
from app.matting.kernels.dispatch import compiled
from app.matting.selection.registry import build_engine


def build_repeatable_engine(settings: EngineSettings, width: int, height: int) -> MattingEngine:
    """Return an engine that computes the same bits for the same frames from its first step on.

    Waits for the compiled kernels: numpy, which serves live video until then, rounds differently. Raises ModelError.
    """
    compiled.wait()
    return build_engine(settings, width, height)
