"""What identifies an engine."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.framing import WHOLE
from app.core.settings import EngineSettings, FramingSettings, Settings
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

    @staticmethod
    def of(settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> EngineKey:
        """Return the key for these settings and this size of the source's frames."""
        if settings.location == "local" and (settings.server or settings.server_token_file or settings.server_ca_file):
            settings = settings.replace(server="", server_token_file=None, server_ca_file=None)
        return EngineKey(settings, width, height, framing if may_use_plate(settings) else WHOLE)

    def with_settings(self, settings: EngineSettings) -> EngineKey:
        """Return the key of other settings for the same frames."""
        return EngineKey.of(settings, self.width, self.height, self.framing)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the source's frames, in pixels."""
        return self.width, self.height


class KeyCache:
    """Computes the key of the user's choice anew only when the settings or the size have changed.

    Settings are immutable, so their identity tells that; making the key validates it, which is too slow for each frame.
    """

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._key: EngineKey | None = None

    def key(self, settings: Settings, size: tuple[int, int]) -> EngineKey:
        """Return the key of `settings` for frames of `size`, (width, height) in pixels."""
        if self._key is None or settings is not self._settings or size != self._key.size:
            self._settings = settings
            self._key = EngineKey.of(settings.matting.engine, *size, settings.framing)
        return self._key


def may_use_plate(settings: EngineSettings) -> bool:
    """Return whether the engine may be one that compares the frame with a plate."""
    return settings.plate is not None and (settings.model == "auto" or needs_plate(settings.model))
