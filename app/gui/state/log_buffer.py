"""Keeps the last log lines for the log window and the diagnostics. Imports no Qt."""

from __future__ import annotations

import logging
from collections import deque

from app.config.logs import FILE_FORMAT

MAX_LINES = 2000


class LogBuffer(logging.Handler):
    """A log handler that keeps the newest lines. `deque.append` is thread-safe."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter(FILE_FORMAT))
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self.count = 0
        """Number of lines ever logged; a change means that there are new ones."""

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        self.count += 1

    def lines(self) -> tuple[str, ...]:
        """The lines kept, oldest first."""
        return tuple(self._lines)
