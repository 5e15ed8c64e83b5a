"""Captures of the screen, which may show the program's own window with the room in it, and the threads that read."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app.core.errors import BackgroundError
from app.core.messages.media import ScreenText

log = logging.getLogger(__name__)


class ReadingThread:
    """Runs `read` on a thread until `close`. Guard what both sides use with `condition`; `closing` ends the loop."""

    def __init__(self, read: Callable[[], None], name: str, what: str, limit_s: float = 5.0) -> None:
        """Do not start the thread yet. name: of the thread. what: names it in the log. limit_s: for its end."""
        self.condition = threading.Condition()
        self.closing = False
        self._what, self._limit_s = what, limit_s
        # A daemon only so that a drive or display that never answers cannot keep the process alive.
        self._thread = threading.Thread(target=read, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; what `read` uses must exist."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the thread to end; do not wait."""
        with self.condition:
            self.closing = True
            self.condition.notify_all()

    def close(self) -> None:
        """End the thread. Idempotent. On the thread itself, where the garbage collector may call it, do not wait."""
        self.stop()
        if self._thread is threading.current_thread():
            return
        self._thread.join(self._limit_s)
        if self._thread.is_alive():
            log.error("The %s does not stop.", self._what)


HIDING_LIMIT_S = 10.0
"""Limit for the window to hide the room: the thread that opens backgrounds must be able to stop."""
DESKTOP_S = 0.3
"""Wait after that until the desktop shows what the window has painted."""


class ScreenUse:
    """The captures of one running program. Thread-safe.

    A capture begins before its first image and ends with its thread. Between them no view of the program shows more of
    the camera than the outputs do: views ask `captured` when they are painted.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._captures: tuple[ReadingThread, ...] = ()
        self._changed: Callable[[], None] | None = None
        self._hidden = False
        """The views have been painted since the first of the captures began."""
        self._closed = False

    @property
    def captured(self) -> bool:
        """Whether a screen is captured, or is about to be."""
        return bool(self._captures)

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` on any thread when captures begin or end; a capture then waits for `confirm_hidden`."""
        self._changed = changed

    def confirm_hidden(self) -> None:
        """Confirm that every view has been painted, or is invisible, since `changed` was called (any thread)."""
        with self._condition:
            self._hidden = self.captured
            self._condition.notify_all()

    def begin(self, capture: ReadingThread) -> None:
        """Wait until no view shows the room. Raises BackgroundError if that fails or the capture is stopped."""
        with self._condition:
            self._captures += (capture,)
        if self._changed is not None:
            self._changed()
            with self._condition:
                self._condition.wait_for(lambda: self._hidden or self._is_over(capture), HIDING_LIMIT_S)
                hidden = self._hidden and not self._condition.wait_for(lambda: self._is_over(capture), DESKTOP_S)
            if not hidden:
                self.end(capture)
                raise BackgroundError(ScreenText.NOT_HIDDEN())

    def end(self, capture: ReadingThread) -> None:
        """Note that a capture takes no more images."""
        with self._condition:
            self._captures = tuple(other for other in self._captures if other is not capture)
            self._hidden = self._hidden and self.captured
        if self._changed is not None:
            self._changed()

    def stop(self) -> None:
        """Tell every capture to end: its screen is no longer wanted (any thread)."""
        with self._condition:
            for capture in self._captures:
                capture.stop()
            self._condition.notify_all()

    def close(self) -> None:
        """Let no capture begin any more: the window no longer answers."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _is_over(self, capture: ReadingThread) -> bool:
        return self._closed or capture.closing
