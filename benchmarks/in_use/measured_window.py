"""The window under measurement: runs its event loop for a time and notes how long the GUI thread
was blocked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtWidgets import QWidget

from app.gui.application import Session, WindowOptions, make_application
from app.runtime.context import PipelineParts
from app.settings import Settings

BEAT_MS, POLL_MS = 5, 20


class MeasuredWindow:
    """The program in its window, without files of settings."""

    def __init__(self, settings: Settings, parts: PipelineParts) -> None:
        options = WindowOptions(
            seconds=24 * 3600, persist=False, parts=parts, unmatted_confirmed=True
        )
        self._session = Session(make_application(), settings, options)
        self.pipeline = self._session.pipeline
        # In a call its own window is the active one, not that of the camera.
        self._window_of_the_call = QWidget()

    def start(self, *, in_call: bool) -> None:
        """Show the window and start the pipeline. in_call: another window is the active one."""
        self._session.start()
        if in_call:
            self._window_of_the_call.show()
            self._window_of_the_call.activateWindow()

    def gaps_ms(self, seconds: float) -> list[float]:
        """Run the event loop for `seconds`; return the times between two runs of a timer of 5 ms on
        the GUI thread.
        """
        beats_s, heart = [time.perf_counter()], QTimer()
        heart.setInterval(BEAT_MS)
        heart.timeout.connect(lambda: beats_s.append(time.perf_counter()))
        heart.start()
        self.wait(seconds)
        heart.stop()
        return [(after_s - before_s) * 1000 for before_s, after_s in pairwise(beats_s)]

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Run the event loop for `seconds`; return True as soon as `until` returns True."""
        loop, poll = QEventLoop(), QTimer()
        if until is not None:
            poll.setInterval(POLL_MS)
            poll.timeout.connect(lambda: loop.exit(1) if until() else None)
            poll.start()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        return loop.exec() == 1

    def close(self) -> None:
        """Close the window and stop the pipeline."""
        self._window_of_the_call.close()
        self._session.close()
