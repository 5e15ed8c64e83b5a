"""Opening the source named in the settings."""

from __future__ import annotations

from app.capture.base import FrameSource
from app.capture.camera import CameraSource
from app.capture.demo import DemoSource
from app.capture.devices import list_cameras
from app.capture.source_name import EMPTY_AT_FIRST, SourceKind, parse_source
from app.capture.video_file import VideoFileSource
from app.config import paths
from app.core.errors import SourceOpenError, UsageError
from app.core.settings import CaptureSettings

DEMO_MOTION = 0.4
"""Less than that of a hand-held camera: at a few frames per second strict mode would take each pan for a scene cut."""
EMPTY_SCENE_S = 5.0
"""Time before the person appears in `demo:empty`."""


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
        if name.kind is SourceKind.AUTO:
            return self._open_auto(settings)
        if name.kind is SourceKind.DEMO:
            width, height, fps = settings.width, settings.height, settings.fps
            if name.value == EMPTY_AT_FIRST:
                return DemoSource(width, height, fps, empty_scene_s=EMPTY_SCENE_S, motion=0)
            return DemoSource(width, height, fps, motion=DEMO_MOTION)
        if name.kind is SourceKind.PORTAL:
            from app.capture.portal import PortalSource  # D-Bus and PipeWire: Linux only

            return PortalSource(name.value, settings)
        if name.kind is SourceKind.CAMERA:
            return CameraSource(name.value, settings)
        return VideoFileSource(paths.from_user(name.value))

    def _open_auto(self, settings: CaptureSettings) -> FrameSource:
        ids = [camera.id for camera in list_cameras() if not camera.is_virtual]
        if not ids and self._camera is None:
            return DemoSource(settings.width, settings.height, settings.fps, motion=DEMO_MOTION)
        if self._camera not in ids and ids:
            self._camera = ids[0]
        assert self._camera is not None
        return CameraSource(self._camera, settings)
