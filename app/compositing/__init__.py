"""Backgrounds and the stand-by card."""

from app.compositing.backgrounds import Background, bundled_backgrounds, open_background
from app.compositing.standby import StandbyCard

__all__ = ["Background", "StandbyCard", "bundled_backgrounds", "open_background"]
