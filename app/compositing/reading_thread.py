"""Thread that reads the pictures of a background beside its callers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class ReadingThread:
    """Runs `read` on a thread until `close`. Guard what both sides use with `condition`; `closing` ends the loop."""

    def __init__(self, read: Callable[[], None], name: str, what: str, limit_s: float = 5.0) -> None:
        """Do not start the thread yet. name: of the thread. what: names it in the log. limit_s: for its end."""
        self.condition = threading.Condition()
        self.closing = False
        self._what, self._limit_s = what, limit_s
        self._thread = threading.Thread(target=read, name=name)

    def start(self) -> None:
        """Start the thread; what `read` uses must exist."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the thread to end; do not wait."""
        with self.condition:
            self.closing = True
            self.condition.notify_all()

    def close(self) -> None:
        """End the thread. Idempotent."""
        self.stop()
        self._thread.join(self._limit_s)
        if self._thread.is_alive():
            log.error("The %s does not stop.", self._what)
