"""Parsing the name of a source, as in `--source`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.core.errors import UsageError
from app.core.messages.capture import SourceText

CAMERA_PREFIX = "camera:"
PORTAL_PREFIX = "portal:"
EMPTY_AT_FIRST = "empty"


class SourceKind(Enum):
    """Kinds of source."""

    AUTO = "auto"
    DEMO = "demo"
    CAMERA = "camera"
    PORTAL = "portal"
    """A camera that the desktop's camera portal offers (Linux)."""
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SourceName:
    """A requested source."""

    kind: SourceKind
    value: str = ""
    """A camera's number, device file, stable id or name; a file's path; for the demo EMPTY_AT_FIRST or nothing; for the
    portal the camera's name, or nothing for the first one."""

    def __str__(self) -> str:
        """Return the name in the form that `parse_source` reads."""
        if self.kind is SourceKind.CAMERA:
            return CAMERA_PREFIX + self.value
        if self.kind is SourceKind.FILE:
            return self.value
        return f"{self.kind.value}:{self.value}" if self.value else self.kind.value


def parse_source(text: str) -> SourceName:
    """Parse `auto`, `demo`, `demo:empty` (tripod, the person appears later), `camera:…`, `portal`, `portal:NAME`, a
    `/dev/video` node, a camera's number or a file.

    Raises UsageError for any other text.
    """
    if "\0" in text or not text.strip():
        raise UsageError(SourceText.EMPTY())
    if text in (SourceKind.AUTO.value, SourceKind.DEMO.value, SourceKind.PORTAL.value):
        return SourceName(SourceKind(text))
    if text == f"{SourceKind.DEMO.value}:{EMPTY_AT_FIRST}":
        return SourceName(SourceKind.DEMO, EMPTY_AT_FIRST)
    if text.startswith(PORTAL_PREFIX):
        return SourceName(SourceKind.PORTAL, text[len(PORTAL_PREFIX) :].strip())
    if text.startswith("/dev/video") or (text.isascii() and text.isdigit()):
        return SourceName(SourceKind.CAMERA, text)
    if not text.startswith(CAMERA_PREFIX):
        if "://" in text:
            raise UsageError(SourceText.ADDRESS(text=text))
        return SourceName(SourceKind.FILE, text)
    value = text[len(CAMERA_PREFIX) :].strip()
    if not value:
        raise UsageError(SourceText.NO_CAMERA_NAMED(text=text))
    return SourceName(SourceKind.CAMERA, value)
