"""The last lines of the log, for the log window and the diagnostics. Knows nothing of Qt."""

from __future__ import annotations

import logging
from collections import deque

from app.config.logs import FILE_FORMAT

MAX_LINES = 2000


class LogBuffer(logging.Handler):
    """Keeps the newest lines; a deque takes appends of every thread."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter(FILE_FORMAT))
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self.count = 0
        """How many lines ever came: tells whether there are new ones."""

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        self.count += 1

    def lines(self) -> tuple[str, ...]:
        """The lines on hand, oldest first."""
        return tuple(self._lines)
