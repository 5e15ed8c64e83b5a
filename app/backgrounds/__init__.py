"""Backgrounds and the stand-by card."""

from app.backgrounds.kinds import Background, bundled_backgrounds, open_background

__all__ = ["Background", "bundled_backgrounds", "open_background"]
