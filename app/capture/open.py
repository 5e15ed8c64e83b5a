"""Opening the source named in the settings."""

from __future__ import annotations

from app.capture import table
from app.capture.base import FrameSource
from app.capture.camera import CameraSource
from app.capture.devices import list_cameras
from app.capture.video_file import VideoFileSource
from app.core.errors import SourceOpenError, UsageError
from app.core.files import paths
from app.core.settings import CaptureSettings


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
            name = table.parse_source(settings.source)
        except UsageError as error:
            raise SourceOpenError(error.text) from error
        if name.kind == table.AUTO:
            return self._open_auto(settings)
        spec = next((spec for spec in table.SOURCES if spec.name == name.kind), None)
        return VideoFileSource(paths.from_user(name.value)) if spec is None else spec.open(name.value, settings)

    def _open_auto(self, settings: CaptureSettings) -> FrameSource:
        ids = [camera.id for camera in list_cameras() if not camera.is_virtual]
        if not ids and self._camera is None:
            return table.open_demo("", settings)
        if self._camera not in ids and ids:
            self._camera = ids[0]
        assert self._camera is not None
        return CameraSource(self._camera, settings)
