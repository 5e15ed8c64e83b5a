"""The errors a user can meet.

    MattecamError
    ├── UsageError          wrong words on the command line (exit code 2)
    ├── SettingsError       a settings file or scene that cannot be read or written
    ├── SourceError         a camera or video
    │   ├── SourceOpenError     it cannot be opened
    │   └── SourceLostError     it was open and stopped giving frames
    ├── ModelError          a network, its weights or its executor
    │   ├── WeightsMissingError no file on hand
    │   └── PlateError          the picture of the empty room
    ├── BackgroundError     an image or video behind the person
    └── SinkError           a virtual camera or recording
        ├── SinkOpenError       it cannot be opened
        └── SinkLostError       it was open and refused a picture

Every message is one sentence for the user: what happened, on which device or file, what to do next.
"""


class MattecamError(Exception):
    """Any failure that the program can name."""


class UsageError(MattecamError):
    """A value the user gave is not possible."""


class SettingsError(MattecamError):
    """Settings that cannot be read or written."""


class SourceError(MattecamError):
    """A failure of a camera or video."""


class SourceOpenError(SourceError):
    """The source cannot be opened."""


class SourceLostError(SourceError):
    """The source was open and gives no frames any more."""


class ModelError(MattecamError):
    """A failure of a network, its weights or its executor."""


class WeightsMissingError(ModelError):
    """The weights of the wanted model are not on hand."""


class PlateError(ModelError):
    """The picture of the empty room cannot be used."""


class BackgroundError(MattecamError):
    """A background image or video cannot be used."""


class SinkError(MattecamError):
    """A failure of a virtual camera or recording."""


class SinkOpenError(SinkError):
    """The sink cannot be opened."""


class SinkLostError(SinkError):
    """The sink was open and refused a picture."""
