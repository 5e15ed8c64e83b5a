"""Parsing the name of a source, as in `--source`."""

from __future__ import annotations

from dataclasses import dataclass

from app.capture import table
from app.core.errors import UsageError
from app.core.messages.capture import SourceText

AUTO, CAMERA, FILE = "auto", "camera", "file"


@dataclass(frozen=True, slots=True)
class SourceName:
    """A requested source."""

    kind: str
    """`auto`, `file` or the name of a row in `app/capture/table.py`."""
    value: str = ""
    """A camera's number, device file, stable id or name; a file's path; for the demo EMPTY_AT_FIRST or nothing; for the
    portal the camera's name, or nothing for the first one."""

    def __str__(self) -> str:
        """Return the name in the form that `parse_source` reads."""
        if self.kind == FILE:
            return self.value
        return f"{self.kind}:{self.value}" if self.value else self.kind


def parse_source(text: str) -> SourceName:
    """Parse `auto`, `demo`, `demo:empty` (tripod, the person appears later), `camera:…`, `portal`, `portal:NAME`, a
    `/dev/video` node, a camera's number or a file.

    Raises UsageError for any other text.
    """
    if "\0" in text or not text.strip():
        raise UsageError(SourceText.EMPTY())
    if text == AUTO:
        return SourceName(AUTO)
    if text.startswith("/dev/video") or (text.isascii() and text.isdigit()):
        return SourceName(CAMERA, text)
    kind, colon, value = text.partition(":")
    value = value.strip()
    if kind == CAMERA and colon and not value:
        raise UsageError(SourceText.NO_CAMERA_NAMED(text=text))
    if any(spec.name == kind and spec.takes(value) for spec in table.SOURCES):
        return SourceName(kind, value)
    if "://" in text:
        raise UsageError(SourceText.ADDRESS(text=text))
    return SourceName(FILE, text)
