"""A file beside the control socket while the program is paused: it outlives a crash, but neither logout nor reboot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from app.core.files.disk_errors import why_not_written

log = logging.getLogger(__name__)
FILE = "paused"


class PauseMark:
    """Tells the next run that the last one crashed while it was paused. `follow` is thread-safe."""

    def __init__(self, folder: Path) -> None:
        """folder: the private one of the control socket, which this program owns."""
        self._lock = threading.Lock()
        self._file = folder / FILE
        self._paused = self.left_behind = self._file.exists()
        """`left_behind`: whether the last run was paused and did not end as its user asked."""

    def follow(self, is_paused: Callable[[], bool]) -> None:
        """Take note whether the program is paused now."""
        with self._lock:
            paused = is_paused()
            if paused is self._paused:
                return
            self._paused = paused
            try:
                if paused:
                    self._file.touch(mode=0o600)
                else:
                    self._file.unlink(missing_ok=True)
            except OSError as error:  # the pause itself is in force
                reason = why_not_written(error)
                log.warning("A crash would end the pause, because %s cannot be written: %s.", self._file, reason)
