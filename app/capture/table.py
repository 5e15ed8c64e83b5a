"""The kinds of source, and the names of sources. A new kind is a module with a `FrameSource` and a row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.capture.base import FrameSource
from app.capture.camera import CameraSource
from app.capture.demo import DemoSource
from app.capture.devices import list_cameras
from app.capture.video_file import VideoFileSource
from app.core.errors import SourceOpenError, UsageError
from app.core.files import paths
from app.core.messages.capture import SourceText
from app.core.settings import CaptureSettings

AUTO, CAMERA, FILE = "auto", "camera", "file"
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


@dataclass(frozen=True, slots=True)
class SourceName:
    """A requested source."""

    kind: str
    """`auto`, `file` or the name of a row of `SOURCES`."""
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
    `/dev/video` node or a link to one in `/dev/v4l`, a camera's number or a file.

    Raises UsageError for any other text.
    """
    if "\0" in text or not text.strip():
        raise UsageError(SourceText.EMPTY())
    if text == AUTO:
        return SourceName(AUTO)
    if text.startswith(("/dev/video", "/dev/v4l/")) or (text.isascii() and text.isdigit()):
        return SourceName(CAMERA, text)
    kind, colon, value = text.partition(":")
    value = value.strip()
    if kind == CAMERA and colon and not value:
        raise UsageError(SourceText.NO_CAMERA_NAMED(text=text))
    if any(spec.name == kind and spec.takes(value) for spec in SOURCES):
        return SourceName(kind, value)
    if "://" in text:
        raise UsageError(SourceText.ADDRESS(text=text))
    return SourceName(FILE, text)


def open_source(settings: CaptureSettings) -> FrameSource:
    """Open the source named in `settings`; `auto` is the first physical camera, or the demo if there is none.

    Raises SourceOpenError. A camera that exists but cannot be opened is an error; it is not replaced by the demo.
    """
    return SourceOpener()(settings)


class SourceOpener:
    """Opens sources and remembers which camera `auto` selected.

    Once `auto` has selected a camera, it never falls back to the demo: if the camera is unplugged during a meeting, the
    program waits for it.
    """

    def __init__(self) -> None:
        self._camera: str | None = None
        """The id of the camera that `auto` selected last."""

    def __call__(self, settings: CaptureSettings) -> FrameSource:
        """Open a source as `open_source` does."""
        try:
            name = parse_source(settings.source)
        except UsageError as error:
            raise SourceOpenError(error.text) from error
        if name.kind == AUTO:
            return self._open_auto(settings)
        spec = next((spec for spec in SOURCES if spec.name == name.kind), None)
        return VideoFileSource(paths.from_user(name.value)) if spec is None else spec.open(name.value, settings)

    def _open_auto(self, settings: CaptureSettings) -> FrameSource:
        ids = [camera.id for camera in list_cameras() if not camera.is_virtual]
        if not ids and self._camera is None:
            return open_demo("", settings)
        if self._camera not in ids and ids:
            self._camera = ids[0]
        assert self._camera is not None
        return CameraSource(self._camera, settings)
