"""Opens sources on a computer where no program sends to a virtual camera."""

from __future__ import annotations

from app.capture import SourceOpener
from app.capture.base import FrameSource
from app.core.settings import CaptureSettings


def new_opener() -> SourceOpener:
    return SourceOpener(lambda path: False)


def open_source(settings: CaptureSettings) -> FrameSource:
    return new_opener()(settings)
