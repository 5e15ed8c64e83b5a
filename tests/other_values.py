"""A value of each setting that is not its default, as text."""

from __future__ import annotations

from pathlib import Path

from app.config.setting import Setting

OTHER_VALUES = {
    "capture.source": "other",
    "capture.width": "48",
    "capture.height": "32",
    "capture.fps": "60",
    "capture.pixel_format": "YUYV",
    "framing.zoom": "1.5",
    "matting.model": "mattecam",
    "matting.device": "cpu",
    "matting.downsample_ratio": "0.5",
    "background.colour": "#102030",
    "background.zoom": "2",
    "output.virtual_camera": "off",
    "output.microphone": "default",
    "output.standby_text": "Back at noon",
    "window.own_colour": "#102030",
}
"""Values where 0.25 or a choice would not do."""


def other_value(setting: Setting, file: Path) -> str:
    """Return a value that is not the default. file: an existing image."""
    if setting.name in OTHER_VALUES:
        return OTHER_VALUES[setting.name]
    if setting.is_path:
        return str(file)
    if setting.choices:
        return next(choice for choice in setting.choices if choice != setting.text(setting.default))
    if setting.annotation is str:
        return "other"
    return "20" if setting.annotation is int or (setting.default or 0) >= 1 else "0.25"
