"""What identifies an engine."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import PlateError
from app.core.framing import WHOLE
from app.core.messages.matting import PlateText
from app.core.settings import EngineSettings, FramingSettings
from app.core.types import Frame
from app.runtime.plate.capture import plate_info
from models.table import needs_plate


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What an engine is built for; a change of any field needs another engine."""

    settings: EngineSettings
    width: int
    height: int
    framing: FramingSettings
    """The crop of the source's frames that the engine is given; the whole frame for an engine without a plate, which
    takes any crop."""
    camera: str = ""
    """The stable id of the source that the plate must show; empty for an engine without a plate, which takes any."""

    @staticmethod
    def of(settings: EngineSettings, width: int, height: int, framing: FramingSettings, camera: str = "") -> EngineKey:
        """Return the key for these settings, this size of the source's frames and this source."""
        if settings.location == "local" and (settings.server or settings.server_token_file or settings.server_ca_file):
            settings = settings.replace(server="", server_token_file=None, server_ca_file=None)
        if not may_use_plate(settings):
            return EngineKey(settings, width, height, WHOLE)
        return EngineKey(settings, width, height, framing, camera)

    def with_settings(self, settings: EngineSettings) -> EngineKey:
        """Return the key of other settings for the same frames."""
        return EngineKey.of(settings, self.width, self.height, self.framing, self.camera)

    def takes(self, frame: Frame) -> bool:
        """Return whether the engine may matte this frame of the source."""
        return self.size == frame.size and self.camera in ("", frame.camera)

    def check_plate(self) -> None:
        """Raise PlateError if the plate was captured with another source."""
        plate = self.settings.plate
        if plate is None or not self.camera:
            return
        info = plate_info(plate)
        if info is not None and info.camera != self.camera:
            raise PlateError(PlateText.OTHER_CAMERA(file=plate, camera=info.camera))

    @property
    def remote(self) -> bool:
        """Whether the mattes come from a server."""
        return self.settings.location == "remote"

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the source's frames, in pixels."""
        return self.width, self.height


def may_use_plate(settings: EngineSettings) -> bool:
    """Return whether the engine may be one that compares the frame with a plate."""
    return settings.plate is not None and (settings.model == "auto" or needs_plate(settings.model))
