"""Connects Qt to the pipeline, and ctl to the window. No other module of the window knows both."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from app.config.scenes import SceneStore
from app.control.controller import SettingsController
from app.control.server import ControlServer
from app.core.types import Picture
from app.gui.backgrounds.tiles import tiles
from app.gui.preview.rendering import BgrxImage, PreviewWorker, ViewMode, ViewRequest, to_qimage
from app.gui.state.store import SettingsStore
from app.gui.widgets.qt import timer
from app.runtime.pipeline import Pipeline
from app.runtime.status import PipelineStatus
from app.runtime.worker import LatestSlot

STATUS_INTERVAL_MS = 300
"""Between two looks at the status."""


class Bridge(QObject):
    """Turns events of the pipeline into signals, and requests its views."""

    frame_ready = pyqtSignal()
    """A new image waits in `take_image`. At most one such signal is pending."""
    status_changed = pyqtSignal(object)
    """The newest PipelineStatus, several times a second."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self.pipeline = pipeline
        self._images: LatestSlot[BgrxImage] = LatestSlot()
        self._signalled = False
        self._worker = PreviewWorker(pipeline.preview, self._keep)
        pipeline.watch(self._worker.thread)
        self._timer = timer(self, STATUS_INTERVAL_MS, self.poll)

    def start(self) -> None:
        """Start the pipeline, the preview thread and the status timer."""
        self._worker.thread.start()
        self.pipeline.listen(self._worker.wake)
        self.pipeline.owner.listen(self._worker.wake)
        self.pipeline.start()
        self._timer.start()

    def stop(self, timeout_s: float = 10) -> bool:
        """Stop them; return False if a thread did not end in time."""
        self._timer.stop()
        pipeline_ended = self.pipeline.stop(timeout_s)
        return self._worker.stop(timeout_s) and pipeline_ended

    def poll(self) -> None:
        """Emit the status now."""
        self.status_changed.emit(self.status)

    @property
    def status(self) -> PipelineStatus:
        """The pipeline's current status."""
        return self.pipeline.status()

    @property
    def picture(self) -> Picture | None:
        """The newest picture at full size, for a snapshot."""
        return self._worker.newest

    def request_view(self, request: ViewRequest | None) -> None:
        """Set what the preview shows from now on; None while it is hidden."""
        self.pipeline.demand.watched = request is not None
        self.pipeline.demand.want_foreground = request is not None and request.mode is ViewMode.FOREGROUND
        self._worker.request(request)

    def take_image(self) -> QImage | None:
        """Return the newest rendered view, in physical pixels; None if it was taken."""
        self._signalled = False  # before the image is taken: a newer one is signalled again
        waiting = self._images.get(timeout_s=0)
        return None if waiting is None else to_qimage(waiting)

    def _keep(self, image: BgrxImage) -> None:
        """Called on the preview thread."""
        self._images.put(image)
        if not self._signalled:
            self._signalled = True
            self.frame_ready.emit()


class RemoteControl(QObject):
    """Runs the control server of the window.

    Commands change the settings on the control thread, without waiting for the GUI thread: a command is answered
    after it took effect, also while the window is busy.
    """

    scenes_changed = pyqtSignal()
    """A command changed the saved scenes."""
    _end_requested = pyqtSignal()

    def __init__(self, store: SettingsStore, bridge: Bridge, scenes: SceneStore, end: Callable[[], None]) -> None:
        super().__init__(bridge)
        pipeline = bridge.pipeline
        self._end_requested.connect(end)
        controller = SettingsController(
            pipeline,
            change=store.change,
            undo=store.undo,
            tiles=lambda: tiles(store.current.window.own_colour),
            scenes=scenes,
            request_quit=self._end_requested.emit,
            newest=lambda: bridge.picture,
            scenes_changed=self.scenes_changed.emit,
        )
        self._server = ControlServer(controller)
        pipeline.watch(self._server.thread)

    def start(self) -> None:
        """Start listening. The window also works where that fails."""
        self._server.start()

    def stop(self) -> bool:
        """Stop listening; return False if the thread did not end."""
        return self._server.stop()
