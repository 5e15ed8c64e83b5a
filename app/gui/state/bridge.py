"""The only file that knows both Qt and the pipeline."""

from __future__ import annotations

import threading

from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtGui import QImage

from app.core.settings import Settings
from app.core.types import Picture
from app.gui.preview.qimage import to_qimage
from app.gui.preview.rendering import BgrxImage, ViewMode, ViewRequest
from app.gui.preview.worker import PreviewWorker
from app.runtime.pipeline import Pipeline
from app.runtime.status import PipelineStatus

STATUS_INTERVAL_MS = 150


class Bridge(QObject):
    """Signals of the pipeline for the window, commands of the window for the pipeline."""

    frame_ready = pyqtSignal()
    """A new image waits in `take_image`; at most one such signal is ever on its way."""
    status_changed = pyqtSignal(object)
    """The newest PipelineStatus, several times a second."""

    def __init__(self, pipeline: Pipeline, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pipeline = pipeline
        self._lock = threading.Lock()
        self._waiting: BgrxImage | None = None
        self._signalled = False
        self._worker = PreviewWorker(pipeline.preview, self._keep)
        self._timer = QTimer(self)
        self._timer.setInterval(STATUS_INTERVAL_MS)
        self._timer.timeout.connect(self.poll)

    def start(self) -> None:
        """Start the pipeline and everything that watches it."""
        self._worker.start()
        self._pipeline.listen(self._worker.wake)
        self._pipeline.start()
        self._timer.start()

    def stop(self, timeout_s: float = 10) -> bool:
        """Stop all of it; False if a thread did not end."""
        self._timer.stop()
        pipeline_ended = self._pipeline.stop(timeout_s)
        return self._worker.stop(timeout_s) and pipeline_ended

    def apply(self, settings: Settings) -> None:
        """Take over new settings at the next frame; returns at once."""
        self._pipeline.apply(settings)

    def retry(self) -> None:
        """Try what failed again now."""
        self._pipeline.retry()

    def poll(self) -> None:
        """Signal the status now."""
        self.status_changed.emit(self.status)

    @property
    def status(self) -> PipelineStatus:
        """The pipeline's status at this moment."""
        return self._pipeline.status()

    @property
    def picture(self) -> Picture | None:
        """The newest whole picture, for a snapshot or a plate."""
        return self._worker.newest

    def ask_view(self, request: ViewRequest | None) -> None:
        """What the preview shows from now on; None while it is hidden."""
        self._pipeline.watched = request is not None
        self._pipeline.want_foreground = request is not None and request.mode is ViewMode.FOREGROUND
        self._worker.ask(request)

    def take_image(self) -> QImage | None:
        """The newest rendered view, in screen pixels; None where it was taken already."""
        with self._lock:
            self._signalled = False
            image, self._waiting = self._waiting, None
        return None if image is None else to_qimage(image)

    def _keep(self, image: BgrxImage) -> None:
        """Called on the preview thread."""
        with self._lock:
            self._waiting = image
            signal = not self._signalled
            self._signalled = True
        if signal:
            self.frame_ready.emit()
