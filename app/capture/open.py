"""Opening the source that the settings name."""

from __future__ import annotations

from pathlib import Path

from app.capture.base import FrameSource
from app.capture.camera import CameraSource
from app.capture.demo import DemoSource
from app.capture.devices import list_cameras
from app.capture.source_name import SourceKind, SourceName, parse_source
from app.capture.video_file import VideoFileSource
from app.errors import SourceOpenError, UsageError
from app.settings import CaptureSettings


def open_source(settings: CaptureSettings) -> FrameSource:
    """The source named in `settings`: `auto` is the first real camera, the demo view where there is none.

    Raises SourceOpenError. A camera that is there but cannot be opened is an error, not a reason to show the demo.
    """
    try:
        name = parse_source(settings.source)
    except UsageError as error:
        raise SourceOpenError(str(error)) from error
    if name.kind is SourceKind.AUTO:
        name = _first_camera()
    if name.kind is SourceKind.DEMO:
        return DemoSource(settings.width, settings.height, settings.fps)
    if name.kind is SourceKind.CAMERA:
        return CameraSource(name.value, settings)
    return VideoFileSource(Path(name.value).expanduser())


def _first_camera() -> SourceName:
    camera = next((camera for camera in list_cameras() if not camera.is_virtual), None)
    return SourceName(SourceKind.DEMO) if camera is None else SourceName(SourceKind.CAMERA, camera.id)
