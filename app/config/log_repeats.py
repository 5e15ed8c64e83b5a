"""A log handler that writes a repeated message once, with a count."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass

INTERVAL_S = 60.0
"""A message that goes on being repeated is counted in a line of the log at most this often."""
_Key = tuple[int, str, object]


@dataclass(slots=True)
class _Said:
    """The last message of a logger."""

    key: _Key
    written_s: float
    count: int = 0
    """How often it was repeated since `written_s`."""
    note: logging.LogRecord | None = None
    """The line with the count. It keeps nothing of the repeated record, whose traceback holds frames."""


class RepeatsHandler(logging.Handler):
    """Passes records to `target`, and holds back a message that equals the last one of its logger.

    What was held back becomes one line with a count: before the next other message of that logger, with the first
    message of any logger after INTERVAL_S, or when the handler is closed. Times are those of the records.
    """

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(target.level)
        self.target = target
        self._said: dict[str, _Said] = {}
        """By name of the logger."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it."""
        try:
            self._emit(record)
        except Exception:  # noqa: BLE001 - as in every handler: a defective message must not end its thread
            self.handleError(record)

    def _emit(self, record: logging.LogRecord) -> None:
        key = record.levelno, record.getMessage(), record.exc_info and record.exc_info[0]
        last = self._said.get(record.name)
        if last is not None and last.key == key:
            last.count += 1
            last.note = _note(record, last.count)
        else:
            if last is not None:
                self._write_count(last, record.created)
            self._said[record.name] = _Said(key, record.created)
            self.target.handle(record)
        for said in self._said.values():
            if record.created - said.written_s >= INTERVAL_S:
                self._write_count(said, record.created)

    def _write_count(self, said: _Said, now_s: float) -> None:
        if said.note is not None:
            self.target.handle(said.note)
        said.count, said.note, said.written_s = 0, None, now_s

    def flush(self) -> None:
        """Flush the target."""
        self.target.flush()

    def close(self) -> None:
        """Write what is counted and close the target."""
        self.acquire()
        try:
            for said in self._said.values():
                self._write_count(said, said.written_s)
            self._said.clear()
        finally:
            self.release()
        self.target.close()
        super().close()


def _note(record: logging.LogRecord, count: int) -> logging.LogRecord:
    note = copy.copy(record)
    note.msg, note.args = ("… repeated once", ()) if count == 1 else ("… repeated %d times", (count,))
    note.exc_info = note.exc_text = note.stack_info = None
    return note
