"""Where in the program a problem is."""

from __future__ import annotations

from enum import Enum


class Stage(Enum):
    """The part of the program that an error comes from."""

    CAPTURE = "capture"
    MATTING = "matting"
    BACKGROUND = "background"
    VIRTUAL_CAMERA = "virtual_camera"
    PIPEWIRE = "pipewire"
    RECORDING = "recording"
    MICROPHONE = "microphone"
    OUTPUT = "output"
    SETTINGS = "settings"
