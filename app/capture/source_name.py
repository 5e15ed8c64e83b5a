"""What a user writes to name a source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.core.errors import UsageError
from app.core.messages.capture import SourceText

CAMERA_PREFIX = "camera:"
EMPTY_AT_FIRST = "empty"


class SourceKind(Enum):
    """The kinds of source."""

    AUTO = "auto"
    DEMO = "demo"
    CAMERA = "camera"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SourceName:
    """A source that was asked for."""

    kind: SourceKind
    value: str = ""
    """A camera's number, device file, stable id or name; a file's path; EMPTY_AT_FIRST or nothing for the demo."""

    def __str__(self) -> str:
        """As a user writes it."""
        if self.kind is SourceKind.CAMERA:
            return CAMERA_PREFIX + self.value
        if self.kind is SourceKind.FILE:
            return self.value
        return f"{self.kind.value}:{self.value}" if self.value else self.kind.value


def parse_source(text: str) -> SourceName:
    """`auto`, `demo`, `demo:empty` (on a tripod, nobody there at first), `camera:…`, a `/dev/video` node or a
    video file. Raises UsageError for what is none of them.
    """
    if "\0" in text or not text.strip():
        raise UsageError(SourceText.EMPTY())
    if text in (SourceKind.AUTO.value, SourceKind.DEMO.value):
        return SourceName(SourceKind(text))
    if text == f"{SourceKind.DEMO.value}:{EMPTY_AT_FIRST}":
        return SourceName(SourceKind.DEMO, EMPTY_AT_FIRST)
    if text.startswith("/dev/video"):
        return SourceName(SourceKind.CAMERA, text)
    if not text.startswith(CAMERA_PREFIX):
        return SourceName(SourceKind.FILE, text)
    value = text[len(CAMERA_PREFIX) :].strip()
    if not value:
        raise UsageError(SourceText.NO_CAMERA_NAMED(text=text))
    return SourceName(SourceKind.CAMERA, value)
