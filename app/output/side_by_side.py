"""A virtual camera that shows the person and the alpha side by side."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.settings import Settings
from app.core.types import Outgoing, Picture
from app.output.alpha import side_by_side
from app.output.base import CameraSink
from app.output.spec import SinkContext
from app.output.virtual_camera import VirtualCamera


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """The virtual camera that the settings ask for."""

    device: str
    """`auto`, a device or its label."""
    backend: str = "auto"
    """`auto` (pyvirtualcam, else V4L2), `pyvirtualcam` or `v4l2`."""
    side_by_side: bool = False
    """Show the person and the alpha side by side."""


class SideBySideCamera:
    """Sends both halves as one frame of twice the width."""

    def __init__(self, device_or_label: str, width: int, height: int, fps: float, *, backend: str = "auto") -> None:
        """See `VirtualCamera`; width: of one half. Raises SinkOpenError."""
        self._camera = VirtualCamera(device_or_label, 2 * width, height, fps, backend=backend)
        self.name = self._camera.name
        self.device = self._camera.device
        self._last: tuple[Picture, Picture] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels of both halves together, as readers see it."""
        return self._camera.size

    def send(self, picture: Outgoing) -> None:
        """Send a frame. Raises SinkLostError."""
        if self._last is None or self._last[0].image is not picture.image:  # the clock repeats frames
            self._last = picture, side_by_side(picture)
        self._camera.send(self._last[1])

    def close(self) -> None:
        """Release the device. Idempotent."""
        self._camera.close()


def wanted_camera(settings: Settings) -> CameraChoice | None:
    """Return the virtual camera that the settings ask for."""
    output = settings.output
    if output.virtual_camera == "off":
        return None
    return CameraChoice(output.virtual_camera, output.virtual_camera_backend, output.alpha_output == "side-by-side")


def open_virtual_camera(choice: CameraChoice, width: int, height: int, context: SinkContext) -> CameraSink:
    """Open the virtual camera that is asked for. Raises SinkOpenError."""
    kind = SideBySideCamera if choice.side_by_side else VirtualCamera
    return kind(choice.device, width, height, context.fps, backend=choice.backend)
