"""The limits `--seconds` and `--frames` of a run with a window."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, QTimer

from app.gui.state.bridge import Bridge
from app.runtime.status import Phase, PipelineStatus


class RunLimits(QObject):
    """Ends a run after some seconds, which count from the first frame sent or as soon as none is due, or frames."""

    def __init__(self, bridge: Bridge, seconds: float | None, frames: int | None, end: Callable[[], object]) -> None:
        """seconds, frames: None for no limit. end: called on the GUI thread, once or more."""
        super().__init__(bridge)
        self._seconds, self._frames, self._end = seconds, frames, end
        bridge.status_changed.connect(self._look)

    def _look(self, status: PipelineStatus) -> None:
        if self._frames is not None and status.frames_out >= self._frames:
            self._end()
        if self._seconds is not None and (status.frames_out > 0 or status.phase is not Phase.STARTING):
            QTimer.singleShot(round(self._seconds * 1000), self._end)
            self._seconds = None
