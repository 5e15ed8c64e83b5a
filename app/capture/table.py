"""The kinds of source. A new one is a module with a `FrameSource` and a row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.capture.base import FrameSource
from app.capture.camera import CameraSource
from app.capture.demo import DemoSource
from app.core.settings import CaptureSettings

EMPTY_AT_FIRST = "empty"
DEMO_MOTION = 0.4
"""Less than that of a hand-held camera: at a few frames per second strict mode would take each pan for a scene cut."""
EMPTY_SCENE_S = 5.0
"""Time before the person appears in `demo:empty`."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A row of the table."""

    name: str
    """What `--source` begins with: `name` or `name:value`."""
    open: Callable[[str, CaptureSettings], FrameSource]
    """(value, settings); raises SourceOpenError."""
    takes: Callable[[str], bool] = lambda value: not value
    """Whether a value is one of this kind; the empty one stands for the name alone."""


def open_demo(value: str, settings: CaptureSettings) -> DemoSource:
    """Open the demo, or the one with an empty scene at first."""
    width, height, fps = settings.width, settings.height, settings.fps
    if value == EMPTY_AT_FIRST:
        return DemoSource(width, height, fps, empty_scene_s=EMPTY_SCENE_S, motion=0)
    return DemoSource(width, height, fps, motion=DEMO_MOTION)


def _open_portal(value: str, settings: CaptureSettings) -> FrameSource:
    from app.capture.portal import PortalSource  # D-Bus and PipeWire: Linux only

    return PortalSource(value, settings)


SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec("demo", open_demo, lambda value: value in ("", EMPTY_AT_FIRST)),
    SourceSpec("camera", CameraSource, bool),
    SourceSpec("portal", _open_portal, lambda value: True),
)
