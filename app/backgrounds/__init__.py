"""Backgrounds and the stand-by card."""

from app.backgrounds.kinds import Background, bundled_backgrounds, open_background
from app.backgrounds.standby import StandbyCard

__all__ = ["Background", "StandbyCard", "bundled_backgrounds", "open_background"]
