"""What a user writes to name a source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.errors import UsageError

CAMERA_PREFIX = "camera:"


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
    """A camera's number, device file, stable id or name; a file's path; empty for the others."""

    def __str__(self) -> str:
        """As a user writes it."""
        if self.kind is SourceKind.CAMERA:
            return CAMERA_PREFIX + self.value
        return self.value if self.kind is SourceKind.FILE else self.kind.value


def parse_source(text: str) -> SourceName:
    """`auto`, `demo`, `camera:…`, a `/dev/video` node or a video file. Raises UsageError for what is none of them."""
    if "\0" in text or not text.strip():
        raise UsageError("A source cannot be empty; use auto, demo, camera:INDEX, camera:/dev/videoN or a video file.")
    if text in (SourceKind.AUTO.value, SourceKind.DEMO.value):
        return SourceName(SourceKind(text))
    if text.startswith("/dev/video"):
        return SourceName(SourceKind.CAMERA, text)
    if not text.startswith(CAMERA_PREFIX):
        return SourceName(SourceKind.FILE, text)
    value = text[len(CAMERA_PREFIX) :].strip()
    if not value:
        raise UsageError(
            f"{text!r} names no camera; use camera:INDEX, camera:/dev/videoN or an id from run.py devices."
        )
    return SourceName(SourceKind.CAMERA, value)
