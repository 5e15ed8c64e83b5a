"""A computer to which a camera can be connected while the pipeline runs."""

from __future__ import annotations

from dataclasses import replace

from app.capture.base import FrameSource
from app.core.errors import CameraAbsentError, SourceLostError
from app.core.settings import CaptureSettings
from app.core.types import Frame
from app.runtime.parts import Parts
from app.testing.parts import FakeSource
from tests.fakes.world import FakeWorld


class Demonstration(FakeSource):
    """As the real one, but small."""

    def read(self) -> Frame | None:
        frame = super().read()
        return frame and replace(frame, synthetic=True)


class Desk:
    """A computer to which a camera can be connected."""

    def __init__(self) -> None:
        self.world = FakeWorld()
        self.camera = False
        self.demonstrations = 0

    def parts(self) -> Parts:
        """For a pipeline."""
        return replace(self.world.parts(), open_source=self._open)

    def _open(self, settings: CaptureSettings) -> FrameSource:
        if settings.source == "demo":
            self.demonstrations += 1
            return Demonstration(settings, self.world.faults, "demo")
        if settings.source.endswith(".mp4"):
            return FakeSource(settings, self.world.faults)
        if not self.camera:
            raise CameraAbsentError("No camera was found; connect one.")
        return FakeSource(settings, self.world.faults, "camera")

    def unplug(self) -> None:
        """Remove the camera."""
        self.camera = False
        self.world.faults.put("read", SourceLostError("The camera is gone."))

    def plug_in(self) -> None:
        """Connect one."""
        self.world.faults.heal()
        self.camera = True
