"""Errors that a user can meet, and the parts of the program that they come from.

    MattecamError
    ├── UsageError          an impossible value on the command line (exit code 2)
    ├── SettingsError       a settings file or scene cannot be read or written
    ├── SourceError         a camera or video
    │   ├── SourceOpenError     cannot be opened
    │   │   └── CameraAbsentError   the camera, or any, is not there
    │   └── SourceLostError     stopped delivering frames after it was opened
    ├── ModelError          a network, its weights or its executor
    │   ├── WeightsMissingError the weights are not installed
    │   ├── PlateError          the empty-background plate
    ├── BackgroundError     a background image or video
    ├── MicrophoneError     a microphone, while a recording goes on without it
    └── SinkError           a virtual camera or recording
        ├── SinkOpenError       cannot be opened
        └── SinkLostError       rejected a frame after it was opened

Each carries one `Text`: what happened, to which device or file, and what to do.
"""

from __future__ import annotations

from enum import Enum

from app.core.text import Text, t


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


class MattecamError(Exception):
    """A failure that the program can name."""

    def __init__(self, text: str) -> None:
        """text: a `Text`, so that the window can translate it; a plain `str` stays English."""
        super().__init__(text)
        self.text = text


def text_of(error: BaseException) -> str:
    """Return what to tell the user about an error; details of an unexpected one belong in the log.

    Errors of `models/` do not know `Text`: they carry `fault`, a member of an enumeration of English templates, and
    `values`.
    """
    if isinstance(error, MattecamError):
        return error.text
    fault = getattr(error, "fault", None)
    if isinstance(fault, Enum):
        return Text(fault.value, getattr(error, "values", {}))
    return t("An internal error occurred; the log has the details.")


class UsageError(MattecamError):
    """A value from the user is not possible."""


class SettingsError(MattecamError):
    """Settings cannot be read or written."""


class SourceError(MattecamError):
    """A camera or video failed."""


class SourceOpenError(SourceError):
    """The source cannot be opened."""


class CameraAbsentError(SourceOpenError):
    """The camera is not there, or there is none; it may come."""


class SourceLostError(SourceError):
    """The open source stopped delivering frames."""


class ModelError(MattecamError):
    """A network, its weights or its executor failed."""


class WeightsMissingError(ModelError):
    """The weights of the chosen model are not installed."""


class PlateError(ModelError):
    """The empty-background plate cannot be used."""


class BackgroundError(MattecamError):
    """A background image or video cannot be used."""


class MicrophoneError(MattecamError):
    """A microphone cannot be opened, or stopped sending sound."""


class SinkError(MattecamError):
    """A virtual camera or recording failed."""


class SinkOpenError(SinkError):
    """The sink cannot be opened."""


class SinkLostError(SinkError):
    """The open sink rejected a frame."""
