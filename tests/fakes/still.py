"""A source whose frames are all equal."""

from __future__ import annotations

from dataclasses import replace

from app.core.settings import CaptureSettings
from app.core.types import Frame
from app.testing.parts import FakeSource
from tests.fakes.world import FakeWorld


class StillSource(FakeSource):
    """Gives the same frame again and again."""

    def __init__(self, settings: CaptureSettings, world: FakeWorld) -> None:
        super().__init__(settings, world.faults, "file")
        self._still: Frame | None = None

    def read(self) -> Frame | None:
        frame = super().read()
        self._still = self._still or frame
        return None if frame is None or self._still is None else replace(frame, image=self._still.image.copy())
